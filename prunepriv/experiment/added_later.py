"""Settings that came with a later version: ids and keys leave them out at their old value.

A setting that did not exist when a store was made had, in effect, one value. An experiment with
that value keeps its id and its steps keep their keys, so that a new setting costs nobody their
store. The value is fixed for good: it does not follow the field's default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class AddedLater:
    """Marks a field of a part, in ``Annotated``, that earlier versions did not have.

    Attributes:
        as_before: the plain JSON value that gives what earlier versions did.
    """

    as_before: Any


def identity(part: BaseModel) -> dict[str, Any]:
    """The plain JSON values of a part that ids and keys are made from."""
    return _without(part, part.model_dump(mode="json"))


def completed(part: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of :func:`identity`, with the fields that it left out."""
    return {**dict(_later(part)), **values}


def _without(part: BaseModel, values: dict[str, Any]) -> dict[str, Any]:
    later = dict(_later(type(part)))
    kept = {}
    for name, value in values.items():
        if name in later and value == later[name]:
            continue
        inner = getattr(part, name)
        kept[name] = _without(inner, value) if isinstance(inner, BaseModel) else value
    return kept


def _later(part: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    for name, field in part.model_fields.items():
        for mark in field.metadata:
            if isinstance(mark, AddedLater):
                yield name, mark.as_before
