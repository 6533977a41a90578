"""Schedules against ones made by hand, a slow simulation and the bounds that every one must keep."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunepriv.estimates.schedule import (
    Turn,
    longest_chain,
    remaining_chains,
    schedule,
)
from prunepriv.experiment import make_experiment
from prunepriv.plan import plan

Graph = tuple[dict[str, tuple[str, ...]], dict[str, float]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to twelve steps of 0 to 5 s; each may wait for any of those before it."""
    waits: dict[str, tuple[str, ...]] = {}
    for number in range(draw(st.integers(0, 12))):
        before = draw(st.lists(st.sampled_from(sorted(waits)), max_size=3)) if waits else []
        waits[f"s{number}"] = tuple(before)
    # quarters of a second, so that sums are exact
    return waits, {key: draw(st.integers(0, 20)) / 4 for key in waits}


WORKERS = st.integers(1, 5)


def second_by_second(
    waits: Mapping[str, Sequence[str]], seconds: Mapping[str, float], workers: int
) -> float:
    """The oracle: every quarter of a second, free workers take the first steps of the list."""
    left = {key: round(4 * needed) for key, needed in seconds.items()}
    begun: set[str] = set()
    ticks = 0
    while True:
        found = True
        while found:  # steps without time end as soon as their inputs have
            found = False
            for key, inputs in waits.items():
                done = all(one in begun and left[one] == 0 for one in inputs)
                if key not in begun and done and left[key] == 0:
                    begun.add(key)
                    found = True
        at_work = [key for key in begun if left[key] > 0]
        for key, inputs in waits.items():
            done = all(one in begun and left[one] == 0 for one in inputs)
            if key not in begun and done and len(at_work) < workers:
                begun.add(key)
                at_work.append(key)
        if not at_work:
            assert begun == set(waits)
            return ticks / 4
        for key in at_work:
            left[key] -= 1
        ticks += 1


class TestByHand:
    def test_a_gap_is_filled(self) -> None:
        """``late`` comes first in the list but has to wait: ``other`` runs meanwhile."""
        waits = {"first": (), "late": ("first",), "other": ()}
        seconds = {"first": 10.0, "late": 5.0, "other": 12.0}
        made = schedule(waits, seconds, workers=2)
        assert made.turns == {
            "first": Turn(0, 0.0, 10.0),
            "other": Turn(1, 0.0, 12.0),
            "late": Turn(0, 10.0, 15.0),
        }
        assert (made.wall, made.work) == (15.0, 27.0)
        assert made.idle_share == pytest.approx(3 / 30)

    def test_the_first_of_the_list_begins(self) -> None:
        waits: dict[str, tuple[str, ...]] = {"a": (), "b": (), "c": ()}
        seconds = {"a": 1.0, "b": 1.0, "c": 4.0}
        assert schedule(waits, seconds, workers=2).wall == 5.0
        assert list(schedule(waits, seconds, workers=1).turns) == ["a", "b", "c"]

    def test_the_lowest_rank_begins(self) -> None:
        waits: dict[str, tuple[str, ...]] = {"a": (), "b": (), "c": ()}
        seconds = {"a": 1.0, "b": 1.0, "c": 4.0}
        longest_first = {key: -needed for key, needed in seconds.items()}
        made = schedule(waits, seconds, workers=2, rank=longest_first)
        assert made.wall == 4.0
        assert list(made.turns) == ["c", "a", "b"], "equal ranks in the order of the list"

    def test_more_workers_may_take_longer(self) -> None:
        """Graham's example of 1969: 12 s with three workers, 15 s with four."""
        waits: dict[str, tuple[str, ...]] = {
            "1": (), "2": (), "3": (), "4": (), "5": ("4",), "6": ("4",), "7": ("4",),
            "8": ("4",), "9": ("1",),
        }  # fmt: skip
        seconds = dict(zip(waits, (3.0, 2.0, 2.0, 2.0, 4.0, 4.0, 4.0, 4.0, 9.0), strict=True))
        assert schedule(waits, seconds, workers=3).wall == 12.0
        assert schedule(waits, seconds, workers=4).wall == 15.0

    def test_a_step_without_time_needs_no_worker_but_waits(self) -> None:
        waits = {"a": (), "b": ("a",), "c": ("b",)}
        made = schedule(waits, {"a": 2.0, "b": 0.0, "c": 1.0}, workers=1)
        assert made.turns["b"] == Turn(None, 2.0, 2.0)
        assert made.wall == 3.0

    def test_an_input_that_is_no_step_is_done(self) -> None:
        assert schedule({"b": ("stored",)}, {"b": 2.0}, workers=1).wall == 2.0
        assert longest_chain({"b": ("stored",)}, {"b": 2.0}) == ("b",)
        assert remaining_chains({"b": ("stored",)}, {"b": 2.0}) == {"b": 2.0}

    @pytest.mark.parametrize("workers", [0, -1])
    def test_there_is_always_a_worker(self, workers: int) -> None:
        made = schedule({"a": ()}, {"a": 2.0}, workers)
        assert (made.wall, made.workers) == (2.0, 1)

    def test_nothing_takes_no_time(self) -> None:
        made = schedule({}, {}, workers=2)
        assert (made.wall, made.work, made.idle_share, longest_chain({}, {})) == (0, 0, 0, ())

    def test_the_longest_chain(self) -> None:
        waits = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c"), "e": ()}
        seconds = {"a": 1.0, "b": 2.0, "c": 0.0, "d": 3.0, "e": 5.0}
        assert longest_chain(waits, seconds) == ("a", "b", "d")
        assert remaining_chains(waits, seconds) == {"a": 6, "b": 5, "c": 3, "d": 3, "e": 5}


@given(graphs(), WORKERS)
def test_it_agrees_with_a_slow_simulation(graph: Graph, workers: int) -> None:
    waits, seconds = graph
    assert schedule(waits, seconds, workers).wall == second_by_second(waits, seconds, workers)


@given(graphs(), WORKERS)
def test_every_schedule_keeps_its_bounds(graph: Graph, workers: int) -> None:
    waits, seconds = graph
    made = schedule(waits, seconds, workers)
    chain = sum(seconds[key] for key in longest_chain(waits, seconds))
    work = sum(seconds.values())
    assert made.work == work
    assert max(chain, work / workers) <= made.wall <= work
    assert made.wall <= chain + (work - chain) / workers, "Graham's bound"
    assert chain == max(remaining_chains(waits, seconds).values(), default=0.0)


@given(graphs(), WORKERS)
def test_a_schedule_can_be_carried_out(graph: Graph, workers: int) -> None:
    waits, seconds = graph
    turns = schedule(waits, seconds, workers).turns
    assert turns.keys() == waits.keys()
    for key, inputs in waits.items():
        assert turns[key].end == turns[key].start + seconds[key]
        assert all(turns[one].end <= turns[key].start for one in inputs)
    for worker in range(workers):
        mine = sorted(turn for turn in turns.values() if turn.worker == worker)
        assert all(a.end <= b.start for a, b in pairwise(mine))


@given(graphs())
def test_with_a_worker_for_each_step_the_longest_chain_is_all(graph: Graph) -> None:
    waits, seconds = graph
    chain = sum(seconds[key] for key in longest_chain(waits, seconds))
    assert schedule(waits, seconds, workers=12).wall == chain
    assert schedule(waits, seconds, workers=1).wall == sum(seconds.values())


@given(graphs())
def test_each_step_of_the_longest_chain_waits_for_the_one_before(graph: Graph) -> None:
    waits, seconds = graph

    def reads(key: str, other: str) -> bool:
        """Directly, or over steps that take no time."""
        return other in waits[key] or any(
            reads(one, other) for one in waits[key] if not seconds[one]
        )

    for before, key in pairwise(longest_chain(waits, seconds)):
        assert reads(key, before)


def test_a_sweep_of_two_thousand_steps_is_fast() -> None:
    """A page waits for it: 7 ms on the machine it was written on."""
    steps = {}
    for seed in range(70):
        for step in plan(make_experiment({"seed": seed, "models": ["pruned"]})).steps:
            steps[step.key] = step
    waits = {step.key: tuple(step.inputs.values()) for step in steps.values()}
    assert len(waits) >= 2000
    seconds = {key: 1.0 + place % 7 for place, key in enumerate(waits)}
    taken = []
    for _ in range(5):
        started = time.process_time()
        schedule(waits, seconds, workers=4)
        taken.append(time.process_time() - started)
    assert min(taken) < 0.05
