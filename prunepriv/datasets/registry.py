"""The table of loaders: one data set, one line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prunepriv.datasets import checkins, digits, shapes, tabular
from prunepriv.datasets.base import Dataset, Loader
from prunepriv.errors import ExperimentError
from prunepriv.options import DATASETS, DatasetOption, lookup
from prunepriv.progress import Report, silent

LOADERS: Mapping[str, Loader] = {
    "checkins": lambda knobs, folder, report: checkins.generate(knobs["distinctiveness"]),
    "shapes": lambda knobs, folder, report: shapes.generate(knobs["noise"]),
    "digits": lambda knobs, folder, report: digits.read(),
    "location": lambda knobs, folder, report: tabular.location(folder, report),
}
"""Names as in ``options.DATASETS``."""


def load(
    name: str, knobs: Mapping[str, float], data_folder: Path, report: Report = silent
) -> Dataset:
    """The data set of that name.

    Args:
        name: one of ``options.DATASETS``.
        knobs: settings of a bundled generator; its defaults where one is left out.
        data_folder: where archives lie, and where a downloaded one is put.
        report: hears of a download's progress.

    Raises:
        ExperimentError: an unknown name, or a knob that is unknown or out of range.
        DataError: an archive that cannot be had, or is not what it should be.
    """
    option = lookup(DATASETS, name, "data set")
    x, y = LOADERS[name](_filled(option, knobs), data_folder, report)
    return Dataset(
        name=name,
        kind=option.kind,
        x=x,
        y=y,
        classes=option.classes,
        class_names=option.class_names
        or tuple(f"Group {number}" for number in range(1, option.classes + 1)),
    )


def _filled(option: DatasetOption, knobs: Mapping[str, float]) -> dict[str, float]:
    """Every knob of the data set, as given or by default."""
    known = {knob.name: knob for knob in option.knobs}
    for name, value in knobs.items():
        if name not in known:
            takes = ", ".join(known) or "none"
            raise ExperimentError(
                f"unknown setting {name!r} of data set {option.name}: it takes {takes}"
            )
        low, high = known[name].low, known[name].high
        if not low <= value <= high:
            raise ExperimentError(f"{name} must lie in [{low:g}, {high:g}], got {value!r}")
    return {name: float(knobs.get(name, knob.default)) for name, knob in known.items()}
