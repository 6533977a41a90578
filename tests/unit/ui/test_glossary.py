from __future__ import annotations

import ast
from pathlib import Path

import pytest

from prunepriv.ui.glossary import glossary, tip

ROOT = Path(__file__).resolve().parents[3]


def used_terms() -> set[str]:
    """Every term whose tooltip a page uses by name."""
    names = set()
    for file in [*(ROOT / "prunepriv" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tip":
                names |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return names


@pytest.mark.parametrize("term", sorted(used_terms()))
def test_every_term_that_a_page_uses_is_explained(term: str) -> None:
    assert glossary()[term].label in tip(term)


@pytest.mark.parametrize(
    "term",
    ["undecided", "clear", "guessing", "epochs_kept", "chosen_attack", "policy", "while_training"],
)
def test_the_words_of_comparisons_are_explained(term: str) -> None:
    assert term in glossary()


def test_several_terms_share_a_tooltip() -> None:
    assert tip("clear", "undecided") == f"{tip('clear')}\n\n{tip('undecided')}"


def test_every_term_is_a_sentence_or_two() -> None:
    for term in glossary().values():
        assert term.short.endswith(".")
        assert len(term.short) < 300
