"""Where each published data set comes from: files, addresses, digests and numbers of records.

Digests and sizes come from the checksum files of TensorFlow Datasets. For the Purchase and Texas
archives no digest is published. Each must be a whole gzip file, and its reader checks the names of
its members, every character, the number of records and features, and the range of the labels.
"""

from __future__ import annotations

from dataclasses import dataclass

from prunepriv.datasets.download import Archive

SHOKRI = "https://github.com/privacytrustlab/datasets/raw/master"
CIFAR = "https://www.cs.toronto.edu/~kriz"
SVHN = "http://ufldl.stanford.edu/housenumbers"


@dataclass(frozen=True, slots=True)
class Published:
    """A data set as its authors published it.

    Attributes:
        files: the files that hold its records, in the order of the records.
        records: number of records in all files together.
    """

    files: tuple[Archive, ...]
    records: int


ARCHIVES: dict[str, Published] = {
    "location": Published(
        (
            Archive(
                dataset="Location",
                file="dataset_location.tgz",
                url=f"{SHOKRI}/dataset_location.tgz",
                digest="927203f85a868f8ee17a0ded1dc61699efe602167beabe34fbf45b4b1de94b33",
                size=287_293,
            ),
        ),
        records=5_010,
    ),
    "purchase": Published(
        (
            Archive(
                dataset="Purchase",
                file="dataset_purchase.tgz",
                url=f"{SHOKRI}/dataset_purchase.tgz",
                digest="",
                size=None,
            ),
        ),
        records=197_324,
    ),
    "texas": Published(
        (
            Archive(
                dataset="Texas",
                file="dataset_texas.tgz",
                url=f"{SHOKRI}/dataset_texas.tgz",
                digest="",
                size=None,
            ),
        ),
        records=67_330,
    ),
    "cifar10": Published(
        (
            Archive(
                dataset="CIFAR-10",
                file="cifar-10-binary.tar.gz",
                url=f"{CIFAR}/cifar-10-binary.tar.gz",
                digest="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                size=170_052_171,
                unfit="cifar-10-python.tar.gz",
            ),
        ),
        records=60_000,
    ),
    "cifar100": Published(
        (
            Archive(
                dataset="CIFAR-100",
                file="cifar-100-binary.tar.gz",
                url=f"{CIFAR}/cifar-100-binary.tar.gz",
                digest="58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
                size=168_513_733,
                unfit="cifar-100-python.tar.gz",
            ),
        ),
        records=60_000,
    ),
    "svhn": Published(
        (
            Archive(
                dataset="SVHN",
                file="train_32x32.mat",
                url=f"{SVHN}/train_32x32.mat",
                digest="435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
                size=182_040_794,
            ),
            Archive(
                dataset="SVHN",
                file="test_32x32.mat",
                url=f"{SVHN}/test_32x32.mat",
                digest="cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
                size=64_275_384,
            ),
        ),
        records=99_289,
    ),
    "chmnist": Published(
        (
            Archive(
                dataset="CHMNIST",
                file="Kather_texture_2016_image_tiles_5000.zip",
                url="https://zenodo.org/record/53169/files/Kather_texture_2016_image_tiles_5000.zip",
                digest="936d0b95ae0f04f1f7b18a2b7e8c55776c3e887d102f645bcee752d1a6626a32",
                size=258_098_431,
            ),
        ),
        records=5_000,
    ),
}
"""All data sets that are downloaded, by their names in ``options.DATASETS``."""
