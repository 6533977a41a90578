"""The comparisons between models, as a reader calls them."""

from __future__ import annotations

from collections.abc import Mapping

from prunepriv.experiment import Experiment
from prunepriv.plan import Target, contrasts

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


def pairs_of(experiment: Experiment) -> dict[str, tuple[Target, Target]]:
    """The comparisons that a run makes."""
    there = contrasts(experiment)
    return {name: pair for name, pair in PAIRS.items() if pair in there}


def first_of(pairs: Mapping[str, tuple[Target, Target]]) -> str:
    """The comparison that is shown first: what pruning itself does, if the run can tell."""
    return "Removing weights" if "Removing weights" in pairs else next(iter(pairs))
