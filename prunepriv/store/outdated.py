"""Finished runs of an earlier version: which of their steps no longer count, and what to do."""

from __future__ import annotations

from prunepriv.errors import ExperimentError
from prunepriv.experiment.command import command_line
from prunepriv.plan import Plan, plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.schema import RunView


def outdated(run: RunView, catalog: Catalog, whole: Plan | None = None) -> str:
    """Why a finished run's figures are gone, in two sentences; "" if they are not.

    An earlier version may have done its steps in another way. Then their keys are other ones than
    those of the run's plan, and their artifacts are not read. The run keeps its id. A kind of step
    that an earlier version lacked takes no figure away: pages leave out what it would have told.

    Args:
        run: a run of the catalogue.
        catalog: of the store.
        whole: the run's plan, where it is at hand: a page has it on every rerun.
    """
    if run.status != "done":
        return ""
    try:
        steps = (whole or plan(run.experiment)).steps
    except ExperimentError:
        return ""  # it cannot be run by this version
    done = catalog.steps(run.run_id)
    known, kinds = {step.key for step in done}, {step.kind for step in done}
    steps = tuple(step for step in steps if step.kind in kinds)
    if not known or known.issuperset(step.key for step in steps):
        return ""
    store = ArtifactStore(catalog.store)
    left = [step for step in steps if not store.lists(step.key)]
    if known.issuperset(step.key for step in left):
        return ""
    counts = "counts" if len(left) == 1 else "count"
    return (
        f"An earlier version of the program made this run: {len(left)} of its {len(steps)} steps no "
        f"longer {counts}. Make it again, under the same id, with `{command_line(run.experiment)}`."
    )
