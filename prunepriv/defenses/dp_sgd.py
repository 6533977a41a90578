"""Differentially private fine-tuning (Abadi et al. 2016), by Opacus's optimiser and accountant."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import torch
from opacus.accountants import RDPAccountant
from opacus.optimizers import DPOptimizerFastGradientClipping
from torch import Tensor

from prunepriv.defenses.clipping import ClippedGradients
from prunepriv.training import DefenseContext, Protection

DELTA = 1e-5
"""Chance that the promise of epsilon does not hold; below 1 / members for 100,000 of them."""


class DPSGD(Protection):
    """Each step: a Poisson draw of members, every record's gradient clipped, Gaussian noise added.

    A record is drawn with probability q = batch size / members; the sum of the gradients, each of
    L2 norm `clip` at most, gets noise of standard deviation sigma * clip and is divided by the
    expected batch. Gradients of pruned weights are zeroed first, so that they take no part of the
    norm, and the loop sets those weights to zero again after the noisy step.

    The promise covers the fine-tuning alone: the training before it was not private, so the whole
    has no finite epsilon. It is told for all steps that were done, also where the kept weights are
    those of an earlier epoch; early stopping watches validation records, which are no members. The
    training curves of a run tell the members' accuracy by epoch, which no epsilon covers.

    Args:
        strength: the noise multiplier sigma, 0 or more; 0 clips, adds no noise and promises nothing.
        clip: largest L2 norm of a record's gradient, above 0.
    """

    alone: ClassVar[bool] = True  # a gradient's norm is that of one model

    def __init__(self, strength: float, clip: float) -> None:
        super().__init__()
        self.strength, self.clip = strength, clip
        self.steps = 0

    def begin(self, context: DefenseContext) -> None:
        members = context.records.train.shape[1]
        self.rate = min(1.0, context.settings.batch_size / members)
        self._expected = self.rate * members
        self._gradients = ClippedGradients(context.ensemble)
        self._masks = context.masks
        (noise,) = context.streams("noise")
        seed = int(torch.randint(2**62, (), generator=noise))
        self._noise = torch.Generator(context.records.x.device).manual_seed(seed)

    def optimizer(self, optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
        """Opacus's, which adds the noise and divides by the expected batch; clipped it is here."""
        private: torch.optim.Optimizer = DPOptimizerFastGradientClipping(
            optimizer,
            noise_multiplier=self.strength,
            max_grad_norm=self.clip,
            expected_batch_size=self._expected,
            loss_reduction="mean",
            generator=self._noise,
        )
        return private

    def batches(
        self, rows: Tensor, orders: Sequence[torch.Generator], size: int
    ) -> Iterator[Tensor]:
        """As many Poisson draws as there are batches in an epoch; one may be empty."""
        (order,) = orders
        for _ in range(math.ceil(rows.shape[1] / size)):
            drawn = torch.rand(rows.shape[1], generator=order) < self.rate
            yield rows[:, drawn.to(rows.device)]

    def after_backward(self) -> None:
        self._gradients.sum_up(self.clip, self._masks)
        self.steps += 1

    def report(self) -> dict[str, Any]:
        return {
            "mechanism": "DP-SGD",
            "epsilon": epsilon(self.strength, self.rate, self.steps),
            "delta": DELTA,
            "noise_multiplier": self.strength,
            "clip": self.clip,
            "sample_rate": self.rate,
            "steps": self.steps,
            "covers": "fine_tune",
        }


def epsilon(noise_multiplier: float, sample_rate: float, steps: int) -> float | None:
    """Privacy loss at DELTA after so many steps, by Renyi accounting (Mironov 2017).

    Returns:
        Above 0; None where nothing is promised: without noise.
    """
    if noise_multiplier == 0.0 or steps == 0:
        return None
    accountant = RDPAccountant()
    accountant.history = [(noise_multiplier, sample_rate, steps)]
    with warnings.catch_warnings():
        # at the ends of its list of orders the bound is looser than it could be, never wrong
        warnings.filterwarnings("ignore", "Optimal order is the", UserWarning)
        return float(accountant.get_epsilon(DELTA))
