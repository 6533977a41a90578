"""Sweeps: sparsity x approach x seeds, filling in live."""

import streamlit as st

from prunepriv.ui.frame import page
from prunepriv.ui.sweeps import new, pick, view

page("Sweeps", "One experiment for every cell of a grid: what depends on what?", follow=False)

sweep = pick.pick()
if sweep is None:
    st.markdown(
        "A sweep runs the same experiment for every combination of some settings, sparsities and "
        "seeds for example, and draws attack accuracy over them. Steps that runs share, such as the "
        "trained models before pruning, are done once. **None has run on this computer yet**: "
        "choose one below and see what it costs."
    )
else:
    view.view(sweep)
st.subheader("New sweep", anchor=False)
new.draw()
