"""Accidents at every kind of step, on the real engine: afterwards nothing is different, nothing is left.

Steps are the fake runner's. They are held in the middle of writing their artifact, so that an accident
comes at the worst moment; what the store holds shows when they have got there.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shlex
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.command import command_line
from prunepriv.plan import Plan, plan
from prunepriv.store.catalog import Catalog
from tests.e2e.conftest import start_server
from tests.e2e.engine_process import (
    ROOT,
    EngineProcess,
    assert_undisturbed,
    drafts,
    hold,
    wait_for_done,
    wait_for_status,
    wait_for_step,
    wait_until,
    wait_until_gone,
)
from tests.e2e.session import Session
from tests.fake_runner import RUNNER, begun

KINDS = {
    "data", "split", "train", "fine_tune", "signals", "population", "confidences", "divergence",
    "size", "fit", "score", "evaluation", "contrast", "checks",
}  # fmt: skip

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and signals of Linux")


def first_of_each_kind(whole: Plan) -> list[str]:
    found: dict[str, str] = {}
    for step in whole.steps:
        found.setdefault(step.kind, step.name)
    return list(found.values())


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


def test_the_server_and_the_command_are_killed_and_their_run_goes_on(
    served: Catalog, steering: Path, tmp_path: Path
) -> None:
    """The run was launched on the page; the command follows it."""
    held = hold(steering, "train:0")
    server = start_server(served.store)
    asyncio.run(_launch_on_the_page(server.port))
    (run,) = (one for one in served.runs() if one.active)
    command = [*shlex.split(command_line(run.experiment))[1:], "--store", str(served.store)]
    with subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, cwd=ROOT) as follower:
        family = [psutil.Process(follower.pid), *server.family]
        assert follower.stderr is not None
        assert follower.stderr.readline().startswith(f"{run.run_id}: ".encode())
        wait_until(lambda: drafts(served.store, plan(run.experiment).key("train:0")), "not begun")
        for process in (server.process, follower):
            process.kill()
    server.close()
    wait_until_gone(family)
    assert served.run(run.run_id).status == "running"
    held.unlink()
    wait_for_status(served, run.run_id, "done")
    assert_undisturbed(served.store, run.experiment, tmp_path)


async def _launch_on_the_page(port: int) -> None:
    query = {"new_shadows": "1", "new_models": "Original", "new_attacks": "Conf"}
    async with Session(port) as session:
        await session.open("run", query)
        await session.press(session.buttons["launch_button"])


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
