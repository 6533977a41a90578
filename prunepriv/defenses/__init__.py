"""Defences: objectives of the one training loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prunepriv.defenses.ppb import ppb
from prunepriv.options import DEFENSES, lookup
from prunepriv.training.objective import Objective, cross_entropy


def _none(strength: float) -> Objective:
    return cross_entropy


REGISTRY: Mapping[str, Callable[[float], Objective]] = {"none": _none, "ppb": ppb}


def make_objective(name: str, strength: float) -> Objective:
    """The loss that a defence of that strength minimises.

    Raises:
        UnknownNameError: no such defence.
    """
    return REGISTRY[lookup(DEFENSES, name, "defence").name](strength)


__all__ = ["REGISTRY", "Objective", "cross_entropy", "make_objective"]
