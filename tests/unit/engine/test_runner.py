from __future__ import annotations

import pytest

from prunepriv.engine.runner import load_runner
from prunepriv.errors import EngineError
from tests.fake_runner import RUNNER, run_group


def test_a_runner_is_found_by_name() -> None:
    assert load_runner(RUNNER) is run_group


@pytest.mark.parametrize(
    "name", ["no_such_module:f", "prunepriv.environment:no_such_function", "os"]
)
def test_a_name_without_a_function(name: str) -> None:
    with pytest.raises(EngineError, match="cannot do steps"):
        load_runner(name)
