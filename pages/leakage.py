"""Leakage: confidence and sensitivity of members and non-members, before and after pruning."""

from prunepriv.ui.frame import footer, page
from prunepriv.ui.leakage.view import controls, figure_one

frame = page("Leakage", "Can the model's answers tell members from non-members?")
scale, label = controls(frame)
figure_one(frame, scale, label)
footer(frame)
