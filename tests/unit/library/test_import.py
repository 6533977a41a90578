"""``import prunepriv``: what it offers, and that it costs nothing before it is used."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

import prunepriv
from prunepriv.library.keywords import NAMES

ROOT = Path(__file__).resolve().parents[3]
MOST = 1.2
"""Times of ``import pandas`` that ``import prunepriv`` may take until it is ready."""
SLOW = ("torch", "streamlit", "dask", "distributed", "plotly", "pandas", "sqlalchemy")


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def seconds(code: str) -> float:
    started = time.perf_counter()
    python(code)
    return time.perf_counter() - started


@pytest.mark.parametrize("name", prunepriv.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(prunepriv, name) is not None
    assert name in dir(prunepriv)


def test_there_is_no_other_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'jog'"):
        prunepriv.jog  # noqa: B018


@pytest.mark.parametrize(
    ("code", "may"),
    [
        ("import prunepriv", ()),
        ("import prunepriv; prunepriv.run, prunepriv.sweep, prunepriv.load, prunepriv.FIGURES", ()),
        ("import prunepriv; prunepriv.Run, prunepriv.SweepRun", ("pandas", "sqlalchemy")),
    ],
)
def test_what_is_slow_to_import_waits(code: str, may: tuple[str, ...]) -> None:
    found = json.loads(
        python(
            f"{code}\nimport sys, json; print(json.dumps([n for n in {SLOW} if n in sys.modules]))"
        )
    )
    assert set(found) <= set(may)


@pytest.mark.parametrize("code", ["import prunepriv", "import prunepriv; prunepriv.run"])
def test_it_is_ready_in_the_time_of_pandas(code: str) -> None:
    """Medians of fresh processes, one after the other in turn; a busy machine gets more turns."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(4):
        for _ in range(5):
            theirs.append(seconds("import pandas"))
            ours.append(seconds(code))
        if median(ours) <= MOST * median(theirs):
            return
    pytest.fail(f"{code}: {median(ours):.2f} s, import pandas: {median(theirs):.2f} s")


@pytest.mark.parametrize("function", [prunepriv.run, prunepriv.sweep])
def test_help_names_every_keyword(function: object) -> None:
    named = inspect.signature(function).parameters  # type: ignore[arg-type]
    assert {"store", "inline", "progress", "preset", "data", "sparsity"} <= set(named)
    assert set(NAMES) - set(named) == {"dataset", "knob"}, "these have a second name"
