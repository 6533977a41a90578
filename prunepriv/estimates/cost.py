"""How long a run or a sweep will take. A run is a sweep of one; shared steps count once.

Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prunepriv.estimates.schedule import Waits, schedule
from prunepriv.estimates.throughput import NETWORK_KINDS, Throughput, measure
from prunepriv.experiment import Experiment
from prunepriv.options import MODELS
from prunepriv.plan import Plan, Step, StepKind, models_name, plan
from prunepriv.prose import duration, join
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog


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
    left = {cost.step.key: cost.seconds or 0.0 for cost in steps if not cost.cached}
    waits = waits_of(cost.step for cost in steps if not cost.cached)
    pruned = {step.key for one in plans for step in one.steps if step.name == models_name("pruned")}
    return Cost(
        runs=len(plans),
        pruned_models=len(pruned),
        seconds=wall_seconds(waits, left, workers) or 0.0,
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


def wall_seconds(waits: Waits, seconds: Mapping[str, float | None], workers: int) -> float | None:
    """Expected wall time of the steps; None where a step's seconds are unknown.

    Each free worker takes the next step that can begin, as in the engine: the steps of earlier runs
    first, a run's in the plan's order.

    Args:
        waits: the steps that are left, and what each waits for; other steps are done.
        seconds: by key; None if unknown.
        workers: how many steps are worked on at once.
    """
    known = {key: needed for key in waits if (needed := seconds.get(key)) is not None}
    return schedule(waits, known, workers).wall if len(known) == len(waits) else None


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
