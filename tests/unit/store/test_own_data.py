from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prunepriv.datasets.base import Dataset
from prunepriv.datasets.own import read
from prunepriv.errors import DataError, UnknownNameError
from prunepriv.experiment.parts import Data, OwnDataset
from prunepriv.pipeline.steps import run_group
from prunepriv.plan import data_step
from prunepriv.progress import silent
from prunepriv.store import own_data
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.own_data import describe, find_imported, import_data, imported, in_words


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A table of 50 people, three features and two classes."""
    frame = pd.DataFrame(
        np.random.default_rng(4).normal(size=(50, 3)), columns=["age", "height", "weight"]
    )
    path = tmp_path / "people.csv"
    frame.assign(label=["cat", "dog"] * 25).to_csv(path, index=False)
    return path


def test_an_import_is_the_artifact_of_the_data_step(people: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    own = import_data(people, store)
    assert (own.label, own.records, own.shape, own.classes) == ("people", 50, (3,), 2)
    artifact = ArtifactStore(store).open(data_step(Data(name="own", own=own)).key)
    arrays, made = artifact.tensors("data"), read(people)
    np.testing.assert_array_equal(arrays["x"], made.x)
    np.testing.assert_array_equal(arrays["y"], made.y)
    assert artifact.json("about") == {
        "name": "own",
        "kind": "tabular",
        "classes": 2,
        "class_names": ["cat", "dog"],
        "feature_names": ["age", "height", "weight"],
    }
    assert in_words(own) == "people: a table of 50 records of 3 features, 2 classes"


def test_a_second_import_writes_nothing(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    own = import_data(people, store)
    monkeypatch.setattr(own_data, "_write", lambda *_: pytest.fail("written twice"))
    renamed = people.rename(tmp_path / "folk.csv")
    assert import_data(renamed, store) == own
    assert [one.own for one in imported(store)] == [own]
    assert imported(store)[0].source == "people.csv"


def test_a_removed_artifact_is_written_again(people: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    own = import_data(people, store)
    key = data_step(Data(name="own", own=own)).key
    ArtifactStore(store).path(key).rename(tmp_path / "gone")
    assert imported(store) == []
    assert import_data(people, store) == own
    assert len(imported(store)) == 1


def test_nothing_of_a_bad_file_is_kept(people: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    people.write_text(people.read_text() + "1,2,3\n")
    with pytest.raises(DataError, match=re.escape("people.csv, line 52: expected 4 columns")):
        import_data(people, store)
    assert not store.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"x": np.ones((50, 3), dtype=np.uint8)},
        {"y": np.ones(50, dtype=np.int64)},
        {"class_names": ("cat", "cow")},
        {"feature_names": ("a", "b", "d")},
        {"x": np.zeros((50, 3), dtype=np.float32)},
    ],
)
def test_different_contents_have_different_digests(change: dict[str, object]) -> None:
    plain = {
        "name": "own", "kind": "tabular", "classes": 2, "class_names": ("cat", "dog"),
        "feature_names": ("a", "b", "c"),
        "x": np.zeros((50, 3), dtype=np.uint8), "y": np.zeros(50, dtype=np.int64),
    }  # fmt: skip
    first = describe(Dataset(**plain), "first")  # type: ignore[arg-type]
    assert describe(Dataset(**plain), "second").digest == first.digest  # type: ignore[arg-type]
    assert describe(Dataset(**(plain | change)), "first").digest != first.digest  # type: ignore[arg-type]


def test_the_layout_of_pictures_in_memory_does_not_change_the_digest() -> None:
    x = (
        np.random.default_rng(5)
        .integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
        .transpose(0, 3, 1, 2)
    )
    own = [
        describe(
            Dataset(
                name="own", kind="image", x=layout, y=np.arange(4) % 2, classes=2,
                class_names=("a", "b"),
            ),
            "p",
        )
        for layout in (x, np.ascontiguousarray(x))
    ]  # fmt: skip
    assert own[0] == own[1]


def test_a_data_set_is_found_by_the_first_digits_of_its_digest(
    people: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    own = import_data(people, store)
    assert find_imported(own.handle, store) == own
    assert find_imported(f"own:{own.digest}", store) == own
    with pytest.raises(UnknownNameError, match="4 digits"):
        find_imported("own:../x", store)
    with pytest.raises(UnknownNameError, match=f"not in this store.*{own.handle}"):
        find_imported("own:" + ("0000" if own.digest[0] != "0" else "1111"), store)


def test_a_damaged_record_is_ignored(people: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    own = import_data(people, store)
    (store / "datasets" / "a.json").write_text("{")
    (store / "datasets" / "b.json").write_text(json.dumps({"own": {"digest": "../x"}}))
    assert [one.own for one in imported(store)] == [own]


def test_a_run_without_the_records_says_what_to_do(people: Path, tmp_path: Path) -> None:
    own = describe(read(people), "people")
    step = data_step(Data(name="own", own=own))
    with pytest.raises(DataError, match=f"{own.handle} was read on another computer.*import"):
        run_group([step], ArtifactStore(tmp_path / "store"), tmp_path, [silent])


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "\u202ex\n.csv", ".csv"])
def test_any_file_name_gives_a_label(people: Path, tmp_path: Path, name: str) -> None:
    own = import_data(people, tmp_path / "store", source=name)
    assert isinstance(own, OwnDataset)
    assert own.label.isprintable()
