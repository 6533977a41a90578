"""The real engine, and everything that can happen to it. Steps are the fake runner's, held where the
test wants them, but for the last tests: those are real runs whose figures must not change."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest

from prunepriv.engine.client import engine_is_alive, ensure_engine, launch
from prunepriv.engine.inline import run_inline
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import plan, read_name
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.step_logs import log_path
from tests.e2e.engine_process import (
    DEADLINE,
    FAKE,
    ROOT,
    EngineProcess,
    artifacts,
    engine_pid,
    kill_worker_at,
    step,
    wait_for_done,
    wait_for_status,
    wait_for_step,
    wait_until,
    wait_until_gone,
)
from tests.fake_runner import begun

numbers = count()


@pytest.fixture
def experiment() -> Experiment:
    """One that shares no step with another."""
    own = {"distinctiveness": 0.3 + next(numbers) / 1000}
    return make_experiment(
        {
            "data": {"knobs": own},
            "attacks": {"names": ["conf"]},
            "models": ["pruned"],
            "shadows": 2,
        }
    )


@pytest.mark.parametrize(
    ("held", "again"),
    [
        ("train:0", ["train:0"]),
        ("train:2", ["train:1", "train:2", "train:3"]),
        ("signals:pruned:2", ["signals:pruned:2"]),
    ],
)
def test_a_killed_worker_costs_one_group(
    served: Catalog, experiment: Experiment, steering: Path, held: str, again: list[str]
) -> None:
    """Of six shadows a worker trains three; what it has written of a group is not done again."""
    large = experiment.model_copy(update={"shadows": 6})
    hold = steering / "hold" / held.replace(":", "+")
    hold.touch()
    run_id = served.submit(large)
    first = kill_worker_at(served, run_id, held)

    def elsewhere() -> bool:
        view = step(served, run_id, held)
        return view is not None and view.status == "running" and view.pid != first

    wait_until(elsewhere, "no other worker took the group")
    hold.unlink()
    wait_for_status(served, run_id, "done")
    twice = Counter(begun(steering)) - Counter(step.name for step in plan(large).steps)
    assert sorted(twice.elements()) == again


def test_a_killed_worker_comes_back_however_soon_it_is_missed(
    catalog: Catalog, experiment: Experiment, steering: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask gives up one that is missing after 15 s, be it in the middle of another restart."""
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "1ms")
    held = steering / "hold" / "train+0"
    held.touch()
    run_id = catalog.submit(experiment)
    with EngineProcess(catalog.store, *FAKE, "--workers", "1"):
        kill_worker_at(catalog, run_id, "train:0")
        held.unlink()
        wait_for_status(catalog, run_id, "done")


def test_shadows_are_added_to_those_that_are_there(
    served: Catalog, experiment: Experiment, steering: Path
) -> None:
    five, eight = (experiment.model_copy(update={"shadows": count}) for count in (5, 8))
    wait_for_status(served, served.submit(five), "done")
    before = len(begun(steering))
    wait_for_status(served, served.submit(eight), "done")
    added = sorted(name for name in begun(steering)[before:] if read_name(name).number is not None)
    kinds = ("fine_tune:pruned", "signals:pruned", "split", "train")
    assert added == [f"{kind}:{number}" for kind in kinds for number in (6, 7, 8)]


def test_a_killed_engine_takes_its_workers_along_and_the_next_one_resumes(
    catalog: Catalog, experiment: Experiment, steering: Path
) -> None:
    held = steering / "hold" / "train+0"
    held.touch()
    run_id = catalog.submit(experiment)
    with EngineProcess(catalog.store, *FAKE) as engine:
        wait_for_step(catalog, run_id, "train:0")
        wait_for_done(catalog, run_id, "fit:conf:pruned")  # all that the other worker can do
        family = engine.family()
        assert len(family) >= 3
        engine.kill()
        wait_until_gone(family)
    assert not engine_is_alive(catalog.store)
    assert catalog.run(run_id).status == "interrupted"
    held.unlink()
    with EngineProcess(catalog.store, *FAKE):
        wait_for_status(catalog, run_id, "done")
    cached = {view.name for view in catalog.steps(run_id) if view.cached}
    twice = Counter(begun(steering)) - Counter(step.name for step in plan(experiment).steps)
    assert twice == Counter(["train:0"])
    of_shadows = {s.name for s in plan(experiment).steps if s.number in (1, 2)}
    assert cached == {"data", "split:0", "fit:conf:pruned", *of_shadows}


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("SIGSEGV", "a fault in a library's code (SIGSEGV)"),
        ("SIGKILL", "a kill from outside (SIGKILL), perhaps because memory was full"),
    ],
    ids=["SIGSEGV", "SIGKILL"],
)
def test_a_step_that_kills_every_worker_fails_its_run_alone(
    served: Catalog, experiment: Experiment, steering: Path, name: str, cause: str
) -> None:
    (steering / "crash" / "train+0").write_text(name)
    run_id = served.submit(experiment)
    wait_for_status(served, run_id, "failed")
    log = log_path(served.store, plan(experiment).key("train:0"))
    error = served.run(run_id).error
    assert error == f"step train:0 ended its worker process 4 times, at last by {cause}: see {log}"
    told = log.read_text()
    assert told.startswith("train+0 prints this\n")
    assert told.endswith(f"It ended its worker process 4 times, at last by {cause}.\n")
    # nothing can report SIGKILL; other faults leave the stack of Python's functions
    assert ("Fatal Python error: Segmentation fault" in told) == (name == "SIGSEGV")
    assert ("fake_runner.py" in told) == (name == "SIGSEGV")
    (steering / "crash" / "train+0").unlink()
    served.submit(experiment)
    wait_for_status(served, run_id, "done")
    assert not log.exists(), "the step was done after all"


def test_a_running_run_is_cancelled_and_taken_up_again(
    served: Catalog, experiment: Experiment, steering: Path
) -> None:
    held = steering / "hold" / "train+0"
    held.touch()
    run_id = served.submit(experiment)
    wait_for_step(served, run_id, "train:0")
    served.request_cancel(run_id)
    wait_for_status(served, run_id, "cancelled")
    log = log_path(served.store, plan(experiment).key("train:0"))
    wait_until(lambda: not log.exists(), "a step that was told to stop has no log")
    held.unlink()
    served.submit(experiment)
    wait_for_status(served, run_id, "done")
    assert begun(steering).count("data") == 1


def test_a_mistake_in_a_step_is_told_and_its_traceback_kept(
    served: Catalog, engine: EngineProcess, experiment: Experiment, steering: Path
) -> None:
    (steering / "bug" / "train+1").touch()
    run_id = served.submit(experiment)
    wait_for_status(served, run_id, "failed")
    error = served.run(run_id).error
    log = log_path(served.store, plan(experiment).key("train:1"))
    assert "ZeroDivisionError: a mistake in the program" in error
    assert error.endswith(f"see {log}")
    line = 'raise ZeroDivisionError("a mistake in the program")'
    assert log.read_text().startswith("train+1 prints this\nTraceback")
    assert log.read_text().count(line) == 1
    wait_until(lambda: line in engine.log.read_text(), "the engine's log lacks it")
    assert "train+1 prints this" in engine.log.read_text()
    assert "split+1 prints this" in engine.log.read_text(), "of a step that was done, too"
    wait_until(lambda: [*log.parent.iterdir()] == [log], "a step that was stopped keeps a log")
    (steering / "bug" / "train+1").unlink()
    served.submit(experiment)
    wait_for_status(served, run_id, "done")
    assert not log.exists()


def test_an_idle_engine_ends_and_leaves_no_worker(tmp_path: Path) -> None:
    with EngineProcess(tmp_path / "store", *FAKE, "--idle-timeout", "3") as engine:
        wait_until(lambda: len(engine.family()) >= 3, "no workers")
        family = engine.family()
        assert engine.process.wait(DEADLINE) == 0
        wait_until_gone(family)


def test_one_engine_per_store(engine: EngineProcess) -> None:
    command = [sys.executable, "-m", "prunepriv", "engine", "--store", str(engine.store)]
    second = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert second.returncode == 2
    assert second.stderr == f"an engine already works on {engine.store}: one is enough\n"


def test_whoever_asks_gets_an_engine_that_outlives_him(
    catalog: Catalog, experiment: Experiment, steering: Path
) -> None:
    run_id = launch(experiment, catalog.store, FAKE)
    assert engine_is_alive(catalog.store)
    pid = engine_pid(catalog.store)
    assert os.getsid(pid) == pid, "it has a session of its own"
    ensure_engine(catalog.store, FAKE)
    assert engine_pid(catalog.store) == pid
    wait_for_status(catalog, run_id, "done")


def test_the_command_starts_an_engine_again_that_was_killed(
    catalog: Catalog, experiment: Experiment
) -> None:
    command = [
        sys.executable, "-m", "prunepriv", "run", "--store", str(catalog.store), "--limit", "400",
        "--shadows", "1", "--epochs", "3", "--attacks", "conf", "--models", "pruned",
        "--json", str(catalog.store / "out.json"),
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as client:
        wait_until(lambda: engine_is_alive(catalog.store), "no engine")
        wait_until(lambda: any(run.status == "running" for run in catalog.runs()), "no run")
        os.kill(engine_pid(catalog.store), signal.SIGKILL)
        _, errors = client.communicate(timeout=DEADLINE)
    assert client.returncode == 0, errors
    assert "restarting it" in errors
    assert json.loads((catalog.store / "out.json").read_text())["attacks"]


def test_the_scheduler_asks_for_credentials(
    served: Catalog, engine: EngineProcess, experiment: Experiment, steering: Path
) -> None:
    run_id = served.submit(experiment)
    wait_for_status(served, run_id, "done")  # so that all have started
    wait_until(
        lambda: len(_listening(engine)) == 5, "the scheduler, two workers and their two nannies"
    )
    for host, port in _listening(engine):
        assert host == "127.0.0.1"
        assert not _answers_plainly(port)
        assert not _answers_without_certificate(port)


def _listening(engine: EngineProcess) -> set[tuple[str, int]]:
    found = set()
    for process in engine.family():
        try:
            connections = process.net_connections(kind="inet")
        except psutil.NoSuchProcess:
            continue
        found |= {(c.laddr.ip, c.laddr.port) for c in connections if c.status == "LISTEN"}
    return found


def _answers_plainly(port: int) -> bool:
    """Whether anything but a refusal comes back without TLS."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        try:
            return connection.recv(100).startswith(b"HTTP")
        except ConnectionError:
            return False


def _answers_without_certificate(port: int) -> bool:
    """Whether a TLS client that shows no certificate gets a word in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        try:
            with context.wrap_socket(connection) as secured:
                return secured.recv(100) != b""
        except (ssl.SSLError, ConnectionError):
            return False


def test_a_full_disk_is_told_and_the_run_goes_on_afterwards(tmp_path: Path) -> None:
    """A limit on file sizes stands in for the full disk: the same error at the same place."""
    command = [
        sys.executable, "-m", "prunepriv", "run", "--inline", "--limit", "400", "--shadows", "1",
        "--epochs", "1", "--attacks", "conf", "--models", "original",
        "--store", str(tmp_path / "store"),
    ]  # fmt: skip

    def run(limit: str) -> subprocess.CompletedProcess[str]:
        shell = ["bash", "-c", f'ulimit -f {limit}; exec "$@"', "bash", *command]
        return subprocess.run(shell, capture_output=True, text=True, cwd=ROOT, check=False)

    full = run("1024")
    assert full.returncode == 2, full.stderr
    assert "no space left in" in full.stderr
    assert "Traceback" not in full.stderr
    store = ArtifactStore(tmp_path / "store")
    assert list((store.root / "drafts").iterdir()) == []
    again = run("unlimited")
    assert again.returncode == 0, again.stderr


REAL: dict[str, Any] = {
    "data": {"limit": 400},
    "training": {"epochs": 16, "patience": None},
    "shadows": 3,
    "models": ["pruned"],
    "attacks": {"names": ["conf", "nn", "lira"]},
}


@pytest.mark.slow
def test_a_real_run_has_the_same_artifacts_inline_and_after_every_accident(
    tmp_path: Path, catalog: Catalog
) -> None:
    """Byte by byte: stacks of three and of two, and then of those that an accident has left."""
    experiment = make_experiment(REAL)
    run_inline(experiment, tmp_path / "inline", threads=1)
    expected = artifacts(tmp_path / "inline", experiment)
    assert all(expected.values())
    run_inline(experiment, tmp_path / "side by side", threads=2)
    assert artifacts(tmp_path / "side by side", experiment) == expected
    run_id = catalog.submit(experiment)
    with EngineProcess(catalog.store) as engine:
        kill_worker_at(catalog, run_id, "train:1")
        wait_for_step(catalog, run_id, "fine_tune:pruned:1")
        engine.kill()
    assert catalog.run(run_id).status == "interrupted"
    with EngineProcess(catalog.store):
        wait_for_status(catalog, run_id, "done")
    assert artifacts(catalog.store, experiment) == expected
