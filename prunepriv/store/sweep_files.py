"""``sweeps/<sweep id>.json``: the definition of each sweep, for the pages and the command line."""

from __future__ import annotations

import json
import time
from pathlib import Path

from prunepriv.errors import ExperimentError, UnknownRunError
from prunepriv.experiment.sweep import Sweep, is_sweep_id, make_sweep
from prunepriv.store.run_files import write_whole


def write_sweep(store: Path, sweep: Sweep) -> None:
    """Write a sweep's file completely, or keep the previous one.

    Raises:
        StoreError: the store cannot be written to.
        StoreFullError: no space left.
    """
    record = {
        "sweep": sweep.sweep_id,
        "definition": sweep.definition,
        "runs": list(sweep.run_ids),
        "written": time.time(),
    }
    write_whole(store / "sweeps" / f"{sweep.sweep_id}.json", record, store)


def read_sweeps(store: Path) -> dict[str, Sweep]:
    """The store's sweeps by id, the latest first; sweeps of another version are left out."""
    found: list[tuple[float, Sweep]] = []
    for file in (store / "sweeps").glob("*.json"):
        sweep = _read(file)
        if sweep is not None and sweep.sweep_id == file.stem:
            found.append((file.stat().st_mtime, sweep))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return {sweep.sweep_id: sweep for _, sweep in found}


def stored_sweep(store: Path, sweep_id: str) -> Sweep:
    """The store's sweep with that id.

    Raises:
        UnknownRunError: no such sweep, or a version with other settings wrote it.
    """
    file = store / "sweeps" / f"{sweep_id}.json"
    sweep = _read(file) if is_sweep_id(sweep_id) else None
    if sweep is None or sweep.sweep_id != sweep_id:
        raise UnknownRunError(f"no sweep {sweep_id[:80]} in {store}: choose its store with --store")
    return sweep


def remove_sweep(store: Path, sweep_id: str) -> None:
    """Remove a sweep's file. Its runs stay."""
    if is_sweep_id(sweep_id):
        (store / "sweeps" / f"{sweep_id}.json").unlink(missing_ok=True)


def _read(file: Path) -> Sweep | None:
    try:
        return make_sweep(json.loads(file.read_text())["definition"])
    except (OSError, ValueError, KeyError, TypeError, ExperimentError):
        return None
