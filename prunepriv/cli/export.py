"""``export``: figures and signals of a run as files."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from prunepriv.cli.app import Run, Store, app
from prunepriv.engine.runner import load_runner
from prunepriv.environment import data_folder, store_folder
from prunepriv.errors import ExperimentError
from prunepriv.experiment.command import command_line
from prunepriv.plan import Step
from prunepriv.progress import silent
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog


@app.command()
def export(
    run_id: Run,
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write models, gaps, attacks and steps to this folder.")
    ] = None,
    signals: Annotated[
        Path | None,
        typer.Option(help="Write each model's outputs on each record, as Parquet, to this folder."),
    ] = None,
    store: Store = None,
) -> None:
    """Write a finished run's figures to files for other programs."""
    from prunepriv.store.export import export_csv, export_signals, make_folder
    from prunepriv.store.report import report_json
    from prunepriv.store.result import Result

    if json is None and csv is None and signals is None:
        raise ExperimentError("export has nothing to write: give --json, --csv or --signals")
    folder = store_folder(store)
    catalog = Catalog(folder)
    run = catalog.run(run_id)
    result = Result(ArtifactStore(folder), run.experiment)
    written: list[Path] = []
    if json is not None or csv is not None:
        report = report_json(result, catalog.steps(run_id))
        if json is not None:
            make_folder(json.absolute().parent)
            json.write_text(dumps(report, indent=1, allow_nan=False) + "\n")
            written.append(json)
        if csv is not None:
            written += export_csv(report, csv, command_line(run.experiment))
    if signals is not None:

        def make(steps: Sequence[Step]) -> None:
            typer.echo(f"{len(steps)} shadows score the target's records", err=True)
            load_runner()(steps, result.store, data_folder(), [silent] * len(steps))

        written += export_signals(result, signals, make)
    for file in written:
        typer.echo(str(file))
