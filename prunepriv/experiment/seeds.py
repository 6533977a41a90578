"""One experiment under several seeds."""

from __future__ import annotations

from collections.abc import Sequence

from prunepriv.errors import ExperimentError
from prunepriv.experiment.experiment import Experiment, make_experiment
from prunepriv.experiment.sentences import short

MORE = 4
"""How many more seeds are offered: five in all give an interval that is worth reading."""


def read_seeds(text: str, least: int = 1) -> list[int]:
    """The different seeds in a text such as "1,2,3", in their order.

    Args:
        text: what somebody typed.
        least: how many there must be.

    Raises:
        ExperimentError: not whole numbers, or too few.
    """
    try:
        found = list(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise ExperimentError(
            f"seeds are whole numbers with commas between them, as in 1,2,3, got {short(text)}"
        ) from None
    if len(found) < least:
        raise ExperimentError(
            f"{least} different seeds or more are needed, got {short(text)}: name more of them"
        )
    return found


def under_seeds(experiment: Experiment, seeds: Sequence[int]) -> tuple[Experiment, ...]:
    """The experiment under each of the seeds.

    Raises:
        ExperimentError: a seed is out of its range.
    """
    settings = experiment.model_dump(mode="json")
    return tuple(make_experiment({**settings, "seed": seed}) for seed in seeds)


def more_seeds(taken: Sequence[int], count: int = MORE) -> list[int]:
    """The smallest seeds from 1 on that are not taken."""
    found: list[int] = []
    seed = 1
    while len(found) < count:
        if seed not in taken:
            found.append(seed)
        seed += 1
    return found


def same_but_seed(one: Experiment, other: Experiment) -> bool:
    """Whether two experiments differ in nothing but their seed; equal ones do too."""
    return one.model_copy(update={"seed": other.seed}) == other
