"""The function that does one step: given by name, imported late because it imports torch."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from prunepriv.errors import EngineError
from prunepriv.plan import Step
from prunepriv.progress import Report
from prunepriv.store.artifacts import ArtifactStore

Runner = Callable[[Step, ArtifactStore, Path, Report], None]

RUN_STEP = "prunepriv.pipeline.steps:run_step"


def load_runner(name: str = RUN_STEP) -> Runner:
    """The function of that name, written "module:function".

    Raises:
        EngineError: no such module or function.
    """
    module, _, function = name.partition(":")
    try:
        return cast(Runner, getattr(import_module(module), function))
    except (ImportError, AttributeError) as error:
        raise EngineError(f"{name} cannot do steps ({error})") from error
