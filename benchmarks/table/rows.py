"""The rows of the table. Each measures itself on a store of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks.memory import Memory, at_work
from benchmarks.own_tables import write_table
from benchmarks.running import Job, run
from benchmarks.table.measuring import Bench, Line
from prunepriv.engine.client import default_workers
from prunepriv.estimates.cost import cost_of
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.prose import duration
from prunepriv.store.catalog import Catalog
from prunepriv.store.schema import StepView

LOCATION = (
    "--dataset", "location", "--model", "fc", "--approach", "l1_unstructured", "--attacks", "all",
)  # fmt: skip
PRUNED = (*LOCATION, "--sparsity", "0.7", "--models", "pruned")
SHADOWS = (
    "--dataset", "location", "--models", "pruned", "--shadows", "256",
    "--attacks", "conf,lira,rmia",
)  # fmt: skip

GB = 1e9


def location(bench: Bench) -> Iterator[Line]:
    """Location, the pruned model, all attacks, an empty store."""
    for mode, options, goal in (("engine", (), 1.2), ("inline", ("--inline",), 1.5)):
        with bench.store() as store:
            _, timed = bench.time(lambda: run(store, *PRUNED, *options))  # noqa: B023
            yield timed.line(f"location, pruned, all attacks, {mode}", (goal, "yardsticks"))


def location_ppb(bench: Bench) -> Iterator[Line]:
    """The same with PPB, and all models attacked."""
    with bench.store() as store:
        options = (*LOCATION, "--sparsity", "0.7", "--defense", "ppb", "--models", "all")
        _, timed = bench.time(lambda: run(store, *options))
        yield timed.line("location, PPB, all models, all attacks", (2.5, "yardsticks"))


def sparsity(bench: Bench) -> Iterator[Line]:
    """Only the sparsity changed, while the engine of the first run is there."""
    with bench.store() as store:
        run(store, *PRUNED)
        options = (*LOCATION, "--sparsity", "0.6", "--models", "pruned")
        job, timed = bench.time(lambda: run(store, *options))
        yield timed.line("only the sparsity changed", (0.7, "yardsticks"))
        first = first_histogram(store, job)
        yield timed.line("... until its first histograms", (1.5, "s"), first)


def checkins(bench: Bench) -> Iterator[Line]:
    """The Run page's default run with PPB, check-ins."""
    yield from _default_run(bench, "checkins", goal=2.9)


def shapes(bench: Bench) -> Iterator[Line]:
    """The Run page's default run with PPB, shapes."""
    yield from _default_run(bench, "shapes", goal=6.6)


def _default_run(bench: Bench, dataset: str, goal: float) -> Iterator[Line]:
    """The run, its first histogram, and what an estimate said before it.

    Then the same with another seed: its estimate comes from the first run's times.
    """
    words = f"default run with PPB, {dataset}"
    with bench.store() as store:
        for seed, kind in ((7, "cold"), (8, "warm")):
            told = estimate(store, dataset, seed)
            options = ("--dataset", dataset, "--defense", "ppb", "--seed", str(seed))
            job, timed = bench.time(lambda: run(store, *options))  # noqa: B023
            if job.report["run"] != default_run(dataset, seed).run_id:
                raise RuntimeError("the estimate was of another run: nothing can be compared")
            if seed == 7:
                yield timed.line(words, (goal, "yardsticks"))
                first = first_histogram(store, job)
                yield timed.line("... until its first histogram", (5.0, "s"), first)
            yield Line(
                f"... its estimate, {kind} store",
                {"%": 100 * abs(told / timed.seconds - 1)},
                (30.0, "%"),
                f"{duration(told)} told, {duration(timed.seconds)} taken",
            )


def default_run(dataset: str, seed: int) -> Experiment:
    """What the Run page runs if nothing but the data set and PPB is chosen."""
    return make_experiment({"data": {"name": dataset}, "defense": {"name": "ppb"}, "seed": seed})


def estimate(store: Path, dataset: str, seed: int) -> float:
    """Seconds that a page or the command line would tell now for the default run with PPB."""
    catalog = Catalog(store)
    try:
        return cost_of([default_run(dataset, seed)], catalog, default_workers()).seconds
    finally:
        catalog.close()


def shadows(bench: Bench) -> Iterator[Line]:
    """256 shadows, in one process."""
    yield from _shadows(bench, "inline", ("--inline",))


def shadows_engine(bench: Bench) -> Iterator[Line]:
    """256 shadows, through the engine."""
    yield from _shadows(bench, "engine", ())


def _shadows(bench: Bench, mode: str, options: tuple[str, ...]) -> Iterator[Line]:
    with bench.store() as store:
        with Memory(store) as memory:
            job, timed = bench.time(lambda: run(store, *SHADOWS, *options))
        yield timed.line(f"256 shadows, conf, lira, rmia, {mode}", (12.0, "yardsticks"))
        peak = memory.largest
        during = _during(store, job, peak.at)
        yield Line("... its largest process", {"GB": peak.largest / GB}, (2.0, "GB"), during)


def _during(store: Path, job: Job, at: float) -> str:
    names = at_work(_steps(store, job), at)
    return f"during {', '.join(names[:3])}" if names else ""


def samia(bench: Bench) -> Iterator[Line]:
    """SAMIA's fit with 100 classes; five shadows have 10,035 records, of which it takes 10,000."""
    with bench.store() as store:
        file = write_table(store.parent / "classes.npz", 4460, 100, 100)
        options = (
            "--dataset", str(file), "--models", "pruned", "--attacks", "samia",
            "--epochs", "1", "--fine-tune-epochs", "1",
        )  # fmt: skip
        job, timed = bench.time(lambda: run(store, *options))
        fit = sum(step.seconds or 0.0 for step in _steps(store, job) if step.kind == "fit")
        yield timed.line("SAMIA, 100 classes, 10,000 shadow records", (47.0, "s"), fit)


def again(bench: Bench) -> Iterator[Line]:
    """`run` of an experiment that is finished."""
    with bench.store() as store:
        run(store, *PRUNED)
        for mode, options, goal in (("inline", ("--inline",), 2.0), ("engine", (), 0.8)):
            job, timed = bench.time(lambda: run(store, *PRUNED, *options))  # noqa: B023
            if not all(step["cached"] for step in job.report["steps"]):
                raise RuntimeError("a finished run did a step again: this is not what is measured")
            yield timed.line(f"`run` of a finished experiment, {mode}", (goal, "s"))


ROWS: Mapping[str, Callable[[Bench], Iterator[Line]]] = {
    "location": location,
    "location-ppb": location_ppb,
    "sparsity": sparsity,
    "checkins": checkins,
    "shapes": shapes,
    "shadows": shadows,
    "shadows-engine": shadows_engine,
    "samia": samia,
    "again": again,
}
"""By the name for ``--row``."""


def first_histogram(store: Path, job: Job) -> float:
    """Seconds from the start of the command to the end of the target's first signals."""
    ends = [
        step.started.timestamp() + step.seconds
        for step in _steps(store, job)
        if is_target(step) and step.started is not None and step.seconds is not None
    ]
    return min(ends) - job.began


def is_target(step: StepView) -> bool:
    """Whether a step measures the target's signals, which a histogram is drawn of.

    A step of one model has the model's number at the end of its name, and the target is number 0;
    a step of all models has none.
    """
    _, *parts = step.name.split(":")
    number = parts[-1] if parts and parts[-1].isdecimal() else "0"
    return step.kind == "signals" and parts[0] != "assumed" and number == "0"


def _steps(store: Path, job: Job) -> list[StepView]:
    catalog = Catalog(store)
    try:
        return catalog.steps(str(job.report["run"]))
    finally:
        catalog.close()
