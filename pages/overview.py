"""Overview: the whole story of the run in view on one screen."""

from prunepriv.ui.frame import footer, page
from prunepriv.ui.overview.cards import cards
from prunepriv.ui.overview.headlines import headlines

frame = page(
    "Overview",
    "What does pruning a neural network do to the privacy of the people in its training data?",
)
headlines(frame)
cards(frame)
footer(frame)
