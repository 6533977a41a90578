"""Attacks: which attack works, and how well."""

from prunepriv.ui.attacks.view import attacks, controls
from prunepriv.ui.frame import footer, page

frame = page("Attacks", "Which attack tells members from non-members, and how well?")
attacks(frame, controls(frame))
footer(frame)
