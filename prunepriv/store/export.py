"""A run's figures as files for other programs: CSV tables and Parquet signals, with their origin."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prunepriv.errors import MissingArtifactError, StoreError
from prunepriv.options import ModelKind
from prunepriv.plan import Step, reference_step, signals_name
from prunepriv.store.result import Result

TABLES = ("models", "gaps", "attacks", "checks", "steps")


def export_csv(report: Mapping[str, Any], folder: Path, command: str) -> list[Path]:
    """Write each table of a report as ``<table>.csv``, and ``run.json`` with what made them.

    Every row also names the run and the seed, so that no figure loses its origin.

    Args:
        report: see :func:`prunepriv.store.report.report_json`.
        folder: made if it is missing.
        command: the command line that makes the run again.

    Returns:
        The files that were written.
    """
    make_folder(folder)
    origin = {"run": report["run"], "seed": report["experiment"]["seed"]}
    files = [folder / f"{table}.csv" for table in TABLES]
    for file, table in zip(files, TABLES, strict=True):
        rows = [{**origin, **_flat(row)} for row in report[table]]
        with file.open("w", newline="", encoding="utf-8") as stream:
            names = dict.fromkeys(name for row in rows for name in row) or origin
            writer = csv.DictWriter(stream, list(names))
            writer.writeheader()
            writer.writerows(rows)
    about = folder / "run.json"
    about.write_text(
        json.dumps({**origin, "command": command, "experiment": report["experiment"]}, indent=1)
    )
    return [*files, about]


def export_signals(result: Result, folder: Path, make: Callable[[Step], None]) -> list[Path]:
    """Write ``signals_<model>.parquet`` for each attacked kind of model.

    One row per record and scoring model: the target on its own records, each shadow on its own, and
    each shadow on the target's records (which no shadow was trained on). Columns: ``record`` (the
    data set's own index), ``scored_by`` (target, shadow_0, ...), ``model``, ``member``, ``label``,
    ``logit_0``..., ``sensitivity_0``... The files' metadata hold run id, seed, experiment and key.

    Args:
        result: the run.
        folder: made if it is missing.
        make: does a step. No attack reads the shadows' signals on the target's records, so that
            they are made here.

    Raises:
        MissingArtifactError: the signals are not finished, or not complete.
    """
    make_folder(folder)
    files = []
    for kind in result.experiment.models:
        step = reference_step(result.plan, kind)
        if result.artifact(signals_name(kind)) is not None and result.artifact_of(step) is None:
            make(step)
        file = folder / f"signals_{kind}.parquet"
        pq.write_table(signals_table(result, kind), file)
        files.append(file)
    return files


def signals_table(result: Result, kind: ModelKind) -> pa.Table:
    """What :func:`export_signals` writes for one kind of model."""
    artifact = result.artifact(signals_name(kind))
    crossed = result.artifact_of(reference_step(result.plan, kind))
    if artifact is None or crossed is None or not artifact.has("shadows.safetensors"):
        raise MissingArtifactError(
            f"the signals of {kind} in run {result.run_id} are incomplete: run it again"
        )
    target = artifact.tensors("target")
    shadows, reference = artifact.tensors("shadows"), crossed.tensors("reference")
    parts = [_part("target", kind, target)]
    for index in range(len(shadows["record"])):
        own = {name: array[index] for name, array in shadows.items()}
        others = {
            "record": target["record"],
            "member": np.zeros_like(target["member"]),
            "label": target["label"],
            "logits": reference["logits"][index],
            "sensitivity": reference["sensitivity"][index],
        }
        parts += [_part(f"shadow_{index}", kind, own), _part(f"shadow_{index}", kind, others)]
    origin = {
        "run": result.run_id,
        "seed": str(result.experiment.seed),
        "key": artifact.key,
        "experiment": json.dumps(result.experiment.model_dump(mode="json")),
    }
    return pa.concat_tables(parts).replace_schema_metadata(origin)


def _part(scored_by: str, kind: ModelKind, signals: Mapping[str, np.ndarray]) -> pa.Table:
    """One model's signals on one set of records."""
    count, classes = signals["logits"].shape
    columns: dict[str, Any] = {
        "record": pa.array(signals["record"].astype(np.int64)),
        "scored_by": pa.array([scored_by] * count),
        "model": pa.array([kind] * count),
        "member": pa.array(signals["member"].astype(bool)),
        "label": pa.array(signals["label"].astype(np.int64)),
    }
    for name, values in (("logit", signals["logits"]), ("sensitivity", signals["sensitivity"])):
        for index in range(classes):
            columns[f"{name}_{index}"] = pa.array(np.ascontiguousarray(values[:, index]))
    return pa.table(columns)


def make_folder(folder: Path) -> None:
    """Make a folder to write into.

    Raises:
        StoreError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {folder} cannot be made ({error.strerror})") from None


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_cells(row))


def _cells(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """A row's cells, one for each nested value: accuracy_ci95_low, tpr_at_fpr_0.01."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _cells(value, f"{prefix}{name}_")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from zip((f"{prefix}{name}_low", f"{prefix}{name}_high"), value, strict=True)
        else:
            yield f"{prefix}{name}", value
