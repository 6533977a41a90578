"""``sweep``: an experiment for every cell of a grid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from prunepriv.cli.app import Scheduler, Store, app, use_scheduler
from prunepriv.environment import store_folder
from prunepriv.errors import ExperimentError


@app.command()
def sweep(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|PRESET|SWEEP",
            help="A YAML or JSON file, a preset (sparsity, defenses, knowledge, paper), or a "
            "id of a sweep in the store.",
        ),
    ],
    plan: Annotated[
        bool, typer.Option("--plan", help="Only count models, runs, steps and time.")
    ] = False,
    limit: Annotated[int | None, typer.Option(help="Only the first N shuffled records.")] = None,
    width: Annotated[
        float | None, typer.Option(help="Factor on a convolutional network's channels.")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="FIELD=VALUE for all cells, training.epochs=5; repeatable."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="AXIS=V1,V2: keep these values of an axis only; repeatable."),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Run every cell with each of these seeds: 1,2,3.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            help="Write the results to this .parquet or .csv file, and the means to FILE_summary."
        ),
    ] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="Stop the sweep's runs.")] = False,
    store: Store = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Run in this process, without the engine.")
    ] = False,
    scheduler: Scheduler = None,
) -> None:
    """Run an experiment for every cell of a grid, or resume a sweep."""
    from prunepriv.cli import sweeping
    from prunepriv.experiment.sweep import changed
    from prunepriv.store.sweep_files import find_sweep

    use_scheduler(scheduler, inline)
    folder = store_folder(store)
    settings = dict(_pair("--set", pair) for pair in change or ())
    if limit is not None:
        settings["data.limit"] = limit
    kept = {axis: _values(text) for axis, text in (_split("--only", pair) for pair in only or ())}
    chosen = changed(
        find_sweep(what, folder),
        settings,
        kept,
        None if seeds is None else _values(seeds),
        width,
    )
    if cancel:
        sweeping.cancel(chosen, folder)
    elif plan:
        sweeping.print_plan(chosen, folder)
    else:
        sweeping.run_and_tabulate(chosen, folder, table, inline)


def _split(option: str, pair: str) -> tuple[str, str]:
    name, equals, text = pair.partition("=")
    if not equals or not name.strip() or not text.strip():
        raise ExperimentError(f"{option} takes NAME=VALUE, got {pair!r}")
    return name.strip(), text.strip()


def _pair(option: str, pair: str) -> tuple[str, Any]:
    name, text = _split(option, pair)
    return name, _value(text)


def _values(text: str) -> list[Any]:
    """A comma list, each item as YAML reads it: 0.5 is a number."""
    return [_value(item.strip()) for item in text.split(",") if item.strip()]


def _value(text: str) -> Any:
    from prunepriv.experiment.sweep_file import parse_value

    return parse_value(text)
