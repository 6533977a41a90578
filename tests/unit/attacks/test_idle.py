"""When a second core counts as idle."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import namedtuple

import psutil
import pytest

from prunepriv.attacks import idle
from prunepriv.attacks.idle import IdleCore


class Machine:
    """Cores that a fit and others use at given rates; it counts how often it is read.

    The fit uses a second thread if it was last told that a core is idle; the cores are shared.
    """

    def __init__(self, cores: int, others: float, found: bool = False) -> None:
        self.cores, self.others, self.found = cores, others, found
        self.time = self.used = 0.0
        self.free, self.reads = 100.0, 0
        self.core = IdleCore(self.idle, lambda: self.used, lambda: self.time)
        self.core._found = found

    def ask(self) -> bool:
        self.found = self.core()
        return self.found

    def run(self, seconds: float) -> None:
        threads = 1 + self.found
        share = min(1.0, self.cores / (threads + self.others))
        self.time += seconds
        self.used += share * seconds
        self.free += (self.cores - share * (threads + self.others)) * seconds

    def idle(self) -> float:
        self.reads += 1
        return self.free


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "cores", lambda: 2)


@pytest.mark.parametrize(
    ("cores", "others", "found", "expected"),
    [
        (2, 0.0, False, True),
        (2, 0.0, True, True),
        (2, 0.3, False, True),
        (2, 1.0, False, False),
        (2, 1.0, True, False),
        (2, 2.0, True, False),
        (4, 3.0, False, False),
        (4, 2.0, True, True),
    ],
    ids=[
        "alone",
        "alone-on-two",
        "little-else",
        "beside-another",
        "on-two-beside-another",
        "on-two-beside-another-on-two",
        "three-busy",
        "two-busy",
    ],
)
def test_a_core_is_idle_if_others_leave_it(
    cores: int, others: float, found: bool, expected: bool
) -> None:
    machine = Machine(cores, others, found)
    machine.run(0.3)
    assert machine.ask() is expected


def test_two_fits_on_two_cores_leave_each_other_one() -> None:
    machine = Machine(2, others=2.0, found=True)  # each has two threads
    machine.run(0.3)
    assert not machine.ask()
    machine.others = 0.0  # the other one ends
    machine.run(0.3)
    assert machine.ask()


def test_it_looks_four_times_a_second_at_most_and_first_after_a_twentieth() -> None:
    machine = Machine(2, 0.0)
    assert (machine.ask(), machine.reads) == (False, 1), "it knows nothing yet"
    machine.run(0.06)
    assert (machine.ask(), machine.reads) == (True, 2)
    machine.others = 1.0
    for _ in range(20):
        machine.run(0.01)
        assert machine.ask()
    assert machine.reads == 2
    machine.run(0.06)
    assert (machine.ask(), machine.reads) == (False, 3)


def test_only_the_time_of_the_threads_of_the_fit_is_its_own() -> None:
    """Two runs' steps may share a process: the threads of the other one are not idle cores."""
    stop, block = threading.Event(), bytes(2**22)
    idle_core = IdleCore(idle=lambda: 0.0)

    def work() -> None:
        while not stop.is_set():
            hashlib.sha256(block)  # without the interpreter's lock

    other = threading.Thread(target=work)
    other.start()
    end = time.thread_time() + 0.15
    while time.thread_time() < end:
        hashlib.sha256(block)
    found = idle_core()
    stop.set()
    other.join()
    assert not found


def test_on_one_core_there_is_never_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "cores", lambda: 1)
    machine = Machine(8, 0.0)
    machine.run(1.0)
    assert not machine.ask()


def test_only_usable_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    times = namedtuple("times", "user idle iowait")
    each = [times(0, 1, 0.5), times(0, 10, 0), times(0, 100, 0)]
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: each)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2}, raising=False)
    assert idle.idle_seconds() == 101.5


def test_this_machine_can_be_read() -> None:
    before = idle.idle_seconds()
    assert 0 <= before <= idle.idle_seconds()
