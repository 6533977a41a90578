"""Following runs to their end; the fake runner does their steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from prunepriv.engine import follow as module
from prunepriv.engine.client import note_scheduler
from prunepriv.engine.follow import LOOK_EVERY, LOOK_SHARE, RESTARTS, follow
from prunepriv.engine.inline import run_inline
from prunepriv.errors import EngineError
from prunepriv.estimates.progress import Standing
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import plan
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import claim
from prunepriv.store.step_rows import step_rows
from tests.fake_runner import RUNNER


class Recorder:
    """A display that keeps what it is given."""

    def __init__(self) -> None:
        self.standings: list[Standing] = []
        self.sentences: list[str] = []

    def show(self, standing: Standing) -> None:
        self.standings.append(standing)

    def tell(self, sentence: str) -> None:
        self.sentences.append(sentence)


class FakeEngine:
    """An engine that does one queued run per look; ``dies`` is how often it ends before that."""

    def __init__(self, catalog: Catalog, dies: int = 0) -> None:
        self.catalog = catalog
        self.alive = False
        self.dies = dies
        self.starts = 0
        self.options: tuple[str, ...] = ()

    def is_alive(self, store: Path) -> bool:
        return self.alive

    def ensure(self, store: Path, options: tuple[str, ...] = ()) -> None:
        self.starts += 1
        self.options = options
        self.alive = True
        self.catalog.requeue_abandoned("engine.lock")

    def turn(self, seconds: float) -> None:
        if self.starts <= self.dies:
            waiting = self.catalog.queued()[0]
            rows = step_rows(ArtifactStore(self.catalog.store), waiting.experiment)
            self.catalog.begin(waiting.run_id, "engine.lock", rows)
            self.alive = False
        elif self.alive:
            for run in self.catalog.queued()[:1]:
                run_inline(run.experiment, self.catalog.store, runner=RUNNER)


@pytest.fixture
def engine(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    made = FakeEngine(catalog)
    monkeypatch.setattr(module, "engine_is_alive", made.is_alive)
    monkeypatch.setattr(module, "ensure_engine", made.ensure)
    monkeypatch.setattr("prunepriv.engine.client.ensure_engine", made.ensure)
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=made.turn))
    return made


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Standing]:
    monkeypatch.setattr(module, "run_inline", partial(run_inline, runner=RUNNER))
    return partial(follow, inline=True)


def seeds(*numbers: int) -> list[Experiment]:
    settings = {"attacks": {"names": ["conf"]}, "models": ["pruned"], "shadows": 2}
    return [make_experiment({**settings, "seed": number}) for number in numbers]


def test_a_run_is_followed_to_its_end(
    experiment: Experiment, catalog: Catalog, engine: FakeEngine
) -> None:
    display = Recorder()
    standing = follow([experiment], catalog.store, display)
    assert (standing.done, standing.fraction, standing.steps_done) == (
        1,
        1.0,
        len(plan(experiment).steps),
    )
    assert display.standings[0].queue_position == 1
    assert display.standings[-1] == standing
    assert display.sentences == []
    assert engine.starts == 1


def test_a_finished_run_needs_no_engine(
    experiment: Experiment, catalog: Catalog, engine: FakeEngine
) -> None:
    run_inline(experiment, catalog.store, runner=RUNNER)
    display = Recorder()
    standing = follow([experiment], catalog.store, display)
    assert (standing.done, standing.cached) == (1, len(plan(experiment).steps))
    assert display.standings == [standing]
    assert engine.starts == 0


@pytest.mark.parametrize("count", [1, 3])
def test_an_engine_that_ends_is_started_again(
    count: int, catalog: Catalog, engine: FakeEngine
) -> None:
    engine.dies = 2
    display = Recorder()
    standing = follow(seeds(*range(count)), catalog.store, display)
    assert standing.done == count
    assert display.sentences == ["the engine has ended: restarting it, finished steps are kept"] * 2
    assert any(one.interrupted for one in display.standings)


def test_an_engine_that_is_started_again_keeps_its_scheduler(
    experiment: Experiment, catalog: Catalog, engine: FakeEngine
) -> None:
    """Also one that somebody else had started, with a scheduler that this process does not know."""
    note_scheduler(catalog.store, "tcp://there:1")
    engine.dies = 1
    follow([experiment], catalog.store, Recorder())
    assert engine.options == ("--scheduler", "tcp://there:1")


def test_what_the_run_is_told_of_the_workers_is_shown_once(
    experiment: Experiment, catalog: Catalog, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = iter(["", "it is lost", "it is lost", "", ""])

    def turn(seconds: float) -> None:
        sentence = next(sentences, None)
        if sentence is None:
            engine.turn(seconds)
        else:
            catalog.tell("engine.lock", sentence)

    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=turn))
    display = Recorder()
    follow([experiment], catalog.store, display)
    assert display.sentences == ["it is lost", "the workers are at work again"]


def test_an_engine_that_ends_again_and_again_is_given_up(
    experiment: Experiment, catalog: Catalog, engine: FakeEngine
) -> None:
    engine.dies = 99
    display = Recorder()
    with pytest.raises(EngineError, match="the engine ended 4 times"):
        follow([experiment], catalog.store, display)
    assert len(display.sentences) == RESTARTS


def test_a_run_that_another_process_left_is_handed_to_the_engine(
    experiment: Experiment, catalog: Catalog, engine: FakeEngine
) -> None:
    """The engine looks after what an engine has left, and after nothing else."""
    catalog.submit(experiment)
    held = claim(catalog.store / "inline.lock")
    assert held is not None
    rows = step_rows(ArtifactStore(catalog.store), experiment)
    catalog.begin(experiment.run_id, "inline.lock", rows)

    class Letting(Recorder):
        def show(self, standing: Standing) -> None:
            super().show(standing)
            held.release()

    display = Letting()
    standing = follow([experiment], catalog.store, display)
    assert standing.done == 1
    assert [one.active for one in display.standings[:2]] == [1, 0]
    assert engine.starts == 1


def test_failures_are_told_and_not_raised(
    experiment: Experiment, catalog: Catalog, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(seconds: float) -> None:
        catalog.end(experiment.run_id, "failed", "the disk is full")

    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=fail))
    standing = follow([experiment], catalog.store, Recorder())
    assert standing.failures == ((experiment.run_id, "the disk is full"),)


def test_inline_runs_are_worked_through_one_after_the_other(
    catalog: Catalog, inline: Callable[..., Standing], steering: Path
) -> None:
    both = seeds(1, 2)
    display = Recorder()
    standing = inline(both, catalog.store, display)
    assert (standing.done, standing.fraction, standing.seconds_left) == (2, 1.0, 0.0)
    assert display.standings[0].done == 0
    assert display.standings[-1] == standing
    assert (steering / "begun").read_text().split().count("data") == 1, "they share it"


def test_an_inline_failure_does_not_stop_the_rest(
    catalog: Catalog, inline: Callable[..., Standing], steering: Path
) -> None:
    (steering / "fail" / "train+0").touch()
    both = seeds(1, 2)
    standing = inline(both, catalog.store, Recorder())
    assert dict(standing.failures) == {one.run_id: "train+0 was told to fail" for one in both}
    assert standing.ended == 2


def test_an_inline_run_that_cannot_begin_is_a_failure_too(
    experiment: Experiment, catalog: Catalog, inline: Callable[..., Standing]
) -> None:
    catalog.submit(experiment)
    held = claim(catalog.store / "other.lock")
    assert held is not None
    rows = step_rows(ArtifactStore(catalog.store), experiment)
    catalog.begin(experiment.run_id, "other.lock", rows)
    standing = inline([experiment], catalog.store, Recorder())
    held.release()
    [(run_id, sentence)] = standing.failures
    assert run_id == experiment.run_id
    assert "being worked on already: leave out --inline" in sentence


# --- how often the runs are looked at ---


def looks_take(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """So much processor time."""
    clock = count(0.0, seconds)
    monkeypatch.setattr(module, "thread_time", lambda: next(clock))


@pytest.mark.parametrize(("seconds", "pause"), [(0.05, 0.05 / LOOK_SHARE), (0.001, LOOK_EVERY)])
def test_looking_takes_a_small_share_of_a_core(
    seconds: float,
    pause: float,
    experiment: Experiment,
    catalog: Catalog,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        engine.turn(seconds)

    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=sleep))
    looks_take(seconds, monkeypatch)
    follow([experiment], catalog.store, Recorder())
    assert waited == [pytest.approx(pause)]


@pytest.mark.usefixtures("steering")
def test_an_inline_run_is_looked_at_as_seldom(
    catalog: Catalog, inline: Callable[..., Standing], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []
    for seed, seconds in enumerate((0.001, 0.05)):
        looks_take(seconds, monkeypatch)
        clock = count(0.0, 0.3)  # goes on by 0.3 s with each reading
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda c=clock: next(c)))
        display = Recorder()
        inline(seeds(seed), catalog.store, display)
        shown.append(len(display.standings))
    assert shown[1] < 0.6 * shown[0]
