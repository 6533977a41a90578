"""Groups of steps on threads of this process; what they tell is done on the thread that waits."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event, Lock, get_ident
from types import TracebackType
from typing import Self

from prunepriv.errors import Cancelled

LISTEN = 0.5
"""Seconds after which a wait ends to begin again: on Windows, Ctrl-C does not end a longer one."""

GRACE = 1.0
"""Seconds after Ctrl-C in which work may stop by itself, before it is interrupted."""

Message = Callable[[], None]

Ended = Callable[[BaseException | None], None]


class Threads:
    """Does work on at most ``most`` threads at once.

    At the end of the context no thread is left. If the block raises, they are asked to stop;
    if it raises KeyboardInterrupt, those that do not stop soon are interrupted.

    Args:
        most: threads at work at the same time.

    Attributes:
        stopping: set when work should end; what does the work asks for it now and then.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.stopping = Event()
        self._jobs: list[_Job] = []
        self._pool = ThreadPoolExecutor(most, "inline")
        self._messages: SimpleQueue[Message] = SimpleQueue()

    @property
    def busy(self) -> int:
        """Threads at work."""
        return len(self._jobs)

    def start(self, work: Callable[[], None], ended: Ended) -> None:
        """Do ``work`` on a free thread; then ``ended`` gets its error, or None."""
        job = _Job(work, lambda error: self.tell(partial(self._end, job, error)), ended)
        self._jobs.append(job)
        job.future = self._pool.submit(job.run)

    def _end(self, job: _Job, error: BaseException | None) -> None:
        self._jobs.remove(job)
        job.ended(error)

    @property
    def waiting(self) -> bool:
        """Whether messages are there already."""
        return not self._messages.empty()

    def tell(self, message: Message) -> None:
        """Let the thread that waits call ``message``."""
        self._messages.put(message)

    def wait(self) -> None:
        """Wait for a message, and call it. What it raises is raised here."""
        while True:
            try:
                message = self._messages.get(timeout=LISTEN)
            except Empty:
                continue
            return message()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopping.set()
        if isinstance(error, KeyboardInterrupt):
            wait([job.future for job in self._jobs if job.future], GRACE)
            for job in self._jobs:
                job.interrupt()
        self._pool.shutdown()
        while not self._messages.empty():
            self._hear(self._messages.get())
        for job in list(self._jobs):  # interrupted before it could tell its end
            self._hear(partial(self._end, job, Cancelled()))

    def _hear(self, message: Message) -> None:
        """Call a message after the end; the error that ended the block is the one to raise."""
        with suppress(Exception):
            message()


class _Job:
    """Work on a thread.

    Args:
        work: what to do.
        tell: gets its error, or None, on that thread.
        ended: gets the same later, on the thread that waits.
    """

    def __init__(self, work: Callable[[], None], tell: Ended, ended: Ended) -> None:
        self.ended = ended
        self.future: Future[None] | None = None
        self._work, self._tell = work, tell
        self._lock, self._thread = Lock(), 0

    def run(self) -> None:
        """Do the work, and tell how it ended."""
        error: BaseException | None = None
        with suppress(Cancelled):  # an interruption may come when the work has ended
            try:
                self._thread = get_ident()
                self._work()
            except BaseException as raised:  # noqa: BLE001 - it is raised on the thread that waits
                error = raised
            with self._lock:
                self._thread = 0
            self._tell(error)

    def interrupt(self) -> None:
        """Raise Cancelled between two operations of the work, as Ctrl-C does on the main thread."""
        with self._lock:
            if self._thread:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._thread), ctypes.py_object(Cancelled)
                )
