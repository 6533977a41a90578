"""The table of loaders: one entry per data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prunepriv.datasets import checkins, chmnist, cifar, digits, shapes, svhn, tabular
from prunepriv.datasets.archives import ARCHIVES
from prunepriv.datasets.base import Dataset, Loader
from prunepriv.options import DATASETS, knob_values, lookup
from prunepriv.progress import Report, silent

LOADERS: Mapping[str, Loader] = {
    "checkins": lambda knobs, folder, report: checkins.generate(knobs["distinctiveness"]),
    "shapes": lambda knobs, folder, report: shapes.generate(knobs["noise"]),
    "digits": lambda knobs, folder, report: digits.read(),
    "location": lambda knobs, folder, report: tabular.location(
        ARCHIVES["location"], folder, report
    ),
    "purchase": lambda knobs, folder, report: tabular.purchase(
        ARCHIVES["purchase"], folder, report
    ),
    "texas": lambda knobs, folder, report: tabular.texas(ARCHIVES["texas"], folder, report),
    "cifar10": lambda knobs, folder, report: cifar.read(
        cifar.CIFAR10, ARCHIVES["cifar10"], folder, report
    ),
    "cifar100": lambda knobs, folder, report: cifar.read(
        cifar.CIFAR100, ARCHIVES["cifar100"], folder, report
    ),
    "svhn": lambda knobs, folder, report: svhn.read(ARCHIVES["svhn"], folder, report),
    "chmnist": lambda knobs, folder, report: chmnist.read(ARCHIVES["chmnist"], folder, report),
}
"""Names as in ``options.DATASETS``."""


def load(
    name: str, knobs: Mapping[str, float], data_folder: Path, report: Report = silent
) -> Dataset:
    """Load the data set of this name.

    Args:
        name: one of ``options.DATASETS``.
        knobs: settings of a bundled generator; one that is left out has its default.
        data_folder: the folder of the archives, also of those that are downloaded.
        report: receives the progress.

    Raises:
        ExperimentError: an unknown name, or a knob that is unknown or out of range.
        DataError: an archive that cannot be downloaded or read, or is not what it should be.
    """
    option = lookup(DATASETS, name, "data set")
    x, y = LOADERS[name](knob_values(option, knobs), data_folder, report)
    return Dataset(
        name=name,
        kind=option.kind,
        x=x,
        y=y,
        classes=option.classes,
        class_names=option.class_names
        or tuple(f"Group {number}" for number in range(1, option.classes + 1)),
    )
