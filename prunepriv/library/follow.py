"""Follows a run or a sweep to its end, with a progress bar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prunepriv.engine.follow import follow, raise_unless_done
from prunepriv.estimates.progress import Standing
from prunepriv.experiment import Experiment
from prunepriv.experiment.sweep import Sweep
from prunepriv.library.screen import open_screen


def run_to_end(experiment: Experiment, store: Path, inline: bool, progress: bool) -> None:
    """Launch a run, or join it if it is at work, and wait until it is done.

    Raises:
        Cancelled: the run was cancelled.
        PruneprivError: the run failed, or cannot be launched.
        KeyboardInterrupt: with a note on how to continue.
    """
    run_id = experiment.run_id
    standing = _follow([experiment], run_id, store, inline, progress)
    raise_unless_done(standing, run_id)


def sweep_to_end(sweep: Sweep, store: Path, inline: bool, progress: bool) -> Standing:
    """Launch or join all runs of a sweep and wait; a run that fails does not stop the others.

    Returns:
        How the runs ended.

    Raises:
        Cancelled: an inline run was cancelled.
        PruneprivError: the sweep cannot be launched.
        KeyboardInterrupt: with a note on how to continue.
    """
    return _follow(sweep.experiments, sweep.sweep_id, store, inline, progress)


def _follow(
    experiments: Sequence[Experiment], name: str, store: Path, inline: bool, progress: bool
) -> Standing:
    try:
        with open_screen(progress) as screen:
            return follow(experiments, store, screen, inline=inline)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(_how_to_continue(name, inline))
        raise


def _how_to_continue(name: str, inline: bool) -> str:
    if inline:
        return f"{name} was cancelled: the same call continues it after its finished steps"
    return (
        f"{name} continues in the engine: the same call follows it again, "
        "and prunepriv.load(...).cancel() stops a run"
    )
