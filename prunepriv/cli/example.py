"""``example``: makes the bundled example runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prunepriv.cli.app import Store, app
from prunepriv.command import command_line
from prunepriv.places import EXAMPLES, store_folder
from prunepriv.presets import get_preset
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog

EXAMPLE_PRESETS = ("shapes_stopped_early", "shapes_learnt_by_heart", "checkins_fc")
"""The first is what a visitor sees first."""


@app.command()
def example(
    into: Annotated[
        Path | None, typer.Option(help="Folder to write to, instead of assets/examples.")
    ] = None,
    store: Store = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Run in this process, without the engine.")
    ] = False,
) -> None:
    """Make the example runs that are bundled with the dashboard."""
    from prunepriv.cli.launch import run_to_end
    from prunepriv.store.bundle import write_bundle
    from prunepriv.store.result import Result

    source = store_folder(store)
    catalog = Catalog(source)
    for order, preset in enumerate(map(get_preset, EXAMPLE_PRESETS)):
        experiment = preset.experiment
        run_to_end(experiment, source, inline)
        about = {
            "name": preset.name,
            "label": preset.label,
            "description": preset.description,
            "order": order,
            "command": command_line(experiment),
        }
        folder = (into or EXAMPLES) / preset.name
        result = Result(ArtifactStore(source), experiment)
        write_bundle(result, catalog.steps(experiment.run_id), folder, about)
        typer.echo(str(folder))
