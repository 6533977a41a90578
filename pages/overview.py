"""Overview: the results of the selected run on one screen."""

from prunepriv.ui.controls import fix_attack
from prunepriv.ui.frame import footer, page
from prunepriv.ui.overview.cards import cards
from prunepriv.ui.overview.headlines import headlines, other_seeds

frame = page(
    "Overview",
    "How does pruning a neural network affect the privacy of the people in its training data?",
)
frame = fix_attack(frame)
headlines(frame)
cards(frame)
other_seeds(frame)
footer(frame)
