"""A run in the caller's own process: the engine's work without the engine."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import get_native_id

from prunepriv.engine.agenda import Agenda
from prunepriv.engine.ledger import Ledger
from prunepriv.engine.leftovers import remove_leftovers
from prunepriv.engine.reporting import Send, StepReport
from prunepriv.engine.runner import RUN_GROUP, Runner, load_runner
from prunepriv.engine.step_log import kept_log
from prunepriv.engine.threads import Threads
from prunepriv.engine.worker_setup import keep_memory
from prunepriv.environment import cores, data_folder
from prunepriv.errors import Cancelled, EngineError, PruneprivError
from prunepriv.experiment import Experiment
from prunepriv.plan import Step, plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import LOCKS, claim
from prunepriv.store.step_rows import step_rows, stored_seconds

MOST_THREADS = 4
"""Most threads of an inline run: they share one interpreter."""


def default_threads() -> int:
    """A thread per core that this process may use, up to MOST_THREADS."""
    return min(MOST_THREADS, cores())


def run_inline(
    experiment: Experiment,
    store: Path,
    watch: Callable[[], None] = lambda: None,
    runner: str = RUN_GROUP,
    threads: int | None = None,
) -> str:
    """Do the steps of a run in this process, and return its id.

    If a step is to be done, the process keeps freed memory for the next one from then on, as the
    engine's workers do: without it, training a CNN on 32x32 pixels takes 1.4 times as long.

    Args:
        experiment: what to run.
        store: the store's folder.
        watch: called after each change of the run in the catalogue.
        runner: the function that does a group of steps, "module:function".
        threads: how many groups are done at the same time; no figure depends on it.
            :func:`default_threads` if left out.

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
        at_once = Threads(threads or default_threads())
        _Inline(catalog, ledger, run_id, watch, at_once).work(experiment, runner)
        return run_id
    finally:
        remove_leftovers(store, owner)
        catalog.close()
        if held is not None:
            held.remove()


class _Inline:
    """One inline run that is worked on.

    The ledger and the caller's ``watch`` are used on the caller's own thread only.
    """

    def __init__(
        self,
        catalog: Catalog,
        ledger: Ledger,
        run_id: str,
        watch: Callable[[], None],
        threads: Threads,
    ) -> None:
        self._catalog = catalog
        self._artifacts = ArtifactStore(catalog.store)  # one, because it compares checksums once
        self._ledger = ledger
        self._run_id = run_id
        self._watch = watch
        self._threads = threads
        self._failed: Step | None = None

    def work(self, experiment: Experiment, runner: str) -> None:
        """Do the unfinished steps; the catalogue gets the end of the run in every case.

        Where nothing is unfinished, the runner is not loaded: its imports take two seconds.
        """
        try:
            agenda = Agenda(plan(experiment), self._ledger.unfinished(self._run_id))
            with self._threads:
                while self._give_out(agenda, runner):
                    self._threads.wait()
                    if not self._threads.waiting:
                        self._show()
        except (Cancelled, KeyboardInterrupt):
            if self._run_id in self._ledger.active:  # else its last step was done already
                self._ledger.end(self._run_id, "cancelled")
            raise
        except PruneprivError as error:
            if self._failed is not None:
                self._ledger.fail(self._run_id, self._failed.key, str(error))
            raise
        finally:
            if self._run_id in self._ledger.active:  # a bug: its traceback follows
                self._ledger.end(self._run_id, "failed", "the run ended unexpectedly")
            self._show()

    def _give_out(self, agenda: Agenda, runner: str) -> bool:
        """Give a group to each free thread, if there is one; False if all is done."""
        threads = self._threads
        while threads.busy < threads.most and (group := agenda.take(threads.most, lambda _: False)):
            keep_memory()
            reports = [StepReport(self._sender(step), self._is_unwanted) for step in group]
            threads.start(
                partial(self._do, group, load_runner(runner), reports),
                partial(self._ended, group, agenda),
            )
        return threads.busy > 0

    def _do(self, group: Sequence[Step], runner: Runner, reports: Sequence[StepReport]) -> None:
        """Do a group, on a thread of its own."""
        store = self._artifacts
        with kept_log(store.root, [step.key for step in group], printed=False):
            runner(group, store, data_folder(), reports)
            for report in reports:
                report.flush()

    def _ended(self, group: Sequence[Step], agenda: Agenda, error: BaseException | None) -> None:
        """A group has ended, with an error or None. What it did is kept, and told."""
        lacking: Step | None = None
        for step in group:
            seconds = stored_seconds(self._artifacts, step.key)
            if seconds is None:
                lacking = lacking or step
            else:
                self._ledger.finish(step.key, seconds)
                agenda.finish(step.key)
        if error is None and lacking is not None:
            error = EngineError(f"step {lacking.name} ended without writing its artifact")
        if error is not None:
            self._failed = self._failed or lacking
            raise error

    def _sender(self, step: Step) -> Send:
        def send(fraction: float, message: str, points: list[dict[str, float]]) -> None:
            thread = get_native_id()
            self._threads.tell(
                partial(self._ledger.report, step.key, thread, fraction, message, points)
            )

        return send

    def _is_unwanted(self) -> bool:
        return self._threads.stopping.is_set() or self._run_id in self._catalog.cancel_requests()

    def _show(self) -> None:
        self._ledger.flush()
        self._watch()
