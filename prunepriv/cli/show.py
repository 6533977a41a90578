"""``list`` and ``show``: the runs of the store, and one of them."""

from __future__ import annotations

import typer

from prunepriv.cli.app import Run, Store, app
from prunepriv.cli.tables import print_run, print_runs, print_steps
from prunepriv.environment import store_folder
from prunepriv.prose import join
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.outdated import outdated
from prunepriv.store.step_logs import log_path


@app.command("list")
def list_runs(store: Store = None) -> None:
    """List the runs of the store, the last submitted first."""
    folder = store_folder(store)
    catalog = Catalog(folder)
    runs = catalog.runs()
    if runs:
        print_runs(runs)
        old = [run.run_id for run in runs if outdated(run, catalog)]
        if old:
            typer.echo(
                f"made by an earlier version, to be made again (`show ID` says how): {join(old)}"
            )
    else:
        typer.echo(f"no runs in {folder} yet: `python -m prunepriv run` makes one")


@app.command()
def show(run_id: Run, store: Store = None) -> None:
    """Show a run's models, attacks and steps."""
    folder = store_folder(store)
    catalog = Catalog(folder)
    run, steps = catalog.run(run_id), catalog.steps(run_id)
    sentence = outdated(run, catalog)
    if sentence:
        typer.echo(sentence)
    elif run.status == "done":
        from prunepriv.store.report import report_json
        from prunepriv.store.result import Result

        print_run(report_json(Result(ArtifactStore(folder), run.experiment), steps))
    else:
        print_runs([run])
    print_steps(steps)
    for step in steps:
        log = log_path(folder, step.key)
        if step.status == "failed" and log.exists():
            typer.echo(f"log of step {step.name}: {log}")
