from __future__ import annotations

import pytest

from prunepriv.cli.example import EXAMPLE_PRESETS
from prunepriv.errors import UnknownNameError
from prunepriv.experiment import make_experiment
from prunepriv.experiment.presets import get_preset, presets


@pytest.mark.parametrize("name", presets())
def test_every_preset_can_be_run_and_is_described(name: str) -> None:
    preset = get_preset(name)
    assert preset.made.run_id
    assert preset.label
    assert preset.description.endswith(".")


def test_the_first_preset_is_the_default_experiment() -> None:
    assert next(iter(presets().values())).made == make_experiment({})


def test_the_examples_are_presets_with_ppb() -> None:
    for name in EXAMPLE_PRESETS:
        defense = get_preset(name).made.defense
        assert (defense.name, defense.strength) == ("ppb", 4.0)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown preset 'x': choose one of default, "):
        get_preset("x")


def test_changing_a_copy_changes_no_preset() -> None:
    get_preset("default").copy()["pruning"]["sparsity"] = 0.1
    assert get_preset("default").made.pruning.sparsity == 0.7
