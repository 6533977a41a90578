from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from prunepriv.engine import inline
from prunepriv.engine.inline import run_inline
from prunepriv.engine.reporting import StepReport
from prunepriv.engine.threads import Threads
from prunepriv.errors import Cancelled, DataError, EngineError
from prunepriv.experiment import Experiment
from prunepriv.plan import plan
from prunepriv.store import artifacts
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import claim
from prunepriv.store.result import Result
from prunepriv.store.step_logs import log_path
from prunepriv.store.step_rows import step_rows
from tests.fake_runner import RUNNER, SECONDS, begun


def test_the_steps_of_a_run_are_done_in_order(
    experiment: Experiment, catalog: Catalog, steering: Path
) -> None:
    run_id = run_inline(experiment, catalog.store, runner=RUNNER, threads=1)
    assert begun(steering) == [
        "data",
        *("split:0", "train:0", "fine_tune:pruned:0", "signals:pruned:0", "divergence:pruned"),
        *("split:1", "split:2"),
        *("train:1", "train:2"),
        *("fine_tune:pruned:1", "fine_tune:pruned:2"),
        *("signals:pruned:1", "signals:pruned:2"),
        *("fit:conf:pruned", "score:conf:pruned:adaptive", "evaluation:pruned:adaptive"),
        *("size:pruned", "checks"),
    ]
    assert catalog.run(run_id).status == "done"
    steps = catalog.steps(run_id)
    assert [step.name for step in steps] == [step.name for step in plan(experiment).steps]
    assert {(s.status, s.fraction, s.seconds, s.cached) for s in steps} == {
        ("done", 1.0, SECONDS, False)
    }
    assert all(step.curve == ({"epoch": 1.0, "loss": 0.5},) for step in steps)
    assert Result(ArtifactStore(catalog.store), experiment).complete
    assert list((catalog.store / "locks").iterdir()) == []


def test_checksums_are_compared_once_in_a_run(
    experiment: Experiment, catalog: Catalog, steering: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nearly every step reads the data set, and that of Purchase has 118 MB."""
    read: Counter[Path] = Counter()
    digest = artifacts._digest

    def counted(file: Path) -> str:
        read[file] += 1
        return digest(file)

    monkeypatch.setattr(artifacts, "_digest", counted)
    run_inline(experiment, catalog.store, runner=RUNNER)
    data = ArtifactStore(catalog.store).path(plan(experiment).key("data"))
    assert {file: count for file, count in read.items() if file.parent == data}
    assert max(read.values()) == 1


def test_a_finished_run_is_cached(
    experiment: Experiment, catalog: Catalog, steering: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_inline(experiment, catalog.store, runner=RUNNER)
    (steering / "begun").write_text("")
    monkeypatch.setattr(inline, "keep_memory", lambda: pytest.fail("there is no step to do"))
    run_id = run_inline(experiment, catalog.store, runner="no_module:is_imported")
    assert begun(steering) == []
    assert catalog.run(run_id).status == "done"
    assert all(step.cached and step.seconds == SECONDS for step in catalog.steps(run_id))


def test_a_failed_run_keeps_its_steps_and_continues_from_them(
    experiment: Experiment, catalog: Catalog, steering: Path
) -> None:
    (steering / "fail" / "fine_tune+pruned+1").touch()
    with pytest.raises(DataError, match="told to fail"):
        run_inline(experiment, catalog.store, runner=RUNNER, threads=1)
    run = catalog.run(experiment.run_id)
    assert (run.status, run.error) == ("failed", "fine_tune+pruned+1 was told to fail")
    log = log_path(catalog.store, plan(experiment).key("fine_tune:pruned:1"))
    assert log.read_text().startswith("Traceback")
    assert "told to fail" in log.read_text()
    assert list(log.parent.iterdir()) == [log]
    statuses = {step.name: step.status for step in catalog.steps(run.run_id)}
    assert statuses["train:1"] == "done"
    assert statuses["fine_tune:pruned:1"] == "failed"
    assert statuses["signals:pruned:1"] == "waiting"
    (steering / "fail" / "fine_tune+pruned+1").unlink()
    (steering / "begun").write_text("")
    run_inline(experiment, catalog.store, runner=RUNNER, threads=1)
    assert begun(steering)[:2] == ["fine_tune:pruned:1", "fine_tune:pruned:2"]
    assert not log.exists(), "the step is done"
    assert catalog.run(run.run_id).status == "done"


@pytest.mark.parametrize(
    ("accident", "error", "status"),
    [("fail", DataError, "failed"), ("bug", ZeroDivisionError, "waiting")],
)
def test_what_a_group_had_done_before_it_failed_is_told(
    experiment: Experiment,
    catalog: Catalog,
    steering: Path,
    accident: str,
    error: type[Exception],
    status: str,
) -> None:
    (steering / accident / "signals+pruned+2").touch()
    with pytest.raises(error):
        run_inline(experiment, catalog.store, runner=RUNNER, threads=1)
    assert catalog.run(experiment.run_id).status == "failed"
    steps = {step.name: step for step in catalog.steps(experiment.run_id)}
    assert steps["signals:pruned:1"].status == "done"
    assert steps["signals:pruned:1"].seconds == SECONDS
    assert steps["signals:pruned:2"].status == status


def test_a_bug_is_raised_and_the_run_is_not_left_running(
    experiment: Experiment, catalog: Catalog, steering: Path
) -> None:
    (steering / "bug" / "train+1").touch()
    with pytest.raises(ZeroDivisionError):
        run_inline(experiment, catalog.store, runner=RUNNER)
    assert catalog.run(experiment.run_id).status == "failed"


def test_a_run_is_cancelled_from_outside(
    experiment: Experiment, catalog: Catalog, steering: Path
) -> None:
    (steering / "hold" / "train+0").touch()

    def watch() -> None:
        train = next(s for s in catalog.steps(experiment.run_id) if s.name == "train:0")
        if train.status == "running" and train.message:
            catalog.request_cancel(experiment.run_id)

    with pytest.raises(Cancelled):
        run_inline(experiment, catalog.store, watch=watch, runner=RUNNER)
    assert catalog.run(experiment.run_id).status == "cancelled"
    statuses = {step.name: step.status for step in catalog.steps(experiment.run_id)}
    assert (statuses["split:0"], statuses["train:0"]) == ("done", "waiting")


def test_ctrl_c_cancels(experiment: Experiment, catalog: Catalog, steering: Path) -> None:
    def watch() -> None:
        if "train:0" in begun(steering):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_inline(experiment, catalog.store, watch=watch, runner=RUNNER)
    assert catalog.run(experiment.run_id).status == "cancelled"


def test_ctrl_c_after_the_last_step_finds_the_run_done(
    experiment: Experiment, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline, "StepReport", partial(StepReport, every=0.0))
    monkeypatch.setattr(Threads, "waiting", False)  # so that every message is shown by itself
    checks = ArtifactStore(catalog.store).path(plan(experiment).key("checks"))

    def watch() -> None:
        if checks.exists() and catalog.run(experiment.run_id).status == "running":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_inline(experiment, catalog.store, watch=watch, runner=RUNNER, threads=1)
    assert catalog.run(experiment.run_id).status == "done"


def test_a_run_that_another_process_works_on_is_refused(
    experiment: Experiment, catalog: Catalog
) -> None:
    catalog.submit(experiment)
    held = claim(catalog.store / "other.lock")
    assert held is not None
    assert catalog.begin(
        experiment.run_id, "other.lock", step_rows(ArtifactStore(catalog.store), experiment)
    )
    with pytest.raises(EngineError, match="being worked on already"):
        run_inline(experiment, catalog.store, runner=RUNNER)
    held.release()


def test_a_damaged_artifact_is_made_again(
    experiment: Experiment, catalog: Catalog, steering: Path
) -> None:
    run_inline(experiment, catalog.store, runner=RUNNER)
    store = ArtifactStore(catalog.store)
    damaged = store.path(plan(experiment).key("train:1")) / "report.json"
    whole = damaged.read_text()
    damaged.write_text(whole[:-5] + "    }")
    (steering / "begun").write_text("")
    run_inline(experiment, catalog.store, runner=RUNNER)
    assert begun(steering) == ["train:1"]
    assert damaged.read_text() == whole


def test_two_groups_are_done_at_the_same_time(
    experiment: Experiment, catalog: Catalog, steering: Path
) -> None:
    held = [steering / "hold" / name for name in ("train+0", "train+1")]
    for file in held:
        file.touch()

    def watch() -> None:
        running = {s.name for s in catalog.steps(experiment.run_id) if s.status == "running"}
        if {"train:0", "train:1"} <= running:
            for file in held:
                file.unlink(missing_ok=True)

    run_inline(experiment, catalog.store, watch=watch, runner=RUNNER, threads=2)
    assert not any(file.exists() for file in held)
    assert catalog.run(experiment.run_id).status == "done"


def test_if_one_step_fails_the_others_stop(
    experiment: Experiment, catalog: Catalog, steering: Path
) -> None:
    (steering / "hold" / "train+0").touch()
    (steering / "fail" / "train+2").touch()
    with pytest.raises(DataError, match="told to fail"):
        run_inline(experiment, catalog.store, runner=RUNNER, threads=2)
    assert catalog.run(experiment.run_id).error == "train+2 was told to fail"
    statuses = {step.name: step.status for step in catalog.steps(experiment.run_id)}
    assert (statuses["train:0"], statuses["train:2"]) == ("waiting", "failed")


@pytest.mark.parametrize(("usable", "threads"), [(1, 1), (2, 2), (64, inline.MOST_THREADS)])
def test_there_is_a_thread_per_core_up_to_a_limit(
    usable: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inline, "cores", lambda: usable)
    assert inline.default_threads() == threads


def test_memory_is_kept_for_the_next_step(
    experiment: Experiment, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    monkeypatch.setattr(inline, "keep_memory", lambda: kept.append(True))
    run_inline(experiment, catalog.store, runner=RUNNER)
    assert kept
