"""Location, Purchase and Texas: published tabular records.

R. Shokri et al., Membership Inference Attacks Against Machine Learning Models, 2017, preprocessed
them: check-ins of D. Yang et al., Participatory Cultural Mapping, 2016; Kaggle's Acquire Valued
Shoppers; hospital stays of the Texas Department of State Health Services. Features are 0 or 1,
labels count from 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np

from prunepriv.datasets.archives import Published
from prunepriv.datasets.base import Records
from prunepriv.datasets.download import fetch_all
from prunepriv.datasets.lines import features_only, label_first, labels_only
from prunepriv.datasets.unpack import read_tar
from prunepriv.options import DATASETS
from prunepriv.progress import Report, portion, silent

DOWNLOADED = 0.8
"""Share of the work that is done when the archive is downloaded."""
TEXAS_FEATURES, TEXAS_LABELS = "texas/100/feats", "texas/100/labels"
LARGEST_UNPACKED = {"location": 32 << 20, "purchase": 512 << 20, "texas": 2 << 30}
"""Most bytes when unpacked; the real archives unpack to 4.5, 238 and 831 MB."""


def location(published: Published, folder: Path, report: Report = silent) -> Records:
    """Location's records: x uint8 (5010, 446) of 0 and 1, y int64 (5010,) of 0 to 29.

    Raises:
        ArchiveError: the file is not the archive it should be.
        DataError: it is not on this machine and cannot be downloaded.
    """
    return _label_first("location", "bangkok", published, folder, report)


def purchase(published: Published, folder: Path, report: Report = silent) -> Records:
    """Purchase's records: x uint8 (197324, 600) of 0 and 1, y int64 (197324,) of 0 to 99.

    Raises:
        ArchiveError, DataError: as :func:`location`.
    """
    return _label_first("purchase", "dataset_purchase", published, folder, report)


def texas(published: Published, folder: Path, report: Report = silent) -> Records:
    """Texas's records: x uint8 (67330, 6169) of 0 and 1, y int64 (67330,) of 0 to 99.

    Raises:
        ArchiveError, DataError: as :func:`location`.
    """
    (path,) = fetch_all(published.files, folder, portion(report, 0.0, DOWNLOADED))
    option, records = DATASETS["texas"], published.records

    def features(stream: IO[bytes]) -> np.ndarray:
        return features_only(
            stream,
            records=records,
            features=option.shape[0],
            where=f"{path.name}/{TEXAS_FEATURES}",
            report=portion(report, DOWNLOADED, 1.0),
        )

    def labels(stream: IO[bytes]) -> np.ndarray:
        where = f"{path.name}/{TEXAS_LABELS}"
        return labels_only(stream, records=records, classes=option.classes, where=where)

    readers = {TEXAS_FEATURES: features, TEXAS_LABELS: labels}
    found = read_tar(path, readers, LARGEST_UNPACKED["texas"])
    return found[TEXAS_FEATURES], found[TEXAS_LABELS]


def _label_first(
    name: str, member: str, published: Published, folder: Path, report: Report
) -> Records:
    """The records of an archive with one file, in which each line begins with the label."""
    (path,) = fetch_all(published.files, folder, portion(report, 0.0, DOWNLOADED))
    option = DATASETS[name]

    def records(stream: IO[bytes]) -> Records:
        return label_first(
            stream,
            records=published.records,
            features=option.shape[0],
            classes=option.classes,
            where=f"{path.name}/{member}",
            report=portion(report, DOWNLOADED, 1.0),
        )

    return read_tar(path, {member: records}, LARGEST_UNPACKED[name])[member]
