"""Users' own tables: what is read, and the sentence for what cannot be read."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunepriv.datasets import guards
from prunepriv.datasets.own import features, read, tables
from prunepriv.errors import DataError

ROWS = 60


def table(**more: Any) -> pd.DataFrame:
    """A good table of numbers: three classes, two features."""
    rng = np.random.default_rng(0)
    columns = {"age": rng.normal(40, 9, ROWS), "visits": rng.integers(0, 9, ROWS)}
    return pd.DataFrame({**columns, "label": np.arange(ROWS) % 3, **more})


Write = Callable[..., Path]


@pytest.fixture(params=["csv", "parquet"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    """Writes a table in one of the formats."""

    def write_(frame: pd.DataFrame) -> Path:
        path = tmp_path / f"people.{request.param}"
        if request.param == "csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_parquet(path, index=False)
        return path

    return write_


def csv(folder: Path, text: str) -> Path:
    path = folder / "people.csv"
    path.write_text(text)
    return path


def refused(path: Path, match: str, **more: Any) -> None:
    with pytest.raises(DataError, match=match) as caught:
        read(path, **more)
    assert "\n" not in str(caught.value)


def test_numbers_are_standardized_column_by_column(write: Write) -> None:
    frame = table(constant=7.5)
    data = read(write(frame))
    assert (data.kind, data.x.dtype, data.classes) == ("tabular", np.float32, 3)
    assert data.feature_names == ("age", "visits", "constant")
    assert data.class_names == ("0", "1", "2")
    np.testing.assert_array_equal(data.y, frame["label"])
    for column, name in enumerate(("age", "visits")):
        values = frame[name].to_numpy(dtype=float)
        expected = [(v - values.mean()) / values.std(ddof=0) for v in values]
        np.testing.assert_allclose(data.x[:, column], expected, atol=1e-5)
    assert not data.x[:, 2].any()


def test_features_of_0_and_1_stay_bytes(write: Write) -> None:
    bits = np.random.default_rng(1).integers(0, 2, (ROWS, 2))
    frame = table(age=bits[:, 0], visits=bits[:, 1].astype(bool))
    data = read(write(frame))
    assert data.x.dtype == np.uint8
    np.testing.assert_array_equal(data.x, bits)


def test_labels_of_text_become_sorted_classes(write: Write) -> None:
    data = read(write(table(label=["emu", "cat", "dog"] * 20)))
    assert data.class_names == ("cat", "dog", "emu")
    np.testing.assert_array_equal(data.y[:3], [2, 0, 1])


def test_the_labels_column_can_be_named(write: Write) -> None:
    frame = table().rename(columns={"label": "kind"})
    assert read(write(frame), label_column="kind").feature_names == ("age", "visits")
    refused(write(frame), "no column named label, .*--label-column")
    refused(write(frame), "no column 'sort': it has 'age', 'visits', 'kind'", label_column="sort")


def test_a_column_that_says_train_or_test_is_left_out(write: Write) -> None:
    assert read(write(table(split=["train", "test"] * 30))).feature_names == ("age", "visits")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"label": [1, 2, 3] * 20}, "(line 4|row 3), column 'label': 3 different .* 0 to 2, got 3"),
        ({"label": [0, -1, 1] * 20}, "(line 3|row 2), column 'label'.* got -1"),
        ({"label": [0.5, 1.5] * 30}, "whole numbers from 0 or text, got double"),
        ({"label": [0] * ROWS}, "two classes are needed"),
        ({"label": ["a", ""] * 30}, "(line 3|row 2), column 'label': a class's name"),
        (
            {"age": [1.0] * 9 + [None] + [2.0] * 50},
            "(line 11|row 10), column 'age': the value is missing",
        ),
        ({"age": [1.0] * 9 + [np.inf] + [2.0] * 50}, "(line 11|row 10), column 'age': .* got inf"),
        ({"age": ["4", "x9"] + ["5"] * 58}, "(line 3|row 2), column 'age': .* got 'x9'"),
    ],
)
def test_the_first_wrong_cell_is_named(write: Write, change: dict[str, Any], match: str) -> None:
    refused(write(table(**change)), match)


def test_nan_is_refused_by_row(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    ages = pa.array([1.0] * 9 + [np.nan] + [2.0] * 50)
    pa.parquet.write_table(pa.table({"age": ages, "label": [0, 1] * 30}), path)
    refused(path, "row 10, column 'age': features must be finite numbers, got nan")


def test_too_few_records_for_a_split(write: Write) -> None:
    refused(write(table().head(39)), "39 records, but a split needs at least 40")
    assert len(read(write(table().head(40))).y) == 40


def test_a_table_of_labels_only(write: Write) -> None:
    refused(write(table()[["label"]]), "the label column 'label', but no column of features")


def test_too_many_classes(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prunepriv.datasets.own.labels.MOST_CLASSES", 2)
    refused(write(table()), "3 different labels, but at most 2 classes are allowed")


def test_a_ragged_line_is_named(tmp_path: Path) -> None:
    lines = ["age,label", *("4,1", "3,0") * 30]
    lines[7] = "4"
    refused(csv(tmp_path, "\n".join(lines)), "line 8: expected 2 columns, got 1")
    lines[7] = "4,5,6"
    refused(csv(tmp_path, "\n".join(lines)), "line 8: expected 2 columns, got 3")


def test_types_follow_from_all_lines_not_from_the_first_ones(tmp_path: Path) -> None:
    lines = ["age,label"] + [f"{n},{n % 2}" for n in range(300_000)]
    lines[-1] = f"0.5,{1}"
    assert read(csv(tmp_path, "\n".join(lines))).x.dtype == np.float32


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "is empty"),
        ("\n\n", "cannot be read as CSV"),
        ("age,label\n", "holds no records"),
        ("1,2\n3,4\n", "line 1: must name the columns"),
        ("age,age,label\n1,2,0\n", "names the column 'age' twice"),
    ],
)
def test_a_csv_without_records_or_names(tmp_path: Path, text: str, match: str) -> None:
    refused(csv(tmp_path, text), match)


def test_bytes_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"age,label\n" + b"\xff\xfe,1\n" * 50)
    refused(path, "people.csv")


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with path.open("wb") as stream:
        stream.truncate(10_000_000_000)  # a sparse file: it takes no space
    refused(path, r"10.0 GB, but at most 2 GB can be read")


def test_a_parquet_that_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "people.parquet"
    table().to_parquet(path)
    monkeypatch.setattr(tables, "MOST_BYTES", 100)
    refused(path, "unpacks to .* GB, but at most .* GB can be read")


def test_records_that_would_not_fit_into_memory(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "MOST_BYTES", 100_000)
    assert read(write(table())).classes == 3
    monkeypatch.setattr(guards, "MOST_BYTES", 100)
    refused(write(table()), "GB of memory")


class Trap:
    """Unpickling it would make a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


@pytest.mark.parametrize("name", ["thing", "image"])
def test_pickled_objects_in_a_parquet_are_not_unpickled(tmp_path: Path, name: str) -> None:
    unpickled = tmp_path / "unpickled"
    path = tmp_path / "people.parquet"
    table(**{name: [pickle.dumps(Trap(unpickled))] * ROWS}).to_parquet(path)
    refused(path, f"row 1, column '{name}'")
    assert not unpickled.exists()


@pytest.mark.parametrize("ending", ["parquet", "zip", "npz"])
def test_a_file_of_noise_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"people.{ending}"
    path.write_bytes(b"PAR1" + b"noise" * 40)
    refused(path, f"people.{ending} is not a (Parquet file|zip archive), or is damaged")


def test_a_damaged_parquet(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    table().to_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + bytes(range(60)) + whole[64:])
    refused(path, "people.parquet cannot be read")
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "people.parquet is not a Parquet file, or is damaged")


def test_a_missing_file_and_an_unknown_format(tmp_path: Path) -> None:
    refused(tmp_path / "people.csv", "people.csv is not there")
    path = tmp_path / "people.pkl"
    path.write_bytes(b"x")
    refused(path, re.escape("expected .csv, .parquet, .zip, .npz or a folder"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "people.csv")
    refused(tmp_path / "people.csv", "neither a file nor a folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = csv(tmp_path, "age,label\n")
    path.chmod(0)
    refused(path, "no permission")


@pytest.mark.parametrize("spoilt", [False, True])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, spoilt: bool) -> None:
    """Also if the changed content cannot be read at all."""
    path = tmp_path / "people.csv"
    table().to_csv(path, index=False)

    def change(fraction: float, message: str = "", point: Any = None) -> None:
        with path.open("a") as stream:
            stream.write("1\n" if spoilt else "1,2,0\n")

    with pytest.raises(DataError, match="changed while it was read"):
        read(path, change)


@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60),
        min_size=1,
        max_size=30,
    )
)
def test_finite_numbers_stay_finite_and_get_mean_0_and_deviation_1(
    numbers: list[float],
) -> None:
    column = features.standardize(np.array(numbers, dtype=float))
    assert np.isfinite(column).all()
    assert abs(column.mean()) < 1e-6
    assert column.std() == pytest.approx(1, abs=1e-6) or not column.any()
