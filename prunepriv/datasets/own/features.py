"""Turn columns of numbers into the features of tabular records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from prunepriv.datasets.guards import check_memory
from prunepriv.datasets.own.labels import Place
from prunepriv.errors import DataError

Columns = Callable[[], Iterator[np.ndarray]]
"""Gives all columns, beginning with the first one; each is (n,) of numbers."""


def assemble(
    columns: Columns, names: Sequence[str], records: int, place: Place, source: str
) -> np.ndarray:
    """Put all columns side by side: uint8 if all are 0 and 1, else standardised float32.

    Two passes: the first checks, the second writes each column to its final place.

    Args:
        columns: of numbers or truth values.
        names: one per column, for messages.
        records: length of each column.
        place: gives the place of a record, for messages.

    Returns:
        (records, columns).

    Raises:
        DataError: a value that is not a finite number (the first one is named), or too many values.
    """
    check_memory((records, len(names)), 4, source)
    binary = True
    for name, column in zip(names, columns(), strict=True):
        wrong = np.flatnonzero(~np.isfinite(column))
        if wrong.size:
            raise DataError(
                f"{place(int(wrong[0]))}, column {name!r}: features must be finite numbers, "
                f"got {column[wrong[0]]}"
            )
        binary = binary and bool(((column == 0) | (column == 1)).all())
    x = np.empty((records, len(names)), dtype=np.uint8 if binary else np.float32)
    for number, column in enumerate(columns()):
        x[:, number] = column if binary else standardize(column)
    return x


def standardize(column: np.ndarray) -> np.ndarray:
    """Scale to mean 0 and standard deviation 1 (dividing by n); a constant column becomes 0.

    Args:
        column: (n,) finite numbers of any size.
    """
    values = column.astype(np.float64)
    if values.min() == values.max():
        return np.zeros_like(values)
    values /= np.abs(values).max()  # so that no square overflows or becomes 0
    values -= values.mean()
    deviation = values.std()
    return np.asarray(values / deviation if deviation > 0 else values)
