"""A run in the caller's own process: the engine's work without the engine."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from prunepriv.engine.agenda import Agenda
from prunepriv.engine.ledger import Ledger
from prunepriv.engine.leftovers import remove_leftovers
from prunepriv.engine.reporting import Send, StepReport
from prunepriv.engine.runner import RUN_GROUP, Runner, load_runner
from prunepriv.engine.step_log import kept_log
from prunepriv.environment import data_folder
from prunepriv.errors import Cancelled, EngineError, PruneprivError
from prunepriv.experiment import Experiment
from prunepriv.plan import Step, plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import LOCKS, claim
from prunepriv.store.step_rows import step_rows, stored_seconds


def run_inline(
    experiment: Experiment,
    store: Path,
    watch: Callable[[], None] = lambda: None,
    runner: str = RUN_GROUP,
) -> str:
    """Do the steps of a run in order, and return its id.

    Args:
        experiment: what to run.
        store: the store's folder.
        watch: called after each change of the run in the catalogue.
        runner: the function that does a group of steps, "module:function".

    Raises:
        PruneprivError: a step failed, the run was cancelled, or another process works on it.
    """
    owner = f"{LOCKS}/inline-{uuid.uuid4().hex}.lock"
    held = claim(store / owner)
    catalog = Catalog(store)
    try:
        run_id = catalog.submit(experiment)
        ledger = Ledger(catalog, owner)
        if not ledger.admit(run_id, step_rows(ArtifactStore(store), experiment)):
            raise EngineError(f"run {run_id} is being worked on already: leave out --inline")
        _Inline(catalog, ledger, run_id, watch).work(experiment, load_runner(runner))
        return run_id
    finally:
        remove_leftovers(store, owner)
        catalog.close()
        if held is not None:
            held.remove()


class _Inline:
    """One inline run that is worked on."""

    def __init__(
        self, catalog: Catalog, ledger: Ledger, run_id: str, watch: Callable[[], None]
    ) -> None:
        self._catalog = catalog
        self._ledger = ledger
        self._run_id = run_id
        self._watch = watch

    def work(self, experiment: Experiment, runner: Runner) -> None:
        """Do the unfinished steps; the catalogue gets the end of the run in every case."""
        group: Sequence[Step] = ()
        try:
            agenda = Agenda(plan(experiment), self._ledger.unfinished(self._run_id))
            while group := agenda.take(1, lambda _: False):
                self._do(group, runner)
                for step in group:
                    agenda.finish(step.key)
        except (Cancelled, KeyboardInterrupt):
            if self._run_id in self._ledger.active:  # else its last step was done already
                self._ledger.end(self._run_id, "cancelled")
            raise
        except PruneprivError as error:
            store = ArtifactStore(self._catalog.store)
            failed = next((step.key for step in group if not store.has(step.key)), None)
            if failed is not None:
                self._ledger.fail(self._run_id, failed, str(error))
            raise
        finally:
            if self._run_id in self._ledger.active:  # a bug: its traceback follows
                self._ledger.end(self._run_id, "failed", "the run ended unexpectedly")
            self._show()

    def _do(self, group: Sequence[Step], runner: Runner) -> None:
        store = ArtifactStore(self._catalog.store)
        reports = [StepReport(self._sender(step), self._is_cancelled) for step in group]
        try:
            with kept_log(store.root, [step.key for step in group], printed=False):
                runner(group, store, data_folder(), reports)
        except BaseException:
            for step in group:  # what the group had done is kept, and told
                if (seconds := stored_seconds(store, step.key)) is not None:
                    self._ledger.finish(step.key, seconds)
            raise
        for step, report in zip(group, reports, strict=True):
            report.flush()
            self._ledger.finish(step.key, finished_seconds(store, step))
        self._show()

    def _sender(self, step: Step) -> Send:
        def send(fraction: float, message: str, points: list[dict[str, float]]) -> None:
            self._ledger.report(step.key, os.getpid(), fraction, message, points)
            self._show()

        return send

    def _is_cancelled(self) -> bool:
        return self._run_id in self._catalog.cancel_requests()

    def _show(self) -> None:
        self._ledger.flush()
        self._watch()


def finished_seconds(store: ArtifactStore, step: Step) -> float:
    """Seconds that a finished step took, from its artifact.

    Raises:
        EngineError: the step wrote no artifact.
    """
    seconds = stored_seconds(store, step.key)
    if seconds is None:
        raise EngineError(f"step {step.name} ended without writing its artifact")
    return seconds
