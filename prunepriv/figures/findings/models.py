"""Sentences about models: how they were trained, and how much pruning removed."""

from __future__ import annotations

from collections.abc import Mapping

from prunepriv.prose import percent, size_statement

Size = Mapping[str, float | None]
"""Channels removed, and parameters and multiplications left, as fractions."""


def sparsity(
    layers: Mapping[str, float], whole: float, pruning: str, size: Size | None = None
) -> str:
    """The whole model's achieved sparsity, between which layers it varies, and what is left.

    Args:
        layers: achieved sparsity by layer.
        whole: of all prunable weights together.
        pruning: approach and requested sparsity, "L1 unstructured 60 %".
        size: channels removed, and what is left; None where they were not counted.
    """
    least, most = min(layers, key=lambda one: layers[one]), max(layers, key=lambda one: layers[one])
    told = f"{pruning} removed {percent(whole)} of the model's weights"
    low, high = percent(layers[least]), percent(layers[most])
    if low == high:
        told = f"{told}: {low} of every one of its {len(layers)} layers."
    else:
        told = f"{told}: from {low} of layer {least} to {high} of layer {most}, of {len(layers)} layers."
    return f"{told} {size_statement(size)}".rstrip()


def curves(model: str, point: Mapping[str, float], most: int, live: bool) -> str:
    """The best epoch, and how good it is.

    Args:
        model: whose curves, "Pruned, target model".
        point: the best epoch's.
        most: the most epochs that there may be.
        live: whether more epochs may come.
    """
    return (
        f"{model}: best {'so far ' if live else ''}at epoch {point['epoch']} of at most {most}, "
        f"{percent(point['validation_accuracy'])} on validation records and "
        f"{percent(point['member_accuracy'])} on members, measured while training."
    )
