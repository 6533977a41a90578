"""Labels as users write them: whole numbers from 0, or text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from prunepriv.errors import DataError

MOST_CLASSES = 1000
LONGEST_NAME = 80
LABEL_NAMES = ("label", "labels", "fine_label", "class", "target", "y")
"""Usual names of the label column; if a table has several, the first of these is used."""

Place = Callable[[int], str]
"""Gives the place of the record of this number, for messages: "people.csv, line 5"."""


def numbered(values: np.ndarray, place: Place) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels that are whole numbers; each of 0 to C - 1 must occur.

    Args:
        values: (n,) of any dtype.
        place: for messages.

    Returns:
        y int64 (n,), and the numbers as the classes' names.

    Raises:
        DataError: a label out of range (the first one is named), only one class, or too many.
    """
    if values.dtype.kind not in "iu":
        raise DataError(
            f"{place(0)}: labels must be whole numbers from 0 or text, got {values.dtype}"
        )
    classes = _count(len(np.unique(values)), place)
    wrong = np.flatnonzero((values < 0) | (values >= classes))
    if wrong.size:
        raise DataError(
            f"{place(int(wrong[0]))}: {classes} different labels must be the numbers 0 to "
            f"{classes - 1}, got {values[wrong[0]]}"
        )
    return values.astype(np.int64), tuple(str(number) for number in range(classes))


def named(values: Sequence[str], place: Place) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels that are text; the classes are the sorted names.

    Returns:
        y int64 (n,), and the names.

    Raises:
        DataError: a name that is empty or too long, only one class, or too many.
    """
    for row, value in enumerate(values):
        if not value or len(value) > LONGEST_NAME or not value.isprintable():
            raise DataError(
                f"{place(row)}: a class's name must be 1 to {LONGEST_NAME} printable characters, "
                f"got {value[:LONGEST_NAME]!r}"
            )
    names = sorted(set(values))
    _count(len(names), place)
    number = {name: index for index, name in enumerate(names)}
    return np.array([number[value] for value in values], dtype=np.int64), tuple(names)


def _count(classes: int, place: Place) -> int:
    if classes < 2:
        raise DataError(f"{place(0)} and all others have the same label: two classes are needed")
    if classes > MOST_CLASSES:
        raise DataError(
            f"{place(0)} and the others have {classes:,} different labels, but at most "
            f"{MOST_CLASSES:,} classes are allowed: is this the right column?"
        )
    return classes
