"""The data set that a user names: a built-in one, a file or folder, or one that was read before."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prunepriv.errors import ExperimentError
from prunepriv.experiment.parts import OwnDataset
from prunepriv.options import DATASETS, OWN
from prunepriv.store.own_data import find_imported

Read = Callable[[Path, str | None, Path], OwnDataset]
"""From a path, a label column and a store to the data set that was read into the store."""


def data_settings(
    named: str | Path | None, label_column: str | None, store: Path, read: Read
) -> dict[str, Any]:
    """The settings of :class:`prunepriv.experiment.parts.Data` that a name stands for.

    Args:
        named: a built-in data set (before a file with the same name), a path, or own:DIGEST.
        label_column: name of the label column of a file.
        store: the store's folder.
        read: reads a file or folder into the store.

    Raises:
        ExperimentError: the store has no such own:DIGEST, or a label column without a file.
        DataError: the file cannot be used.
    """
    if named is not None and _is_path(named):
        return _own(read(Path(named), label_column, store))
    if label_column is not None:
        raise ExperimentError("--label-column is of a file of yours: name it with --dataset PATH")
    if named is None:
        return {}
    if str(named).startswith(f"{OWN}:"):
        return _own(find_imported(str(named), store))
    return {"name": str(named)}


def _own(own: OwnDataset) -> dict[str, Any]:
    return {"name": OWN, "own": own.model_dump(mode="json")}


def _is_path(named: str | Path) -> bool:
    if isinstance(named, Path):
        return True
    if named in DATASETS or named.startswith(f"{OWN}:"):
        return False
    separated = os.sep in named or (os.altsep or os.sep) in named
    return separated or bool(Path(named).suffix) or Path(named).exists()
