"""Leakage: confidence and sensitivity of members and non-members, before and after pruning."""

from prunepriv.ui.frame import footer, page
from prunepriv.ui.leakage.view import controls, figure_one

frame = page("Leakage", "Do the model's outputs show which records are members?")
scale, label = controls(frame)
figure_one(frame, scale, label)
footer(frame)
