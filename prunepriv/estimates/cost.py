"""How long a run or a sweep will take. A run is a sweep of one; shared steps count once.

Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prunepriv.estimates.throughput import NETWORK_KINDS, Throughput, measure
from prunepriv.experiment import Experiment
from prunepriv.options import MODELS
from prunepriv.plan import Plan, Step, StepKind, models_name, plan
from prunepriv.prose import duration, join
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog

Waits = Mapping[str, Sequence[str]]
"""For each step's key, the keys of the steps that it waits for; these come before it."""


@dataclass(frozen=True)
class StepCost:
    """How long one step will take.

    Attributes:
        step: the step.
        seconds: expected; None where no similar step has been measured.
        cached: whether the store holds it: then nothing is left to do.
        guessed: label of its network where that has never been measured, so that the estimate
            comes from other networks' steps; else "".
    """

    step: Step
    seconds: float | None
    cached: bool
    guessed: str = ""


@dataclass(frozen=True)
class KindCost:
    """How long all steps of a kind will take.

    Attributes:
        steps: how many.
        cached: how many of them the store holds.
        seconds: expected work on the other steps; None where one of them has never been measured.
    """

    steps: int
    cached: int
    seconds: float | None


@dataclass(frozen=True)
class Cost:
    """How long a run or a sweep will take.

    Attributes:
        runs: how many.
        pruned_models: targets that are pruned and fine-tuned without a defence, each counted once.
        seconds: expected wall time (see :func:`wall_seconds`), without steps that the store holds
            or that have never been measured.
        kinds: the distinct steps of all runs, by kind.
        guessed: labels of networks whose estimates come from other networks' steps.
    """

    runs: int
    pruned_models: int
    seconds: float
    kinds: Mapping[StepKind, KindCost]
    guessed: tuple[str, ...]

    @property
    def steps(self) -> int:
        """Distinct steps of all runs."""
        return sum(kind.steps for kind in self.kinds.values())

    @property
    def cached_steps(self) -> int:
        """How many of them the store holds."""
        return sum(kind.cached for kind in self.kinds.values())

    @property
    def unmeasured(self) -> tuple[StepKind, ...]:
        """Kinds of step that have never run here; with one, the time is more than ``seconds``."""
        return tuple(kind for kind, cost in self.kinds.items() if cost.seconds is None)

    def time_words(self, workers: int) -> str:
        """The expected time in words, and why it may be wrong."""
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
                f"{join(self.guessed)} never ran here, so the time is estimated from other "
                "networks' steps and may be far off"
            )
        return (
            f"{about}; {'; '.join(doubts)}" if doubts else f"{about}, estimated from earlier runs"
        )


def cost_of(experiments: Sequence[Experiment], catalog: Catalog, workers: int) -> Cost:
    """How long the runs would take if they were launched now, with no other runs waiting.

    Args:
        experiments: one or more.
        catalog: of the store.
        workers: how many steps are worked on at once.
    """
    plans = [plan(experiment) for experiment in experiments]
    steps = step_costs(plans, catalog)
    left = {cost.step.key: 0.0 if cost.cached else cost.seconds or 0.0 for cost in steps}
    pruned = {step.key for one in plans for step in one.steps if step.name == models_name("pruned")}
    return Cost(
        runs=len(plans),
        pruned_models=len(pruned),
        seconds=wall_seconds(waits_of(cost.step for cost in steps), left, workers, len(plans))
        or 0.0,
        kinds=_by_kind(steps),
        guessed=tuple(dict.fromkeys(cost.guessed for cost in steps if cost.guessed)),
    )


def step_costs(plans: Iterable[Plan], catalog: Catalog) -> tuple[StepCost, ...]:
    """How long each distinct step of the plans would take; inputs come before their steps.

    An artifact counts as cached if the store lists it; it is not read.
    """
    throughput, store = measure(catalog), ArtifactStore(catalog.store)
    costs: dict[str, StepCost] = {}
    for one in plans:
        for step in one.steps:
            if step.key not in costs:
                costs[step.key] = _step_cost(step, one.experiment, throughput, store)
    return tuple(costs.values())


def waits_of(steps: Iterable[Step]) -> Waits:
    """The keys that each of the steps waits for."""
    return {step.key: tuple(step.inputs.values()) for step in steps}


def wall_seconds(
    waits: Waits, seconds: Mapping[str, float | None], workers: int, runs: int
) -> float | None:
    """Expected wall time of the steps of ``runs`` runs; None where a step's seconds are unknown.

    For one run it is :func:`makespan`. With several runs, a worker that one run does not need works
    on another. Then the time is the larger of two: all work divided by the workers, and the longest
    chain of steps that wait for each other.

    Args:
        waits: the steps, and what each waits for.
        seconds: by key; 0 for a step that is done, None if unknown.
        workers: how many steps are worked on at once.
        runs: how many runs the steps belong to.
    """
    if runs == 1:
        return makespan(waits, seconds, workers)
    work = 0.0
    ends: dict[str, float] = {}  # when each would be done with unlimited workers
    for key, inputs in waits.items():
        needed = seconds.get(key)
        if needed is None:
            return None
        work += needed
        ends[key] = needed + max((ends[one] for one in inputs), default=0.0)
    return max(work / max(1, workers), max(ends.values(), default=0.0))


def makespan(waits: Waits, seconds: Mapping[str, float | None], workers: int) -> float | None:
    """Wall time of the steps when each free worker takes the next step in order.

    Args:
        waits, seconds, workers: as for :func:`wall_seconds`.
    """
    free = [0.0] * max(1, workers)
    ready_at: dict[str, float] = {}
    for key, inputs in waits.items():
        needed = seconds.get(key)
        if needed is None:
            return None
        start = max((ready_at[one] for one in inputs), default=0.0)
        if needed > 0.0:
            worker = min(range(len(free)), key=lambda index: free[index])
            start = max(start, free[worker])
            free[worker] = start + needed
        ready_at[key] = start + needed
    return max(ready_at.values(), default=0.0)


def _step_cost(
    step: Step, experiment: Experiment, throughput: Throughput, store: ArtifactStore
) -> StepCost:
    seconds, cached = throughput.seconds(step, experiment), store.lists(step.key)
    known = cached or seconds is None or throughput.knows(step, experiment)
    guessed = not known and step.kind in NETWORK_KINDS
    return StepCost(step, seconds, cached, MODELS[experiment.model.name].label if guessed else "")


def _by_kind(costs: Iterable[StepCost]) -> dict[StepKind, KindCost]:
    kinds: dict[StepKind, list[StepCost]] = {}
    for cost in costs:
        kinds.setdefault(cost.step.kind, []).append(cost)
    return {kind: _kind_cost(ours) for kind, ours in kinds.items()}


def _kind_cost(costs: Sequence[StepCost]) -> KindCost:
    left = [cost.seconds for cost in costs if not cost.cached]
    known = [seconds for seconds in left if seconds is not None]
    return KindCost(
        steps=len(costs),
        cached=len(costs) - len(left),
        seconds=sum(known) if len(known) == len(left) else None,
    )
