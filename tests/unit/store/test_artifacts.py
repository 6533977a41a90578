"""Nothing half-written is ever read, nothing damaged is trusted, nothing is lost on a full disk."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import resource
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest
import safetensors
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from prunepriv.errors import MissingArtifactError, StoreError, StoreFullError
from prunepriv.store.artifacts import META, ArtifactStore

KEY = "ab" * 32
OTHER = "cd" * 32


def fill(store: ArtifactStore, key: str = KEY, value: float = 1.0) -> None:
    with store.write(key, {"kind": "train", "seconds": 0.5}) as draft:
        draft.tensors("model", {"weight": np.full((2, 3), value, np.float32)})
        draft.json("report", {"value": value})


def interrupted(store: ArtifactStore, error: Exception) -> None:
    """Write one file, then fail."""
    with store.write(KEY, {}) as draft:
        draft.json("report", 1)
        raise error


def leftovers(store: ArtifactStore) -> list[Path]:
    drafts = store.root / "drafts"
    return list(drafts.iterdir()) if drafts.exists() else []


def test_what_was_written_is_read(store: ArtifactStore) -> None:
    assert not store.has(KEY)
    fill(store)
    assert store.has(KEY)
    artifact = store.open(KEY)
    np.testing.assert_array_equal(artifact.tensors("model")["weight"], np.ones((2, 3)))
    assert artifact.json("report") == {"value": 1.0}
    assert (artifact.meta["kind"], artifact.meta["key"]) == ("train", KEY)
    assert artifact.has("report.json")
    assert not artifact.has("masks.safetensors")
    assert leftovers(store) == []


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
        hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4),
    )
)
def test_tensors_keep_type_shape_and_value(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray
) -> None:
    store = ArtifactStore(tmp_path_factory.mktemp("store"))
    with store.write(KEY, {}) as draft:
        draft.tensors("t", {"as given": array, "turned": array.T})
    read = store.open(KEY).tensors("t")
    assert read["as given"].dtype == array.dtype
    np.testing.assert_array_equal(read["as given"], array)
    np.testing.assert_array_equal(read["turned"], array.T)


def test_nothing_appears_before_the_block_ends(store: ArtifactStore) -> None:
    with store.write(KEY, {}) as draft:
        draft.json("report", 1)
        assert not store.has(KEY)
        assert not ArtifactStore(store.root).has(KEY)
    assert store.has(KEY)


def test_a_block_that_fails_leaves_nothing(store: ArtifactStore) -> None:
    with pytest.raises(RuntimeError, match="midway"):
        interrupted(store, RuntimeError("midway"))
    assert not store.has(KEY)
    assert leftovers(store) == []


def test_an_interrupted_write_can_be_done_again(store: ArtifactStore) -> None:
    """A killed process leaves a draft, which does not block the next write."""
    (store.root / "drafts" / f"{KEY[:12]}-killed").mkdir(parents=True)
    fill(store)
    assert store.open(KEY).json("report") == {"value": 1.0}


def test_values_that_are_not_json_are_refused(store: ArtifactStore) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"), store.write(KEY, {}) as draft:
        draft.json("report", float("nan"))
    assert not store.has(KEY)


def test_written_once_never_changed(store: ArtifactStore) -> None:
    fill(store, value=1.0)
    fill(store, value=2.0)
    assert ArtifactStore(store.root).open(KEY).json("report") == {"value": 1.0}
    assert leftovers(store) == []


def _race(root: Path, barrier, value: float) -> None:
    barrier.wait()
    fill(ArtifactStore(root), value=value)


def test_writers_at_the_same_time_leave_one_whole_artifact(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    writers = [context.Process(target=_race, args=(tmp_path, barrier, v)) for v in (1.0, 2.0, 3.0)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    store = ArtifactStore(tmp_path)
    value = store.open(KEY).json("report")["value"]
    assert (store.open(KEY).tensors("model")["weight"] == value).all(), "of one writer"
    assert leftovers(store) == []


# --- damage ---


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def flip_last_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("harm", [truncate, flip_last_byte, Path.unlink])
@pytest.mark.parametrize("name", ["model.safetensors", "report.json"])
def test_a_damaged_file_is_set_aside_and_can_be_made_again(
    store: ArtifactStore, name: str, harm
) -> None:
    fill(store)
    harm(store.path(KEY) / name)
    fresh = ArtifactStore(store.root)  # another process: has verified nothing yet
    with pytest.raises(MissingArtifactError, match="damaged and set aside"):
        fresh.open(KEY)
    assert not fresh.has(KEY)
    assert [p.name for p in (store.root / "damaged").glob("*/*")] == [KEY], "kept for inspection"
    fill(fresh)
    assert ArtifactStore(store.root).has(KEY)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": 3}', "\x00"])
def test_a_damaged_description_is_set_aside(store: ArtifactStore, text: str) -> None:
    fill(store)
    (store.path(KEY) / META).write_text(text)
    assert not ArtifactStore(store.root).has(KEY)
    assert not store.path(KEY).exists()


@pytest.mark.parametrize("files", [{"report.json": 3}, {"report.json": [1, 2, 3]}, {"a": None}])
def test_a_description_with_nonsense_in_it_is_set_aside(store: ArtifactStore, files) -> None:
    fill(store)
    (store.path(KEY) / META).write_text(json.dumps({"files": files}))
    assert not ArtifactStore(store.root).has(KEY)


def test_truncation_is_seen_even_after_a_check(store: ArtifactStore) -> None:
    fill(store)
    assert store.has(KEY)
    truncate(store.path(KEY) / "model.safetensors")
    assert not store.has(KEY)


def test_a_file_that_the_artifact_never_held(store: ArtifactStore) -> None:
    fill(store)
    with pytest.raises(MissingArtifactError, match=r"masks\.safetensors cannot be read"):
        store.open(KEY).tensors("masks")
    with pytest.raises(MissingArtifactError, match=r"gaps\.json cannot be read"):
        store.open(KEY).json("gaps")


def test_nothing_under_the_key(store: ArtifactStore) -> None:
    with pytest.raises(MissingArtifactError, match=f"no artifact {OTHER[:12]}"):
        store.open(OTHER)
    assert not store.root.exists(), "looking makes no folder"


# --- the disk ---


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_reported_and_nothing_stays(store: ArtifactStore, code: int) -> None:
    with pytest.raises(StoreFullError, match=r"no space left in .*free some"):
        interrupted(store, OSError(code, os.strerror(code)))
    assert not store.has(KEY)
    assert leftovers(store) == []


@pytest.mark.parametrize("words", ["No space left on device", "File too large"])
def test_a_full_disk_as_safetensors_reports_it(store: ArtifactStore, words: str) -> None:
    with pytest.raises(StoreFullError, match="no space left"), store.write(KEY, {}):
        raise safetensors.SafetensorError(f"Error while serializing: I/O error: {words}")


def _write_beyond_the_limit(root: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
    with pytest.raises(StoreFullError), ArtifactStore(root).write(KEY, {}) as draft:
        draft.tensors("model", {"weight": np.zeros(1 << 16)})


def test_tensors_larger_than_a_file_may_be(tmp_path: Path) -> None:
    """Safetensors raises its own error; here in a separate process that may write 64 kB."""
    context = multiprocessing.get_context("spawn")
    writer = context.Process(target=_write_beyond_the_limit, args=(tmp_path,))
    writer.start()
    writer.join(60)
    assert writer.exitcode == 0
    assert not ArtifactStore(tmp_path).has(KEY)
    assert leftovers(ArtifactStore(tmp_path)) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a Linux device")
def test_a_really_full_device(store: ArtifactStore) -> None:
    def report_to_the_device() -> None:
        with store.write(KEY, {}) as draft:
            (draft.path / "report.json").symlink_to("/dev/full")
            draft.json("report", "x" * 100_000)

    with pytest.raises(StoreFullError):
        report_to_the_device()
    assert not store.has(KEY)


def test_a_store_that_is_removed_meanwhile_is_told(store: ArtifactStore) -> None:
    def write() -> None:
        with store.write(KEY, {}) as draft:
            shutil.rmtree(store.root)
            draft.json("value", 1)

    with pytest.raises(StoreError, match="was removed while a step was written to it: submit"):
        write()
    assert not store.root.exists()


def test_other_errors_of_the_system_are_raised(store: ArtifactStore) -> None:
    with pytest.raises(OSError, match="Input/output"), store.write(KEY, {}):
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    assert leftovers(store) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(store: ArtifactStore) -> None:
    store.root.mkdir()
    store.root.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StoreError, match="cannot be written to: choose another --store"):
        fill(store)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_refused_permission_is_reported(store: ArtifactStore, code: int) -> None:
    with pytest.raises(StoreError, match="cannot be written to"), store.write(KEY, {}):
        raise OSError(code, os.strerror(code))


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_damaged_artifact_that_cannot_be_moved_away_is_told(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """As on Windows, where another process has a file of it mapped."""
    fill(store)
    (store.path(KEY) / "meta.json").write_text("{")

    def refuse(source: Path, target: Path) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(StoreError, match=r"is damaged and cannot be moved away \(.*\): close"):
        store.has(KEY)
    assert list((store.root / "damaged").iterdir()) == []


# --- keys from outside ---


@pytest.mark.parametrize(
    "key",
    ["", "ab", "../../etc/passwd", "AB" * 32, "g" * 64, "a" * 63 + "/", "ab" * 33, "\x00" * 64],
)
def test_no_text_from_outside_becomes_a_path(store: ArtifactStore, key: str) -> None:
    for use in (store.path, store.has, store.open):
        with pytest.raises(StoreError, match="64 hexadecimal digits"):
            use(key)


@given(st.text(max_size=80))
def test_a_path_never_leaves_the_store(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    store = ArtifactStore(tmp_path_factory.getbasetemp() / "store")
    try:
        path = store.path(key)
    except StoreError:
        return
    assert path.resolve().is_relative_to(store.root.resolve())
