"""The catalogue, the pages and ``--inline`` without what Linux has and Windows lacks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from prunepriv.experiment import make_experiment
from prunepriv.store.catalog import Catalog
from prunepriv.store.locks import claim, is_held

ROOT = Path(__file__).resolve().parents[2]
RULES = "from tests.windows_rules import apply\napply()\n"
CLI = "import prunepriv.cli\nprunepriv.cli.main()\n"
CODE_PAGE = {
    "LC_ALL": "C",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONUTF8": "0",
    "PYTHONIOENCODING": "cp1252",
}
"""Text that is read or written without naming UTF-8 must be plain ASCII."""
SETTINGS = {
    "data": {"limit": 400},
    "training": {"epochs": 1},
    "shadows": 1,
    "models": ["original"],
    "attacks": {"names": ["conf"]},
}
RUN = (
    "run", "--inline", "--limit", "400", "--shadows", "1", "--epochs", "1", "--attacks", "conf",
    "--models", "original",
)  # fmt: skip
PAGES = """
import sys
from streamlit.testing.v1 import AppTest
at = AppTest.from_file("app.py", default_timeout=120)
at.query_params["run"] = sys.argv[1]
at.run()
for page in ("", "run", "leakage", "classes", "attacks", "defenses", "sweeps"):
    if page:
        at.switch_page(f"pages/{page}.py").run()
    assert not at.exception, at.exception
    print(at.title[0].value)
"""


def under_rules(script: str, *words: str, store: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RULES + script, *words],
        cwd=ROOT,
        env={**os.environ, **CODE_PAGE, "PRUNEPRIV_STORE": str(store)},
        capture_output=True,
        text=True,
        encoding="cp1252",
        check=False,
    )


BROKEN = [
    ("import fcntl", "ModuleNotFoundError"),
    ("import os; os.nice(1)", "AttributeError"),
    ("from pathlib import Path; f = Path('a').open('w'); Path('a').unlink()", "PermissionError"),
    ("import os; f = open('a', 'w'); os.rename('a', 'b')", "PermissionError"),
    (
        "import os, shutil; os.mkdir('c'); f = open('c/a', 'w'); os.rename('c', 'd')",
        "PermissionError",
    ),
    ("import os, shutil; os.mkdir('e'); f = open('e/a', 'w'); shutil.rmtree('e')", "Permission"),
    ("import os; open('a', 'w'), open('b', 'w'); os.rename('a', 'b')", "FileExistsError"),
    ("import os; f = open('/dev/null'); os.fsync(f.fileno())", "Bad file descriptor"),
]


@pytest.mark.parametrize(("script", "error"), BROKEN, ids=[script for script, _ in BROKEN])
def test_the_rules_are_kept_up(tmp_path: Path, script: str, error: str) -> None:
    """What breaks a rule fails, or else the tests below would say nothing."""
    script = f"import os\nos.chdir({str(tmp_path)!r})\n{script}"
    done = under_rules(script, store=tmp_path)
    assert done.returncode == 1
    assert error in done.stderr


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which ``--inline`` has done a run under the rules."""
    store = tmp_path_factory.mktemp("windows") / "store"
    done = under_rules(CLI, *RUN, store=store)
    assert done.returncode == 0, done.stderr
    return store


@pytest.mark.slow
def test_an_inline_run_is_done_and_found_again(store: Path, tmp_path: Path) -> None:
    run_id = make_experiment(SETTINGS).run_id
    assert Catalog(store).run(run_id).status == "done"
    assert list((store / "locks").iterdir()) == []
    file = tmp_path / "out.json"
    again = under_rules(CLI, *RUN, "--json", str(file), store=store)
    assert again.returncode == 0, again.stderr
    report = json.loads(file.read_text())
    assert report["run"] == run_id
    assert all(step["cached"] for step in report["steps"])
    assert run_id in under_rules(CLI, "list", store=store).stdout


@pytest.mark.slow
def test_every_page_is_drawn(store: Path) -> None:
    done = under_rules(PAGES, make_experiment(SETTINGS).run_id, store=store)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "Overview", "Run", "Leakage", "Classes", "Attacks", "Defences", "Sweeps",
    ]  # fmt: skip


def test_a_lock_holds_between_processes_and_ends_with_its_holder(tmp_path: Path) -> None:
    lock = tmp_path / "engine.lock"
    script = (
        f"import pathlib, sys\nfrom prunepriv.store.locks import claim\n"
        f"assert claim(pathlib.Path({str(lock)!r})) is not None\n"
        f"print('held', flush=True)\nsys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", RULES + script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_held(lock)
        assert claim(lock) is None
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert not is_held(lock)
    mine = claim(lock)
    assert mine is not None
    asked = f"import pathlib\nfrom prunepriv.store.locks import *\nassert is_held(pathlib.Path({str(lock)!r}))"
    assert under_rules(asked, store=tmp_path).returncode == 0
    mine.release()
    assert under_rules(asked, store=tmp_path).returncode == 1
