"""The tests' own rule: where a browser is required, none of its tests may be skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SUITE = """
import pytest

@pytest.mark.browser
def test_page():
    pytest.skip("no chromium on this machine")

def test_other():
    pytest.skip("another reason")
"""


@pytest.mark.parametrize(("required", "code"), [("1", 1), ("", 0)])
def test_a_skipped_browser_test_fails_where_one_is_required(
    tmp_path: Path, required: str, code: int
) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_makereport\n")
    settings = [
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(tmp_path),
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PRUNEPRIV_REQUIRE_BROWSER": required},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout
    assert ("1 failed, 1 skipped" in done.stdout) == bool(required), done.stdout
