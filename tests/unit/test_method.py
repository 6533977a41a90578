"""What docstrings and documents cite of the method is there to be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import METHOD_FILE, README, ROOT, sections

TEXT = METHOD_FILE.read_text()
ANCHORS = sections(TEXT)
# a word of small letters, one of capitals, or one that begins with a capital
PLAIN = r"(?:[A-Z]?[a-z0-9]+|[A-Z0-9]+)"


def citing_files() -> Iterator[Path]:
    """Everything that people write and that may cite the method."""
    for folder in ("prunepriv", "pages", "benchmarks", "tests"):
        yield from (
            file for file in (ROOT / folder).rglob("*.py") if file != Path(__file__).resolve()
        )
    yield ROOT / "app.py"
    yield README
    yield from (ROOT / "assets").glob("*.md")
    yield from (ROOT / "assets").glob("*.json")


def cited(text: str) -> list[str]:
    """The anchors of the method that a text names."""
    return re.findall(r"\bmethod\.md#([\w-]+)", text)


def mistakes(text: str) -> list[str]:
    """What is wrong with the citations in a text, a sentence each."""
    wrong = [
        f"no section #{anchor}" if anchor not in ANCHORS else f"section #{anchor} is empty"
        for anchor in cited(text)
        if not ANCHORS.get(anchor)
    ]
    if re.search(r"\bMETHOD\b", text):
        wrong.append("METHOD names no anchor: cite assets/method.md#...")
    return wrong


def test_every_citation_of_the_method_leads_to_a_section() -> None:
    wrong = {str(file.relative_to(ROOT)): mistakes(file.read_text()) for file in citing_files()}
    assert {file: found for file, found in wrong.items() if found} == {}


def test_the_code_that_follows_the_method_cites_it() -> None:
    citing = {str(file.relative_to(ROOT)) for file in citing_files() if cited(file.read_text())}
    for file in ("signals.py", "divergence.py", "evaluation/contrasts.py", "datasets/splits.py"):
        assert f"prunepriv/{file}" in citing


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("assets/method.md#no-such-section", "no section #no-such-section"),
        ("Adam (METHOD section 3)", "METHOD names no anchor"),
        ("see method.md#control, as METHOD says", "METHOD names no anchor"),
    ],
)
def test_a_wrong_citation_is_found(text: str, found: str) -> None:
    (sentence,) = mistakes(text)
    assert sentence.startswith(found)


def test_an_empty_section_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANCHORS, "control", sections("## Control\n\n## Next\ntext")["control"])
    assert mistakes("method.md#control") == ["section #control is empty"]
    assert sections("## One\ntext\n```\n## no heading\n```")["one"] != ""
    with pytest.raises(ValueError, match="two headings have the anchor #one"):
        sections("## One\n## One")


@pytest.mark.parametrize("anchor", ANCHORS)
def test_every_section_says_something(anchor: str) -> None:
    assert ANCHORS[anchor]


def test_headings_have_one_anchor_everywhere() -> None:
    """GitHub and Streamlit make the same anchor of plain words only: "LiRA" is li-ra to one."""
    for heading in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE):
        for word in re.split("[ -]", heading):
            assert re.fullmatch(PLAIN, word), heading
    assert not re.fullmatch(PLAIN, "LiRA")


def test_formulas_survive_markdown() -> None:
    """GitHub drops a backslash before a sign: a formula may have it before letters only."""
    assert re.findall(r"\\[^A-Za-z]", TEXT) == []
    assert TEXT.count("\n$$\n") % 2 == 0
    assert TEXT.count("$") % 2 == 0
