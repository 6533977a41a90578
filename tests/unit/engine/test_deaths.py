"""How the end of a worker process is told; real ends: tests/e2e."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from distributed.scheduler import KilledWorker

from prunepriv.engine import deaths
from prunepriv.engine.deaths import Deaths, death_words

WORKER = "tls://127.0.0.1:4711"
FAULT = (
    "printed before\nFatal Python error: Bus error\n\nThread 0x00007f (most recent call first):\n"
)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Deaths:
    mine = Deaths()
    monkeypatch.setattr(deaths, "DEATHS", mine)
    return mine


def words(log: str = "", times: int = 4) -> str:
    error = KilledWorker("task", SimpleNamespace(address=WORKER), 3)  # type: ignore[arg-type]
    return death_words(error, times, log, own=False)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (-11, "a fault in a library's code (SIGSEGV)"),
        (-7, "a fault in a library's code (SIGBUS)"),
        (-8, "a fault in a library's code (SIGFPE)"),
        (-4, "a fault in a library's code (SIGILL)"),
        (-6, "a fault in a library's code (SIGABRT)"),
        (-9, "a kill from outside (SIGKILL), perhaps because memory was full"),
        (-15, "a signal from outside (SIGTERM)"),
        (-40, "a signal from outside (signal 40)"),
        (0, "its own exit (status 0)"),
        (3, "its own exit (status 3)"),
    ],
)
def test_an_exit_code_has_a_meaning(seen: Deaths, code: int, cause: str) -> None:
    seen.note("tls://127.0.0.1:1", -1)
    seen.note(WORKER, code)
    assert words(FAULT) == f"ended its worker process 4 times, at last by {cause}"


def test_a_fault_on_another_machine_is_read_from_the_log(seen: Deaths) -> None:
    assert words(FAULT).endswith("at last by a fault in a library's code (Bus error)")


def test_without_a_trace_memory_is_a_guess(seen: Deaths) -> None:
    assert words("printed before\n").endswith(
        "at last by something that left no trace, perhaps a kill because memory was full"
    )


def test_the_code_is_waited_for_because_the_scheduler_learns_of_the_end_first() -> None:
    seen = Deaths()
    found: list[int | None] = []
    asking = threading.Thread(target=lambda: found.append(seen.code(WORKER, 60.0)))
    asking.start()
    seen.note("tls://127.0.0.1:1", -9)
    seen.note(WORKER, -11)
    asking.join(60.0)
    assert found == [-11]
    assert seen.code("tls://127.0.0.1:2", 0.0) is None
