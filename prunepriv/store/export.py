"""A run's figures as files for other programs: CSV tables and Parquet signals, with their origin."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prunepriv.errors import MissingArtifactError, StoreError
from prunepriv.options import ModelKind
from prunepriv.plan import (
    Step,
    Target,
    reference_step,
    shadow_numbers,
    signals_name,
    source_of,
    step_words,
)
from prunepriv.store.report import flat_row
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
        rows = [{**origin, **flat_row(row)} for row in report[table]]
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


def export_signals(
    result: Result, folder: Path, make: Callable[[Sequence[Step]], None]
) -> list[Path]:
    """Write ``signals_<model>.parquet`` for each attacked kind of model.

    One row per record and scoring model: the target on its own records, each shadow of its adaptive
    adversary on its own, and each of them on the target's records (which no shadow was trained on).
    Columns: ``record`` (the data set's own index), ``scored_by`` (target, shadow_0, ...),
    ``model``, ``member``, ``label``, ``logit_0``..., ``sensitivity_0``... The sensitivity of
    shadows is null if no attack of the run reads it. The files' metadata hold run id, seed,
    experiment and key.

    Args:
        result: the run.
        folder: made if it is missing.
        make: does steps. No attack reads the shadows' signals on the target's records, so that
            they are made here.

    Raises:
        MissingArtifactError: the signals are not finished, or not complete.
    """
    make_folder(folder)
    files = []
    for kind in result.experiment.models:
        source = source_of(result.experiment, Target(kind))
        steps = [
            reference_step(result.plan, source, number)
            for number in shadow_numbers(result.experiment)
        ]
        missing = [step for step in steps if result.artifact_of(step) is None]
        if missing and result.artifact(signals_name(kind)) is not None:
            make(missing)
        file = folder / f"signals_{kind}.parquet"
        pq.write_table(signals_table(result, kind), file)
        files.append(file)
    return files


def signals_table(result: Result, kind: ModelKind) -> pa.Table:
    """What :func:`export_signals` writes for one kind of model."""
    target = _tensors(result, result.plan.by_name[signals_name(kind)], "signals")
    parts = [_part("target", kind, target)]
    source = source_of(result.experiment, Target(kind))
    for index, number in enumerate(shadow_numbers(result.experiment)):
        signals = _tensors(result, result.plan.by_name[signals_name(source, number)], "signals")
        step = reference_step(result.plan, source, number)
        others = {
            "record": target["record"],
            "member": np.zeros_like(target["member"]),
            "label": target["label"],
            **_tensors(result, step, "reference"),
        }
        parts += [_part(f"shadow_{index}", source, table) for table in (signals, others)]
    origin = {
        "run": result.run_id,
        "seed": str(result.experiment.seed),
        "key": result.plan.key(signals_name(kind)),
        "experiment": json.dumps(result.experiment.model_dump(mode="json")),
    }
    return pa.concat_tables(parts).replace_schema_metadata(origin)


def _tensors(result: Result, step: Step, name: str) -> dict[str, np.ndarray]:
    """Arrays of a step's artifact; a bundled artifact may lack them."""
    artifact = result.artifact_of(step)
    if artifact is None or not artifact.has(f"{name}.safetensors"):
        raise MissingArtifactError(
            f"the signals of run {result.run_id} are incomplete ({step_words(step.name)}): "
            "run it again"
        )
    return artifact.tensors(name)


def _part(scored_by: str, kind: str, signals: Mapping[str, np.ndarray]) -> pa.Table:
    """One model's signals on one set of records."""
    count, classes = signals["logits"].shape
    columns: dict[str, Any] = {
        "record": pa.array(signals["record"].astype(np.int64)),
        "scored_by": pa.array([scored_by] * count),
        "model": pa.array([kind] * count),
        "member": pa.array(signals["member"].astype(bool)),
        "label": pa.array(signals["label"].astype(np.int64)),
    }
    unknown = pa.nulls(count, pa.float32())
    for name, values in (("logit", signals["logits"]), ("sensitivity", signals.get("sensitivity"))):
        for index in range(classes):
            columns[f"{name}_{index}"] = (
                unknown if values is None else pa.array(np.ascontiguousarray(values[:, index]))
            )
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
