"""Sentences about what pruning removed, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping

from prunepriv.prose import percent


def sparsity(layers: Mapping[str, float], whole: float, pruning: str) -> str:
    """The whole model's achieved sparsity, and between which layers it varies.

    Args:
        layers: achieved sparsity by layer.
        whole: of all prunable weights together.
        pruning: what was asked for, "L1 unstructured 60 %".
    """
    least, most = min(layers, key=lambda one: layers[one]), max(layers, key=lambda one: layers[one])
    told = f"{pruning} removed {percent(whole)} of the model's weights"
    low, high = percent(layers[least]), percent(layers[most])
    if low == high:
        return f"{told}: {low} of every one of its {len(layers)} layers."
    return (
        f"{told}: from {low} of layer {least} to {high} of layer {most}, of {len(layers)} layers."
    )
