"""Defences: objectives and hooks of the training loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, cast

from prunepriv.defenses.adversarial import Adversarial
from prunepriv.defenses.label_smoothing import label_smoothing
from prunepriv.defenses.ppb import ppb
from prunepriv.options import DEFENSES, lookup
from prunepriv.training import Protection, ProtectionFactory, plain


def _dp_sgd(strength: float, clip: float) -> ProtectionFactory:
    """DP-SGD; Opacus is imported on demand, because few runs use it."""
    dp_sgd = import_module("prunepriv.defenses.dp_sgd")
    return lambda: cast(Protection, dp_sgd.DPSGD(strength, clip))


REGISTRY: Mapping[str, Callable[[float, float], ProtectionFactory]] = {
    "none": lambda strength, clip: plain(),
    "ppb": lambda strength, clip: plain(ppb(strength)),
    "adversarial": lambda strength, clip: lambda: Adversarial(strength),
    "dp_sgd": _dp_sgd,
    "label_smoothing": lambda strength, clip: plain(label_smoothing(strength)),
}
"""By name, as in ``options.DEFENSES``; each entry is called with strength and clip."""


def make_protection(name: str, strength: float, clip: float = 0.0) -> ProtectionFactory:
    """Choose a defence of a given strength for the training loop.

    Args:
        name: one of ``options.DEFENSES``.
        strength: see the option.
        clip: largest norm of a record's gradient, for DP-SGD.

    Raises:
        UnknownNameError: no such defence.
    """
    return REGISTRY[lookup(DEFENSES, name, "defence").name](strength, clip)


def private_guarantee(trained: Mapping[str, Any], epochs: int, allowed: int) -> dict[str, Any]:
    """What a fine-tuning with DP-SGD guarantees, see :func:`prunepriv.defenses.dp_sgd.guarantee`."""
    dp_sgd = import_module("prunepriv.defenses.dp_sgd")
    return cast(dict[str, Any], dp_sgd.guarantee(trained, epochs, allowed))


__all__ = ["REGISTRY", "make_protection", "private_guarantee"]
