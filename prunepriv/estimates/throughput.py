"""How long a step takes on this machine, estimated from similar steps that are done.

Each kind of step has a unit of work (a record passed through a network, for example); seconds per
unit are the median over the finished steps in the store, or over the bundled example runs where
no similar step has run here yet. Imports no torch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import median

from prunepriv.environment import EXAMPLES
from prunepriv.errors import ExperimentError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.options import ATTACKS
from prunepriv.plan import Step, StepKind, plan
from prunepriv.store.catalog import Catalog

LOOKED_AT = 40
"""Throughput is measured from the last runs only, because code and machines change."""

QUERIES = 11
"""Of a record, for its signals: one for the logits and ten for the sensitivity."""

Sort = tuple[str, ...]
"""Steps of one sort take the same time per unit of work: kind, then network or attack, recipe."""

NETWORK_KINDS: tuple[StepKind, ...] = (
    "train", "fine_tune", "signals", "population", "confidences",
)  # fmt: skip
"""Kinds of step whose time is that of the target's network."""

BRIEF: Mapping[StepKind, float] = {"size": 0.1, "privacy": 0.1}
"""Seconds of kinds of step that take next to no time, for stores that have not measured them."""


class Throughput:
    """Seconds per unit of work, by sort of step."""

    def __init__(self, measured: Iterable[tuple[Sort, float]]) -> None:
        exact: dict[Sort, list[float]] = {}
        rough: dict[Sort, list[float]] = {}
        for sort, rate in measured:
            exact.setdefault(sort, []).append(rate)
            rough.setdefault(sort[:1], []).append(rate)
        self._rates = {sort: median(rates) for sort, rates in (rough | exact).items()}

    @property
    def rates(self) -> dict[Sort, float]:
        """Median seconds per unit, by sort of step; by kind alone, over all sorts of it."""
        return dict(self._rates)

    def seconds(self, step: Step, experiment: Experiment) -> float | None:
        """Expected seconds of a step: from its own sort, else from its kind."""
        sort = sort_of(step, experiment)
        rate = self._rates.get(sort, self._rates.get(sort[:1]))
        return BRIEF.get(step.kind) if rate is None else rate * units(step, experiment)

    def knows(self, step: Step, experiment: Experiment) -> bool:
        """Whether steps of exactly its sort have been measured, not only of its kind."""
        return sort_of(step, experiment) in self._rates


def measure(catalog: Catalog, examples: Path = EXAMPLES) -> Throughput:
    """Throughput of the store's runs, and of the bundled ones for sorts that it lacks."""
    own = list(_rates_of_runs(catalog))
    known = {sort for sort, _ in own}
    bundled = [pair for pair in _rates_of_examples(examples) if pair[0] not in known]
    return Throughput(own + bundled)


def sort_of(step: Step, experiment: Experiment) -> Sort:
    """The sort of a step."""
    if step.kind in NETWORK_KINDS or step.kind == "size":
        return (step.kind, experiment.model.name)
    if step.kind in ("fit", "score"):
        attack = str(step.params["attack"])
        network = ATTACKS[attack].kind == "network" and step.kind == "fit"
        return (step.kind, attack, experiment.attacks.recipe) if network else (step.kind, attack)
    return (step.kind,)


def units(step: Step, experiment: Experiment) -> float:
    """How much work a step is; the unit differs from sort to sort.

    Early stopping cannot be predicted: all allowed epochs count as done, here and in the
    measurement.
    """
    option = experiment.data.option
    records = min(experiment.data.limit or option.records, option.records) / 2
    passes = records * math.prod(option.shape) * experiment.model.width**2
    if step.kind == "train":
        return passes * experiment.training.epochs
    if step.kind == "fine_tune":
        return passes * experiment.training.fine_tune_epochs
    if step.kind == "signals":
        return passes * (1 if step.params.get("sensitivity") == "none" else QUERIES)
    if step.kind in ("population", "confidences"):
        return passes
    if step.kind == "size":  # of the network, whatever the records
        return math.prod(option.shape) * experiment.model.width**2
    if step.kind == "data":
        return option.records * math.prod(option.shape)
    if step.kind == "fit":
        shadow_records = records * experiment.shadows
        return fit_units(str(step.params["attack"]), shadow_records, option.classes)
    if step.kind in ("evaluation", "contrast"):
        return records * len(experiment.attacks.names)
    return records * option.classes


def fit_units(attack: str, records: float, classes: int) -> float:
    """How much work the fit of an attack is.

    A network of 512, 256 and 128 units multiplies as often for a record as 320 inputs more would
    make it. SAMIA has a token for each class, and work for each record that is as much as ten
    tokens. Of many records a network uses some.

    Args:
        attack: its name.
        records: of all shadows.
        classes: of the data set.
    """
    used = min(records, ATTACKS[attack].most_records(classes))
    inputs = {"nn": classes, "top3_nn": 3, "cls_nn": 2 * classes}
    if attack in inputs:
        return used * (inputs[attack] + 320)
    if attack == "samia":
        return used * (classes + 10)
    return records * classes


def _rates(
    experiment: Experiment, seconds: Iterable[tuple[str, float]]
) -> Iterator[tuple[Sort, float]]:
    """(sort, seconds per unit) of an experiment's steps, given as (name, seconds)."""
    by_name = plan(experiment).by_name
    for name, taken in seconds:
        if name in by_name:
            step = by_name[name]
            yield sort_of(step, experiment), taken / units(step, experiment)


def _rates_of_runs(catalog: Catalog) -> Iterator[tuple[Sort, float]]:
    seen: set[str] = set()
    for run in catalog.runs()[:LOOKED_AT]:
        try:
            experiment = run.experiment
        except ExperimentError:
            continue  # a run of a version with other settings
        fresh = [
            s for s in catalog.steps(run.run_id) if s.seconds is not None and s.key not in seen
        ]
        seen.update(step.key for step in fresh)
        yield from _rates(experiment, [(step.name, step.seconds or 0.0) for step in fresh])


def _rates_of_examples(examples: Path) -> Iterator[tuple[Sort, float]]:
    for file in sorted(examples.glob("*/run.json")):
        yield from rates_of_example(file)


def rates_of_example(file: Path) -> Iterator[tuple[Sort, float]]:
    """Sort and seconds per unit of the steps of an example's ``run.json``."""
    about = json.loads(file.read_text())
    experiment = make_experiment(about["experiment"])
    yield from _rates(experiment, [(s["step"], s["seconds"]) for s in about["steps"]])
