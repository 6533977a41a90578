"""The device that computes: a GPU if the machine has one, else the processor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch


def best_device() -> torch.device:
    """The first CUDA device, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def arithmetic(device: torch.device) -> AbstractContextManager[object]:
    """Products in bfloat16 and the rest in float32 on a GPU; all in float32 on the processor.

    Processors with AVX-512 train large networks in little more than half the time in bfloat16. But
    models then remembered less: with the CNN on 4,000 pictures of CIFAR10, over five seeds, the
    accuracy on members of pruned models was 2.9 points lower, and that of all attacks on them 1.1 to
    2.1 points. What is measured must not depend on the processor.
    """
    if device.type != "cuda":
        return nullcontext()
    return torch.autocast("cuda", dtype=torch.bfloat16)


@contextmanager
def full_precision() -> Iterator[None]:
    """Products in float32 on a GPU too: by default its convolutions keep 10 of the 23 bits."""
    kinds = (torch.backends.cudnn.conv, torch.backends.cuda.matmul)  # type: ignore[attr-defined]
    before = [products.fp32_precision for products in kinds]
    for products in kinds:
        products.fp32_precision = "ieee"
    try:
        yield
    finally:
        for products, precision in zip(kinds, before, strict=True):
            products.fp32_precision = precision
