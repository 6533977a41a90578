"""Synthetic tables of any size, written as a user's own data."""

from __future__ import annotations

from pathlib import Path

import numpy as np

CHUNK = 20_000
"""Records that are drawn at once: few are in memory as floating-point numbers."""
KEPT = 0.15
"""Share of features that an average record has."""


def write_table(
    file: Path, records: int, features: int, classes: int, seed: int = 1, noise: float = 0.35
) -> Path:
    """Write binary records as an npz file with the arrays x and y, and return the file.

    Every class has a pattern of features. A record has its class's pattern, with a share of the
    features drawn anew; the same number of records in each class, up to one.

    Args:
        file: where to, ending in ".npz".
        records, features, classes: how many.
        seed: of all random numbers.
        noise: share of a record's features that do not come from its class.
    """
    rng = np.random.default_rng(seed)
    patterns = rng.random((classes, features)) < KEPT
    y = rng.permutation(np.arange(records) % classes)
    x = np.empty((records, features), dtype=np.uint8)
    for at in range(0, records, CHUNK):
        rows = slice(at, at + CHUNK)
        shape = x[rows].shape
        drawn = rng.random(shape, dtype=np.float32) < noise
        x[rows] = np.where(drawn, rng.random(shape, dtype=np.float32) < KEPT, patterns[y[rows]])
    np.savez(file, x=x, y=y)
    return file
