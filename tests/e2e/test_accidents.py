"""Accidents at every kind of step, on the real engine: afterwards nothing is different, nothing is left.

Steps are the fake runner's. They are held in the middle of writing their artifact, so that an accident
comes at the worst moment; what the store holds shows when they have got there.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from prunepriv.engine.client import engine_is_alive, launch
from prunepriv.engine.inline import run_inline
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import Plan, plan
from prunepriv.store.catalog import Catalog
from prunepriv.store.database import FILE
from tests.e2e.engine_process import (
    DEADLINE,
    ROOT,
    EngineProcess,
    artifacts,
    engine_pid,
    stop_engine,
    wait_for_done,
    wait_for_status,
    wait_for_step,
    wait_until,
    wait_until_gone,
)
from tests.fake_runner import RUNNER, begun, make_steering

FAKE = ("--runner", RUNNER)
KINDS = {
    "data", "split", "train", "fine_tune", "signals", "population", "confidences", "divergence",
    "fit", "score", "evaluation", "checks",
}  # fmt: skip
numbers = count(1)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and signals of Linux")


@pytest.fixture(scope="module")
def steering_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("steering")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAKE_RUNNER", str(folder))
        yield folder


@pytest.fixture
def steering(steering_folder: Path) -> Path:
    """See fake_runner.py."""
    make_steering(steering_folder)
    return steering_folder


@pytest.fixture(scope="module")
def engine(
    steering_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EngineProcess]:
    """One engine, at work for all tests that it has to survive."""
    with EngineProcess(tmp_path_factory.mktemp("engine") / "store", *FAKE) as started:
        yield started
        assert started.process.poll() is None, "it ended before its time"


@pytest.fixture
def served(engine: EngineProcess) -> Iterator[Catalog]:
    """The catalogue of the store at which that engine works."""
    made = Catalog(engine.store)
    yield made
    made.close()


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """Of a store of the test's own; an engine that was started there is ended afterwards."""
    made = Catalog(tmp_path / "store")
    yield made
    made.close()
    stop_engine(made.store)


@pytest.fixture
def rich() -> Experiment:
    """One with steps of every kind, which shares none with another test's."""
    return make_experiment(
        {
            "data": {"knobs": {"distinctiveness": 0.4 + next(numbers) / 1000}},
            "attacks": {"names": ["conf", "nn", "lira"]},
            "models": ["original", "pruned"],
            "shadows": 3,
        }
    )


@pytest.fixture
def small(rich: Experiment) -> Experiment:
    """One with few steps."""
    attacks = rich.attacks.model_copy(update={"names": ("conf",)})
    return rich.model_copy(update={"attacks": attacks, "models": ("original",), "shadows": 1})


def first_of_each_kind(whole: Plan) -> list[str]:
    found: dict[str, str] = {}
    for step in whole.steps:
        found.setdefault(step.kind, step.name)
    return list(found.values())


def hold(steering: Path, name: str, where: str = "draft") -> Path:
    """Let a step stop in the middle of writing (or before it) until the file is removed."""
    file = steering / where / name.replace(":", "+")
    file.touch()
    return file


def drafts(store: Path, key: str = "") -> set[Path]:
    """Drafts of one step, or of all."""
    return set((store / "drafts").glob(f"{key[:12]}*"))


def assert_undisturbed(store: Path, experiment: Experiment, tmp_path: Path) -> None:
    """Every file is that of a run without an accident; no draft, request or log is left."""
    folder = tmp_path / "undisturbed"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("FAKE_RUNNER")
        run_inline(experiment, folder, runner=RUNNER)
    assert artifacts(store, experiment) == artifacts(folder, experiment)
    wait_until(lambda: not drafts(store), "drafts are left")
    for name in ("cancel", "tries", "logs", "locks", "damaged"):
        assert not [*(store / name).glob("*")], f"{name} is not empty"
    assert not [*(store / "runs").glob(".*")]


def test_a_worker_is_killed_in_the_middle_of_every_kind_of_step(
    served: Catalog, rich: Experiment, steering: Path, tmp_path: Path
) -> None:
    whole = plan(rich)
    names = first_of_each_kind(whole)
    assert {whole.by_name[name].kind for name in names} == KINDS
    held = {name: hold(steering, name) for name in names}
    run_id = served.submit(rich)
    for name in names:
        key = whole.key(name)
        wait_until(lambda key=key: drafts(served.store, key), f"{name} was not begun")
        seen = drafts(served.store, key)
        worker = wait_for_step(served, run_id, name).pid
        assert worker is not None
        os.kill(worker, signal.SIGKILL)
        wait_until(
            lambda key=key, seen=seen: drafts(served.store, key) - seen, f"nobody took {name} up"
        )
        held[name].unlink()
    wait_for_status(served, run_id, "done")
    again = Counter(begun(steering)) - Counter(step.name for step in whole.steps)
    assert set(names) <= set(again)
    families = {whole.by_name[name].family or name for name in names}
    assert {whole.by_name[name].family or name for name in again} == families, "other groups"
    assert set(again.values()) == {1}
    assert_undisturbed(served.store, rich, tmp_path)


def test_the_engine_is_killed_again_and_again_and_at_its_idle_end(
    catalog: Catalog, rich: Experiment, small: Experiment, steering: Path, tmp_path: Path
) -> None:
    whole = plan(rich)
    run_id = catalog.submit(rich)
    for name in ("train:0", "signals:pruned:0", "evaluation:original:adaptive"):
        held, key = hold(steering, name), whole.key(name)
        with EngineProcess(catalog.store, *FAKE) as engine:
            wait_until(lambda key=key: drafts(catalog.store, key), f"{name} was not begun")
            family = engine.family()
            engine.kill()
            wait_until_gone(family)
        assert catalog.run(run_id).status == "interrupted"
        held.unlink()
    with EngineProcess(catalog.store, *FAKE, "--idle-timeout", "0.2") as engine:
        wait_for_status(catalog, run_id, "done")
        family = engine.family()
        wait_until(lambda: not engine_is_alive(catalog.store), "it does not end")
        engine.kill()  # no one's work any more, and its workers not yet gone
        wait_until_gone(family)
    assert_undisturbed(catalog.store, rich, tmp_path)
    again = Counter(begun(steering)) - Counter(step.name for step in whole.steps)
    assert max(again.values()) <= 3, "what was done is not done again"
    other = launch(small, catalog.store, FAKE)
    wait_for_status(catalog, other, "done")


def test_two_users_start_one_run_at_the_same_time_and_one_is_killed(
    catalog: Catalog, small: Experiment, steering: Path, tmp_path: Path
) -> None:
    """Users are sessions of one server here: both find no engine, and both start one."""
    held, together = hold(steering, "train:0"), threading.Barrier(2)
    script = (
        "import json, sys, threading\n"
        "from pathlib import Path\n"
        "from prunepriv.engine.client import launch\n"
        "from prunepriv.experiment import make_experiment\n"
        "experiment = make_experiment(json.loads(sys.argv[1]))\n"
        "print(flush=True)\n"
        "sys.stdin.readline()\n"
        "launch(experiment, Path(sys.argv[2]), tuple(sys.argv[3:]))\n"
        "print(flush=True)\n"
        "threading.Event().wait()\n"
    )
    command = [sys.executable, "-c", script, json.dumps(small.model_dump(mode="json"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    users = [
        subprocess.Popen([*command, str(catalog.store), *FAKE], cwd=ROOT, **pipes)  # type: ignore[call-overload]
        for _ in range(2)
    ]

    def start(user: subprocess.Popen[bytes]) -> None:
        assert user.stdin is not None
        assert user.stdout is not None
        user.stdout.readline()
        together.wait()
        user.stdin.write(b"\n")
        user.stdin.flush()
        user.stdout.readline()

    threads = [threading.Thread(target=start, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    wait_until(lambda: drafts(catalog.store, plan(small).key("train:0")), "train:0 not begun")
    for user in users:  # servers or command lines: the engine is nobody's child
        user.kill()
        user.communicate()
    held.unlink()
    wait_for_status(catalog, small.run_id, "done")
    assert [run.run_id for run in catalog.runs()] == [small.run_id]
    assert set(Counter(begun(steering)).values()) == {1}, "each step once"
    assert_undisturbed(catalog.store, small, tmp_path)


def test_the_command_is_killed_in_the_middle_of_an_inline_run(
    served: Catalog, small: Experiment, steering: Path, tmp_path: Path
) -> None:
    held = hold(steering, "train:0")
    script = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from prunepriv.engine.inline import run_inline\n"
        "from prunepriv.experiment import make_experiment\n"
        "experiment = make_experiment(json.loads(sys.argv[1]))\n"
        "run_inline(experiment, Path(sys.argv[2]), runner=sys.argv[3])\n"
    )
    settings = json.dumps(small.model_dump(mode="json"))
    command = [sys.executable, "-c", script, settings, str(served.store), RUNNER]
    with subprocess.Popen(command, cwd=ROOT) as inline:
        wait_until(lambda: drafts(served.store, plan(small).key("train:0")), "not begun")
        inline.kill()
    assert served.run(small.run_id).status == "interrupted"
    held.unlink()
    served.submit(small)
    wait_for_status(served, small.run_id, "done")
    assert begun(steering).count("data") == 1
    assert_undisturbed(served.store, small, tmp_path)


def test_a_cancel_in_the_middle_of_writing(
    served: Catalog, small: Experiment, steering: Path, tmp_path: Path
) -> None:
    held = hold(steering, "train:0")
    run_id = served.submit(small)
    wait_until(lambda: drafts(served.store, plan(small).key("train:0")), "not begun")
    served.request_cancel(run_id)
    wait_for_status(served, run_id, "cancelled")
    wait_until(lambda: not drafts(served.store), "the draft is left")
    held.unlink()
    served.submit(small)
    wait_for_status(served, run_id, "done")
    assert_undisturbed(served.store, small, tmp_path)


def test_the_catalogue_is_locked_while_an_engine_starts_and_while_it_works(
    catalog: Catalog, small: Experiment, steering: Path, tmp_path: Path
) -> None:
    """For longer than the engine waits, be it a second or a minute: its log says so."""
    held = hold(steering, "train:0")
    run_id = catalog.submit(small)
    lock = sqlite3.connect(catalog.store / FILE, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    with EngineProcess(catalog.store, *FAKE) as engine:

        def refused() -> int:
            return engine.log.read_text().count("(the engine tries again)")

        wait_until(refused, "the engine did not meet the lock")
        lock.execute("ROLLBACK")
        wait_for_step(catalog, run_id, "train:0")
        told = refused()
        lock.execute("BEGIN EXCLUSIVE")
        held.unlink()
        wait_until(lambda: "checks" in begun(steering), "workers were given no more to do")
        wait_until(lambda: refused() > told, "the engine did not meet the lock")
        assert catalog.run(run_id).status == "running"
        lock.execute("ROLLBACK")
        lock.close()
        wait_for_status(catalog, run_id, "done")
        assert engine.process.poll() is None
    assert_undisturbed(catalog.store, small, tmp_path)


def limit_files(pid: int, most: int) -> None:
    """A full disk for one process: the same error at the same place."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def test_a_full_disk_fails_the_run_that_meets_it_and_not_the_one_beside_it(
    served: Catalog, small: Experiment, steering: Path, tmp_path: Path
) -> None:
    knobs = {"data": {"knobs": {"distinctiveness": 0.9}}}
    other = make_experiment({**small.model_dump(mode="json"), **knobs})
    mine = hold(steering, "train:0", "hold")
    full = served.submit(small)
    worker = wait_for_step(served, full, "train:0").pid
    assert worker is not None
    wait_for_done(served, full, "fit:conf:original")  # all that the other worker can do
    its = hold(steering, "data")
    fine = served.submit(other)
    wait_until(lambda: drafts(served.store, plan(other).key("data")), "the other was not begun")
    limit_files(worker, 16)
    mine.unlink()
    wait_for_status(served, full, "failed")
    limit_files(worker, resource.RLIM_INFINITY)
    error = served.run(full).error
    assert error.startswith(f"no space left in {served.store}: free some")
    its.unlink()
    wait_for_status(served, fine, "done")
    served.submit(small)
    wait_for_status(served, full, "done")
    assert_undisturbed(served.store, small, tmp_path)


def test_the_engine_goes_on_after_a_disk_that_was_full_for_its_catalogue(
    served: Catalog, engine: EngineProcess, small: Experiment, steering: Path, tmp_path: Path
) -> None:
    held = hold(steering, "train:0")
    run_id = served.submit(small)
    wait_for_step(served, run_id, "train:0")
    limit_files(engine.process.pid, 16)
    held.unlink()
    wait_until(lambda: "checks" in begun(steering), "workers were given no more to do")
    assert served.run(run_id).status == "running"
    limit_files(engine.process.pid, resource.RLIM_INFINITY)
    wait_for_status(served, run_id, "done")
    assert_undisturbed(served.store, small, tmp_path)


def test_an_engine_ends_when_its_store_is_deleted(
    catalog: Catalog, small: Experiment, steering: Path, tmp_path: Path
) -> None:
    hold(steering, "train:0")
    run_id = catalog.submit(small)
    with EngineProcess(catalog.store, *FAKE) as engine:
        wait_for_step(catalog, run_id, "train:0")
        family = engine.family()
        pid = engine_pid(catalog.store)
        shutil.rmtree(catalog.store)
        assert engine.process.wait(DEADLINE) == 2
        wait_until_gone(family)
    assert pid == engine.process.pid
    assert not catalog.store.exists(), "nobody makes it again"
