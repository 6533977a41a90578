"""What holds for every data set."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from prunepriv.datasets import Dataset, load
from prunepriv.datasets.registry import LOADERS
from prunepriv.errors import DataError, ExperimentError, UnknownNameError
from prunepriv.options import DATASETS, Knob

SMALLEST_CLASS = {"purchase": 1, "texas": 1, "cifar10": 6000, "cifar100": 600, "chmnist": 625}
"""Fewest records of a class, where it is not 50: what the publishers say, or at least one."""
REPEATED = ("purchase", "texas", "cifar10", "cifar100", "svhn", "chmnist")
"""Data sets of real records that may hold the same record twice."""


@pytest.fixture(params=LOADERS, scope="module")
def loading(
    request: pytest.FixtureRequest,
    real_data: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
):
    """Loads one data set with its default knobs; a bundled one from an empty folder."""
    if DATASETS[request.param].bundled:
        folder = tmp_path_factory.mktemp("data")
    else:
        folder = real_data(request.param)
    return partial(load, request.param, {}, folder)


@pytest.fixture(scope="module")
def data(loading: Callable[[], Dataset]) -> Dataset:
    return loading()


def test_every_option_has_a_loader_and_every_loader_an_option():
    assert list(LOADERS) == list(DATASETS)


def test_records_are_what_the_option_says(data: Dataset):
    option = DATASETS[data.name]
    assert data.kind == option.kind
    assert data.x.shape == (option.records, *option.shape)
    assert (data.x.dtype, data.y.dtype) == (np.uint8, np.int64)
    assert data.y.shape == (option.records,)
    assert data.x.max() == (1 if option.kind == "tabular" else 255)
    assert data.x.flags.c_contiguous


def test_every_class_has_a_name_and_enough_records(data: Dataset):
    option = DATASETS[data.name]
    assert len(set(data.class_names)) == data.classes == option.classes
    assert data.class_names == option.class_names or not option.class_names
    smallest = np.bincount(data.y, minlength=data.classes).min()
    assert smallest >= SMALLEST_CLASS.get(data.name, 50)


def test_records_are_the_same_each_time(data: Dataset, loading: Callable[[], Dataset]):
    again = loading()
    np.testing.assert_array_equal(data.x, again.x)
    np.testing.assert_array_equal(data.y, again.y)


def test_records_differ(data: Dataset):
    if data.name in REPEATED:
        pytest.skip(f"{data.name} may hold a record twice")
    assert len(np.unique(data.x.reshape(len(data.x), -1), axis=0)) == len(data.x)


@pytest.mark.parametrize(
    ("name", "knob"),
    [pytest.param(o.name, k, id=f"{o.name}-{k.name}") for o in DATASETS.values() for k in o.knobs],
)
def test_every_knob_changes_the_records_and_not_the_labels(name: str, knob: Knob, tmp_path: Path):
    ends = [load(name, {knob.name: value}, tmp_path) for value in (knob.low, knob.high)]
    np.testing.assert_array_equal(ends[0].y, ends[1].y)
    assert (ends[0].x != ends[1].x).mean() > 0.05
    default = load(name, {knob.name: knob.default}, tmp_path)
    np.testing.assert_array_equal(default.x, load(name, {}, tmp_path).x)


def test_an_unknown_name_lists_the_known(tmp_path: Path):
    with pytest.raises(UnknownNameError, match=f"choose one of {', '.join(DATASETS)}"):
        load("nope", {}, tmp_path)


def test_an_unknown_knob_lists_the_known(tmp_path: Path):
    with pytest.raises(ExperimentError, match="'blur' of data set shapes: it takes noise"):
        load("shapes", {"blur": 1}, tmp_path)
    with pytest.raises(ExperimentError, match="'noise' of data set digits: it takes none"):
        load("digits", {"noise": 1}, tmp_path)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_knob_out_of_range(value: float, tmp_path: Path):
    with pytest.raises(ExperimentError, match=r"distinctiveness must lie in \[0, 1\], got"):
        load("checkins", {"distinctiveness": value}, tmp_path)


WRONG = {
    "x must be uint8": {"x": np.zeros((4, 3))},
    "y int64": {"y": np.zeros(4, np.int32)},
    "must have 2 dimensions": {"x": np.zeros((4, 3, 1), np.uint8)},
    "one label": {"y": np.zeros(5, np.int64)},
    "must be 0 or 1": {"x": np.full((4, 3), 2, np.uint8)},
    "labels must lie in": {"y": np.array([0, 1, 2, 0])},
    "each class must have one name": {"class_names": ("one",)},
    "each feature must have one name": {"feature_names": ("one",)},
}


@pytest.mark.parametrize(("rule", "change"), WRONG.items(), ids=WRONG)
def test_a_dataset_that_exists_is_valid(rule: str, change: dict):
    right = {
        "name": "mine",
        "kind": "tabular",
        "x": np.zeros((4, 3), np.uint8),
        "y": np.zeros(4, np.int64),
        "classes": 2,
        "class_names": ("one", "two"),
        "feature_names": ("a", "b", "c"),
    }
    Dataset(**right)
    with pytest.raises(DataError, match=f"data set mine: .*{rule}"):
        Dataset(**(right | change))


def test_no_data_set_needs_torch():
    script = (
        "import sys, scipy.io, prunepriv.datasets.registry; "
        "sys.exit(bool({'torch', 'torchvision', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
