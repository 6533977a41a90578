"""Run: choose an experiment, see what it costs, launch it and watch it."""

import streamlit as st

from prunepriv.ui import handover
from prunepriv.ui.frame import page
from prunepriv.ui.run import form, launch, live

frame = page("Run", "Choose an experiment, launch it and watch it work.", follow=False)

mine = not frame.example  # what was launched here stays where it was watched, finished or not
if mine:
    live.draw(frame)
st.subheader("New run", anchor=False)
given = handover.take()
if given is not None:
    form.fill(given)
launch.draw(form.draw())
if not mine:
    st.subheader("The run in view", anchor=False)
    live.draw(frame)
