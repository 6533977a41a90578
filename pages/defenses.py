"""Defences: what a defence protects, and what it costs."""

from prunepriv.ui.defenses.view import controls, defended, defenses
from prunepriv.ui.frame import footer, page

frame = page(
    "Defences", "How much does a defence weaken the attacks, and how much accuracy does it cost?"
)
if defended(frame):
    adversary, frame = controls(frame)
    defenses(frame, adversary)
footer(frame)
