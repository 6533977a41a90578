"""Overview: the results of the selected run on one screen."""

from prunepriv.ui.frame import footer, page
from prunepriv.ui.overview.cards import cards
from prunepriv.ui.overview.headlines import headlines

frame = page(
    "Overview",
    "How does pruning a neural network affect the privacy of the people in its training data?",
)
headlines(frame)
cards(frame)
footer(frame)
