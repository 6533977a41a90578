"""The Markdown documents of the project, and the anchors that point into them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
REFERENCE = ROOT / "assets" / "reference.md"
METHOD_FILE = ROOT / "assets" / "method.md"


def sections(text: str) -> dict[str, str]:
    """What stands below each heading of a Markdown text, by the heading's anchor.

    A body ends at the next heading, of whatever level, so that of a heading with nothing but
    smaller headings below it is empty. Lines within ``` fences are no headings.

    Raises:
        ValueError: two headings with one anchor.
    """
    found: dict[str, str] = {}
    anchor, fenced = "", False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        heading = None if fenced else re.match(r"#+ (.+)", line)
        if heading is None:
            found[anchor] = found.get(anchor, "") + line.strip()
            continue
        anchor = slug(heading[1])
        if anchor in found:
            raise ValueError(f"two headings have the anchor #{anchor}")
        found[anchor] = ""
    return found


def slug(heading: str) -> str:
    """The anchor that GitHub and Streamlit give to a heading of plain words."""
    return heading.lower().replace(" ", "-")


def section(text: str, heading: str) -> str:
    """The part of a document from a heading of the second level to the next one.

    Raises:
        ValueError: no such heading.
    """
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    for part in parts[1:]:
        if part.partition("\n")[0] == heading:
            return part
    raise ValueError(f"no heading {heading!r}")
