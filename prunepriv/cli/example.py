"""``example``: makes the bundled example runs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from prunepriv.cli.app import Store, app
from prunepriv.environment import EXAMPLES, store_folder
from prunepriv.errors import ExperimentError, StoreError
from prunepriv.experiment import Experiment
from prunepriv.experiment.command import command_line
from prunepriv.experiment.presets import get_preset
from prunepriv.experiment.seeds import read_seeds, under_seeds
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog

EXAMPLE_PRESETS = ("shapes_stopped_early", "shapes_learnt_by_heart", "checkins_fc")
"""The dashboard shows the first one at first."""


Name = Annotated[str, typer.Option(help="With --run: name of the example's folder, of a-z 0-9 _.")]


@app.command()
def example(
    into: Annotated[
        Path | None, typer.Option(help="Folder to write to, instead of assets/examples.")
    ] = None,
    store: Store = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Run in this process, without the engine.")
    ] = False,
    run: Annotated[
        str, typer.Option(help="Bundle this finished run of the store, and no other.")
    ] = "",
    name: Name = "",
    label: Annotated[str, typer.Option(help="With --run: the name that people read.")] = "",
    description: Annotated[str, typer.Option(help="With --run: one sentence about it.")] = "",
    seeds: Annotated[
        str, typer.Option(metavar="SEED,SEED", help="Also run these seeds; keep their differences.")
    ] = "",
) -> None:
    """Make the example runs that are bundled with the dashboard, or bundle a run of the store."""
    from prunepriv.cli.launch import run_to_end

    every = read_seeds(seeds) if seeds else []
    source, target = store_folder(store), into or EXAMPLES
    catalog = Catalog(source)
    if run:
        if not re.fullmatch("[a-z0-9_]{1,40}", name):
            raise ExperimentError(f"--name takes 1 to 40 of the characters a-z 0-9 _, got {name!r}")
        order = len(EXAMPLE_PRESETS)
        about = {"name": name, "label": label or name, "description": description, "order": order}
        chosen = catalog.run(run).experiment
        _bundle(catalog, chosen, target, about)
        _add_seeds(catalog, under_seeds(chosen, every), target / name, inline)
        return
    for order, preset in enumerate(map(get_preset, EXAMPLE_PRESETS)):
        run_to_end(preset.made, source, inline)
        about = {
            "name": preset.name,
            "label": preset.label,
            "description": preset.description,
            "order": order,
        }
        _bundle(catalog, preset.made, target, about)
        _add_seeds(catalog, under_seeds(preset.made, every), target / preset.name, inline)


def _add_seeds(
    catalog: Catalog, experiments: Sequence[Experiment], folder: Path, inline: bool
) -> None:
    """Run the experiments, and keep what each seed's run says as small tables of the example."""
    from prunepriv.cli.launch import run_to_end
    from prunepriv.store.result import Result
    from prunepriv.store.seed_tables import FOLDER, seed_report, write_tables

    reports = []
    for one in experiments:
        run_to_end(one, catalog.store, inline)
        report = seed_report(Result(ArtifactStore(catalog.store), one))
        if report is None:
            raise StoreError(f"{one.run_id} ended without all of its figures: run it again")
        reports.append(report)
    if reports:
        write_tables(reports, folder / FOLDER)


def _bundle(catalog: Catalog, experiment: Experiment, target: Path, about: dict[str, Any]) -> None:
    from prunepriv.store.bundle import write_bundle
    from prunepriv.store.result import Result

    folder = target / about["name"]
    result = Result(ArtifactStore(catalog.store), experiment)
    about = {**about, "command": command_line(experiment)}
    write_bundle(result, catalog.steps(experiment.run_id), folder, about)
    typer.echo(str(folder))
