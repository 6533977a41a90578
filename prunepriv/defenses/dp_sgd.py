"""Differentially private fine-tuning (Abadi et al. 2016) with Opacus's optimiser and accountant."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch
from opacus.accountants import RDPAccountant
from opacus.optimizers import DPOptimizerFastGradientClipping
from torch import Tensor

from prunepriv.defenses.clipping import ClippedGradients
from prunepriv.training import DefenseContext, Protection, StackAdam, Steps

DELTA = 1e-5
"""Probability that the guarantee of epsilon does not hold; 1 / members for 100,000 members."""


class DPSGD(Protection):
    """Each step draws members (Poisson), clips every record's gradient and adds Gaussian noise.

    A record is drawn with probability q = batch size / members. The gradients, each of L2 norm
    `clip` at most, are summed; the sum gets noise of standard deviation sigma * clip and is divided
    by the expected batch size. Gradients of pruned weights are set to zero first, so that they do
    not count in the norm, and the loop sets those weights to zero again after the noisy step.

    The guarantee covers only the fine-tuning: the training before it was not private, so both
    together have no finite epsilon. :func:`guarantee` counts all steps that might have been done,
    because the epoch at which early stopping ends depends on the accuracies of private models. The
    kept weights may be those of any epoch: they are chosen by validation records, which are not
    members. Epsilon does not cover the training curves of a run, which show the members'
    accuracy by epoch.

    Args:
        strength: the noise multiplier sigma, 0 or more; 0 clips only and guarantees nothing.
        clip: largest L2 norm of a record's gradient, above 0.
    """

    alone: ClassVar[bool] = True  # the norm of a gradient is over one model
    writes_gradients: ClassVar[bool] = True

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

    def optimizer(self, optimizer: StackAdam) -> Steps:
        """Opacus's, which adds noise and divides by the expected batch size; this class clips."""
        private: Steps = DPOptimizerFastGradientClipping(
            optimizer.plain(),
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
        """One Poisson draw per batch of a normal epoch; a draw may be empty."""
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


def guarantee(trained: Mapping[str, Any], epochs: int, allowed: int) -> dict[str, Any]:
    """What a fine-tuning guarantees: epsilon of all steps that it might have taken.

    When early stopping ends it, depends on the accuracies of private models. So an epsilon of the
    steps that were taken covers nothing, unless all that were allowed were taken.

    Args:
        trained: :meth:`DPSGD.report` of the fine-tuning.
        epochs: that it took, 1 or more.
        allowed: epochs that it might have taken.

    Returns:
        The same values. "epsilon" is that of "budget_steps", and "epsilon_of_steps" that of "steps",
        which were taken; both None without noise.
    """
    each, rest = divmod(trained["steps"], epochs)
    if rest:
        raise ValueError(f"{trained['steps']} steps in {epochs} epochs: expected equally many each")
    noise, rate = trained["noise_multiplier"], trained["sample_rate"]
    budget = each * allowed
    return {
        **trained,
        "epsilon": epsilon(noise, rate, budget),
        "budget_steps": budget,
        "epsilon_of_steps": epsilon(noise, rate, trained["steps"]),
    }


def epsilon(noise_multiplier: float, sample_rate: float, steps: int) -> float | None:
    """Epsilon at DELTA after a number of steps, by Renyi accounting (Mironov 2017).

    Returns:
        Above 0; None without noise or without steps, where nothing is guaranteed.
    """
    if noise_multiplier == 0.0 or steps == 0:
        return None
    accountant = RDPAccountant()
    accountant.history = [(noise_multiplier, sample_rate, steps)]
    with warnings.catch_warnings():
        # at the ends of its list of orders, the bound is valid but not the smallest possible
        warnings.filterwarnings("ignore", "Optimal order is the", UserWarning)
        return float(accountant.get_epsilon(DELTA))
