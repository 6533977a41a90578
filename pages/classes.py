"""Classes: who pays for pruning."""

from prunepriv.ui.classes.view import who_pays
from prunepriv.ui.frame import footer, page

frame = page("Classes", "Who pays for pruning? Some classes leak more than others.")
who_pays(frame)
footer(frame)
