"""The command line: which measurement to make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks import defenses as all_defenses
from benchmarks import images as network_speed
from benchmarks import load as many_sessions
from benchmarks import location as location_figures
from benchmarks import recipes as two_recipes
from benchmarks import speed as speed_table
from benchmarks import stores as two_stores

app = typer.Typer(add_completion=False, help="Measure prunepriv on this machine.")

Seeds = Annotated[str, typer.Option(help="Seeds, comma-separated.")]


@app.callback(invoke_without_command=True)
def speed(context: typer.Context) -> None:
    """Wall times of the main job, its steps and the dashboard."""
    if context.invoked_subcommand is None:
        speed_table.report()


@app.command()
def location(seeds: Seeds = "1,2,3,4,5") -> None:
    """Attack accuracy on Location, mean over seeds, compared with the authors' code."""
    location_figures.report([int(seed) for seed in seeds.split(",")])


@app.command()
def defenses(
    seeds: Seeds = "1,2,3,4,5",
    store: Annotated[Path | None, typer.Option(help="Folder to keep the runs in.")] = None,
) -> None:
    """Every defence on Location, against both adversaries, mean over seeds."""
    all_defenses.report([int(seed) for seed in seeds.split(",")], store)


@app.command()
def recipes(seeds: Seeds = "1,2,3") -> None:
    """Attack networks trained by the fast recipe and by the paper's."""
    two_recipes.report([int(seed) for seed in seeds.split(",")])


@app.command()
def images(
    steps: Annotated[int | None, typer.Option(min=1, help="Timed steps for every network.")] = None,
    batch: Annotated[int | None, typer.Option(min=2, help="Records per step.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the processor.")] = 1,
) -> None:
    """Records per second in training, for every data set and network."""
    network_speed.report(steps, batch, threads)


@app.command()
def load(
    sessions: Annotated[int, typer.Option(min=1, help="Visitors at a time.")] = 30,
    seconds: Annotated[float, typer.Option(min=1, help="How long each load lasts.")] = 90,
    visits: Annotated[int, typer.Option(min=4, help="Visits before memory is measured.")] = 200,
    run: Annotated[bool, typer.Option(help="Also time a run, alone and beside them.")] = True,
) -> None:
    """The dashboard with many visitors: waiting times, memory, and a run beside them."""
    many_sessions.report(sessions, seconds, visits, run)


@app.command()
def stores(before: Path, after: Path) -> None:
    """Whether two stores of the same runs hold the same keys and bytes; exit code 1 if not."""
    if not two_stores.compare(before, after):
        raise typer.Exit(1)


app()
