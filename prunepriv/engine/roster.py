"""The workers of a cluster that was started elsewhere: which of them may do steps, and why not.

A worker is asked which program it has, with a function of Python's own, so that any version can
answer. If it has the engine's, it looks for the store and sets itself up. Only then it gets steps.
"""

# mypy: disallow-untyped-calls=False

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from distributed import Client, Future

from prunepriv.engine.identity import IDENTITY
from prunepriv.engine.worker_setup import join_engine

logger = logging.getLogger(__name__)

AGAIN = 30.0
"""Seconds after which a refused worker is asked again: a shared folder may come late."""

_PATIENCE = 5.0
"""Most seconds until an answer that is there has been fetched."""

_IDENTITY = "prunepriv.engine.identity:IDENTITY"
_VERSION = "prunepriv.version:__version__"


Take = Callable[[str, "Worker", Any, BaseException | None], None]


@dataclass
class Worker:
    """A worker that the scheduler knows.

    Attributes:
        threads: how many groups it works on at once.
        asked: what it has not answered yet; None: nothing.
        take: takes the answer to that: what it returned, and what it raised.
        accepted: whether it may do steps.
        refusal: why not; "" if it was not refused.
        since: when it was refused, by the monotonic clock.
    """

    threads: int
    asked: Future | None = None
    take: Take | None = None
    accepted: bool = False
    refusal: str = ""
    since: float = -math.inf


class Roster:
    """The workers of one cluster.

    Args:
        client: is connected to the scheduler.
        store: the store's folder.
        runner: the function that does steps, "module:function".
        token: is written in the store.
        identity: the program that a worker must have.
    """

    def __init__(
        self, client: Client, store: Path, runner: str, token: str, identity: str = IDENTITY
    ) -> None:
        self._client, self._store, self._runner = client, store, runner
        self._identity = identity
        self._token = token
        self._workers: dict[str, Worker] = {}

    @property
    def threads(self) -> dict[str, int]:
        """By address, how many groups a worker that may do steps works on at once."""
        return {address: one.threads for address, one in self._workers.items() if one.accepted}

    @property
    def refusals(self) -> list[str]:
        """One sentence for each worker that may do no steps."""
        return [one.refusal for one in self._workers.values() if one.refusal]

    @property
    def empty(self) -> bool:
        """Whether the scheduler has no worker at all."""
        return not self._workers

    def look(self, known: Iterable[tuple[str, int]]) -> None:
        """Compare with the workers that the scheduler knows; ask new ones, and take answers.

        Args:
            known: address and threads of each.
        """
        now = dict(known)
        for address in self._workers.keys() - now.keys():
            self._forget(self._workers.pop(address))
        for address, threads in now.items():
            worker = self._workers.setdefault(address, Worker(threads))
            worker.threads = threads
            self._examine(address, worker)

    def _examine(self, address: str, worker: Worker) -> None:
        if worker.asked is not None and worker.take is not None:
            if worker.asked.done():
                asked, worker.asked = worker.asked, None
                with suppress(CancelledError, OSError, TimeoutError):  # it is lost meanwhile
                    error = asked.exception(_PATIENCE)
                    answer = None if error else asked.result(_PATIENCE)
                    worker.take(address, worker, answer, error)
        elif not worker.accepted and time.monotonic() - worker.since >= AGAIN:
            self._ask(address, worker, self._take_identity, resolve_name, _IDENTITY)

    def _ask(
        self,
        address: str,
        worker: Worker,
        take: Take,
        function: Callable[..., Any],
        *arguments: Any,
    ) -> None:
        worker.take = take
        worker.asked = self._client.submit(
            function, *arguments, workers=[address], key=f"ask-{uuid.uuid4().hex}"
        )

    def _take_identity(
        self, address: str, worker: Worker, found: str, error: BaseException | None
    ) -> None:
        if error is not None:  # an earlier version, or no prunepriv at all
            self._ask(address, worker, self._take_version, resolve_name, _VERSION)
        elif found != self._identity:
            self._refuse_program(address, worker, f"runs prunepriv {found}")
        else:
            arguments = (self._store, self._token, self._runner)
            self._ask(address, worker, self._take_readiness, join_engine, *arguments)

    def _take_version(
        self, address: str, worker: Worker, found: str, error: BaseException | None
    ) -> None:
        told = f"runs prunepriv {found} (another code)" if error is None else "has no prunepriv"
        self._refuse_program(address, worker, told)

    def _take_readiness(
        self, address: str, worker: Worker, reason: str, error: BaseException | None
    ) -> None:
        if error is not None:
            self._refuse(worker, f"the worker {address} cannot join, so it gets no steps: {error}")
        elif reason:
            self._refuse(
                worker,
                f"the worker {address} {reason}, so it gets no steps: "
                "mount the engine's folder there under the same path",
            )
        else:
            worker.accepted, worker.refusal = True, ""
            logger.info("worker %s: joined with %d threads", address, worker.threads)

    def _refuse_program(self, address: str, worker: Worker, found: str) -> None:
        self._refuse(
            worker,
            f"the worker {address} {found} and the engine prunepriv {self._identity}, so it gets "
            "no steps: install the engine's version there and start the worker again",
        )

    def _refuse(self, worker: Worker, sentence: str) -> None:
        if worker.refusal != sentence:
            logger.warning("%s", sentence)
        worker.refusal, worker.since = sentence, time.monotonic()

    def _forget(self, worker: Worker) -> None:
        if worker.asked is not None:
            worker.asked.release()
