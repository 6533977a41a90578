"""Processes that are lost while a run is at work, each beside an engine of its own, or an engine itself."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from prunepriv.engine.client import engine_is_alive, launch
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import plan
from prunepriv.store.catalog import Catalog
from prunepriv.store.database import FILE
from tests.e2e.engine_process import (
    DEADLINE,
    FAKE,
    ROOT,
    EngineProcess,
    assert_undisturbed,
    drafts,
    engine_pid,
    hold,
    wait_for_status,
    wait_for_step,
    wait_until,
    wait_until_gone,
)
from tests.fake_runner import begun

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals of Linux")


def test_the_engine_is_killed_again_and_again_and_at_its_idle_end(
    catalog: Catalog, small: Experiment, steering: Path, tmp_path: Path
) -> None:
    whole = plan(small)
    run_id = catalog.submit(small)
    for name in ("train:0", "signals:original:0", "evaluation:original:adaptive"):
        held, key = hold(steering, name), whole.key(name)
        with EngineProcess(catalog.store, *FAKE, "--workers", "1") as engine:
            wait_until(lambda key=key: drafts(catalog.store, key), f"{name} was not begun")
            family = engine.family()
            engine.kill()
            wait_until_gone(family)
        assert catalog.run(run_id).status == "interrupted"
        held.unlink()
    with EngineProcess(catalog.store, *FAKE, "--workers", "1", "--idle-timeout", "0.2") as engine:
        wait_for_status(catalog, run_id, "done")
        family = engine.family()
        wait_until(lambda: not engine_is_alive(catalog.store), "it does not end")
        engine.kill()  # no one's work any more, and its workers not yet gone
        wait_until_gone(family)
    assert_undisturbed(catalog.store, small, tmp_path)
    again = Counter(begun(steering)) - Counter(step.name for step in whole.steps)
    assert max(again.values()) <= 3, "what was done is not done again"
    other = make_experiment({**small.model_dump(mode="json"), "seed": 8})
    wait_for_status(catalog, launch(other, catalog.store, (*FAKE, "--workers", "1")), "done")


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


def test_an_engine_ends_when_its_store_is_deleted(
    catalog: Catalog, small: Experiment, steering: Path, tmp_path: Path
) -> None:
    held = hold(steering, "train:0")
    run_id = catalog.submit(small)
    with EngineProcess(catalog.store, *FAKE) as engine:
        wait_for_step(catalog, run_id, "train:0")
        family = engine.family()
        pid = engine_pid(catalog.store)
        shutil.rmtree(catalog.store)
        held.unlink()
        assert engine.process.wait(DEADLINE) == 2
        wait_until_gone(family)
    assert pid == engine.process.pid
    assert not catalog.store.exists(), "nobody makes it again"
