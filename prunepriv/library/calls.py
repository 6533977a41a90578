"""``run``, ``sweep`` and ``load``.

Modules that are slow to import are imported when a function is called, so that
``import prunepriv`` is fast.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from prunepriv.errors import ExperimentError
from prunepriv.experiment import Experiment
from prunepriv.experiment.sweep import Sweep, make_sweep
from prunepriv.library.choices import (
    Choices,
    changed_sweep,
    choices_of,
    experiment_of,
    folder_of,
    new_sweep,
)
from prunepriv.library.keywords import ALIASES, NAMES

if TYPE_CHECKING:
    from prunepriv.library.run import Run
    from prunepriv.library.sweep_run import SweepRun

Folder = str | PathLike[str]
Function = TypeVar("Function", bound=Callable[..., Any])


def _with_keywords(function: Function) -> Function:
    """Put the keywords of ``**settings`` into the signature, for ``help`` and completion."""
    signature = inspect.signature(function)
    kind = inspect.Parameter.KEYWORD_ONLY
    own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    settings = [
        inspect.Parameter(name, kind, default=None)
        for name in NAMES
        if name not in ALIASES.values()
    ]
    signature = signature.replace(parameters=[*own, *settings])
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


@_with_keywords
def run(
    *,
    experiment: Experiment | Mapping[str, Any] | None = None,
    preset: str | None = None,
    store: Folder | None = None,
    inline: bool = False,
    progress: bool = True,
    **settings: Any,
) -> Run:
    """Run an experiment, or continue one; finished steps are taken from the store.

    Args:
        experiment: all settings together; no other setting may be given with it.
        preset: a named experiment, which the other settings change.
        store: folder of the store; by default PRUNEPRIV_STORE or a folder of the user's.
        inline: run in this process, without the engine.
        progress: show a progress bar on a terminal or in a notebook.
        settings: the options of ``python -m prunepriv run``, with underscores. ``data`` is a name,
            a path or own:DIGEST; ``attacks`` and ``models`` are a name or a list of names;
            ``knobs`` are numbers by name. None means the default.

    Returns:
        The finished run.

    Raises:
        ExperimentError: a choice that cannot be run.
        DataError: the data set cannot be downloaded or read.
        Cancelled: the run was cancelled.
        PruneprivError: the run failed, or cannot be launched.
    """
    folder = folder_of(store)
    chosen = experiment_of(experiment, preset, _choices(settings, folder, progress))
    from prunepriv.library.follow import run_to_end
    from prunepriv.library.run import Run

    run_to_end(chosen, folder, inline, progress)
    return Run(folder, chosen)


@_with_keywords
def sweep(
    what: str | PathLike[str] | Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    only: Mapping[str, Any] | None = None,
    skip_impossible: bool = False,
    preset: str | None = None,
    store: Folder | None = None,
    inline: bool = False,
    progress: bool = True,
    **settings: Any,
) -> SweepRun:
    """Run an experiment for every cell of a grid, or continue a sweep.

    Without ``what``, every setting with a list of values is an axis of the grid.

    Args:
        what: an existing sweep: its definition (name, base, grid), a YAML or JSON file, a preset,
            or its id in the store. Settings then change all its cells, and ``seed`` replaces its
            seeds.
        name: name of a new sweep; by default the names of its axes.
        only: the values to keep of an existing sweep, by axis.
        skip_impossible: skip cells of a new sweep that cannot be run; otherwise they are errors.
        preset: a named experiment that the cells of a new sweep change.
        store, inline, progress, settings: as in :func:`run`.

    Returns:
        The sweep. A run that fails does not stop the others; a warning says how many are not done.

    Raises:
        ExperimentError: no axis, or a choice that cannot be run.
        PruneprivError: the sweep cannot be launched.
    """
    folder = folder_of(store)
    choices = _choices(settings, folder, progress)
    if what is None:
        if only is not None:
            raise ExperimentError(
                "only chooses values of an existing sweep: name a sweep, or leave only out"
            )
        chosen = new_sweep(name, preset, choices, skip_impossible)
    else:
        if name is not None or preset is not None or skip_impossible:
            raise ExperimentError(
                "name, preset and skip_impossible are for a new sweep: leave them out, or name "
                "no sweep"
            )
        chosen = changed_sweep(_named(what, folder), only, choices)
    return _run_sweep(chosen, folder, inline, progress)


def load(run_id: str, *, store: Folder | None = None) -> Run:
    """A run of the store by its id, finished or not.

    Args:
        run_id: the id on the pages, in ``python -m prunepriv list`` and in ``Run.id``.
        store: as in :func:`run`.

    Raises:
        UnknownRunError: there is none.
    """
    from prunepriv.library.run import Run
    from prunepriv.store.catalog import Catalog

    folder = folder_of(store)
    with closing(Catalog(folder)) as catalog:
        return Run(folder, catalog.run(str(run_id)).experiment)


def _choices(settings: Mapping[str, Any], folder: Path, progress: bool) -> Choices:
    def read_data(named: str | Path | None, label_column: str | None) -> dict[str, Any]:
        from prunepriv.library.reading import read_settings

        return read_settings(named, label_column, folder, progress)

    return choices_of(settings, read_data)


def _named(what: Any, folder: Path) -> Sweep:
    from prunepriv.store.sweep_files import find_sweep

    if isinstance(what, Mapping):
        return make_sweep(dict(what))
    if isinstance(what, (str, PathLike)):
        return find_sweep(str(what), folder)
    raise ExperimentError(f"a sweep must be a definition, a file, a preset or an id, got {what!r}")


def _run_sweep(sweep: Sweep, folder: Path, inline: bool, progress: bool) -> SweepRun:
    from prunepriv.library.follow import sweep_to_end
    from prunepriv.library.sweep_run import SweepRun
    from prunepriv.store.sweep_files import write_sweep

    write_sweep(folder, sweep)
    standing = sweep_to_end(sweep, folder, inline, progress)
    left = standing.runs - standing.done
    if left:
        warnings.warn(
            f"{sweep.sweep_id}: {left} of {standing.runs} runs are not done; see failures for the "
            "reasons; the same call continues them",
            stacklevel=3,
        )
    return SweepRun(folder, sweep, dict(standing.failures))
