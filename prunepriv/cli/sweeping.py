"""What ``sweep`` does once it knows what was asked: plan, launch, follow, tabulate."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from rich.progress import Progress
from rich.table import Table

from prunepriv.cli.app import INTERRUPTED, MISTAKE
from prunepriv.cli.launch import LOOK_EVERY, RESTARTS, check_writable
from prunepriv.cli.progress import bar
from prunepriv.cli.tables import console
from prunepriv.engine.client import default_workers, engine_is_alive, ensure_engine, launch_all
from prunepriv.engine.inline import run_inline
from prunepriv.errors import Cancelled, EngineError, PruneprivError
from prunepriv.estimates.sweep import SweepStanding, SweepWatch, sweep_cost
from prunepriv.experiment.presets import get_sweep, sweep_presets
from prunepriv.experiment.sweep import Sweep
from prunepriv.experiment.sweep_file import load_sweep
from prunepriv.options import ATTACKS
from prunepriv.prose import duration, percent
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.sweep_files import stored_sweep, write_sweep
from prunepriv.store.sweep_table import check_table_name, summary, sweep_table, write_tables

MOST_TOLD = 10
"""Failures or skipped cells that are told one by one."""
ROWS_SHOWN = 60


def find(what: str, store: Path) -> Sweep:
    """The sweep that a user names: a preset, a file, or one of the store.

    Raises:
        PruneprivError: none of them, or a file that holds no sweep.
    """
    if what in sweep_presets():
        return get_sweep(what)
    file = Path(what)
    if file.is_file() or file.suffix in (".yaml", ".yml", ".json"):
        return load_sweep(file)
    if (store / "sweeps").is_dir() and any(
        known.stem == what for known in (store / "sweeps").glob("*.json")
    ):
        return stored_sweep(store, what)
    return get_sweep(what)  # says what there is


def print_plan(sweep: Sweep, store: Path) -> None:
    """How many models, runs and steps, what is cached, and how long the rest takes."""
    workers = default_workers()
    cost = sweep_cost(sweep.experiments, Catalog(store), workers)
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
    """Ask all runs of a sweep that wait or are worked on to stop."""
    catalog = Catalog(store)
    wanted = set(sweep.run_ids)
    active = [run for run in catalog.runs() if run.active and run.run_id in wanted]
    for run in active:
        catalog.request_cancel(run.run_id)
    print(f"{sweep.sweep_id}: {len(active)} runs told to stop")  # noqa: T201


def run_and_tabulate(sweep: Sweep, store: Path, file: Path | None, inline: bool) -> None:
    """Run all cells, show their means, and write them to ``file``; exit code 2 if a run failed."""
    if file is not None:
        check_table_name(file)
        check_writable(file)
    write_sweep(store, sweep)
    _tell_skipped(sweep)
    catalog = Catalog(store)
    try:
        standing = _run_inline(sweep, catalog) if inline else _run(sweep, catalog)
    finally:
        catalog.close()
    table = sweep_table(ArtifactStore(store), sweep)
    if len(table):
        _print_means(summary(table, sweep), sweep)
    if file is not None:
        for written in write_tables(table, sweep, file):
            print(written)  # noqa: T201
    _tell_failures(sweep, standing)


def _run(sweep: Sweep, catalog: Catalog) -> SweepStanding:
    """On the engine, followed until no run is active."""
    launch_all(sweep.experiments, catalog.store)
    watch = SweepWatch(sweep.experiments, catalog, default_workers())
    with _Bar(sweep) as bar:
        try:
            return _wait(watch, catalog, bar)
        except KeyboardInterrupt:
            bar.close()
            bar.tell(
                f"{sweep.sweep_id} goes on in the engine: "
                f"`python -m prunepriv sweep {sweep.sweep_id}` attaches to it again, "
                f"with --cancel it stops it"
            )
            sys.exit(INTERRUPTED)


def _wait(watch: SweepWatch, catalog: Catalog, bar: _Bar) -> SweepStanding:
    restarts = 0
    while (standing := watch.look()).active:
        bar.show(standing)
        if not engine_is_alive(catalog.store) and watch.look().active:
            restarts += 1
            if restarts > RESTARTS:
                raise EngineError(f"the engine ended {restarts} times: see engine.log in the store")
            bar.tell("the engine has ended: starting it again, finished steps are kept")
            ensure_engine(catalog.store)
        time.sleep(LOOK_EVERY)
    bar.show(standing)
    return standing


def _run_inline(sweep: Sweep, catalog: Catalog) -> SweepStanding:
    """In this process, one run after the other; a run that fails does not stop the rest."""
    watch = SweepWatch(sweep.experiments, catalog, 1)
    with _Bar(sweep) as bar:
        show = _now_and_then(lambda: bar.show(watch.look()))
        for experiment in sweep.experiments:
            try:
                run_inline(experiment, catalog.store, watch=show)
            except (KeyboardInterrupt, Cancelled):
                bar.close()
                bar.tell("cancelled: the same command takes it up again from its finished steps")
                sys.exit(INTERRUPTED)
            except PruneprivError:
                continue  # its record says so, and the end tells it
        standing = watch.look()
        bar.show(standing)
    return standing


def _now_and_then(show: Callable[[], None]) -> Callable[[], None]:
    last = -math.inf

    def maybe() -> None:
        nonlocal last
        if time.monotonic() - last > 2 * LOOK_EVERY:
            last = time.monotonic()
            show()

    return maybe


class _Bar:
    """One bar for all runs on a terminal, a line at the beginning and the end elsewhere."""

    def __init__(self, sweep: Sweep) -> None:
        self._id = sweep.sweep_id
        self._said = False
        self._progress: Progress | None = None
        if sys.stderr.isatty():
            self._progress = bar()
            self._task = self._progress.add_task(self._id, total=1.0, left="")

    def __enter__(self) -> _Bar:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, standing: SweepStanding) -> None:
        """How far it is."""
        ended = standing.runs - standing.active
        words = (
            f"{ended} of {standing.runs} runs, {standing.steps_done:,} of {standing.steps:,} steps"
        )
        if self._progress is not None:
            left = standing.seconds_left
            told = "" if left is None else f"about {duration(left)} left"
            self._progress.update(
                self._task, completed=standing.fraction, description=words, left=told
            )
        elif not self._said or not standing.active:
            self._said = True
            self.tell(f"{self._id}: {words} done")

    def tell(self, sentence: str) -> None:
        """Say something beside it."""
        if self._progress is not None:
            self._progress.console.print(sentence, highlight=False, markup=False)
        else:
            print(sentence, file=sys.stderr, flush=True)  # noqa: T201

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()


def _print_means(means: pd.DataFrame, sweep: Sweep) -> None:
    """Each model's best attack, cell by cell."""
    varied = [a for a in sweep.columns if a != "seed" and means[a].nunique(dropna=False) > 1]
    cells = [*varied, "model", "adversary"]
    best = means.loc[means.groupby(cells, sort=False, dropna=False)["accuracy"].idxmax()]
    table = Table(title=f"{sweep.name}: best attack, mean over seeds", title_justify="left")
    for column in (*cells, "best attack"):
        table.add_column(column, overflow="fold")
    for column in ("accuracy", "95 % interval", "seeds", "non-member accuracy"):
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
            percent(row["non_member_accuracy"]),
        )  # fmt: skip
    out = console()
    out.print(table)
    if len(best) > ROWS_SHOWN:
        out.print(f"and {len(best) - ROWS_SHOWN} more: --table FILE writes all", highlight=False)


def _tell_skipped(sweep: Sweep) -> None:
    for sentence in sweep.impossible[:MOST_TOLD]:
        print(f"left out: {sentence}", file=sys.stderr)  # noqa: T201
    if len(sweep.impossible) > MOST_TOLD:
        print(f"and {len(sweep.impossible) - MOST_TOLD} more cells left out", file=sys.stderr)  # noqa: T201


def _tell_failures(sweep: Sweep, standing: SweepStanding) -> None:
    """What went wrong, and exit code 2; nothing where all runs are done."""
    for run_id, sentence in standing.failures[:MOST_TOLD]:
        print(f"{run_id} failed: {sentence}", file=sys.stderr)  # noqa: T201
    if len(standing.failures) > MOST_TOLD:
        print(f"and {len(standing.failures) - MOST_TOLD} more", file=sys.stderr)  # noqa: T201
    left = standing.runs - standing.done
    if left:
        print(  # noqa: T201
            f"{sweep.sweep_id}: {left} of {standing.runs} runs are not done; "
            "the same command takes them up again",
            file=sys.stderr,
        )
        sys.exit(MISTAKE)
