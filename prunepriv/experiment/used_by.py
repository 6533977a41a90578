"""Which models, approaches and defences use a setting: declared at its field in ``parts``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from prunepriv.options import MODELS


@dataclass(frozen=True, slots=True)
class Choice:
    """The choices that decide whether a setting is used: a model, an approach and a defence."""

    model: str
    approach: str
    defense: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedBy:
    """Who uses a setting; a condition that is left out always holds.

    Attributes:
        layers: networks that have this kind of layer.
        approaches: pruning approaches, by name.
        defenses: defences, by name.
        owner: for an error: "DP-SGD".
        absent: for an error: that the owner was not chosen.
        choose: options that choose one of the users: "--defense dp_sgd".
        unused: the value that it has if nobody uses it, so that equal experiments share a key;
            None if other values are refused instead.
    """

    layers: str = ""
    approaches: Collection[str] = ()
    defenses: Collection[str] = ()
    owner: str = ""
    absent: str = "which was not chosen"
    choose: str = ""
    unused: Any = None

    def among(self, choice: Choice) -> bool:
        """Whether the choice includes one of the users."""
        return (
            (not self.layers or self.layers in _layers(choice.model))
            and (not self.approaches or choice.approach in self.approaches)
            and (not self.defenses or choice.defense in self.defenses)
        )


EVERYBODY = UsedBy()


def used_by(field: FieldInfo) -> UsedBy:
    """Who uses a field of a part."""
    return next((one for one in field.metadata if isinstance(one, UsedBy)), EVERYBODY)


def unused_values(fields: dict[str, FieldInfo], choice: Choice) -> dict[str, Any]:
    """The values of those fields of a part that nobody in the choice uses."""
    users = {name: used_by(field) for name, field in fields.items()}
    return {
        name: one.unused
        for name, one in users.items()
        if one.unused is not None and not one.among(choice)
    }


def _layers(model: str) -> frozenset[str]:
    return MODELS[model].layers if model in MODELS else frozenset()
