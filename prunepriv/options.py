"""The tables of everything that can be chosen. They import no torch, so pages list them at once.

One method is one file with one class or function, and one line here. The form, the command line,
the documentation's tables and the contract tests all come from these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from prunepriv.errors import ExperimentError, UnknownNameError

ModelKind = Literal["original", "control", "pruned", "defended"]
MODEL_KINDS: tuple[ModelKind, ...] = ("original", "control", "pruned", "defended")
MODEL_KIND_SUMMARIES: dict[ModelKind, str] = {
    "original": "trained, never pruned",
    "control": "not pruned, but fine-tuned exactly as the pruned model was",
    "pruned": "pruned, then fine-tuned without a defence",
    "defended": "pruned, then fine-tuned with the defence",
}

Adversary = Literal["adaptive", "non_adaptive"]
ADVERSARIES: tuple[Adversary, ...] = ("adaptive", "non_adaptive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A name that can be chosen, and what people should know of it."""

    name: str
    label: str
    summary: str
    """One plain sentence."""
    source: str = ""
    """Paper or place it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob(Option):
    """A number that a bundled generator understands."""

    default: float
    low: float
    high: float
    step: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetOption(Option):
    kind: Literal["tabular", "image"]
    records: int
    shape: tuple[int, ...]
    """(features,) or (channels, height, width)."""
    classes: int
    class_names: tuple[str, ...] = ()
    knobs: tuple[Knob, ...] = ()
    bundled: bool = True
    """False where an archive has to be downloaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOption(Option):
    serves: Literal["tabular", "image"]
    layers: frozenset[str]
    """Kinds of layer it holds, of "linear", "conv", "batch_norm": what approaches can prune."""
    epochs: int
    """Most training epochs unless the user says otherwise (METHOD section 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproachOption(Option):
    needs: frozenset[str]
    """The model must hold one layer of these kinds at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefenseOption(Option):
    default_strength: float = 0.0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackOption(Option):
    kind: Literal["threshold", "network"]
    score: str
    """What its score is, high for members, as a formula in plain text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeOption(Option):
    pass


AnyOption = TypeVar("AnyOption", bound=Option)


def table(*options: AnyOption) -> dict[str, AnyOption]:
    """A table by name; a name listed twice is a mistake of ours, found at import."""
    named = {option.name: option for option in options}
    if len(named) != len(options):
        raise RuntimeError(f"a name is listed twice: {[option.name for option in options]}")
    return named


SHAPE_NAMES = (
    "disc", "ring", "square", "frame", "triangle",
    "cross", "star", "crescent", "stripes", "checkers",
)  # fmt: skip

DATASETS: Mapping[str, DatasetOption] = table(
    DatasetOption(
        name="checkins",
        label="Check-ins (synthetic)",
        summary="A synthetic twin of Location: which of 446 places each of 5,010 people visited.",
        source="bundled generator",
        kind="tabular",
        records=5010,
        shape=(446,),
        classes=30,
        knobs=(
            Knob(
                name="distinctiveness",
                label="How distinctive a person is",
                summary="Share of a person's visits that are habits of their own, not of their group.",
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
        bundled=False,
    ),
)

MODELS: Mapping[str, ModelOption] = table(
    ModelOption(
        name="fc",
        label="FC",
        summary="Fully connected, hidden layers of 256 and 128, ReLU, dropout 0.1.",
        source="Yuan & Zhang 2022",
        serves="tabular",
        layers=frozenset({"linear"}),
        epochs=50,
    ),
    ModelOption(
        name="cnn",
        label="Small CNN",
        summary="Three convolutions with batch norm, for pictures of 8x8 to 32x32 pixels.",
        serves="image",
        layers=frozenset({"linear", "conv", "batch_norm"}),
        epochs=30,
    ),
)

APPROACHES: Mapping[str, ApproachOption] = table(
    ApproachOption(
        name="l1_unstructured",
        label="L1 unstructured",
        summary="Removes the weights of smallest magnitude in every layer.",
        source="Han et al. 2016",
        needs=frozenset({"linear", "conv"}),
    ),
    ApproachOption(
        name="l1_structured",
        label="L1 structured",
        summary="Removes the convolution filters of smallest L1 norm in every layer.",
        source="Li et al. 2017",
        needs=frozenset({"conv"}),
    ),
    ApproachOption(
        name="l2_structured",
        label="L2 structured",
        summary="Removes the convolution filters of smallest L2 norm in every layer.",
        source="Li et al. 2017",
        needs=frozenset({"conv"}),
    ),
    ApproachOption(
        name="network_slimming",
        label="Network slimming",
        summary="Removes the channels of smallest batch-norm scale across the whole network.",
        source="Liu et al. 2017",
        needs=frozenset({"batch_norm"}),
    ),
)

DEFENSES: Mapping[str, DefenseOption] = table(
    DefenseOption(
        name="none",
        label="None",
        summary="Early stopping only.",
        source="Song & Mittal 2021",
    ),
    DefenseOption(
        name="ppb",
        label="PPB",
        summary="Pair-based posterior balancing: makes the posteriors of paired records alike.",
        source="Yuan & Zhang 2022",
        default_strength=4.0,
        low=0.0,
        high=64.0,
    ),
)

ATTACKS: Mapping[str, AttackOption] = table(
    AttackOption(
        name="corr",
        label="Corr",
        summary="A record is a member if the model classifies it correctly.",
        source="Yeom et al. 2018; Leino & Fredrikson 2020",
        kind="threshold",
        score="1 if argmax p = y, else 0",
    ),
    AttackOption(
        name="conf",
        label="Conf",
        summary="Confidence in the true label, one threshold per class.",
        source="Yeom et al. 2018; Song & Mittal 2021",
        kind="threshold",
        score="p_y",
    ),
    AttackOption(
        name="entr",
        label="Entr",
        summary="Entropy of the posteriors, one threshold per class.",
        source="Shokri et al. 2017; Song & Mittal 2021",
        kind="threshold",
        score="sum_k p_k log p_k",
    ),
    AttackOption(
        name="mentr",
        label="Mentr",
        summary="Entropy modified to know the true label, one threshold per class.",
        source="Song & Mittal 2021",
        kind="threshold",
        score="(1 - p_y) log p_y + sum_{k != y} p_k log(1 - p_k)",
    ),
    AttackOption(
        name="top1_conf",
        label="Top1-conf",
        summary="Largest posterior, one threshold for all.",
        source="Salem et al. 2019",
        kind="threshold",
        score="max_k p_k",
    ),
    AttackOption(
        name="nn",
        label="NN",
        summary="A network trained on the posteriors.",
        source="Shokri et al. 2017",
        kind="network",
        score="h(p)",
    ),
    AttackOption(
        name="top3_nn",
        label="Top3-NN",
        summary="A network trained on the three largest posteriors.",
        source="Salem et al. 2019",
        kind="network",
        score="h(three largest of p)",
    ),
    AttackOption(
        name="cls_nn",
        label="Cls-NN",
        summary="A network trained on the posteriors and the true label.",
        source="Nasr et al. 2018",
        kind="network",
        score="h(p, one-hot y)",
    ),
    AttackOption(
        name="samia",
        label="SAMIA",
        summary="Self-attention over classes: posterior, prediction sensitivity and true label.",
        source="Yuan & Zhang 2022",
        kind="network",
        score="h(p, s, one-hot y)",
    ),
)

RECIPES: Mapping[str, RecipeOption] = table(
    RecipeOption(
        name="fast",
        label="Fast",
        summary="Few epochs of Adam with a one-cycle rate, stopped on held-out shadow records.",
    ),
    RecipeOption(
        name="paper",
        label="Paper",
        summary="100 epochs of SGD with momentum, rate divided by ten at epochs 50 and 75.",
        source="Yuan & Zhang 2022",
    ),
)


def lookup(options: Mapping[str, AnyOption], name: str, what: str) -> AnyOption:
    """The option of that name.

    Raises:
        UnknownNameError: no such name; the sentence lists the known ones.
    """
    try:
        return options[name]
    except KeyError:
        known = ", ".join(options)
        raise UnknownNameError(f"unknown {what} {name!r}: choose one of {known}") from None


def knob_values(option: DatasetOption, given: Mapping[str, Any]) -> dict[str, float]:
    """Every knob of a data set, as given or by default.

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
