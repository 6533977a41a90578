"""What processes that were killed have left."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunepriv.engine.leftovers import remove_leftovers
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.locks import claim

MINE = "engine.lock"
KEY = "ab" * 32


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """Of a writer who is no more."""
    made = tmp_path / "drafts" / f"{KEY[:12]}-x"
    made.mkdir(parents=True)
    (made / "model.safetensors").write_text("half")
    return made


def test_drafts_go_and_artifacts_stay(tmp_path: Path, draft: Path) -> None:
    with ArtifactStore(tmp_path).write(KEY, {}) as other:
        other.json("value", 1)
    held = claim(tmp_path / MINE)
    assert held is not None
    remove_leftovers(tmp_path, MINE)
    held.release()
    assert not draft.exists()
    assert ArtifactStore(tmp_path).has(KEY)


@pytest.mark.parametrize("lock", ["engine.lock", "locks/inline-1.lock"], ids=["engine", "inline"])
def test_drafts_stay_while_another_process_may_write_them(
    tmp_path: Path, draft: Path, lock: str
) -> None:
    other = claim(tmp_path / lock)
    assert other is not None
    remove_leftovers(tmp_path, "locks/inline-2.lock")
    assert draft.exists()
    other.release()
    remove_leftovers(tmp_path, "locks/inline-2.lock")
    assert not draft.exists()


def test_the_lock_of_an_inline_run_that_was_killed_goes(tmp_path: Path, draft: Path) -> None:
    folder = tmp_path / "locks"
    folder.mkdir()
    for name in ("inline-1.lock", "inline-1.pid"):
        (folder / name).write_text("")
    mine = claim(tmp_path / "locks/inline-2.lock")
    assert mine is not None
    remove_leftovers(tmp_path, "locks/inline-2.lock")
    assert {file.name for file in folder.iterdir()} == {"inline-2.lock", "inline-2.pid"}
    assert not draft.exists()
    mine.remove()
    assert list(folder.iterdir()) == []


def test_a_store_without_drafts(tmp_path: Path) -> None:
    remove_leftovers(tmp_path, MINE)
    assert list(tmp_path.iterdir()) == []
