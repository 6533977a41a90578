"""The comparisons between models, as a reader calls them."""

from __future__ import annotations

from prunepriv.plan import Target

PAIRS = {
    "Retraining": (Target("original"), Target("control")),
    "Removing weights": (Target("control"), Target("pruned")),
    "Both": (Target("original"), Target("pruned")),
    "Retraining, equally long": (Target("original"), Target("control_matched")),
    "Removing weights, equally long": (Target("control_matched"), Target("pruned")),
    "The defence": (Target("pruned"), Target("defended")),
    "Knowing the defence": (Target("defended", "non_adaptive"), Target("defended")),
}
"""What changes from the first model to the second, by name; in the order in which it is told."""
