"""Adam's moments of the models of a stack."""

from __future__ import annotations

import torch
from torch import Tensor


def keep_moments(adam: torch.optim.Optimizer, rows: Tensor) -> None:
    """Keep Adam's moments of only some models of a stack."""
    for moments in adam.state.values():
        for name in ("exp_avg", "exp_avg_sq"):
            moments[name] = moments[name][rows]
