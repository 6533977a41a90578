"""Where arithmetic is done: on a GPU if there is one, else on the processor."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def best_device() -> torch.device:
    """The first CUDA device, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def arithmetic(device: torch.device) -> AbstractContextManager[object]:
    """Products in bfloat16 on a GPU, sums and weights in float32; on the processor all in float32."""
    if device.type != "cuda":
        return nullcontext()
    return torch.autocast("cuda", dtype=torch.bfloat16)
