"""What many runs cost together, and how far they are: steps that they share count once.

Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prunepriv.estimates.run import measure
from prunepriv.experiment import Experiment
from prunepriv.options import MODELS
from prunepriv.plan import Step, models_name, plan
from prunepriv.prose import duration, join
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.schema import RunView


@dataclass(frozen=True)
class SweepCost:
    """What is to be done for the runs of a sweep.

    Attributes:
        runs: how many.
        pruned_models: targets that are pruned and fine-tuned without a defence, each counted once.
        steps: distinct steps of all runs.
        cached_steps: how many of them the store holds.
        seconds: expected wall time of the rest, without what has never been measured.
        unmeasured: kinds of step that have never run here; then it takes longer than that.
        guessed: networks, by label, whose steps are judged by those of others.
    """

    runs: int
    pruned_models: int
    steps: int
    cached_steps: int
    seconds: float
    unmeasured: tuple[str, ...]
    guessed: tuple[str, ...]

    def time_words(self, workers: int) -> str:
        """The expected time, and how far it is to be trusted."""
        if self.cached_steps == self.steps:
            return "none, all its steps are in the store"
        by = "one worker" if workers == 1 else f"{workers} workers"
        about = f"{'more than' if self.unmeasured else 'about'} {duration(self.seconds)} with {by}"
        doubts = []
        if self.unmeasured:
            kinds = join([kind.replace("_", " ") for kind in self.unmeasured])
            doubts.append(f"steps of the kind {kinds} have never been measured here")
        if self.guessed:
            doubts.append(
                f"{join(self.guessed)} never ran here, so other networks' steps stand in "
                "and it may be far off"
            )
        return f"{about}; {'; '.join(doubts)}" if doubts else f"{about}, by runs measured before"


def sweep_cost(experiments: Sequence[Experiment], catalog: Catalog, workers: int) -> SweepCost:
    """What the runs would cost if they were launched now.

    The time is the work divided by the workers, or the longest chain of steps that wait for each
    other, whichever is more. An artifact counts as there without being read.
    """
    throughput, store = measure(catalog), ArtifactStore(catalog.store)
    ends: dict[str, float] = {}  # when a step would be done with a worker for each
    work: list[float] = []
    pruned: set[str] = set()
    cached = 0
    guessed: dict[str, None] = {}
    unmeasured: dict[str, None] = {}
    for experiment in experiments:
        for step in plan(experiment).steps:
            if step.name == models_name("pruned"):
                pruned.add(step.key)
            if step.key in ends:
                continue
            seconds = 0.0
            if store.lists(step.key):
                cached += 1
            else:
                expected = throughput.seconds(step, experiment)
                if expected is None:
                    unmeasured[step.kind] = None
                elif _is_network(step) and not throughput.knows(step, experiment):
                    guessed[MODELS[experiment.model.name].label] = None
                seconds = expected or 0.0
            work.append(seconds)
            ends[step.key] = seconds + max((ends[key] for key in step.inputs.values()), default=0.0)
    return SweepCost(
        runs=len(experiments),
        pruned_models=len(pruned),
        steps=len(ends),
        cached_steps=cached,
        seconds=max(sum(work) / max(1, workers), max(ends.values(), default=0.0)),
        unmeasured=tuple(unmeasured),
        guessed=tuple(guessed),
    )


@dataclass(frozen=True)
class SweepStanding:
    """How far a sweep is.

    Attributes:
        runs: how many it has; done, failed, cancelled and active (waiting or worked on) are parts.
        steps, steps_done: distinct steps.
        seconds_left: expected; None where it cannot be told.
        failures: (run id, sentence).
    """

    runs: int
    done: int
    failed: int
    cancelled: int
    active: int
    steps: int
    steps_done: int
    seconds_left: float | None
    failures: tuple[tuple[str, str], ...]

    @property
    def fraction(self) -> float:
        """Share of the steps that are done."""
        return self.steps_done / self.steps if self.steps else 1.0


class SweepWatch:
    """Looks at the runs of a sweep, again and again; what is done is not looked at twice.

    Args:
        experiments: of the sweep.
        catalog: of the store.
        workers: how many steps are worked on at once.
    """

    def __init__(self, experiments: Iterable[Experiment], catalog: Catalog, workers: int) -> None:
        self._catalog = catalog
        self._workers = max(1, workers)
        throughput = measure(catalog)
        self._keys: dict[str, tuple[str, ...]] = {}
        self._left: dict[str, float | None] = {}
        for experiment in experiments:
            steps = plan(experiment).steps
            self._keys[experiment.run_id] = tuple(step.key for step in steps)
            for step in steps:
                if step.key not in self._left:
                    self._left[step.key] = throughput.seconds(step, experiment)
        self._steps = len(self._left)

    def look(self) -> SweepStanding:
        """How far the runs are now."""
        runs = [run for run in self._catalog.runs() if run.run_id in self._keys]
        part_done = 0.0
        for run in runs:
            if run.status == "done":
                for key in self._keys[run.run_id]:
                    self._left.pop(key, None)
            elif run.status == "running":
                part_done += self._look_into(run)
        by_status = {name: [r for r in runs if r.status == name] for name in ("done", "failed")}
        waiting = list(self._left.values())  # pages share a watch: a copy, for it may shrink
        left = [seconds for seconds in waiting if seconds is not None]
        known = len(left) == len(waiting)
        return SweepStanding(
            runs=len(self._keys),
            done=len(by_status["done"]),
            failed=len(by_status["failed"]),
            cancelled=sum(run.status in ("cancelled", "interrupted") for run in runs),
            active=sum(run.active for run in runs),
            steps=self._steps,
            steps_done=self._steps - len(waiting),
            seconds_left=max(0.0, sum(left) - part_done) / self._workers if known else None,
            failures=tuple((run.run_id, run.error) for run in by_status["failed"]),
        )

    def _look_into(self, run: RunView) -> float:
        """Take note of a running run's finished steps; seconds done of those begun."""
        begun = 0.0
        for step in self._catalog.steps(run.run_id):
            if step.status == "done":
                self._left.pop(step.key, None)
            elif step.status == "running":
                begun += (self._left.get(step.key) or 0.0) * step.fraction
        return begun


def _is_network(step: Step) -> bool:
    """Whether its time is that of the target's network."""
    return step.kind in ("train", "fine_tune", "signals", "confidences")
