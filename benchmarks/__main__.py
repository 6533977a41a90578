"""The command line: which measurement to make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks import coverage as statements
from benchmarks import defenses as all_defenses
from benchmarks import gpu as large_job
from benchmarks import images as network_speed
from benchmarks import load as many_sessions
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
def recipes(
    seeds: Seeds = "1,2,3,4,5",
    store: Annotated[
        Path | None, typer.Option(help="Folder that keeps the runs: what is done is not repeated.")
    ] = None,
    attack: Annotated[list[str] | None, typer.Option(help="Only this one; repeatable.")] = None,
) -> None:
    """Attack networks trained by the fast recipe and by the paper's: are they equal?"""
    numbers = list(dict.fromkeys(int(seed) for seed in seeds.split(",")))
    if len(numbers) < 2:
        raise typer.BadParameter(f"an interval needs two seeds or more, got {seeds!r}")
    unknown = set(attack or ()) - set(two_recipes.ATTACKS)
    if unknown:
        choices = ", ".join(two_recipes.ATTACKS)
        raise typer.BadParameter(f"{min(unknown)} is no attack network: choose of {choices}")
    two_recipes.report(numbers, store, attack or ())


@app.command()
def images(
    steps: Annotated[int | None, typer.Option(min=1, help="Timed steps for every network.")] = None,
    batch: Annotated[int | None, typer.Option(min=2, help="Records per step.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the processor.")] = 1,
    repeats: Annotated[int, typer.Option(min=1, help="Measurements; the shortest counts.")] = 3,
    model: Annotated[list[str] | None, typer.Option(help="Only this network; repeatable.")] = None,
) -> None:
    """Records per second in training, for every data set and network, and in a plain loop."""
    network_speed.report(steps, batch, threads, repeats, model or ())


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
def coverage(
    runs: Annotated[int, typer.Option(min=1, help="Synthetic runs of each study.")] = 4000,
) -> None:
    """Whether intervals cover the truth, and how often a statement is wrong by chance."""
    statements.report(runs)


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
    gflops: Annotated[
        float | None,
        typer.Option(min=0.001, help="Speed of one core in GFLOP/s; measured now if left out."),
    ] = None,
) -> None:
    """A finished run as a picture: a bar per worker and step, in one HTML file."""
    from benchmarks import trace as run_trace

    run_trace.report(run, store_folder(store), out or Path(f"trace-{run}.html"), gflops)


@app.command()
def table(
    row: Annotated[list[str] | None, typer.Option(help="Only this row; repeatable.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Measurements of each row.")] = 1,
    products: Annotated[
        int | None,
        typer.Option(min=1, help="Matrix products of a yardstick; with fewer it is less exact."),
    ] = None,
) -> None:
    """The table of speed goals: seconds, yardsticks before and after each row, and the goals."""
    from benchmarks import table as goals
    from benchmarks.yardstick import PRODUCTS

    unknown = set(row or ()) - set(goals.ROWS)
    if unknown:
        raise typer.BadParameter(f"{min(unknown)} is no row: choose of {', '.join(goals.ROWS)}")
    goals.report(row or (), repeats, products or PRODUCTS)


@app.command()
def cluster(
    repeats: Annotated[
        int, typer.Option(min=1, help="Measurements of each; the median counts.")
    ] = 1,
    limit: Annotated[
        int | None, typer.Option(min=200, help="Only so many records of the sweep's data.")
    ] = None,
    large: Annotated[bool, typer.Option(help="Also one run of a large network.")] = True,
) -> None:
    """One worker of a Dask cluster against two: a sweep, and one run of a large network."""
    from benchmarks import cluster as one_or_two

    one_or_two.report(repeats, limit, large)


@app.command()
def scaling(
    repeats: Annotated[
        int, typer.Option(min=1, help="Runs of each size; the shortest counts.")
    ] = 2,
) -> None:
    """How seconds grow with records, models and classes: fitted exponents."""
    from benchmarks import scaling as growth

    growth.report(repeats)


@app.command()
def gpu(
    records: Annotated[
        int, typer.Option(min=600, help="Pictures, all models' together.")
    ] = large_job.FULL.records,
    model: Annotated[str, typer.Option(help="The network.")] = large_job.FULL.model,
    epochs: Annotated[int, typer.Option(min=1, help="Of training.")] = large_job.FULL.epochs,
    fine_tune_epochs: Annotated[
        int, typer.Option(min=1, help="After pruning.")
    ] = large_job.FULL.fine_tune_epochs,
) -> None:
    """The whole job on pictures of CIFAR10's size; small numbers try it on the processor."""
    large_job.report(records, model, epochs, fine_tune_epochs)


@app.command()
def purchase(
    records: Annotated[
        int | None, typer.Option(min=2000, help="Of the table; as many as Purchase if left out.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Of training and of fine-tuning.")] = 2,
    models: Annotated[str, typer.Option(help="Which models are attacked.")] = "pruned",
    attacks: Annotated[str, typer.Option(help="Which attacks are run.")] = "all",
) -> None:
    """The memory of a run on a table of Purchase's size, over all processes."""
    from benchmarks import purchase as large_table

    large_table.report(records, epochs, ("--models", models, "--attacks", attacks))


@app.command()
def simulate(
    sweep: Annotated[str, typer.Option(help="A preset's name.")] = "paper",
    workers: Annotated[str, typer.Option(help="Numbers of workers.")] = "1,2,4,8,16,32,64",
    store: Annotated[Path | None, typer.Option(help="The store whose runs were measured.")] = None,
    rates: Annotated[
        Path | None, typer.Option(help="A file of rates, which count more than the store's.")
    ] = None,
    save_rates: Annotated[Path | None, typer.Option(help="Write the rates to this file.")] = None,
    gflops: Annotated[
        float | None,
        typer.Option(min=0.001, help="Speed of one core in GFLOP/s; measured now if left out."),
    ] = None,
    own_cost: Annotated[
        float, typer.Option(min=0.0, help="Seconds that store and scheduler add to each step.")
    ] = 0.03,
) -> None:
    """A sweep on 1 to 64 workers, simulated from measured times, and its critical path."""
    from benchmarks import simulate as simulation

    counts = [int(number) for number in workers.split(",")]
    simulation.report(sweep, counts, store_folder(store), rates, save_rates, gflops, own_cost)


app()
