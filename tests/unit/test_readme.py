"""README and reference tell the truth about what can be chosen, what is written, how it is tested."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest
import typer
from PIL import Image

from prunepriv import cli
from prunepriv.plan import Target
from prunepriv.store.result import Result
from tests.documents import METHOD_FILE, README, REFERENCE, ROOT, section, sections
from tests.pictures import WIDTH
from tests.reference_tables import filled

TEXT = README.read_text()
DETAILS = REFERENCE.read_text()
NOT_YET = "prunepriv/attacks/margin.py"
"""What the reference's example would add."""


def commands() -> list[str]:
    return re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)


def test_option_tables_are_those_of_the_program() -> None:
    assert filled(DETAILS) == DETAILS, "run: python -m tests.reference_tables"


def test_tables_need_their_place() -> None:
    with pytest.raises(ValueError, match="datasets"):
        filled("a reference without marks")


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


COMMANDS = typer.main.get_command(cli.app.app).commands


def test_commands_exist_and_are_all_in_the_table() -> None:
    named = re.findall(r"^\| `([a-z]+)", section(TEXT, "The command line"), re.MULTILINE)
    assert set(named) == set(COMMANDS)


@pytest.mark.parametrize(
    "part",
    [
        section(TEXT, "The command line"),
        "".join(section(DETAILS, name) for name in ("Settings", "Commands", "Sweeps")),
    ],
    ids=["README", "reference"],
)
def test_options_exist(part: str) -> None:
    taken = {option for command in COMMANDS.values() for p in command.params for option in p.opts}
    used = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", part)) - {"--help"}
    assert len(used) > 10
    assert used <= taken


@pytest.mark.parametrize("field", schema_fields())
def test_every_promised_json_field_is_documented(field: str) -> None:
    assert f"`{field}`" in section(DETAILS, "The JSON of a run")


def test_every_further_json_field_is_documented(finished: Result) -> None:
    gaps = finished.gaps("pruned")
    evaluation = finished.evaluation(Target("pruned", "adaptive"))
    assert gaps is not None
    assert evaluation is not None
    written = {f"gaps[].{name}" for name in gaps} | {f"attacks[].{name}" for name in evaluation[0]}
    documented = set(re.findall(r"`((?:gaps|attacks)\[\]\.\w+)`", DETAILS))
    assert written | {"gaps[].model", "attacks[].model", "attacks[].adversary"} == documented


def test_links_to_files_are_not_dead() -> None:
    for name in re.findall(r"`((?:prunepriv|tests|pages|assets|\.ci)/[\w./]*)`", TEXT + DETAILS):
        assert (ROOT / name).exists() or name == NOT_YET, name


@pytest.mark.parametrize("file", [README, REFERENCE, METHOD_FILE], ids=lambda file: file.stem)
def test_links_from_one_document_to_another_lead_to_a_heading(file: Path) -> None:
    links = re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", file.read_text())
    assert links
    for name, anchor in links:
        other = file.parent / name if name else file
        assert other.is_file(), name
        assert not anchor or anchor in sections(other.read_text()), f"{name}#{anchor}"


def test_modules_that_are_called_exist() -> None:
    called = set(re.findall(r"python -m ((?:tests|benchmarks|prunepriv)[\w.]*)", TEXT + DETAILS))
    assert {"tests.reference_tables", "tests.pictures", "benchmarks"} <= called
    for name in called:
        assert importlib.util.find_spec(name) is not None, name


def test_the_readme_is_short_and_names_every_page() -> None:
    assert len(TEXT.splitlines()) < 200
    named = re.findall(r"^\| (\w+) \|", section(TEXT, "The pages"), re.MULTILINE)
    assert named[1:] == re.findall(
        r'^    \("\w+", "(\w+)", ":', (ROOT / "app.py").read_text(), re.M
    )


def test_the_readme_shows_two_pictures_that_are_there() -> None:
    shown = re.findall(r"!\[([^\]]+)\]\(([\w./]+)\)", TEXT)
    assert len(shown) == 2
    for alt, name in shown:
        assert len(alt) > 40, "what the picture shows, for those who cannot see it"
        assert (ROOT / name).stat().st_size < 250_000
        with Image.open(ROOT / name) as picture:
            assert picture.format == "PNG"
            assert picture.width == WIDTH


def test_ci_does_not_skip_the_browser() -> None:
    assert re.search(r"^export CI=true\b", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert 'os.environ.get("CI") == "true"' in (ROOT / "tests" / "e2e" / "conftest.py").read_text()
