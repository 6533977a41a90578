from __future__ import annotations

import pytest

from prunepriv.experiment import make_experiment
from prunepriv.pipeline.plan import VERSIONS
from prunepriv.ui.words import STEP_WORDS, describe, duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (0.2, "1 s"), (59.6, "1 min"), (61, "1 min 1 s"), (200, "3 min 20 s"),
        (900, "15 min"), (7300, "2 h 1 min"), (-1, "0 s"),
    ],
)  # fmt: skip
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_runs_that_differ_in_what_matters_read_differently() -> None:
    base = make_experiment({})
    others = [
        {"data": {"name": "shapes"}},
        {"data": {"limit": 900}},
        {"pruning": {"sparsity": 0.5}},
        {"defense": {"name": "ppb"}},
        {"defense": {"name": "ppb", "strength": 8}},
        {"seed": 8},
    ]
    lines = [describe(base), *(describe(make_experiment(other)) for other in others)]
    assert len(set(lines)) == len(lines)


def test_every_kind_of_step_belongs_to_one_stage() -> None:
    named = [kind for kinds, _ in STEP_WORDS for kind in kinds]
    assert sorted(named) == sorted(VERSIONS.keys() - {"reference"}), "that is an export's"
