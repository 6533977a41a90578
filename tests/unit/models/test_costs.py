"""What counting multiplications leaves as it was; the counts are tested with the networks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.documents import ROOT

COUNT = """
import sys
from prunepriv.models import build, multiplications
print(multiplications(build("{name}", 2, {shape}, 5), {shape}), "torch._dynamo" in sys.modules)
"""


@pytest.mark.parametrize(("name", "shape"), [("fc", (20,)), ("cnn", (1, 8, 8))], ids=str)
def test_counting_does_not_import_torchs_compiler(name: str, shape: tuple[int, ...]) -> None:
    """Its import takes over a second, in each worker, before the first model is written."""
    code = COUNT.format(name=name, shape=shape)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    count, imported = done.stdout.split()
    assert int(count) > 0
    assert imported == "False"
