"""How ``run`` runs an experiment: launch or attach, follow, show."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prunepriv.cli.progress import follow_shown
from prunepriv.cli.tables import print_over_seeds, print_run
from prunepriv.engine.follow import raise_unless_done
from prunepriv.errors import Cancelled, ExperimentError
from prunepriv.experiment import Experiment
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.over_seeds import over_seeds
from prunepriv.store.report import report_json
from prunepriv.store.result import Result


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
    (report,) = _reports([experiment], store)
    print_run(report)
    _write(report, file)


def run_seeds_and_show(
    experiments: Sequence[Experiment], store: Path, file: Path | None, inline: bool = False
) -> None:
    """Run an experiment under several seeds, show the differences, and write all to ``file``.

    Raises:
        PruneprivError: a run failed or was cancelled, or cannot be launched.
    """
    if file is not None:
        check_writable(file)
    name = f"{experiments[0].run_id} and {len(experiments) - 1} other seeds"
    standing = follow_shown(
        experiments,
        store,
        inline,
        name,
        "the same command continues from the finished steps",
    )
    raise_unless_done(standing, name)
    if standing.done < len(experiments):
        raise Cancelled(f"{name}: a run was cancelled; finished steps are kept")
    reports = _reports(experiments, store)
    rows = over_seeds(reports)
    print_over_seeds(rows)
    _write({"runs": reports, "over_seeds": rows}, file)


def _reports(experiments: Sequence[Experiment], store: Path) -> list[dict[str, Any]]:
    """The figures of finished runs."""
    catalog, artifacts = Catalog(store), ArtifactStore(store)
    try:
        return [
            report_json(Result(artifacts, one), catalog.steps(one.run_id)) for one in experiments
        ]
    finally:
        catalog.close()


def _write(figures: Mapping[str, Any], file: Path | None) -> None:
    if file is not None:
        file.write_text(json.dumps(figures, indent=1, allow_nan=False) + "\n")


def run_to_end(experiment: Experiment, store: Path, inline: bool = False) -> None:
    """Run an experiment and show its progress until it is done.

    Raises:
        PruneprivError: the run failed or was cancelled, or cannot be launched.
    """
    run_id = experiment.run_id
    if inline:
        interruption = f"cancelled: the same command resumes {run_id} from its finished steps"
    else:
        interruption = (
            f"{run_id} continues in the engine: the same command shows its progress again, "
            f"`python -m prunepriv cancel {run_id}` stops it"
        )
    standing = follow_shown([experiment], store, inline, run_id, interruption)
    raise_unless_done(standing, run_id)


def check_writable(file: Path) -> None:
    """Refuse a file that cannot be written, before hours of work.

    Raises:
        ExperimentError: its folder does not exist or is not writable, or it is itself a folder.
    """
    if file.is_dir() or not os.access(file.absolute().parent, os.W_OK):
        raise ExperimentError(
            f"{file} cannot be written: name a file in a folder that exists and is writable"
        )
