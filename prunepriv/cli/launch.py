"""What ``run`` does once it knows the experiment: launch or attach, follow, show."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from prunepriv.cli.app import INTERRUPTED
from prunepriv.cli.progress import Follower, follower
from prunepriv.cli.tables import print_run
from prunepriv.engine.client import engine_is_alive, ensure_engine, launch
from prunepriv.engine.inline import run_inline
from prunepriv.errors import Cancelled, EngineError, ExperimentError, PruneprivError
from prunepriv.experiment import Experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.report import report_json
from prunepriv.store.result import Result
from prunepriv.store.schema import RunView

LOOK_EVERY = 0.1
RESTARTS = 3


def run_and_show(
    experiment: Experiment, store: Path, file: Path | None, inline: bool = False
) -> None:
    """Run an experiment to its end, show its figures, and write them to ``file``.

    Raises:
        PruneprivError: the run failed or was cancelled, or cannot be launched.
    """
    if file is not None:
        check_writable(file)
    run_to_end(experiment, store, inline)
    catalog = Catalog(store)
    result = Result(ArtifactStore(store), experiment)
    report = report_json(result, catalog.steps(experiment.run_id))
    catalog.close()
    print_run(report)
    if file is not None:
        file.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")


def run_to_end(experiment: Experiment, store: Path, inline: bool = False) -> None:
    """Run an experiment and show how far it is, until it is done.

    Raises:
        PruneprivError: the run failed or was cancelled, or cannot be launched.
    """
    catalog = Catalog(store)
    with follower(experiment, catalog) as follow:
        try:
            if inline:
                run_inline(experiment, store, watch=follow.show)
            else:
                launch(experiment, store)
                _wait(experiment.run_id, catalog, follow)
        except KeyboardInterrupt:
            follow.close()
            follow.tell(_interruption(experiment.run_id, inline))
            sys.exit(INTERRUPTED)
    catalog.close()


def check_writable(file: Path) -> None:
    """Find out before hours of work that a file cannot be written.

    Raises:
        ExperimentError: its folder is not there or not writable, or it is a folder.
    """
    if file.is_dir() or not os.access(file.absolute().parent, os.W_OK):
        raise ExperimentError(f"{file} cannot be written: name a file in a folder that is there")


def _wait(run_id: str, catalog: Catalog, follow: Follower) -> None:
    """Until the run has ended well; an engine that died meanwhile is started again."""
    restarts = 0
    while (run := catalog.run(run_id)).status != "done":
        follow.show()
        _raise_if_ended(run)
        if not engine_is_alive(catalog.store) and catalog.run(run_id).status != "done":
            restarts += 1
            if restarts > RESTARTS:
                raise EngineError(f"the engine ended {restarts} times: see engine.log in the store")
            follow.tell("the engine has ended: starting it again, finished steps are kept")
            ensure_engine(catalog.store)
        time.sleep(LOOK_EVERY)
    follow.show()


def _raise_if_ended(run: RunView) -> None:
    if run.status == "failed":
        raise PruneprivError(run.error)
    if run.status == "cancelled":
        raise Cancelled(f"{run.run_id} was cancelled: its finished steps are kept")


def _interruption(run_id: str, inline: bool) -> str:
    """What Ctrl-C meant for a run."""
    if inline:
        return f"cancelled: the same command takes {run_id} up again from its finished steps"
    return (
        f"{run_id} goes on in the engine: the same command attaches to it again, "
        f"`python -m prunepriv cancel {run_id}` stops it"
    )
