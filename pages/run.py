"""Run: choose an experiment, see its cost, launch it and follow its progress."""

import streamlit as st

from prunepriv.ui import handover
from prunepriv.ui.frame import page
from prunepriv.ui.run import form, launch, live

frame = page("Run", "Choose an experiment, launch it and follow its progress.", follow=False)

mine = not frame.example  # a run that was launched here keeps its place when it ends
if mine:
    live.draw(frame)
st.subheader("New run", anchor=False)
given = handover.take()
if given is not None:
    form.fill(given)
launch.draw(form.draw())
if not mine:
    st.subheader("The selected run", anchor=False)
    live.draw(frame)
