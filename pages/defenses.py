"""Defences: is a defence worth it?"""

from prunepriv.ui.defenses.view import controls, defended, worth_it
from prunepriv.ui.frame import footer, page

frame = page("Defences", "What does a defence take from the attacker, and what does it cost?")
if defended(frame):
    worth_it(frame, controls())
footer(frame)
