"""Small runs: finished ones with random figures, and ones whose steps take whole seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from prunepriv.estimates.throughput import Throughput
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import Step, plan, read_name
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.step_rows import step_rows
from tests.synthetic_run import write_synthetic_run

SETTINGS = {
    "data": {"name": "checkins", "limit": 400},
    "models": ["pruned"],
    "attacks": {"names": ["conf", "nn"]},
    "shadows": 2,
}
EXPERIMENT = make_experiment(SETTINGS)

SECONDS: Mapping[str, float] = {
    "data": 2, "split": 1, "train": 10, "fine_tune": 6, "signals": 3, "divergence": 1, "fit": 2,
    "score": 1, "evaluation": 1, "checks": 1,
}  # fmt: skip
"""By kind of step. A run of :func:`small` has three models, each with four steps (20 s), and one
step of each other kind: 18 steps, 68 s of work.

Its longest chain is data, split, train, fine_tune, signals, fit, score, and then evaluation or
checks: 26 s. Runs that differ in their sparsity share data, splits and training (35 s) and not the
other 33 s; runs that differ in their seed share data (2 s).
"""

Measured = Callable[[Throughput], None]


def small(**settings: object) -> Experiment:
    """One kind of model, one attack: 18 steps."""
    return make_experiment({**SETTINGS, "attacks": {"names": ["conf"]}, **settings})


def steps_of(experiment: Experiment, group: str) -> list[Step]:
    """The steps whose names differ by the number of the model only: "fine_tune:pruned"."""
    return [step for step in plan(experiment).steps if read_name(step.name).group == group]


def sparsities(*values: float) -> list[Experiment]:
    return [small(pruning={"sparsity": value}) for value in values]


class Fixed(Throughput):
    """Knows how long each kind of step takes."""

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self._by_kind = seconds

    def seconds(self, step: Step, experiment: Experiment) -> float | None:
        return self._by_kind.get(step.kind)

    def knows(self, step: Step, experiment: Experiment) -> bool:
        return step.kind in self._by_kind


def run(catalog: Catalog, experiment: Experiment) -> None:
    """A finished run with random artifacts."""
    store = ArtifactStore(catalog.store)
    write_synthetic_run(store, experiment, np.random.default_rng(experiment.seed))
    catalog.submit(experiment)
    catalog.begin(experiment.run_id, "", step_rows(store, experiment))
    catalog.end(experiment.run_id, "done")
