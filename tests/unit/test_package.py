"""What the repository says of itself: the version, how it is built, how it is cited."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from prunepriv import __version__
from prunepriv.environment import ASSETS

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def citation() -> dict[str, Any]:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    value = yaml.safe_load(text)
    assert isinstance(value, dict)
    return value


def test_the_citation_has_what_its_format_requires(citation: dict[str, Any]) -> None:
    assert citation["cff-version"] == "1.2.0"
    for key in ("message", "title"):
        assert isinstance(citation[key], str)
    assert citation["type"] == "software"
    assert all(author.keys() & {"name", "family-names"} for author in citation["authors"])


def test_the_citation_names_this_version(citation: dict[str, Any]) -> None:
    assert citation["version"] == __version__


def test_the_citation_refers_to_the_paper(citation: dict[str, Any]) -> None:
    (paper,) = citation["references"]
    assert paper["type"] == "conference-paper"
    assert paper["title"] == ("Membership Inference Attacks and Defenses in Neural Network Pruning")
    assert [author["family-names"] for author in paper["authors"]] == ["Yuan", "Zhang"]
    assert paper["year"] == 2022


def test_the_changelog_begins_with_this_version_and_its_figures() -> None:
    text = (ASSETS / "changelog.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == __version__
    numbers = [tuple(map(int, version.split("."))) for version in versions]
    assert numbers == sorted(numbers, reverse=True)
    parts = [re.findall(r"\*\*(.+?)\*\*", entry) for entry in text.split("\n## ")[1:]]
    assert [part[0] for part in parts] == ["Figures."] * len(versions)


def test_the_version_stands_in_one_place() -> None:
    assert "version" in PROJECT["project"]["dynamic"]
    file = ROOT / PROJECT["tool"]["hatch"]["version"]["path"]
    assert f'__version__ = "{__version__}"' in file.read_text()


def test_what_builds_the_package_is_pinned_for_the_tests_too() -> None:
    pins = (ROOT / "tests" / "requirements.txt").read_text().split()
    assert set(PROJECT["build-system"]["requires"]) <= set(pins)
