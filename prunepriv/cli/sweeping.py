"""How ``sweep`` runs a sweep: plan, launch, follow, tabulate."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import typer
from rich.table import Table

from prunepriv.cli.app import MISTAKE
from prunepriv.cli.launch import check_writable
from prunepriv.cli.progress import follow_shown
from prunepriv.cli.tables import console, print_warning
from prunepriv.engine.client import default_workers
from prunepriv.errors import Cancelled
from prunepriv.estimates.cost import cost_of
from prunepriv.estimates.progress import Standing
from prunepriv.experiment.sweep import Sweep
from prunepriv.options import ATTACKS
from prunepriv.prose import failed_runs, percent
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.sweep_checks import failed_in
from prunepriv.store.sweep_files import write_sweep
from prunepriv.store.sweep_table import check_table_name, summary, sweep_table, write_tables

MOST_TOLD = 10
"""Failures or skipped cells that are printed one by one."""
ROWS_SHOWN = 60


def print_plan(sweep: Sweep, store: Path) -> None:
    """How many models, runs and steps, what is cached, and how long the rest takes."""
    workers = default_workers()
    cost = cost_of(sweep.experiments, Catalog(store), workers)
    out = console()
    out.print(f"{sweep.name}: {sweep.sweep_id}", highlight=False, markup=False)
    for words, number in (
        ("pruned models", cost.pruned_models),
        ("runs", cost.runs),
        ("distinct steps", cost.steps),
        ("of them cached", cost.cached_steps),
    ):
        out.print(f"{number:>9,} {words}", highlight=False)
    out.print(f"time: {cost.time_words(workers)}", highlight=False)
    _tell_skipped(sweep)


def cancel(sweep: Sweep, store: Path) -> None:
    """Stop all runs of a sweep that wait or are at work."""
    catalog = Catalog(store)
    active = [run for run in catalog.runs(sweep.run_ids) if run.active]
    for run in active:
        catalog.request_cancel(run.run_id)
    typer.echo(f"{sweep.sweep_id}: {len(active)} runs told to stop")


def run_and_tabulate(sweep: Sweep, store: Path, file: Path | None, inline: bool) -> None:
    """Run all cells, show their means, and write them to ``file``; exit code 2 if a run failed."""
    if file is not None:
        check_table_name(file)
        check_writable(file)
    write_sweep(store, sweep)
    _tell_skipped(sweep)
    standing = _follow(sweep, store, inline)
    table = sweep_table(ArtifactStore(store), sweep)
    if len(table):
        failed = failed_in(ArtifactStore(store), sweep.experiments)
        for sentence in failed_runs(failed, len(sweep.experiments)):
            print_warning(sentence)
        _print_means(summary(table, sweep), sweep)
    if file is not None:
        for written in write_tables(table, sweep, file):
            typer.echo(str(written))
    _tell_failures(sweep, standing)


def _follow(sweep: Sweep, store: Path, inline: bool) -> Standing:
    """Show progress until no run is active."""
    cancelled = "cancelled: the same command resumes it from its finished steps"
    goes_on = (
        f"{sweep.sweep_id} continues in the engine: "
        f"`python -m prunepriv sweep {sweep.sweep_id}` shows its progress again, "
        f"and stops it with --cancel"
    )
    interruption = cancelled if inline else goes_on
    try:
        return follow_shown(sweep.experiments, store, inline, sweep.sweep_id, interruption)
    except Cancelled:
        raise Cancelled(cancelled) from None


def _print_means(means: pd.DataFrame, sweep: Sweep) -> None:
    """Each model's best attack after the fact, cell by cell, and in how many seeds it is guessing."""
    varied = [a for a in sweep.columns if a != "seed" and means[a].nunique(dropna=False) > 1]
    cells = [*varied, "model", "adversary"]
    best = means.loc[means.groupby(cells, sort=False, dropna=False)["accuracy"].idxmax()]
    table = Table(
        title=f"{sweep.name}: best attack after the fact, mean over seeds", title_justify="left"
    )
    for column in (*cells, "best attack"):
        table.add_column(column, overflow="fold")
    for column in ("accuracy", "95 % interval", "seeds", "guessing", "non-member accuracy"):
        table.add_column(column, justify="right")
    for row in best.head(ROWS_SHOWN).to_dict("records"):
        interval = (
            f"{percent(row['accuracy_low'])} to {percent(row['accuracy_high'])}"
            if row["seeds"] > 1
            else ""
        )
        table.add_row(
            *(str(row[name]).replace("_", "-") if name == "adversary" else str(row[name]) for name in cells),
            ATTACKS[row["attack"]].label, percent(row["accuracy"]), interval, str(row["seeds"]),
            str(row["guessing"]), percent(row["non_member_accuracy"]),
        )  # fmt: skip
    out = console()
    out.print(table)
    if len(best) > ROWS_SHOWN:
        out.print(f"and {len(best) - ROWS_SHOWN} more: --table FILE writes all", highlight=False)


def _tell_skipped(sweep: Sweep) -> None:
    for sentence in sweep.impossible[:MOST_TOLD]:
        typer.echo(f"left out: {sentence}", err=True)
    if len(sweep.impossible) > MOST_TOLD:
        typer.echo(f"and {len(sweep.impossible) - MOST_TOLD} more cells left out", err=True)


def _tell_failures(sweep: Sweep, standing: Standing) -> None:
    """Print which runs failed, and exit with code 2 unless all runs are done."""
    for run_id, sentence in standing.failures[:MOST_TOLD]:
        typer.echo(f"{run_id} failed: {sentence}", err=True)
    if len(standing.failures) > MOST_TOLD:
        typer.echo(f"and {len(standing.failures) - MOST_TOLD} more", err=True)
    left = standing.runs - standing.done
    if left:
        typer.echo(
            f"{sweep.sweep_id}: {left} of {standing.runs} runs are not done; "
            "the same command resumes them",
            err=True,
        )
        sys.exit(MISTAKE)
