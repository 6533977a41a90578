"""Every downloaded data set, read by the real loaders from small files in the official formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prunepriv.datasets import load
from prunepriv.datasets.archives import ARCHIVES
from prunepriv.errors import ArchiveError, DataError
from prunepriv.options import DATASETS
from tests.official_files import Official, describe, make_official

DOWNLOADED = [name for name, option in DATASETS.items() if not option.bundled]
RECORDS = 205


@pytest.fixture(scope="module", params=DOWNLOADED)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def made(name: str) -> Official:
    return make_official(name, RECORDS, np.random.default_rng(7))


@pytest.fixture
def folder(name: str, made: Official, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the data set's files; the table of archives describes them."""
    for file, content in made.files.items():
        (tmp_path / file).write_bytes(content)
    monkeypatch.setitem(ARCHIVES, name, describe(name, made))
    return tmp_path


def test_the_table_has_every_data_set_that_is_downloaded() -> None:
    assert sorted(ARCHIVES) == sorted(DOWNLOADED)
    for name, published in ARCHIVES.items():
        assert published.records == DATASETS[name].records
        for archive in published.files:
            assert archive.url.endswith(f"/{archive.file}")
            assert archive.dataset == DATASETS[name].label
            assert bool(archive.digest) == (archive.size is not None)
            assert len(archive.digest) in (0, 64)


def test_stated_sizes_are_those_of_the_files() -> None:
    for name, published in ARCHIVES.items():
        sizes = [archive.size for archive in published.files]
        if None not in sizes:
            megabytes = sum(size or 0 for size in sizes) / 1e6
            stated = f"{megabytes:.0f} MB" if megabytes > 1 else f"{megabytes:.1f} MB"
            assert DATASETS[name].download == stated


def test_records_and_labels_are_those_that_were_written(
    name: str, made: Official, folder: Path
) -> None:
    data = load(name, {}, folder)
    assert data.x.flags.c_contiguous
    np.testing.assert_array_equal(data.y, made.y)
    if name != "chmnist":  # its tiles are resized: see test_chmnist.py
        np.testing.assert_array_equal(data.x, made.x)


def test_progress_grows_and_names_the_file(name: str, folder: Path) -> None:
    heard: list[tuple[float, str]] = []
    load(name, {}, folder, lambda share, text="", point=None: heard.append((share, text)))
    shares = [share for share, _ in heard]
    assert shares == sorted(shares)
    assert shares[0] >= 0
    assert shares[-1] <= 1
    assert all(text.startswith("reading ") for _, text in heard)


@pytest.mark.parametrize("change", [-1, 1])
def test_another_number_of_records_is_refused(
    name: str, made: Official, folder: Path, monkeypatch: pytest.MonkeyPatch, change: int
) -> None:
    expected = RECORDS + change
    published = describe(name, made)
    monkeypatch.setitem(ARCHIVES, name, type(published)(published.files, expected))
    with pytest.raises(ArchiveError, match=f"{expected}") as told:
        load(name, {}, folder)
    assert str(RECORDS) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_truncated_file_is_refused_and_not_changed(
    name: str, made: Official, folder: Path
) -> None:
    file = next(iter(made.files))
    (folder / file).write_bytes(made.files[file][:-200])
    with pytest.raises(ArchiveError, match=file) as told:
        load(name, {}, folder)
    assert "\n" not in str(told.value)
    assert (folder / file).read_bytes() == made.files[file][:-200]


@pytest.mark.usefixtures("offline")
def test_the_error_for_an_empty_folder_names_the_missing_files(
    name: str, made: Official, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="is not on this machine") as told:
        load(name, {}, tmp_path)
    for archive in ARCHIVES[name].files:
        assert f"{archive.file} ({archive.checksum})" in str(told.value)
    assert str(tmp_path) in str(told.value)
