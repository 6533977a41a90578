"""Run: choose an experiment, see what it costs, launch it and watch it."""

import streamlit as st

from prunepriv.ui import form, launch, live
from prunepriv.ui.frame import page

frame = page("Run", "Choose an experiment, launch it and watch it work.", follow=False)

if frame.live:
    live.draw(frame)
st.subheader("New run", anchor=False)
launch.draw(form.draw())
if not frame.live:
    st.subheader("The run in view", anchor=False)
    live.draw(frame)
