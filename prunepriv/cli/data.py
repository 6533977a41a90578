"""``data``: lists the data sets, or reads the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from prunepriv.cli.app import Store, app
from prunepriv.environment import store_folder
from prunepriv.errors import ExperimentError
from prunepriv.options import DATASETS


@app.command()
def data(
    path: Annotated[
        Path | None,
        typer.Argument(help="A .csv, .parquet, .npz or .zip file, or a folder of pictures."),
    ] = None,
    label_column: Annotated[
        str | None, typer.Option(help="The label's column.", show_default="label")
    ] = None,
    store: Store = None,
) -> None:
    """List the data sets, or read your own into the store."""
    from prunepriv.store.own_data import imported, in_words

    folder = store_folder(store)
    if path is not None:
        own = _read(path, label_column, folder)
        typer.echo(in_words(own))
        typer.echo(f"run it with --dataset {own.handle}")
        return
    if label_column is not None:
        raise ExperimentError("--label-column is of a file: name the file too")
    for option in DATASETS.values():
        needs = f" Download: {option.download}, once." if option.download else ""
        typer.echo(f"{option.name:<18}{option.summary}{needs}")
    for one in imported(folder):
        typer.echo(f"{one.own.handle:<18}{in_words(one.own)}; from {one.source}")


def chosen(text: str | None, label_column: str | None, store: Path) -> dict[str, Any]:
    """The fields of ``Data`` for a value of ``--dataset``; a file or folder is read first.

    Raises:
        ExperimentError: own:DIGEST that the store does not hold, or a label column without a file.
        DataError: a file that cannot be used.
    """
    from prunepriv.store.named_data import data_settings

    return data_settings(text, label_column, store, _read)


def _read(path: Path, label_column: str | None, store: Path) -> Any:
    """Import a path, with a progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    from prunepriv.store.own_data import import_data

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("reading", total=1.0)

        def report(
            fraction: float, message: str = "", point: Mapping[str, float] | None = None
        ) -> None:
            progress.update(task, completed=fraction, description=message or "reading")

        return import_data(path.expanduser(), store, report, label_column=label_column)
