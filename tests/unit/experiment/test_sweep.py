"""Sweeps: the experiments of a grid, and one sentence for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prunepriv.errors import ExperimentError, UnknownNameError
from prunepriv.experiment import make_experiment
from prunepriv.experiment.presets import get_sweep, sweep_presets
from prunepriv.experiment.sweep import MOST_CELLS, changed, is_sweep_id, make_sweep
from prunepriv.experiment.sweep_file import (
    LARGEST_FILE,
    load_sweep,
    parse_value,
    read_sweep,
)
from prunepriv.plan import models_name, plan

YAML = b"""
name: sparsity on Location
base: {data: {name: location}, defense: {name: ppb}}
grid:
  pruning.sparsity: [0.5, 0.7]
  pruning.approach: [l1_unstructured]
  seed: [1, 2]
"""


def test_a_grid_is_every_combination_in_order() -> None:
    sweep = read_sweep(YAML, "grid.yaml")
    wanted = [
        make_experiment(
            {
                "data": {"name": "location"},
                "defense": {"name": "ppb"},
                "pruning": {"approach": "l1_unstructured", "sparsity": sparsity},
                "seed": seed,
            }
        )
        for sparsity in (0.5, 0.7)
        for seed in (1, 2)
    ]
    assert sweep.experiments == tuple(wanted)
    assert sweep.axes == ("pruning.sparsity", "pruning.approach", "seed")
    assert sweep.columns[-1] == "seed"
    assert sweep.cells[1].values["pruning.sparsity"] == 0.5
    assert sweep.cells[1].values["data.name"] == "location"
    assert sweep.cells[1].values["seed"] == 2


def test_json_and_yaml_are_the_same_sweep(tmp_path: Path) -> None:
    sweep = read_sweep(YAML, "grid.yaml")
    file = tmp_path / "grid.json"
    file.write_text(json.dumps(sweep.definition, indent="\t"))
    assert load_sweep(file) == sweep
    assert load_sweep(file).sweep_id == sweep.sweep_id
    assert is_sweep_id(sweep.sweep_id)


def test_the_paper_prunes_255_models() -> None:
    sweep = get_sweep("paper")
    pruned = {plan(one).key(models_name("pruned")) for one in sweep.experiments}
    assert len(sweep.cells) == len(pruned) == 255
    images = [one for one in sweep.experiments if one.data.option.kind == "image"]
    assert len(images) == 4 * 3 * 4 * 5


@pytest.mark.parametrize("name", list(sweep_presets()))
def test_presets_can_be_run_and_have_their_name(name: str) -> None:
    sweep = get_sweep(name)
    assert sweep.name == name
    assert len(set(sweep.run_ids)) == len(sweep.cells)
    assert sweep_presets()[name].description.endswith((".", "?"))


def test_equal_experiments_are_one_cell() -> None:
    sweep = make_sweep({"name": "x", "grid": {"seed": [1, 1, 2], "data.limit": [None, 99_999]}})
    assert [one.seed for one in sweep.experiments] == [1, 2]


def test_an_adversary_that_knows_has_the_targets_pruning() -> None:
    axes = {"pruning.sparsity": [0.5, 0.7], "knowledge.sparsity": [0.5, 0.7]}
    cells = make_sweep({"name": "x", "grid": axes}).cells
    pairs = [(c.values["pruning.sparsity"], c.values["knowledge.sparsity"]) for c in cells]
    assert pairs == [(0.5, 0.5), (0.5, 0.7), (0.7, 0.5), (0.7, 0.7)]
    assert [cell.experiment.assumed is None for cell in cells] == [True, False, False, True]


def test_impossible_cells_are_named_or_left_out() -> None:
    given = {
        "name": "x",
        "grid": {"data.name": ["shapes", "location"], "pruning.approach": ["l1_structured"]},
    }
    with pytest.raises(ExperimentError) as refused:
        make_sweep(given)
    sentence = "data.name=location, pruning.approach=l1_structured: l1_structured needs conv layers"
    assert f"cell {sentence}" in str(refused.value)
    sweep = make_sweep({**given, "skip_impossible": True})
    assert [one.data.name for one in sweep.experiments] == ["shapes"]
    assert len(sweep.impossible) == 1
    assert sweep.impossible[0].startswith(sentence)
    given["grid"]["data.name"] = ["location"]
    with pytest.raises(ExperimentError, match="no cell of this sweep can be run"):
        make_sweep({**given, "skip_impossible": True})


MISTAKES = [
    ("- a", "a sweep must be a mapping"),
    ("grid: {seed: [1]}", "a sweep needs a name"),
    ("name: x", "either a grid or grids"),
    ("name: x\ngrid: {seed: [1]}\ngrids: [{seed: [1]}]", "either a grid or grids"),
    ("name: x\ngrid: {pruning.sparcity: [1]}", "pruning.sparcity is not a setting"),
    ("name: x\ngrid: {sparsity: [1]}", "sparsity is not a setting"),
    ("name: x\ngrid: {seed.x: [1]}", "seed.x is not a setting"),
    ("name: x\ngrid: {pruning: [{}]}", "pruning is not a setting: it has"),
    ("name: x\ngrid: {pruning.sparsity: []}", "pruning.sparsity has no values"),
    ("name: x\ngrid: {seed: 1}", "grid.seed must be a valid list, got 1"),
    ("name: x\ngrid: 3", "grid must be a valid dictionary, got 3"),
    ("name: x\nbase: {modl: {}}\ngrid: {seed: [1]}", "modl is not a setting"),
    (
        "name: x\nbase: {pruning: 3}\ngrid: {pruning.sparsity: [0.1]}",
        "pruning is not a setting: it has",
    ),
    (
        "name: x\nbase: {data: {knobs: 3}}\ngrid: {data.knobs.noise: [1]}",
        "knobs must be a mapping of settings",
    ),
    ("name: x\nfoo: 1\ngrid: {seed: [1]}", "'foo' is not part of a sweep"),
    ("name: x\ngrid: {seed: [-1]}", "cell seed=-1: seed"),
    ("name: x\ngrid: {pruning.sparsity: [much]}", "cell pruning.sparsity=much"),
    ("name: x\ngrid: {seed: [2026-01-01]}", "put dates and similar values in quotes"),
    ("name: x\ngrid: {pruning.sparsity: [.nan]}", "finite numbers"),
    ("a: [", "f.yaml is neither YAML nor JSON"),
    ("name: &a x\nbase: *a", "uses no aliases"),
    ("name: !!python/object/apply:os.getcwd []", "neither YAML nor JSON"),
    ("[" * 20_000, "more than 16 deep"),
    ("name: x\ngrid: {seed: [" + "1," * (MOST_CELLS + 1) + "]}", "at most 10,000 cells"),
    ("#" * (LARGEST_FILE + 1), "at most 64 KB"),
]


@pytest.mark.parametrize(("text", "sentence"), MISTAKES, ids=[s[:30] for _, s in MISTAKES])
def test_a_mistake_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ExperimentError) as refused:
        read_sweep(text.encode(), "f.yaml")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_bytes_that_are_not_text() -> None:
    with pytest.raises(ExperimentError, match="not UTF-8"):
        read_sweep(b"\xff\xfe\x00", "f.yaml")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="cannot be read"):
        load_sweep(tmp_path / "none.yaml")
    with pytest.raises(UnknownNameError, match=r"one of sparsity, .*paper"):
        get_sweep("papr")


def test_changes() -> None:
    paper = get_sweep("paper")
    few = changed(
        paper,
        {"data.limit": 512},
        {"data.name": ["cifar10", "location"], "pruning.sparsity": [0.5, 0.7]},
        seeds=[1, 2],
        width=0.25,
    )
    assert len(few.cells) == (3 * 4 + 1) * 2 * 2
    assert {one.data.limit for one in few.experiments} == {512}
    assert {(one.data.name, one.model.width) for one in few.experiments} == {
        ("cifar10", 0.25),
        ("location", 1.0),
    }
    assert few.sweep_id != paper.sweep_id
    assert changed(paper) == make_sweep({**paper.definition})
    for wrong, sentence in (
        ({"settings": {"pruning.sparsity": 0.5}}, "is an axis of this sweep"),
        ({"settings": {"sparsity": 0.5}}, "sparsity is not a setting"),
        ({"only": {"seed": [1]}}, "seed is not an axis of this sweep"),
        (
            {"only": {"pruning.sparsity": [0.55]}},
            "has no value 0.55 in this sweep: it has 0.5, 0.6",
        ),
        ({"only": {"data.name": ["texas"], "model.name": ["vgg16"]}}, "no cell of the sweep"),
    ):
        with pytest.raises(ExperimentError, match=sentence):
            changed(paper, **wrong)


def test_values_of_the_command_line() -> None:
    assert [parse_value(text) for text in ("0.5", "7", "conf", "null")] == [0.5, 7, "conf", None]
    with pytest.raises(ExperimentError, match="not a value"):
        parse_value("[1")
