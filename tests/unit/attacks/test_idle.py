"""When a second core counts as idle."""

from __future__ import annotations

import os
from collections import namedtuple

import psutil
import pytest

from prunepriv.attacks import idle
from prunepriv.attacks.idle import IdleCore


class Machine:
    """Cores whose time others and this process use at given rates; it counts how often it is read."""

    def __init__(self, cores: int, others: float, own: float = 1.0) -> None:
        self.cores, self.others, self.own = cores, others, own
        self.time = self.used = 0.0
        self.free, self.reads = 100.0, 0

    def run(self, seconds: float) -> None:
        self.time += seconds
        self.used += self.own * seconds
        self.free += max(0.0, self.cores - self.others - self.own) * seconds

    def idle(self) -> float:
        self.reads += 1
        return self.free

    def core(self) -> IdleCore:
        return IdleCore(self.idle, lambda: self.used, lambda: self.time)


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "cores", lambda: 2)


@pytest.mark.parametrize(
    ("cores", "others", "own", "expected"),
    [
        (2, 0.0, 1.0, True),
        (2, 0.0, 2.0, True),
        (2, 0.3, 1.0, True),
        (2, 1.0, 1.0, False),
        (4, 3.0, 1.0, False),
        (4, 2.0, 1.5, True),
    ],
    ids=["alone", "alone-on-two", "little-else", "another-fit", "three-busy", "two-busy"],
)
def test_a_core_is_idle_if_others_leave_it(
    cores: int, others: float, own: float, expected: bool
) -> None:
    machine = Machine(cores, others, own)
    core = machine.core()
    machine.run(0.3)
    assert core() is expected


def test_two_fits_on_two_cores_leave_each_other_one() -> None:
    machine = Machine(
        2, others=1.0, own=1.0
    )  # each had two threads: together they fill the machine
    core = machine.core()
    machine.run(0.3)
    assert not core()
    machine.others = 0.0  # the other one ends
    machine.run(0.3)
    assert core()


def test_it_looks_four_times_a_second_at_most_and_first_after_a_twentieth() -> None:
    machine = Machine(2, 0.0)
    core = machine.core()
    assert (core(), machine.reads) == (False, 1), "it knows nothing yet"
    machine.run(0.06)
    assert (core(), machine.reads) == (True, 2)
    machine.others = 1.0
    for _ in range(20):
        machine.run(0.01)
        assert core()
    assert machine.reads == 2
    machine.run(0.06)
    assert (core(), machine.reads) == (False, 3)


def test_on_one_core_there_is_never_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "cores", lambda: 1)
    machine = Machine(8, 0.0)
    core = machine.core()
    machine.run(1.0)
    assert not core()


def test_only_usable_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    times = namedtuple("times", "user idle iowait")
    each = [times(0, 1, 0.5), times(0, 10, 0), times(0, 100, 0)]
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: each)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2}, raising=False)
    assert idle.idle_seconds() == 101.5


def test_this_machine_can_be_read() -> None:
    before = idle.idle_seconds()
    assert 0 <= before <= idle.idle_seconds()
