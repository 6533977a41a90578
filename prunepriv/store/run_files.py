"""``runs/<run id>.json``: each run as a small file, from which the catalogue can be rebuilt."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from prunepriv.errors import StoreError, StoreFullError

_READING = 0.3
"""Seconds for which a file is tried to be replaced: it is small, and read in an instant."""


def write_record(
    store: Path, run_id: str, settings: dict[str, Any], status: str, error: str = ""
) -> None:
    """Write a run's file completely, or keep the previous one.

    Raises:
        StoreFullError: no space left.
    """
    record = {
        "run": run_id,
        "experiment": settings,
        "status": status,
        "error": error,
        "written": time.time(),
    }
    write_whole(_file(store, run_id), record, store)


def write_whole(file: Path, record: dict[str, Any], store: Path) -> None:
    """Write a small JSON file of the store completely, or keep the previous one.

    Raises:
        StoreFullError: no space left.
        StoreError: the store cannot be written to.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(record, indent=1))
        _replace(file, draft)
    except PermissionError:
        raise StoreError(f"{store} cannot be written to: choose another --store") from None
    except OSError as error_:
        raise StoreFullError(f"{file} cannot be written ({error_.strerror})") from None
    finally:
        draft.unlink(missing_ok=True)


def _replace(file: Path, draft: Path) -> None:
    """Put the draft in the file's place. Windows refuses while somebody reads the file: ask again."""
    deadline = time.monotonic() + _READING
    while True:
        try:
            os.replace(draft, file)
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def read_records(store: Path) -> list[dict[str, Any]]:
    """The content of all runs' files that can be read, the oldest first."""
    records = []
    for file in (store / "runs").glob("*.json"):
        try:
            record = json.loads(file.read_text())
        except (OSError, ValueError):
            continue
        if isinstance(record, dict):
            records.append(record)
    return sorted(records, key=lambda record: float(record.get("written", 0.0)))


def remove_record(store: Path, run_id: str) -> None:
    """Remove a run's file, if there is one."""
    _file(store, run_id).unlink(missing_ok=True)


def _file(store: Path, run_id: str) -> Path:
    return store / "runs" / f"{run_id}.json"
