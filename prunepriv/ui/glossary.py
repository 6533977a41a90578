"""The field's terms in plain words, from one file; the pages show them as tooltips."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from prunepriv.environment import ASSETS


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the field.

    Attributes:
        label: the term as it is written in a text.
        short: one or two sentences, for a tooltip.
        how: how it is computed, with the formula in plain text; may be empty.
    """

    label: str
    short: str
    how: str = ""


@cache
def glossary() -> dict[str, Term]:
    """Every term by its key in ``assets/glossary.json``."""
    text = (ASSETS / "glossary.json").read_text(encoding="utf-8")
    return {key: Term(**entry) for key, entry in json.loads(text).items()}


def tip(*keys: str) -> str:
    """The tooltip of a term or of several, for any widget's ``help``."""
    return "\n\n".join(_told(glossary()[key]) for key in keys)


def _told(term: Term) -> str:
    return f"**{term.label}.** {term.short}" + (f"\n\n{term.how}" if term.how else "")
