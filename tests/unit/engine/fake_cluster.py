"""Dask's client and a scheduler's workers, as far as the engine uses them; the test ends every task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class FakeTask:
    """A task that ends when the test says so."""

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], place: str
    ) -> None:
        self.function, self.arguments, self.place = function, arguments, place
        self.status = "pending"
        self.released = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[FakeTask], None]] = []

    def done(self) -> bool:
        return self.status != "pending"

    def result(self, timeout: float | None = None) -> Any:
        return self._value

    def exception(self, timeout: float | None = None) -> BaseException | None:
        return self._error

    def traceback(self) -> None:
        return None

    def release(self) -> None:
        self.released = True

    def add_done_callback(self, callback: Callable[[FakeTask], None]) -> None:
        self._callbacks.append(callback)

    def end(self, value: Any = None, error: BaseException | None = None) -> None:
        self._value, self._error = value, error
        self.status = "finished" if error is None else "error"
        for callback in self._callbacks:
            callback(self)


class FakeClient:
    """Takes tasks as Dask's client does, and knows workers by their address and threads."""

    def __init__(self, **threads: int) -> None:
        self.status = "running"
        self.id = "the first"
        self.threads = dict(threads)
        self.tasks: list[FakeTask] = []
        self.closed = False
        self.scheduler = self

    def subscribe_topic(self, *_: object) -> None:
        pass

    def submit(
        self, function: Callable[..., Any], *arguments: Any, key: str, workers: list[str] | None
    ) -> FakeTask:
        assert workers is not None, "any worker could take it"
        self.tasks.append(FakeTask(function, arguments, *workers))
        return self.tasks[-1]

    def sync(self, function: Callable[..., Any], callback_timeout: float, **arguments: Any) -> Any:
        return function(**arguments)

    def identity(self, n_workers: int) -> dict[str, Any]:
        workers = {name: {"nthreads": count} for name, count in self.threads.items()}
        return {"id": self.id, "workers": workers}

    def close(self, timeout: float) -> None:
        self.closed = True

    def pending(self) -> list[FakeTask]:
        return [task for task in self.tasks if not task.done() and not task.released]
