"""Membership leakage in pruned neural networks: train, prune, attack, defend, and look.

As a library::

    import prunepriv

    run = prunepriv.run(data="location", sparsity=0.7, defense="ppb", attacks=["conf", "samia"])
    run.attacks
    run.figure("confidence")

Data flows one way through the package:
experiment -> datasets -> training -> pruning and defenses -> signals -> attacks -> evaluation
-> figures -> pages.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from prunepriv.version import __version__

if TYPE_CHECKING:
    from prunepriv.errors import (
        Cancelled,
        DataError,
        EngineError,
        ExperimentError,
        PruneprivError,
        StoreError,
        UnknownRunError,
    )
    from prunepriv.library.calls import load, run, sweep
    from prunepriv.library.figures import FIGURES
    from prunepriv.library.run import Run
    from prunepriv.library.sweep_run import SweepRun

__all__ = [
    "FIGURES",
    "Cancelled",
    "DataError",
    "EngineError",
    "ExperimentError",
    "PruneprivError",
    "Run",
    "StoreError",
    "SweepRun",
    "UnknownRunError",
    "__version__",
    "load",
    "run",
    "sweep",
]

_HOMES = {
    "FIGURES": "library.figures",
    "Run": "library.run",
    "SweepRun": "library.sweep_run",
    "load": "library.calls",
    "run": "library.calls",
    "sweep": "library.calls",
}
"""Modules of public names; the other names are in ``errors``."""


def __getattr__(name: str) -> Any:
    """A public name, imported at its first use, so that ``import prunepriv`` is fast."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # imported by its name in a string: an import here would be one of every module that imports
    # prunepriv, and so a cycle
    value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
