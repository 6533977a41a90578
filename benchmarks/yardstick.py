"""The yardstick that wall times are compared with: a fixed number of operations on all cores."""

from __future__ import annotations

import time

import torch

from prunepriv.environment import cores

OPERATIONS = 2e12
"""Float32 operations of one yardstick; a multiplication and an addition are two."""
SIDE = 2048
PRODUCTS = round(OPERATIONS / (2 * SIDE**3))
"""Matrix products of SIDE cubed that come nearest to OPERATIONS: 116."""


def yardstick(products: int = PRODUCTS) -> float:
    """Seconds that OPERATIONS take now, in products of SIDE cubed on all cores.

    Args:
        products: how many are timed; with fewer, the time is scaled, and less exact.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(cores())
    try:
        return _products(products) * OPERATIONS / (products * 2 * SIDE**3)
    finally:
        torch.set_num_threads(before)


def _products(count: int) -> float:
    """Seconds of that many products."""
    generator = torch.Generator().manual_seed(1)
    a = torch.rand(SIDE, SIDE, generator=generator)
    out = torch.empty_like(a)
    torch.mm(a, a, out=out)  # starts torch's threads
    started = time.perf_counter()
    for _ in range(count):
        torch.mm(a, a, out=out)
    return time.perf_counter() - started


def gigaflops_per_core(products: int = 12) -> float:
    """The speed of one core now, in GFLOP/s, while all cores are at work."""
    return OPERATIONS / yardstick(products) / cores() / 1e9
