"""Sweeps: many runs over sparsities, approaches and seeds, shown while they run."""

import streamlit as st

from prunepriv.ui.frame import page
from prunepriv.ui.sweeps import new, pick, view

page(
    "Sweeps",
    "One run for each combination of settings: how does the leakage depend on them?",
    follow=False,
)

sweep = pick.pick()
if sweep is None:
    st.markdown(
        "A sweep runs the same experiment for every combination of some settings, for example "
        "sparsities and seeds, and plots the attack accuracy for each. Steps that several runs share, "
        "such as training the models before pruning, are done once. **No sweep has run on this "
        "computer yet**: choose one below to see its cost."
    )
else:
    view.view(sweep)
st.subheader("New sweep", anchor=False)
new.draw()
