"""Who may import whom: the contracts of pyproject.toml, and the same for the page scripts."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]


def imported(file: Path) -> set[str]:
    """Names of all modules that a script imports, also within functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        "prunepriv", include_external_packages=True, exclude_type_checking_imports=True
    )


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Hold the package in a folder against its contracts."""
    code = "from importlinter.cli import lint_imports_command as main; main()"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_contracts_are_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("options/option.py", "from prunepriv.store import schema", "Data flows down the rooms"),
        ("store/schema.py", "from prunepriv.estimates import cost", "Data flows down the rooms"),
        ("rooms.py", "", "Data flows down the rooms"),
        ("estimates/cost.py", "import torch", "come without torch"),
        ("ui/overview/cards.py", "from prunepriv.ui.run import form", "No page knows another"),
    ],
    ids=["an import up", "another import up", "a room that no layer names", "torch", "a page's"],
)
def test_a_contract_fails_when_it_is_broken(
    file: str, line: str, contract: str, tmp_path: Path
) -> None:
    shutil.copytree(
        ROOT / "prunepriv", tmp_path / "prunepriv", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    with (tmp_path / "prunepriv" / file).open("a") as stream:
        stream.write(f"\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode != 0
    assert contract in done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_reach_no_torch(script: Path, graph: grimp.ImportGraph) -> None:
    names = imported(script)
    roots = {name.split(".")[0] for name in names}
    assert not roots & {"torch", "torchvision", "plotly", "dask", "distributed"}
    for module in names & graph.modules:
        chain = graph.find_shortest_chain(module, "torch")
        assert chain is None, f"{script.name} reaches torch: {chain}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_no_page_imports_another(script: Path) -> None:
    pages = {page.stem for page in SCRIPTS[1:]}
    roots = {name.split(".")[0] for name in imported(script)}
    assert not roots & {"pages", "app", *pages}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_no_script_prints_a_string(script: Path) -> None:
    """Streamlit shows a text that stands alone in a script, also one that is meant as a comment."""
    alone = [
        node.lineno
        for node in ast.parse(script.read_text()).body[1:]
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    assert alone == []


def test_the_scan_sees_an_import(tmp_path: Path, graph: grimp.ImportGraph) -> None:
    """The scan itself works: a script with a lazy import of a step is found out."""
    script = tmp_path / "page.py"
    script.write_text("def f():\n    from prunepriv.pipeline import steps\n")
    assert "prunepriv.pipeline.steps" in imported(script)
    assert graph.find_shortest_chain("prunepriv.pipeline.steps", "torch") is not None


def test_pages_import_no_scipy_stats() -> None:
    """It takes half a second and 45 MB; all that the pages need of it is in scipy.special."""
    modules = sorted(
        ".".join(("prunepriv", *file.relative_to(ROOT / "prunepriv").with_suffix("").parts))
        for file in (ROOT / "prunepriv" / "ui").rglob("*.py")
        if file.stem != "__init__"
    )
    code = f"import sys, {', '.join(modules)}\nassert 'pandas' in sys.modules\n"
    code += "assert 'scipy.stats' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_the_commands_import_no_pandas() -> None:
    """It takes a third of a second, a third of the whole command for a finished run."""
    code = "import sys, prunepriv.cli.launch, prunepriv.cli.run, prunepriv.engine.follow\n"
    code += "assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_opacus_is_imported_on_demand() -> None:
    """A worker starts without it, because few runs use it."""
    code = "import sys, prunepriv.pipeline.steps\n"
    code += "assert 'torch' in sys.modules\nassert 'opacus' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)
