"""The user's own data sets: read once, and kept as the artifact of the ``data`` step.

A data set is identified by its content, not by its file: by the SHA-256 of its records, labels and
class names. ``datasets/<digest>.json`` beside the artifacts names its source.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from prunepriv.datasets.base import Dataset
from prunepriv.errors import UnknownNameError
from prunepriv.experiment import canonical_json
from prunepriv.experiment.parts import Data, OwnDataset
from prunepriv.options import OWN
from prunepriv.plan import Step, data_step
from prunepriv.progress import Report, silent
from prunepriv.store.artifacts import META, ArtifactStore
from prunepriv.store.locks import at_work
from prunepriv.store.run_files import write_whole

LONGEST_LABEL = 80


@dataclass(frozen=True, slots=True)
class Imported:
    """A data set in the store.

    Attributes:
        own: its description.
        source: name of the file or folder that it was read from.
        size: bytes of its records.
        written: seconds since 1970, UTC.
    """

    own: OwnDataset
    source: str
    size: int
    written: float


def import_data(
    path: Path,
    store: Path,
    report: Report = silent,
    *,
    label_column: str | None = None,
    source: str = "",
) -> OwnDataset:
    """Read a file or folder into the store; a data set in the store is not written again.

    Args:
        path: a file or folder that :func:`prunepriv.datasets.own.read` can read.
        store: the store's folder.
        report: receives the progress.
        label_column: name of the label's column; found by its name if left out.
        source: the file's name, for messages and labels; the name in ``path`` if left out.

    Raises:
        DataError: it cannot be read; nothing was kept.
        StoreError: the store cannot be written to.
    """
    from prunepriv.datasets.own import read  # noqa: PLC0415 - imports Pillow and Parquet, rarely needed

    source = source or path.absolute().name
    started = time.perf_counter()
    data = read(path, report, label_column=label_column, source=source)
    own = describe(data, _label(source))
    step = data_step(Data(name=OWN, own=own))
    artifacts = ArtifactStore(store)
    if not artifacts.has(step.key):
        _write(artifacts, step, data, time.perf_counter() - started)
    record = {
        "own": own.model_dump(mode="json"),
        "source": source[:255],
        "size": data.x.nbytes,
        "written": time.time(),
    }
    known = next((one for one in imported(store) if one.own.digest == own.digest), None)
    if known is not None:
        return known.own  # with the label that its runs use
    write_whole(_file(store, own.digest), record, store)
    return own


def describe(data: Dataset, label: str) -> OwnDataset:
    """A data set's description in an experiment, with its digest."""
    header = {
        "kind": data.kind,
        "x": [str(data.x.dtype), *data.x.shape],
        "class_names": data.class_names,
        "feature_names": data.feature_names,
    }
    digest = hashlib.sha256(canonical_json(header).encode())
    for array in (data.x, data.y):
        digest.update(np.ascontiguousarray(array).data)
    return OwnDataset(
        digest=digest.hexdigest(),
        label=label,
        kind=data.kind,
        records=len(data.y),
        shape=data.x.shape[1:],
        classes=data.classes,
        class_names=data.class_names,
    )


def imported(store: Path) -> list[Imported]:
    """Data sets whose records are in the store, the latest import first."""
    artifacts = ArtifactStore(store)
    found = []
    for file in (store / "datasets").glob("*.json"):
        try:
            record = json.loads(file.read_text())
            own = OwnDataset.model_validate(record["own"])
            one = Imported(own, str(record["source"]), int(record["size"]), record["written"])
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            continue
        if (artifacts.path(data_step(Data(name=OWN, own=own)).key) / META).is_file():
            found.append(one)
    return sorted(found, key=lambda one: one.written, reverse=True)


def find_imported(name: str, store: Path) -> OwnDataset:
    """The data set that ``own:<first digits of its digest>`` names.

    Raises:
        UnknownNameError: no data set matches, or more than one.
    """
    prefix = name.removeprefix(f"{OWN}:")
    if not re.fullmatch("[0-9a-f]{4,64}", prefix):
        raise UnknownNameError(
            f"{name[:80]!r} is not a data set: expected own: and at least 4 digits of its digest"
        )
    there = imported(store)
    fits = [one.own for one in there if one.own.digest.startswith(prefix)]
    if len(fits) == 1:
        return fits[0]
    known = ", ".join(f"{one.own.handle} ({one.own.label})" for one in there[:8]) or "none"
    problem = "matches more than one data set" if fits else "is not in this store"
    raise UnknownNameError(
        f"{name} {problem}: import its file with `python -m prunepriv data PATH`; this store has: {known}"
    )


def in_words(own: OwnDataset) -> str:
    """A data set in one line: "cifar10-jpeg: 60,000 pictures of 32x32 pixels, colour, 10 classes"."""
    if own.kind == "image":
        channels, height, width = own.shape
        color = "grey" if channels == 1 else "colour"
        what = f"{own.records:,} pictures of {width}x{height} pixels, {color}"
    else:
        features = "feature" if own.shape[0] == 1 else "features"
        what = f"a table of {own.records:,} records of {own.shape[0]:,} {features}"
    return f"{own.label}: {what}, {own.classes:,} classes"


def _write(artifacts: ArtifactStore, step: Step, data: Dataset, seconds: float) -> None:
    about = {
        "name": data.name,
        "kind": data.kind,
        "classes": data.classes,
        "class_names": list(data.class_names),
    }
    if data.feature_names is not None:
        about["feature_names"] = list(data.feature_names)
    meta = {
        "step": step.name, "kind": step.kind, "params": dict(step.params), "inputs": {},
        "seconds": seconds,
    }  # fmt: skip
    with at_work(artifacts.root), artifacts.write(step.key, meta) as draft:
        draft.tensors("data", {"x": data.x, "y": data.y})
        draft.json("about", about)


def _label(source: str) -> str:
    """The label: the file's name without its suffix, printable and not too long."""
    stem = "".join(c for c in Path(source).stem if c.isprintable()).strip()
    return stem[:LONGEST_LABEL] or "own data"


def _file(store: Path, digest: str) -> Path:
    return store / "datasets" / f"{digest}.json"
