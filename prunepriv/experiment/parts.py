"""The parts of an experiment: frozen pydantic models that forbid unknown fields.

Every field has a description, and names its users if not every experiment uses it. The command
line, the form and the reference take their texts from here, through ``settings``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from prunepriv.errors import ExperimentError
from prunepriv.experiment.used_by import Choice, UsedBy, unused_values
from prunepriv.options import (
    APPROACHES,
    ATTACKS,
    DATASETS,
    DEFENSES,
    MODELS,
    OWN,
    ApproachOption,
    DatasetOption,
    DefenseOption,
    ModelOption,
    knob_values,
    lookup,
)


class Part(BaseModel):
    """A frozen part of an experiment."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class OwnDataset(Part):
    """The user's own data set, described when it was read (``datasets.own``)."""

    digest: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of its records.")
    label: str = Field(min_length=1, max_length=80, description="Its name in texts.")
    kind: Literal["tabular", "image"] = Field(description="The kind of its records.")
    records: int = Field(ge=1, description="Number of records.")
    shape: tuple[int, ...] = Field(
        min_length=1,
        max_length=3,
        description="Shape of a record: (features,) or (channels, height, width).",
    )
    classes: int = Field(ge=2, description="Number of classes.")
    class_names: tuple[str, ...] = Field((), description="One name per class, or none.")

    @property
    def handle(self) -> str:
        """Its name in a command: "own:3fa2c1d09b7e"."""
        return f"{OWN}:{self.digest[:12]}"

    @property
    def option(self) -> DatasetOption:
        return DatasetOption(
            name=OWN,
            label=self.label,
            summary=f"{self.records:,} records of your own.",
            source="supplied by the user",
            kind=self.kind,
            records=self.records,
            shape=self.shape,
            classes=self.classes,
            class_names=self.class_names,
        )


class Data(Part):
    """Which records are used."""

    name: str = Field("checkins", description="Which data set.")
    own: OwnDataset | None = Field(None, description="Description of the user's own data set.")
    limit: int | None = Field(
        None,
        ge=40,
        description="Use only the first N shuffled records, for a fast run; figures of few "
        "records vary widely.",
    )
    knobs: dict[str, float] = Field(
        default_factory=dict, description="Settings of a bundled data set's generator, by name."
    )

    @property
    def option(self) -> DatasetOption:
        return DATASETS[self.name] if self.own is None else self.own.option

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        option = dataset_option(given)
        knobs = given.get("knobs") or {}
        if not isinstance(knobs, dict):
            raise ExperimentError(f"data.knobs must be a mapping of settings, got {knobs!r}")
        limit = given.get("limit")
        if isinstance(limit, int) and limit >= option.records:
            limit = None  # dropped, so that equal experiments share a key
        return {**given, "name": option.name, "limit": limit, "knobs": knob_values(option, knobs)}


def dataset_option(data: dict[str, Any]) -> DatasetOption:
    """The option of the data set that the plain values of a :class:`Data` name.

    Raises:
        ExperimentError: no such data set, or the user's own without its description.
    """
    own = data.get("own")
    if own is None and data.get("name") != OWN:
        return lookup(DATASETS, str(data.get("name", "checkins")), "data set")
    if own is None or data.get("name", OWN) != OWN:
        raise ExperimentError(
            f"data set {OWN!r} needs its description in data.own: name its file with --dataset PATH"
        )
    try:
        return (own if isinstance(own, OwnDataset) else OwnDataset.model_validate(own)).option
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(["data.own", *(str(part) for part in first["loc"])])
        raise ExperimentError(f"{field}: {first['msg']}; import its file again") from None


class Model(Part):
    """Which network."""

    name: str = Field("fc", description="Which network.")
    width: Annotated[float, UsedBy(layers="conv")] = Field(
        1.0, gt=0, le=4, description="Factor on the channels of a convolutional network."
    )
    norm: Annotated[Literal["batch", "group"], UsedBy(layers="batch_norm")] = Field(
        "batch",
        description="Batch norm mixes the records of a batch; group norm uses one record alone, "
        "as DP-SGD needs.",
    )

    @property
    def option(self) -> ModelOption:
        return MODELS[self.name]


class Training(Part):
    """How the original models are trained, and how long models are fine-tuned after pruning."""

    epochs: int = Field(50, ge=1, le=1000, description="Largest number of training epochs.")
    fine_tune_epochs: int = Field(
        25,
        ge=1,
        le=1000,
        description="Largest number of fine-tuning epochs after pruning.",
    )
    patience: int | None = Field(
        5,
        ge=1,
        description="Stop when more epochs in a row than this brought no better validation accuracy: "
        "with 5, after the sixth.",
    )
    stop_at_member_accuracy: float | None = Field(
        None, gt=0, le=1,
        description="Train the original, without early stopping, until its members reach this accuracy.",
    )  # fmt: skip
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Learning rate of Adam.")
    weight_decay: float = Field(5e-4, ge=0, le=1, description="L2 penalty on the weights.")
    batch_size: int = Field(128, ge=2, le=4096, description="Records per training step.")


class Pruning(Part):
    """What is removed."""

    approach: str = Field("l1_unstructured", description="What is removed, and by which rule.")
    sparsity: float = Field(
        0.7,
        ge=0,
        lt=1,
        description="Fraction of every layer that is removed (slimming: of all channels).",
    )
    slimming_penalty: Annotated[
        float,
        UsedBy(
            approaches={"network_slimming"},
            owner="network slimming",
            choose="--approach network_slimming",
            unused=0.0,
        ),
    ] = Field(
        1e-4,
        ge=0,
        le=1,
        description="L1 penalty on the batch-norm scales in training.",
    )

    @property
    def option(self) -> ApproachOption:
        return APPROACHES[self.approach]


class Defense(Part):
    """What protects the fine-tuning."""

    name: str = Field("none", description="What protects the fine-tuning.")
    strength: Annotated[
        float,
        UsedBy(
            defenses=frozenset(DEFENSES) - {"none"},
            owner="a defence",
            absent="and none was chosen",
            choose="--defense ppb",
            unused=0.0,
        ),
    ] = Field(
        4.0,
        ge=0,
        le=64,
        description="Weight of the defence's loss (DP-SGD: noise multiplier; label smoothing: smoothing "
        "factor).",
    )
    clip: Annotated[
        float,
        UsedBy(defenses={"dp_sgd"}, owner="DP-SGD", choose="--defense dp_sgd", unused=0.0),
    ] = Field(
        1.0,
        ge=0,
        le=1000,
        description="Largest L2 norm of a record's gradient; the noise grows with it.",
    )

    @property
    def option(self) -> DefenseOption:
        return DEFENSES[self.name]

    @classmethod
    def off(cls) -> dict[str, Any]:
        """The settings of a model that is not defended, as plain values."""
        nobody = Choice(model="", approach="", defense="none")
        return {"name": "none", **unused_values(cls.model_fields, nobody)}


class Knowledge(Part):
    """How the adversary believes the target was pruned; it knows the rest.

    See assets/method.md#adversary-knowledge.
    """

    approach: str | None = Field(
        None, description="Approach by which the adversary prunes its shadows, if not the target's."
    )
    sparsity: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="Sparsity to which the adversary prunes its shadows, if not the target's.",
    )

    @property
    def whole(self) -> bool:
        """Whether the adversary knows how the target was pruned."""
        return self.approach is None and self.sparsity is None


class Signals(Part):
    """How the signals of a model are measured."""

    sensitivity: Literal["sampled", "exact"] = Field(
        "sampled",
        description="How prediction sensitivity is measured: by ten small changes of each record, "
        "as an adversary can do it, or exactly by Jacobian-vector products, which need the model.",
    )


class Attacks(Part):
    """Which attacks are run, and how attack networks are trained."""

    names: tuple[str, ...] = Field(
        tuple(ATTACKS), min_length=1, description="Which attacks are run."
    )
    recipe: Literal["fast", "paper"] = Field("fast", description="How attack networks are trained.")
