from __future__ import annotations

import pytest

from prunepriv.cli.example import EXAMPLE_PRESETS
from prunepriv.errors import UnknownNameError
from prunepriv.experiment import make_experiment
from prunepriv.experiment.presets import get_preset, get_sweep, presets
from prunepriv.options import ATTACKS
from prunepriv.plan import Target, targets


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


def test_the_sweep_of_defenses_has_these_strengths_with_all_attacks_and_both_adversaries() -> None:
    experiments = get_sweep("defenses").experiments
    grid = {(one.defense.name, one.defense.strength, one.seed) for one in experiments}
    strengths = {
        "ppb": (1, 2, 4, 8, 16),
        "adversarial": (1, 3, 6, 12),
        "dp_sgd": (0.5, 1, 2, 4),
        "label_smoothing": (0.05, 0.1, 0.2, 0.4),
    }
    assert grid == {
        (name, strength, seed)
        for name, values in strengths.items()
        for strength in values
        for seed in (1, 2, 3)
    }
    assert len(experiments) == len(grid)
    for one in experiments:
        assert one.attacks.names == tuple(ATTACKS)
        both = {Target("defended"), Target("defended", "non_adaptive")}
        assert both < set(targets(one))
        assert Target("pruned") in targets(one)


@pytest.mark.parametrize("name", ["sparsity", "knowledge"])
def test_sweeps_of_sparsity_and_knowledge_attack_the_control_with_three_seeds(name: str) -> None:
    experiments = get_sweep(name).experiments
    assert all({"control", "pruned"} <= set(one.models) for one in experiments)
    cells: dict[tuple[float, float | None], list[int]] = {}
    for one in experiments:
        cell = one.pruning.sparsity, one.knowledge.sparsity
        cells.setdefault(cell, []).append(one.seed)
    assert {sparsity for sparsity, _ in cells} == {0.5, 0.6, 0.7, 0.8, 0.9}
    assert len(cells) == {"sparsity": 5, "knowledge": 25}[name]
    assert all(seeds == [1, 2, 3] for seeds in cells.values())


def test_the_papers_sweep_is_255_pruned_models_of_one_seed_with_the_control() -> None:
    experiments = get_sweep("paper").experiments
    pruned = {
        (one.data.name, one.model.name, one.pruning.approach, one.pruning.sparsity)
        for one in experiments
    }
    assert len(experiments) == len(pruned) == 255
    assert len({one.seed for one in experiments}) == 1
    assert {one.models for one in experiments} == {("original", "control", "pruned")}


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown preset 'x': choose one of default, "):
        get_preset("x")


def test_changing_a_copy_changes_no_preset() -> None:
    get_preset("default").copy()["pruning"]["sparsity"] = 0.1
    assert get_preset("default").made.pruning.sparsity == 0.7
