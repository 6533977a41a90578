"""The command line: which measurement to make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks import defenses as all_defenses
from benchmarks import images as network_speed
from benchmarks import location as location_figures
from benchmarks import recipes as two_recipes
from benchmarks import speed as speed_table
from benchmarks import stores as two_stores
from prunepriv.environment import store_folder

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
def stores(before: Path, after: Path) -> None:
    """Whether two stores of the same runs hold the same keys and bytes; exit code 1 if not."""
    if not two_stores.compare(before, after):
        raise typer.Exit(1)


@app.command()
def trace(
    run: Annotated[str, typer.Argument(help="Id of a finished run.")],
    store: Annotated[Path | None, typer.Option(help="The store's folder.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file; by default trace-RUN.html.")] = None,
    gigaflops: Annotated[
        float | None,
        typer.Option(min=0.001, help="Speed of one core in GFLOP/s; measured now if left out."),
    ] = None,
) -> None:
    """A finished run as a picture: a bar per worker and step, in one HTML file."""
    from benchmarks import trace as run_trace

    run_trace.report(run, store_folder(store), out or Path(f"trace-{run}.html"), gigaflops)


app()
