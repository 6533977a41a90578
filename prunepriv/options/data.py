"""The table of data sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prunepriv.errors import ExperimentError
from prunepriv.options.option import DatasetOption, Knob, table

SHAPE_NAMES = (
    "disc", "ring", "square", "frame", "triangle",
    "cross", "star", "crescent", "stripes", "checkers",
)  # fmt: skip
CIFAR100_NAMES = (
    "apple", "aquarium fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle",
    "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle",
    "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch",
    "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox",
    "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn mower", "leopard", "lion",
    "lizard", "lobster", "man", "maple tree", "motorcycle", "mountain", "mouse", "mushroom",
    "oak tree", "orange", "orchid", "otter", "palm tree", "pear", "pickup truck", "pine tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road",
    "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake",
    "spider", "squirrel", "streetcar", "sunflower", "sweet pepper", "table", "tank",
    "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle",
    "wardrobe", "whale", "willow tree", "wolf", "woman", "worm",
)  # fmt: skip
"""The fine labels, in the order of the archive's own list."""

DATASETS: Mapping[str, DatasetOption] = table(
    DatasetOption(
        name="checkins",
        label="Check-ins (synthetic)",
        summary="Synthetic records modelled on Location: which of 446 places each of 5,010 people visited.",
        source="bundled generator",
        kind="tabular",
        records=5010,
        shape=(446,),
        classes=30,
        knobs=(
            Knob(
                name="distinctiveness",
                label="How distinctive a person is",
                summary="Share of a person's visits that come from their own habits, not from those of their group.",
                default=0.5,
                low=0.0,
                high=1.0,
                step=0.05,
            ),
        ),
    ),
    DatasetOption(
        name="shapes",
        label="Shapes (synthetic)",
        summary="Small noisy colour pictures of ten kinds of figure.",
        source="bundled generator",
        kind="image",
        records=6000,
        shape=(3, 16, 16),
        classes=10,
        class_names=SHAPE_NAMES,
        knobs=(
            Knob(
                name="noise",
                label="How noisy a picture is",
                summary="Standard deviation of the pixel noise; pixels lie in 0 to 1.",
                default=0.15,
                low=0.0,
                high=0.5,
                step=0.05,
            ),
        ),
    ),
    DatasetOption(
        name="digits",
        label="Digits",
        summary="1,797 real handwritten digits of 8x8 pixels.",
        source="scikit-learn; UCI optical recognition of handwritten digits",
        kind="image",
        records=1797,
        shape=(1, 8, 8),
        classes=10,
        class_names=tuple(str(digit) for digit in range(10)),
    ),
    DatasetOption(
        name="location",
        label="Location",
        summary="5,010 real Foursquare users of Bangkok: which of 446 places and kinds of place each visited.",
        source="Yang et al. 2016; preprocessed by Shokri et al. 2017",
        kind="tabular",
        records=5010,
        shape=(446,),
        classes=30,
        download="0.3 MB",
    ),
    DatasetOption(
        name="purchase",
        label="Purchase",
        summary="197,324 shoppers: which of 600 products each bought; classes are clusters of shoppers.",
        source="Kaggle Acquire Valued Shoppers; preprocessed by Shokri et al. 2017",
        kind="tabular",
        records=197_324,
        shape=(600,),
        classes=100,
        download="size not published",
    ),
    DatasetOption(
        name="texas",
        label="Texas",
        summary="67,330 hospital stays: 6,169 facts about each; classes are the 100 most frequent procedures.",
        source="Texas Department of State Health Services; preprocessed by Shokri et al. 2017",
        kind="tabular",
        records=67_330,
        shape=(6_169,),
        classes=100,
        download="size not published",
    ),
    DatasetOption(
        name="cifar10",
        label="CIFAR-10",
        summary="60,000 small photographs of ten kinds of thing.",
        source="Krizhevsky 2009",
        kind="image",
        records=60_000,
        shape=(3, 32, 32),
        classes=10,
        class_names=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
        download="170 MB",
    ),
    DatasetOption(
        name="cifar100",
        label="CIFAR-100",
        summary="60,000 small photographs of a hundred kinds of thing.",
        source="Krizhevsky 2009",
        kind="image",
        records=60_000,
        shape=(3, 32, 32),
        classes=100,
        class_names=CIFAR100_NAMES,
        download="169 MB",
    ),
    DatasetOption(
        name="svhn",
        label="SVHN",
        summary="99,289 digits of house numbers in street views.",
        source="Netzer et al. 2011",
        kind="image",
        records=99_289,
        shape=(3, 32, 32),
        classes=10,
        class_names=tuple(str(digit) for digit in range(10)),
        download="246 MB",
    ),
    DatasetOption(
        name="chmnist",
        label="CHMNIST",
        summary="5,000 tiles of colorectal tissue, resized to 32x32; 8 kinds (the paper's text says 10).",
        source="Kather et al. 2016",
        kind="image",
        records=5_000,
        shape=(3, 32, 32),
        classes=8,
        class_names=(
            "tumour",
            "stroma",
            "complex",
            "lympho",
            "debris",
            "mucosa",
            "adipose",
            "empty",
        ),
        download="258 MB",
    ),
)
OWN = "own"
"""Name of a user's own data set; the experiment describes it."""


def knob_values(option: DatasetOption, given: Mapping[str, Any]) -> dict[str, float]:
    """The value of every knob of a data set, given or default.

    Raises:
        ExperimentError: a knob that it does not have, or a value out of range.
    """
    known = {knob.name: knob for knob in option.knobs}
    for name, value in given.items():
        if name not in known:
            takes = ", ".join(known) or "none"
            raise ExperimentError(
                f"unknown setting {name!r} of data set {option.name}: it takes {takes}"
            )
        low, high = known[name].low, known[name].high
        if not isinstance(value, (int, float)) or not low <= value <= high:
            raise ExperimentError(f"{name} must lie in [{low:g}, {high:g}], got {value!r}")
    return {name: float(given.get(name, knob.default)) for name, knob in known.items()}
