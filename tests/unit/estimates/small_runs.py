"""Small runs: finished ones with random figures, and ones whose steps take whole seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from prunepriv.estimates.throughput import Throughput
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import Step
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
    "data": 2, "split": 1, "train": 10, "fine_tune": 6, "signals": 3, "divergence": 1, "size": 0, "fit": 2,
    "score": 1, "evaluation": 1, "checks": 1,
}  # fmt: skip
"""By kind of step, of the target; its shadows' steps take no time. A run of :func:`small` has one of
each: 28 s of work.

Its longest chain is data, split, train, fine_tune, signals, fit, score, and then evaluation or
checks: 26 s. Runs that differ in their sparsity share data, split and train (13 s), runs that
differ in their seed share data (2 s).
"""

Measured = Callable[[Throughput], None]


def small(**settings: object) -> Experiment:
    """One model with two shadows, one attack: :data:`STEPS` steps."""
    return make_experiment({**SETTINGS, "attacks": {"names": ["conf"]}, **settings})


def sparsities(*values: float) -> list[Experiment]:
    return [small(pruning={"sparsity": value}) for value in values]


STEPS = 19
"""Of a run of :func:`small`: eleven, and four more for each shadow."""
PRUNED_STEPS = 12
"""Those that runs of different sparsity do not share."""


class Fixed(Throughput):
    """Knows how long each kind of step of the target takes."""

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self._by_kind = seconds

    def seconds(self, step: Step, experiment: Experiment) -> float | None:
        known = self._by_kind.get(step.kind)
        return 0.0 if step.number and known is not None else known

    def knows(self, step: Step, experiment: Experiment) -> bool:
        return step.kind in self._by_kind


def run(catalog: Catalog, experiment: Experiment) -> None:
    """A finished run with random artifacts."""
    store = ArtifactStore(catalog.store)
    write_synthetic_run(store, experiment, np.random.default_rng(experiment.seed))
    catalog.submit(experiment)
    catalog.begin(experiment.run_id, "", step_rows(store, experiment))
    catalog.end(experiment.run_id, "done")
