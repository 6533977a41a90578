"""CSV and Parquet: a table of numbers, or a column of encoded pictures, with a column of labels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from prunepriv.datasets.base import Dataset
from prunepriv.datasets.guards import MOST_BYTES
from prunepriv.datasets.own.features import assemble
from prunepriv.datasets.own.labels import LABEL_NAMES, Place, named, numbered
from prunepriv.datasets.own.pixels import stack
from prunepriv.errors import DataError
from prunepriv.options import OWN
from prunepriv.progress import Report

PICTURE_NAMES = ("image", "img", "picture")
SPLIT = "split"
"""A text column that names a record's part of a published data set, such as "train". It is ignored:
all parts are merged."""
LARGEST_BLOCK = 2**31 - 1


def read_csv(path: Path, source: str, label_column: str | None, report: Report) -> Dataset:
    """Read a table: the first line names the columns, each line after it is one record.

    Raises:
        DataError: something cannot be used; the message names its line and column.
    """
    report(0.0, f"reading {source}")
    ragged: list[str] = []

    def keep(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append(
            f"{source}, line {row.number}: expected {row.expected_columns} columns, "
            f"got {row.actual_columns}"
        )
        return "error"

    try:
        table = pyarrow.csv.read_csv(
            path,
            # one block, so that a column's type follows from all lines, not from the first ones
            pyarrow.csv.ReadOptions(
                use_threads=False, block_size=min(path.stat().st_size + 1, LARGEST_BLOCK)
            ),
            pyarrow.csv.ParseOptions(invalid_row_handler=keep),
        )
    except pa.ArrowInvalid as error:
        raise DataError(
            ragged[0] if ragged else f"{source} cannot be read as CSV ({_first_line(error)})"
        ) from None
    if all(re.fullmatch(r"[-+\d.eE]*", name) for name in table.column_names):
        raise DataError(f"{source}, line 1: must name the columns, got {table.column_names[:4]}")
    return _table(table, lambda row: f"{source}, line {row + 2}", source, label_column, report)


def read_parquet(path: Path, source: str, label_column: str | None, report: Report) -> Dataset:
    """Read a table of numbers, or of encoded pictures as the Hugging Face hub stores them.

    Raises:
        DataError: something cannot be used; the message names its row and column.
    """
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check_unpacked(file, source)
            pictures = _picture_column(file.schema_arrow)
            if pictures is not None:
                return _read_pictures(file, pictures, source, label_column, report)
            report(0.0, f"reading {source}")
            table = file.read()
    except (pa.ArrowException, pa.ArrowInvalid) as error:
        raise DataError(
            f"{source} is not a Parquet file, or is damaged ({_first_line(error)})"
        ) from None
    return _table(table, lambda row: f"{source}, row {row + 1}", source, label_column, report)


def _check_unpacked(file: pyarrow.parquet.ParquetFile, source: str) -> None:
    about = file.metadata
    size = sum(about.row_group(group).total_byte_size for group in range(about.num_row_groups))
    if size > MOST_BYTES:
        raise DataError(
            f"{source} unpacks to {size / 1e9:.1f} GB, but at most {MOST_BYTES / 1e9:g} GB can be read"
        )


def _picture_column(schema: pa.Schema) -> str | None:
    """Name of the column of encoded pictures: bytes under a usual name, or the hub's struct."""
    for field in schema:
        kind = field.type
        hub = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
        plain = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
        if hub or (plain and field.name in PICTURE_NAMES):
            return str(field.name)
    return None


def _read_pictures(
    file: pyarrow.parquet.ParquetFile,
    column: str,
    source: str,
    label_column: str | None,
    report: Report,
) -> Dataset:
    def place(row: int) -> str:
        return f"{source}, row {row + 1}"

    label = _label_column(file.schema_arrow.names, label_column, source)
    labels = file.read(columns=[label]).column(label)
    if not len(labels):
        raise DataError(f"{source} holds no records")
    y, classes = _labels(labels, label, place)

    def pictures() -> Iterator[tuple[str, bytes]]:
        row = 0
        for group in range(file.num_row_groups):
            cells = file.read_row_group(group, columns=[column]).column(column)
            for cell in _bytes(cells):
                if not cell.is_valid:
                    raise DataError(f"{place(row)}, column {column!r}: the picture is missing")
                yield f"{place(row)}, column {column!r}", cell.as_py()
                row += 1

    x = stack(pictures, len(y), source, report)
    classes = _known_names(file.schema_arrow, label, len(classes)) or classes
    return Dataset(name=OWN, kind="image", x=x, y=y, classes=len(classes), class_names=classes)


def _bytes(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_struct(cells.type):
        return cells
    chunks = [pa.compute.struct_field(chunk, "bytes") for chunk in cells.chunks]
    return pa.chunked_array(chunks, type=cells.type.field("bytes").type)


def _known_names(schema: pa.Schema, label: str, classes: int) -> tuple[str, ...] | None:
    """Names of numbered classes, if the file's metadata lists one for each class.

    The Hugging Face hub keeps them under ``huggingface``; a list with commas under ``classes`` is
    read too.
    """
    metadata = schema.metadata or {}
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        names = features[label]["names"]
    except (KeyError, TypeError, ValueError):
        names = metadata.get(b"classes", b"").decode(errors="replace").split(",")
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        return None
    return tuple(names) if len(set(names)) == len(names) == classes else None


def _table(
    table: pa.Table, place: Place, source: str, label_column: str | None, report: Report
) -> Dataset:
    """Records of a table: one column of labels, all others numbers."""
    names = table.column_names
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{source} names the column {twice!r} twice")
    label = _label_column(names, label_column, source)
    if not table.num_rows:
        raise DataError(f"{source} holds no records")
    y, classes = _labels(table.column(label), label, place)
    features = [
        field.name
        for field in table.schema
        if field.name != label and not (field.name == SPLIT and _is_text(field.type))
    ]
    if not features:
        raise DataError(f"{source} has the label column {label!r}, but no column of features")
    for name in features:
        _check_numbers(table.column(name), name, place)
    report(0.3, f"reading {source}")

    def columns() -> Iterator[np.ndarray]:
        for name in features:
            yield table.column(name).to_numpy()

    x = assemble(columns, features, table.num_rows, place, source)
    return Dataset(
        name=OWN, kind="tabular", x=x, y=y, classes=len(classes), class_names=classes,
        feature_names=tuple(features),
    )  # fmt: skip


def _label_column(names: Sequence[str], given: str | None, source: str) -> str:
    """Name of the label column: the given one, or the first of the usual names."""
    if given is not None:
        if given in names:
            return given
        raise DataError(f"{source} has no column {given!r}: it has {_some(names)}")
    lowered = {name.lower(): name for name in reversed(names)}
    found = next((lowered[name] for name in LABEL_NAMES if name in lowered), None)
    if found is None:
        raise DataError(
            f"{source} has no column named {', '.join(LABEL_NAMES)}: say which one of {_some(names)} "
            "holds the label (--label-column)"
        )
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names[:8]) + (", ..." if len(names) > 8 else "")


def _labels(column: pa.ChunkedArray, name: str, place: Place) -> tuple[np.ndarray, tuple[str, ...]]:
    def labeled(row: int) -> str:
        return f"{place(row)}, column {name!r}"

    _check_present(column, name, place)
    if _is_text(column.type):
        return named(column.to_pylist(), labeled)
    if not pa.types.is_integer(column.type):
        raise DataError(
            f"{labeled(0)}: labels must be whole numbers from 0 or text, got {column.type}"
        )
    return numbered(column.to_numpy(), labeled)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _check_present(column: pa.ChunkedArray, name: str, place: Place) -> None:
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise DataError(f"{place(row)}, column {name!r}: the value is missing")


def _check_numbers(column: pa.ChunkedArray, name: str, place: Place) -> None:
    """Check that no cell is missing, and that each is a number or a truth value."""
    kind = column.type
    _check_present(column, name, place)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return
    if not _is_text(kind):
        raise DataError(f"{place(0)}, column {name!r}: features must be numbers, got {kind}")
    values = column.to_pylist()
    row = next((row for row, text in enumerate(values) if not _is_number(text)), 0)
    raise DataError(
        f"{place(row)}, column {name!r}: features must be numbers, got {values[row][:40]!r}"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
