from __future__ import annotations

import pytest

from prunepriv.experiment import make_experiment
from prunepriv.plan import VERSIONS
from prunepriv.ui.words import STEP_WORDS, defense_of, describe, size_of


def test_different_runs_have_different_descriptions() -> None:
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
    assert sorted(named) == sorted(VERSIONS.keys() - {"reference"}), "it belongs to an export"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none", "no defence"), ("ppb", "PPB 4"), ("adversarial", "adversarial 6"),
        ("dp_sgd", "DP-SGD \u03c3 1"), ("label_smoothing", "label smoothing 0.1"),
    ],
)  # fmt: skip
def test_a_defense_is_named_with_its_strength(name: str, words: str) -> None:
    assert defense_of(make_experiment({"defense": {"name": name}})) == words


def test_the_size_of_a_network_in_words() -> None:
    assert size_of({"parameters": 146974}) == "146,974 parameters"
    whole = {"parameters": 11_181_642, "multiplications": 555_000_000}
    assert size_of(whole) == "11.2 million parameters, 555 million multiplications per record"
