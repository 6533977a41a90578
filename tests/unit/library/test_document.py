"""``assets/library.md`` names everything that is public, and its examples run as printed."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import prunepriv
from prunepriv.library.keywords import NAMES
from tests.documents import ROOT, section

TEXT = (ROOT / "assets" / "library.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def public(thing: type) -> set[str]:
    """Public properties and methods of a class, and the attributes that its docstring names."""
    own = {name for name in vars(thing) if not name.startswith("_")}
    given = re.search(r"Attributes:\s+([\w, ]+): as given", inspect.getdoc(thing) or "")
    assert given is not None
    return own | set(given[1].split(", "))


def test_the_examples_run_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    assert len(EXAMPLES) > 5
    for number, example in enumerate(EXAMPLES):
        exec(compile(example, f"example {number}", "exec"), names)
    assert names["run"].status == names["again"].status == "done"
    assert names["run"].store == tmp_path / "store"
    assert len(names["smaller"].runs) == 3
    out = capsys.readouterr().out
    assert out.startswith(f"Run {names['run'].id}, done\nattack chosen beforehand: ")
    assert out.endswith("sparsity must lie in [0, 1), got 1.2\n")


@pytest.mark.parametrize("name", prunepriv.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    assert re.search(rf"`?\bprunepriv\.{name}\b", TEXT)


@pytest.mark.parametrize("thing", [prunepriv.Run, prunepriv.SweepRun])
def test_all_that_an_object_offers_is_documented(thing: type) -> None:
    table = TEXT.partition(f"| of a `prunepriv.{thing.__name__}`")[2].partition("\n\n")[0]
    cells = " ".join(line.split("|")[1] for line in table.splitlines()[1:])
    assert set(re.findall(r"`(\w+)", cells)) == public(thing)


def test_every_keyword_is_documented() -> None:
    part = section(TEXT, "Settings")
    assert set(NAMES) <= set(re.findall(r"`(\w+)`", part))


def test_every_figure_is_documented_with_its_options() -> None:
    part = section(TEXT, "Figures")
    for figure in prunepriv.FIGURES.values():
        options = ", ".join(f"`{name}`" for name in figure.options)
        assert f"| `{figure.name}` | {figure.summary} | {options} |" in part
    options_part = part.partition("| option | values |")[2]
    described = set(re.findall(r"^\| `(\w+)` \|", options_part, re.MULTILINE))
    assert described == {name for figure in prunepriv.FIGURES.values() for name in figure.options}
