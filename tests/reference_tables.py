"""Write the reference's tables of options from the tables that the program uses.

``python -m tests.reference_tables`` writes them into ``assets/reference.md``; a test fails if they
differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from prunepriv.experiment.command import text
from prunepriv.experiment.settings import SETTINGS, Setting
from prunepriv.options import APPROACHES, ATTACKS, DATASETS, DEFENSES, MODELS, RECIPES
from tests.documents import REFERENCE


def tables() -> dict[str, str]:
    """Each table in Markdown, by the name of its markers."""
    return {
        "datasets": _table(
            ("name", "records", "of", "classes", "what it is"),
            (
                (
                    f"`{o.name}`",
                    f"{o.records:,}",
                    f"{o.shape[0]} binary features"
                    if o.kind == "tabular"
                    else f"{o.shape[1]}x{o.shape[2]} pixels, "
                    + ("grey" if o.shape[0] == 1 else "colour"),
                    str(o.classes),
                    o.summary + (f" Downloaded once, {o.download}." if o.download else ""),
                )
                for o in DATASETS.values()
            ),
        ),
        "models": _table(
            ("name", "takes", "what it is"),
            ((f"`{o.name}`", o.serves, o.summary) for o in MODELS.values()),
        ),
        "approaches": _table(
            ("name", "what it does", "source"),
            ((f"`{o.name}`", o.summary, o.source) for o in APPROACHES.values()),
        ),
        "defenses": _table(
            ("name", "what it does", "source"),
            ((f"`{o.name}`", o.summary, o.source) for o in DEFENSES.values()),
        ),
        "attacks": _table(
            ("name", "what it does", "score", "source"),
            (
                (f"`{o.name}`", o.summary, f"`{o.score}`", o.source.replace("; ", ", "))
                for o in ATTACKS.values()
            ),
        ),
        "fitted": _table(
            ("name", "fitted on shadows", "not fitted"),
            ((f"`{o.name}`", o.fitted, o.fixed) for o in ATTACKS.values()),
        ),
        "recipes": _table(
            ("name", "how attack networks are trained", "source"),
            ((f"`{o.name}`", o.summary, o.source) for o in RECIPES.values()),
        ),
        "settings": _table(
            ("option", "in a sweep", "what it is", "default"),
            ((f"`{s.option}`", f"`{s.path}`", _meaning(s), _default(s).strip()) for s in SETTINGS),
        ),
    }


def filled(text: str) -> str:
    """The reference with a new table between each pair of markers."""
    for name, table in tables().items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"the reference must hold {start} ... {end} once")
        text = pattern.sub(lambda _: f"{start}\n{table}\n{end}", text)  # noqa: B023 called at once
    return text


def _meaning(setting: Setting) -> str:
    """The field's description, what 0 means, and which option the field needs."""
    users = setting.used_by
    only = f" Only for {users.owner}." if users.owner else ""
    zero = f" 0: {setting.zero}." if setting.zero else ""
    return setting.help + only + zero


def _default(setting: Setting) -> str:
    if setting.otherwise or setting.default in (None, {}):
        return setting.otherwise
    return f"`{text(setting.default)}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


if __name__ == "__main__":
    REFERENCE.write_text(filled(REFERENCE.read_text()))
