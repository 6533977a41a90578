"""The function that does a group of steps: given by name, imported late because it imports torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import cast

from prunepriv.errors import EngineError
from prunepriv.plan import Step
from prunepriv.progress import Report
from prunepriv.store.artifacts import ArtifactStore

Runner = Callable[[Sequence[Step], ArtifactStore, Path, Sequence[Report]], None]
"""Does the steps of a group; it calls the report of each when that step begins."""

RUN_GROUP = "prunepriv.pipeline.steps:run_group"


def load_runner(name: str = RUN_GROUP) -> Runner:
    """The function of that name, written "module:function".

    Raises:
        EngineError: no such module or function.
    """
    module, _, function = name.partition(":")
    try:
        return cast(Runner, getattr(import_module(module), function))
    except (ImportError, AttributeError) as error:
        raise EngineError(f"{name} cannot do steps ({error})") from error
