"""What a trace tells of a run: read from a store, and worked out from bars made by hand."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest

from benchmarks.trace.records import Bar, Trace, one_after_another, read
from benchmarks.trace.totals import kinds, summary, total
from prunepriv.errors import StoreError, UnknownRunError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.step_rows import step_rows

EXPERIMENT = make_experiment(
    {
        "data": {"name": "checkins", "limit": 400},
        "models": ["pruned"],
        "attacks": {"names": ["conf", "nn"]},
        "shadows": 2,
    }
)


def bar(name: str, worker: int, start: float, seconds: float, *inputs: str, **more: Any) -> Bar:
    return Bar(name, name, name.split(":", maxsplit=1)[0], worker, start, seconds, inputs, **more)


TWO_WORKERS = Trace(
    run_id="some-run",
    wall=10.0,
    waited=1.5,
    bars=(
        bar("train", 1, 0.5, 3.5, multiply_adds=1e9),
        bar("signals", 1, 4.0, 1.0, "train", multiply_adds=1e9),
        bar("fit:samia", 2, 5.0, 4.5, "signals"),
        bar("fit:nn", 1, 5.5, 2.0, "signals", multiply_adds=2e9),
        bar("checks", 2, 9.5, 0.5, "fit:samia", "fit:nn"),
    ),
    cached=3,
)


class TestByHand:
    def test_idle_time(self) -> None:
        assert TWO_WORKERS.idle(1) == 3.5  # 0.5 at first, 0.5 before the fit, 2.5 at the end
        assert TWO_WORKERS.idle(2) == 5.0
        assert TWO_WORKERS.idle_share == 8.5 / 20
        assert TWO_WORKERS.first == 0.5

    def test_work_for_another_run_does_not_count(self) -> None:
        """A step was begun before the run, or goes on after it."""
        early = replace(TWO_WORKERS, bars=(bar("train", 1, -2.0, 3.0), bar("fit", 1, 9.0, 4.0)))
        assert early.idle(1) == 10 - 1 - 1
        assert early.first == 0.0

    def test_the_critical_path(self) -> None:
        names = [one.name for one in TWO_WORKERS.chain]
        assert names == ["train", "signals", "fit:samia", "checks"]
        assert TWO_WORKERS.chain_seconds == 9.5

    def test_the_path_follows_inputs_that_come_later_in_time(self) -> None:
        """The clocks of two machines need not agree."""
        odd = replace(TWO_WORKERS, bars=(bar("b", 1, 0.0, 1.0, "a"), bar("a", 2, 5.0, 2.0)))
        assert [one.name for one in odd.chain] == ["a", "b"]

    def test_floors(self) -> None:
        train = TWO_WORKERS.bars[0]
        assert train.floor(gigaflops=4.0) == 0.5  # 1e9 multiplications and as many additions
        assert TWO_WORKERS.bars[2].floor(4.0) is None

    def test_totals_by_kind(self) -> None:
        fit, train, *_ = kinds(TWO_WORKERS, gigaflops=4.0)
        assert (fit.kind, fit.steps, fit.seconds, fit.floor) == ("fit", 2, 6.5, 1.0)
        assert train.share == 0.5 / 3.5
        whole = total("all", TWO_WORKERS.bars, 4.0)
        assert (whole.steps, whole.seconds, whole.floor) == (5, 11.5, 2.0)
        assert total("checks", TWO_WORKERS.bars[-1:], 4.0).share is None

    def test_the_summary(self) -> None:
        text = summary(TWO_WORKERS, 4.0)
        assert "10.00 s from begin to end, 5 steps done, 3 in the store before" in text
        assert "submitted 1.50 s before it began; its first step began 0.50 s after that" in text
        assert "critical path: 9.50 s, 95 % of the wall time: train, signals, fit:samia" in text
        assert "worker 2: 2 steps, idle 5.00 s, 50 %" in text
        assert "| fit | 2 | 6.50 | 1.00 | 15 % |" in text
        assert "| checks | 1 | 0.50 | - | - |" in text

    def test_a_run_that_had_nothing_to_do(self) -> None:
        empty = Trace("some-run", 0.0, 0.0, (), 5)
        assert (empty.idle_share, empty.first, empty.chain, empty.workers) == (0.0, 0.0, (), {})
        assert "0 steps done, 5 in the store" in summary(empty, 4.0)


class TestGroups:
    def test_steps_that_begin_together_are_laid_one_after_another(self) -> None:
        group = [bar(f"train:{n}", 7, 2.0, 1.5) for n in (1, 2, 3)]
        laid = one_after_another([*group, bar("signals:1", 7, 6.6, 1.0)])
        assert [one.start for one in laid] == [2.0, 3.5, 5.0, 6.6]
        assert [one.name for one in laid[:3]] == ["train:1", "train:2", "train:3"]

    def test_of_each_worker_alone(self) -> None:
        laid = one_after_another([bar("train:1", 7, 2.0, 1.5), bar("train:2", 8, 2.0, 1.5)])
        assert [one.start for one in laid] == [2.0, 2.0]

    def test_a_late_report_moves_the_next_step(self) -> None:
        """The engine notes a begin up to a tenth of a second late."""
        laid = one_after_another([bar("a", 7, 0.1, 1.0), bar("b", 7, 1.0, 1.0)])
        assert [one.start for one in laid] == [0.1, 1.1]


def finish(catalog: Catalog, experiment: Experiment, *cached: str) -> str:
    """A run whose steps took a second each, one after another, in process 42."""
    store = ArtifactStore(catalog.store)
    for name in cached:
        with store.write(plan(experiment).key(name), {"step": name, "seconds": 1.0}) as draft:
            draft.json("value", 1)
    run_id = catalog.submit(experiment)
    catalog.begin(run_id, "some.lock", step_rows(store, experiment))
    began = catalog.run(run_id).started
    assert began is not None
    rows = [
        {
            "run_id": run_id, "key": step.key, "status": "done", "fraction": 1.0, "message": "",
            "curve": "[]", "started": began.timestamp() + place, "seconds": 1.0, "pid": 42,
        }
        for place, step in enumerate(step for step in catalog.steps(run_id) if not step.cached)
    ]  # fmt: skip
    catalog.update_steps(rows)
    catalog.end(run_id, "done")
    return run_id


def test_a_run_of_the_store(catalog: Catalog) -> None:
    whole = plan(EXPERIMENT)
    first = whole.steps[0].name
    trace = read(catalog, finish(catalog, EXPERIMENT, first))
    assert trace.cached == 1
    assert [one.name for one in trace.bars] == [step.name for step in whole.steps[1:]]
    assert [round(one.start, 3) for one in trace.bars] == list(range(len(whole.steps) - 1))
    assert {one.worker for one in trace.bars} == {42}
    chain = [whole.by_key[one.key] for one in trace.chain]
    for before, step in pairwise(chain):
        assert before.key in step.inputs.values()
    assert len(chain) > 5
    counted = {one.kind for one in trace.bars if one.multiply_adds is not None}
    assert {"train", "fine_tune", "signals", "fit", "score"} <= counted


def test_epochs_come_from_the_artifact(catalog: Catalog) -> None:
    trained = next(step for step in plan(EXPERIMENT).steps if step.kind == "train")
    run_id = finish(catalog, EXPERIMENT)
    allowed = next(one for one in read(catalog, run_id).bars if one.key == trained.key)
    with ArtifactStore(catalog.store).write(trained.key, {}) as draft:
        draft.json("report", {"history": [{"epoch": 1}] * 5})
    done = next(one for one in read(catalog, run_id).bars if one.key == trained.key)
    assert allowed.multiply_adds is not None
    assert done.multiply_adds is not None
    assert 0 < done.multiply_adds < allowed.multiply_adds


class TestAnotherVersion:
    """Its steps have other keys, or its settings cannot be read."""

    def rename(self, catalog: Catalog, run_id: str, *, meta: bool) -> None:
        """Give the run's steps keys that the plan does not have; artifacts make them a chain."""
        steps = catalog.steps(run_id)
        rows = [
            {
                "key": sha256(step.key.encode()).hexdigest(), "ordinal": place, "name": step.name, "kind": step.kind,
                "status": "done", "fraction": 1.0, "message": "", "curve": "[]", "seconds": 1.0,
                "started": 0.0, "cached": False, "pid": 42,
            }
            for place, step in enumerate(steps)
        ]  # fmt: skip
        catalog.submit(EXPERIMENT)
        catalog.begin(run_id, "some.lock", rows)
        catalog.end(run_id, "done")
        for before, row in pairwise(rows) if meta else ():
            about = {"inputs": {"before": before["key"]}}
            with ArtifactStore(catalog.store).write(row["key"], about) as draft:
                draft.json("value", 1)

    def test_its_steps_are_drawn_without_edges(self, catalog: Catalog) -> None:
        run_id = finish(catalog, EXPERIMENT)
        self.rename(catalog, run_id, meta=False)
        trace = read(catalog, run_id)
        assert len(trace.bars) == len(plan(EXPERIMENT).steps)
        assert len(trace.chain) == 1

    def test_unless_their_artifacts_name_their_inputs(self, catalog: Catalog) -> None:
        run_id = finish(catalog, EXPERIMENT)
        self.rename(catalog, run_id, meta=True)
        assert len(read(catalog, run_id).chain) == len(plan(EXPERIMENT).steps)

    def test_settings_of_tomorrow(self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
        run_id = finish(catalog, EXPERIMENT)
        real = catalog.run(run_id)
        later = replace(real, settings={**real.settings, "of_tomorrow": 1})
        monkeypatch.setattr(catalog, "run", lambda _: later)
        trace = read(catalog, run_id)
        assert len(trace.bars) == len(plan(EXPERIMENT).steps)
        assert {one.multiply_adds for one in trace.bars} == {None}


def test_only_a_run_that_is_done_here_is_drawn(catalog: Catalog) -> None:
    run_id = catalog.submit(EXPERIMENT)
    with pytest.raises(StoreError, match=f"{run_id} is queued: run it first"):
        read(catalog, run_id)
    with pytest.raises(UnknownRunError):
        read(catalog, "no-such-run")
