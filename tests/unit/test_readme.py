"""The README tells the truth about what can be chosen, what is written, and how it is tested."""

from __future__ import annotations

import json
import re

import pytest
import typer

from prunepriv import cli
from prunepriv.plan import Target
from prunepriv.store.result import Result
from tests.readme_tables import README, filled

ROOT = README.parent
TEXT = README.read_text()


def commands() -> list[str]:
    return re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)


def test_option_tables_are_those_of_the_program() -> None:
    assert filled(TEXT) == TEXT, "run: python -m tests.readme_tables"


def test_tables_need_their_place() -> None:
    with pytest.raises(ValueError, match="datasets"):
        filled("a README without marks")


def test_the_two_commands_set_themselves_up() -> None:
    dashboard, tests = commands()[:2]
    for command, requirements in (
        (dashboard, "requirements.txt"),
        (tests, "tests/requirements.txt"),
    ):
        assert command.startswith("python3 -m venv ")
        assert f"-r {requirements} && " in command
        assert (ROOT / requirements).is_file()
    assert dashboard.endswith("streamlit run app.py")
    assert tests.endswith("python -m pytest")


def test_ci_runs_the_readmes_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    pattern = re.search(r"grep -m 1 '(.*)' README\.md", script)
    assert pattern is not None
    found = [line for line in TEXT.splitlines() if re.search(pattern[1], line)]
    assert found[:1] == [commands()[1]]


@pytest.mark.parametrize("file", ["requirements.txt", "tests/requirements.txt"])
def test_dependencies_are_pinned_exactly(file: str) -> None:
    for line in (ROOT / file).read_text().splitlines():
        requirement = line.partition("#")[0].strip()
        if requirement and not requirement.startswith("-r "):
            assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9_.]*", requirement), line


def schema_fields() -> list[str]:
    """What the JSON is promised to hold, "attacks[].auc" for example."""
    fields = []
    for name, part in json.loads((ROOT / "assets" / "run.schema.json").read_text())[
        "properties"
    ].items():
        inner = part.get("items", {}).get("properties", {})
        fields += [f"{name}[].{field}" for field in inner] or [name]
    return fields


def test_commands_and_options_exist() -> None:
    part = TEXT.partition("## The command line")[2].partition("## What can be chosen")[0]
    known = typer.main.get_command(cli.app.app).commands
    named = {"run", *re.findall(r"^\| `([a-z]+)", part, re.MULTILINE)}
    assert named == set(known)
    taken = {option for command in known.values() for p in command.params for option in p.opts}
    used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", part)) - {"--help"}
    assert len(used) > 10
    assert used <= taken


@pytest.mark.parametrize("field", schema_fields())
def test_every_promised_json_field_is_documented(field: str) -> None:
    assert f"`{field}`" in TEXT


def test_every_further_json_field_is_documented(finished: Result) -> None:
    gaps = finished.gaps("pruned")
    evaluation = finished.evaluation(Target("pruned", "adaptive"))
    assert gaps is not None
    assert evaluation is not None
    written = {f"gaps[].{name}" for name in gaps} | {f"attacks[].{name}" for name in evaluation[0]}
    documented = set(re.findall(r"`((?:gaps|attacks)\[\]\.\w+)`", TEXT))
    assert written | {"gaps[].model", "attacks[].model", "attacks[].adversary"} == documented


def test_links_to_files_are_not_dead() -> None:
    for name in re.findall(r"`((?:prunepriv|tests|pages|\.ci)/[\w./]*)`", TEXT):
        assert (ROOT / name).exists(), name


def test_ci_does_not_skip_the_browser() -> None:
    assert re.search(r"^export CI=true\b", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert 'os.environ.get("CI") == "true"' in (ROOT / "tests" / "e2e" / "conftest.py").read_text()
