"""Attacks: which attack works best, and how well."""

from prunepriv.ui.attacks.view import attacks, controls
from prunepriv.ui.frame import footer, page

frame = page("Attacks", "Which attack distinguishes members from non-members best, and how well?")
attacks(frame, controls(frame))
footer(frame)
