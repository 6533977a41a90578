"""overview."""

from prunepriv.ui.frame import footer, page

frame = page("overview", "?")
footer(frame)
