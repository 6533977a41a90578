"""run."""

from prunepriv.ui.frame import footer, page

frame = page("run", "?")
footer(frame)
