"""``data`` and ``--dataset`` on the user's own files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prunepriv import cli
from prunepriv.cli.data import chosen
from prunepriv.errors import DataError, ExperimentError, UnknownNameError
from prunepriv.options import DATASETS


@pytest.fixture
def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text("age,label\n" + "4,a\n7,b\n" * 20)
    return file


def said(*words: str) -> str:
    done = CliRunner().invoke(cli.app.app, words, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_data_reads_a_file_and_lists_it(people: Path, tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "store"))
    assert [line.split()[0] for line in said("data", *store).splitlines()] == list(DATASETS)
    first, second = said("data", str(people), *store).splitlines()
    assert first == "people: a table of 40 records of 1 feature, 2 classes"
    handle = re.fullmatch(r"run it with --dataset (own:[0-9a-f]{12})", second)
    assert handle is not None
    assert said("data", *store).splitlines()[-1].startswith(handle[1])
    assert chosen(handle[1], None, tmp_path / "store") == chosen(
        str(people), None, tmp_path / "store"
    )


def test_a_built_in_name_goes_before_a_file_of_that_name(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    people.rename(tmp_path / "digits")
    assert chosen("digits", None, tmp_path / "store") == {"name": "digits"}
    with pytest.raises(DataError, match="has a format that cannot be read"):
        chosen("./digits", None, tmp_path / "store")


def test_mistakes_are_told(people: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    with pytest.raises(DataError, match=r"nobody\.csv is not there"):
        chosen("nobody.csv", None, store)
    with pytest.raises(UnknownNameError, match="not in this store"):
        chosen("own:0000", None, store)
    with pytest.raises(ExperimentError, match="--label-column is of a file"):
        chosen("digits", "kind", store)
    with pytest.raises(DataError, match="no column 'kind'"):
        chosen(str(people), "kind", store)
    assert chosen(None, None, store) == {}
