"""A sweep's results as one tidy table, and its means over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from prunepriv.errors import ExperimentError, StoreError
from prunepriv.evaluation import is_guessing, mean_and_t_interval
from prunepriv.experiment import Experiment, canonical_json
from prunepriv.experiment.sweep import Cell, Sweep
from prunepriv.plan import evaluation_name
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.result import Result

WHO = ("model", "adversary", "attack")
METRICS = (
    "accuracy", "auc", "tpr_at_fpr_0.01", "tpr_at_fpr_0.001", "member_accuracy",
    "non_member_accuracy", "sparsity_achieved", "confidence_gap", "sensitivity_gap",
    "generalization_gap",
)  # fmt: skip
"""What is averaged over seeds."""
SUFFIXES = (".parquet", ".csv")


def sweep_table(store: ArtifactStore, sweep: Sweep) -> pd.DataFrame:
    """One row per finished evaluation of a sweep: run x model x adversary x attack.

    Columns: the sweep's settings by dotted name (``Sweep.columns``), ``model``, ``adversary``,
    ``attack``, accuracy of the model on members and non-members, sparsity as achieved, the attack's
    balanced accuracy with its 95 % interval over records (``accuracy_low``, ``accuracy_high``) and
    its p against the best of all attacks under permuted membership, AUC, TPR at 1 and 0.1 % FPR, the three gaps over all records, counts, ``run``, ``key`` (of the
    evaluation's artifact). Fractions are from 0 to 1.
    """
    rows = [row for cell in sweep.cells for row in cell_rows(store, cell)]
    return pd.DataFrame(rows, columns=columns_of(sweep))


def columns_of(sweep: Sweep) -> list[str]:
    """The table's columns, in order."""
    return [
        *sweep.columns, *WHO, "member_accuracy", "non_member_accuracy", "sparsity_achieved",
        "accuracy", "accuracy_low", "accuracy_high", "p", "auc", "tpr_at_fpr_0.01", "tpr_at_fpr_0.001",
        "confidence_gap", "sensitivity_gap", "generalization_gap", "members", "non_members",
        "run", "key",
    ]  # fmt: skip


def cell_rows(store: ArtifactStore, cell: Cell) -> list[dict[str, Any]]:
    """The rows of one run; a target that is not evaluated yet has none."""
    return [{**cell.values, **row} for row in run_rows(store, cell.experiment)]


def run_rows(store: ArtifactStore, experiment: Experiment) -> list[dict[str, Any]]:
    """The figures of a run, without its settings."""
    result = Result(store, experiment)
    rows = []
    for target in result.targets:
        kind = target.model
        evaluation = result.evaluation(target)
        report, gaps = result.model_report(kind), result.gaps(kind)
        if evaluation is None or report is None or gaps is None:
            continue
        overall = gaps[gaps["class"].isna()].iloc[0].to_dict()
        shared = {
            **target._asdict(),
            "member_accuracy": report["member_accuracy"],
            "non_member_accuracy": report["non_member_accuracy"],
            "sparsity_achieved": report["sparsity"],
            **{
                f"{gap}_gap": overall[gap]
                for gap in ("confidence", "sensitivity", "generalization")
            },
            "run": experiment.run_id,
            "key": result.plan.key(evaluation_name(target)),
        }
        rows += [{**shared, **_figures(row)} for row in evaluation]
    return rows


def summary(table: pd.DataFrame, sweep: Sweep) -> pd.DataFrame:
    """Means over seeds: a row per combination of other settings, model, adversary and attack.

    Returns:
        The settings, ``model``, ``adversary``, ``attack``, ``seeds`` (how many), ``guessing`` (in
        how many of them the attack is not distinguishable from guessing), then for each of METRICS
        its mean and the ends of its 95 % t-interval over seeds (``..._low``, ``..._high``;
        missing for one seed).
    """
    names = _cell_columns(sweep)
    rows = []
    for values, ours in table.groupby(names, sort=False, dropna=False):
        row: dict[str, Any] = dict(zip(names, values, strict=True))
        row["seeds"] = len(ours)
        row["guessing"] = sum(map(is_guessing, ours["p"]))
        for metric in METRICS:
            mean, low, high = mean_and_t_interval(ours[metric].tolist())
            row |= {metric: mean, f"{metric}_low": low, f"{metric}_high": high}
        rows.append(row)
    ends = [f"{metric}{end}" for metric in METRICS for end in ("", "_low", "_high")]
    found = pd.DataFrame(rows, columns=[*names, "seeds", "guessing", *ends])
    return found.astype(dict.fromkeys(ends, "float64"))


def cells_of(table: pd.DataFrame, sweep: Sweep) -> pd.Series:
    """For each row of a sweep's table, the number of its row in :func:`summary`."""
    return table.groupby(_cell_columns(sweep), sort=False, dropna=False).ngroup()


def _cell_columns(sweep: Sweep) -> list[str]:
    """What the runs of several seeds share."""
    return [name for name in sweep.columns if name != "seed"] + list(WHO)


def write_tables(table: pd.DataFrame, sweep: Sweep, file: Path) -> tuple[Path, Path]:
    """Write a sweep's table, and its means beside it as ``<name>_summary``; return both files.

    Raises:
        ExperimentError: the name ends neither in .parquet nor in .csv.
        StoreError: a file cannot be written.
    """
    check_table_name(file)
    beside = file.with_name(f"{file.stem}_summary{file.suffix}")
    for frame, target in ((table, file), (summary(table, sweep), beside)):
        try:
            target.write_bytes(table_bytes(frame, sweep, file.suffix))
        except OSError as error:
            raise StoreError(f"{target} cannot be written ({error.strerror})") from None
    return file, beside


def check_table_name(file: Path) -> None:
    """Check the name of a table's file, before hours of work.

    Raises:
        ExperimentError: the name ends neither in .parquet nor in .csv.
    """
    if file.suffix not in SUFFIXES:
        raise ExperimentError(
            f"a table's file name must end in {' or '.join(SUFFIXES)}, got {file.name}"
        )


def table_bytes(frame: pd.DataFrame, sweep: Sweep, suffix: str) -> bytes:
    """A table as Parquet (its metadata hold the sweep) or as CSV (a column holds the sweep's id)."""
    if suffix == ".csv":
        return frame.assign(sweep=sweep.sweep_id).to_csv(index=False).encode()
    origin: Mapping[str, str] = {
        "sweep": sweep.sweep_id,
        "definition": canonical_json(sweep.definition),
    }
    arrow = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(dict(origin))
    sink = pa.BufferOutputStream()
    pq.write_table(arrow, sink)
    return bytes(sink.getvalue().to_pybytes())


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    """One attack's figures as cells of the table."""
    low, high = row["accuracy_ci95"]
    return {
        "attack": row["attack"],
        "accuracy": row["accuracy"],
        "accuracy_low": low,
        "accuracy_high": high,
        "p": row["p"],
        "auc": row["auc"],
        "tpr_at_fpr_0.01": row["tpr_at_fpr"]["0.01"],
        "tpr_at_fpr_0.001": row["tpr_at_fpr"]["0.001"],
        "members": row["members"],
        "non_members": row["non_members"],
    }
