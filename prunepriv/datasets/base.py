"""What a data set is. Imports NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from prunepriv.errors import DataError
from prunepriv.progress import Report

Records = tuple[np.ndarray, np.ndarray]
"""Features uint8 (n, ...) and labels int64 (n,), as :class:`Dataset` holds them."""

Loader = Callable[[Mapping[str, float], Path, Report], Records]
"""Generates or reads the records; takes the knobs, the data folder and a progress report."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """All labelled records, in an order that never changes.

    Attributes:
        name: as in ``options.DATASETS``, or "own".
        kind: "tabular" or "image".
        x: (n, features), uint8 of 0 and 1 or finite float32; or uint8 (n, channels, height, width)
            of 0 to 255.
        y: int64 (n,), 0 to ``classes - 1``.
        classes: number of classes.
        class_names: one per class.
        feature_names: one per feature of a tabular data set; None if they are not known.

    Raises:
        DataError: shapes, types or ranges that do not fit together.
    """

    name: str
    kind: Literal["tabular", "image"]
    x: np.ndarray
    y: np.ndarray
    classes: int
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for rule, holds in self._rules():
            if not holds:
                raise DataError(
                    f"data set {self.name}: {rule}; got x {self.x.dtype} {self.x.shape}, "
                    f"y {self.y.dtype} {self.y.shape}, {self.classes} classes"
                )

    def _rules(self) -> tuple[tuple[str, bool], ...]:
        dimensions = 2 if self.kind == "tabular" else 4
        names = self.feature_names
        return (
            ("x must be uint8 (in a table also float32) and y int64", self._types_fit()),
            (f"{self.kind} records must have {dimensions} dimensions", self.x.ndim == dimensions),
            ("each record must have one label", self.y.shape == self.x.shape[:1]),
            ("tabular features must be 0 or 1, or finite float32", self._features_fit()),
            (
                "labels must lie in 0 to classes - 1",
                not ((self.y < 0) | (self.y >= self.classes)).any(),
            ),
            ("each class must have one name", len(self.class_names) == self.classes),
            ("each feature must have one name", names is None or len(names) == self.x.shape[1]),
        )

    def _types_fit(self) -> bool:
        table = self.kind == "tabular" and self.x.dtype == np.float32
        return (table or self.x.dtype == np.uint8) and self.y.dtype == np.int64

    def _features_fit(self) -> bool:
        if self.x.dtype == np.float32:
            return bool(np.isfinite(self.x).all())
        return self.kind == "image" or bool(self.x.max(initial=0) <= 1)  # makes no copy
