"""The names of steps are made and read in one file, and written out in no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from prunepriv.experiment import make_experiment
from prunepriv.plan import OF_ONE_MODEL, StepKind, plan, read_name, step_words

ROOT = Path(__file__).resolve().parents[3]
OWNER = ROOT / "prunepriv" / "plan" / "names.py"
SOURCES = [
    *sorted((ROOT / "prunepriv").rglob("*.py")),
    *sorted((ROOT / "pages").glob("*.py")),
    *sorted((ROOT / "benchmarks").rglob("*.py")),
    ROOT / "app.py",
]
ONCE = {"data", "checks"}
"""Kinds whose name is the kind alone."""
BEGINNING = re.compile(rf"(?:{'|'.join(set(get_args(StepKind)) - ONCE)}):(?=\w|$)")
"""How a name begins that has more parts than its kind."""
TAKES_NAMES = {"artifact", "provenance", "provenance_of", "read_name", "key"}
"""Methods whose arguments are names: there, a kind alone is a name too."""


def written(tree: ast.AST) -> Iterator[str]:
    """Every step's name that is written out in a file."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in documentation and BEGINNING.match(node.value):
                yield node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in TAKES_NAMES:
                yield from (
                    argument.value
                    for argument in node.args
                    if isinstance(argument, ast.Constant) and argument.value in get_args(StepKind)
                )
        elif (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "by_name"
            and isinstance(node.slice, ast.Constant)
        ):
            yield node.slice.value


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_name_is_written_out_elsewhere(file: Path) -> None:
    if file == OWNER:
        return
    assert list(written(ast.parse(file.read_text()))) == []


@pytest.mark.parametrize(
    "line",
    [
        'frame.provenance(f"signals:{kind}")',
        'result.artifact("checks")',
        'plan.key("train")',
        'whole.by_name["checks"]',
        'name = "fine_tune:" + kind',
        'name.removeprefix("score:")',
    ],
)
def test_the_search_finds_a_written_name(line: str) -> None:
    assert list(written(ast.parse(line)))


def test_the_search_ignores_other_text() -> None:
    text = '"""The step signals:pruned."""\nkey = "split"\nstep.kind == "train"\n"fit: how well"\n'
    assert list(written(ast.parse(text))) == []


def test_every_name_of_a_run_is_read_as_it_was_made() -> None:
    experiment = make_experiment(
        {"defense": {"name": "ppb"}, "knowledge": {"sparsity": 0.5}, "models": "all"}
    )
    for step in plan(experiment).steps:
        name = read_name(step.name)
        assert name.kind == step.kind
        assert ":".join(filter(None, (name.kind, name.rest))) == step.name
        assert name.attack == step.params.get("attack", "")
        assert name.assumed == (":assumed" in step.name)
        assert (name.number is None) == (step.kind not in OF_ONE_MODEL)


def test_the_parts_of_a_name() -> None:
    fit = read_name("fit:samia:assumed:pruned")
    assert (fit.attack, fit.source, fit.assumed) == ("samia", "assumed:pruned", True)
    score = read_name("score:top3_nn:defended:non_adaptive")
    assert (score.attack, score.source) == ("top3_nn", "defended")
    assert (score.adversary, score.words) == ("non_adaptive", "top3_nn defended non_adaptive")
    assert read_name("checks").rest == ""
    shadow = read_name("fine_tune:assumed:pruned:3")
    assert (shadow.source, shadow.number, shadow.assumed) == ("assumed:pruned", 3, True)
    assert shadow.group == "fine_tune:assumed:pruned"
    assert (read_name("train:0").number, read_name("train:assumed:12").number) == (0, 12)


def test_names_as_people_read_them() -> None:
    words = {
        "train:0": "train target",
        "fine_tune:pruned:3": "fine tune pruned shadow 3",
        "fit:samia:pruned": "fit samia pruned",
        "checks": "checks",
    }
    assert {name: step_words(name) for name in words} == words


@pytest.mark.parametrize(
    "text", ["", "samia", "fits:samia:pruned", "train", "signals:pruned", "train:x", "train:-1"]
)
def test_what_is_not_a_name(text: str) -> None:
    with pytest.raises(ValueError, match="no step is called"):
        read_name(text)
