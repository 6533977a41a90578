"""Groups of steps: an artifact does not depend on its group, and nothing is written if one stops."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from prunepriv.errors import Cancelled, MissingArtifactError
from prunepriv.pipeline.steps import run_group
from prunepriv.plan import models_name, split_name
from prunepriv.progress import Report, silent
from prunepriv.store.artifacts import ArtifactStore
from tests.unit.pipeline.tiny_run import MODELS, Run, tiny


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("run"), tiny())


@pytest.mark.parametrize("kind", ["train", "fine_tune:defended"])
def test_steps_done_as_a_group_write_what_they_write_alone(
    run: Run, tmp_path: Path, kind: str
) -> None:
    """Models of a group are trained as one stack: no file depends on who is in the group."""
    store = ArtifactStore(tmp_path)
    numbers = range(1, MODELS)
    source = "original" if kind == "train" else "defended"
    group = [run.plan.by_name[models_name(source, n)] for n in numbers]
    for step in group:
        for key in step.inputs.values():
            copied = store.path(key)
            if not copied.exists():
                shutil.copytree(run.store.path(key), copied)
    began: list[str] = []

    def reports(name: str) -> Report:
        def report(fraction: float, message: str = "", point: object = None) -> None:
            if fraction == 0:
                began.append(name)

        return report

    run_group(group, store, tmp_path, [reports(step.name) for step in group])
    assert began == [step.name for step in group]
    for step in group:
        assert store.open(step.key).meta["files"] == run.store.open(step.key).meta["files"]


def test_a_cancelled_step_writes_nothing(run: Run, tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)

    def stop(fraction: float, message: str = "", point: object = None) -> None:
        raise Cancelled("enough")

    for name in ("data", split_name()):
        run_group([run.plan.by_name[name]], store, tmp_path, [silent])
    train = run.plan.by_name[models_name("original")]
    with pytest.raises(Cancelled, match="enough"):
        run_group([train], store, tmp_path, [stop])
    assert not store.has(train.key)


def test_a_step_without_its_inputs_says_so(run: Run, tmp_path: Path) -> None:
    with pytest.raises(MissingArtifactError):
        run_group(
            [run.plan.by_name[models_name("original")]], ArtifactStore(tmp_path), tmp_path, [silent]
        )
