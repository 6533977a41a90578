"""Who uses a setting: written beside the field in ``parts``, read wherever it matters."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from prunepriv.options import MODELS


@dataclass(frozen=True, slots=True)
class Choice:
    """What decides who is there to use a setting: names of a model, an approach and a defence."""

    model: str
    approach: str
    defense: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """Who uses a setting; of what is left out, everybody.

    Attributes:
        layers: networks that hold this kind of layer.
        approaches: pruning approaches, by name.
        defenses: defences, by name.
        owner: for a sentence: "DP-SGD".
        absent: for a sentence: what is wrong where the owner is not there.
        choose: options that choose one of the users: "--defense dp_sgd".
        unused: the value that it has where nobody uses it, so that experiments which differ in
            nothing that matters share a key; None where another value is refused instead.
    """

    layers: str = ""
    approaches: Collection[str] = ()
    defenses: Collection[str] = ()
    owner: str = ""
    absent: str = "it was not chosen"
    choose: str = ""
    unused: Any = None

    def among(self, choice: Choice) -> bool:
        """Whether the choice includes one of the users."""
        return (
            (not self.layers or self.layers in _layers(choice.model))
            and (not self.approaches or choice.approach in self.approaches)
            and (not self.defenses or choice.defense in self.defenses)
        )


EVERYBODY = Users()


def users_of(field: FieldInfo) -> Users:
    """Who uses a field of a part."""
    return next((one for one in field.metadata if isinstance(one, Users)), EVERYBODY)


def unused_values(fields: dict[str, FieldInfo], choice: Choice) -> dict[str, Any]:
    """Of a part's fields, the values of those that nobody in the choice uses."""
    users = {name: users_of(field) for name, field in fields.items()}
    return {
        name: one.unused
        for name, one in users.items()
        if one.unused is not None and not one.among(choice)
    }


def _layers(model: str) -> frozenset[str]:
    return MODELS[model].layers if model in MODELS else frozenset()
