"""Classes: which classes leak more than others."""

from prunepriv.ui.classes.view import classes
from prunepriv.ui.frame import footer, page

frame = page("Classes", "Which classes leak more than others, and how does pruning change that?")
classes(frame)
footer(frame)
