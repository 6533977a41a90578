"""Reads the data set that a caller names, with a progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prunepriv.experiment.parts import OwnDataset
from prunepriv.library.screen import open_screen
from prunepriv.store.named_data import data_settings
from prunepriv.store.own_data import import_data


def read_settings(
    named: str | Path | None, label_column: str | None, store: Path, progress: bool
) -> dict[str, Any]:
    """Settings of the data, see :func:`prunepriv.store.named_data.data_settings`.

    Raises:
        ExperimentError: the store has no such own:DIGEST, or a label column without a file.
        DataError: the file cannot be used.
    """

    def read(path: Path, column: str | None, into: Path) -> OwnDataset:
        with open_screen(progress) as screen:
            return import_data(path.expanduser(), into, screen.report, label_column=column)

    return data_settings(named, label_column, store, read)
