"""A one-cycle rate (Smith 2018), for SGD and Adam: few epochs, at rates that rise and then fall."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from prunepriv.training import Moments

RISING = 0.3
"""Fraction of the steps in which the rate rises."""

START, END = 25.0, 1e4
"""The peak over the first rate, and the first rate over the last one."""

MOST, LEAST = 0.95, 0.85
"""Adam's first beta at the lowest and at the highest rate."""

SECOND_BETA = 0.999

MOMENTUM = 0.9
"""Of SGD, whatever the rate."""


class OneCycle(ABC):
    """An optimiser whose rate rises to a peak and falls.

    Args:
        weights: what a step changes by its gradient.
        peak: the highest rate.
        steps: all steps that will be taken.
        weight_decay: weight of the L2 penalty.
    """

    def __init__(self, weights: nn.Parameter, peak: float, steps: int, weight_decay: float) -> None:
        self._weights, self._peak, self._steps = weights, peak, steps
        self._weight_decay, self._taken = weight_decay, 0

    def step(self) -> None:
        """Change the weights by their gradient.

        Raises:
            RuntimeError: it is not set.
        """
        if self._weights.grad is None:
            raise RuntimeError("the weights have no gradient: compute it before a step")
        rate, beta = one_cycle(self._taken, self._steps, self._peak)
        self._change(self._weights.grad, rate, beta)
        self._taken += 1

    @abstractmethod
    def _change(self, gradient: Tensor, rate: float, beta: float) -> None:
        """Change the weights at this rate; beta is Adam's first."""


class OneCycleSgd(OneCycle):
    """SGD with momentum. That of PyTorch imports its compiler, which takes more than a second."""

    def __init__(self, weights: nn.Parameter, peak: float, steps: int, weight_decay: float) -> None:
        super().__init__(weights, peak, steps, weight_decay)
        self._velocity = torch.zeros_like(weights.data)

    def _change(self, gradient: Tensor, rate: float, beta: float) -> None:
        weights = self._weights.data
        slope = torch.add(gradient, weights, alpha=self._weight_decay)
        self._velocity.mul_(MOMENTUM).add_(slope)
        weights.add_(self._velocity, alpha=-rate)


class OneCycleAdam(OneCycle):
    """Adam, whose first beta falls while the rate rises."""

    def __init__(self, weights: nn.Parameter, peak: float, steps: int, weight_decay: float) -> None:
        super().__init__(weights, peak, steps, weight_decay)
        self._moments = Moments.of([weights.data])

    def _change(self, gradient: Tensor, rate: float, beta: float) -> None:
        self._moments.step([gradient], rate, self._weight_decay, (beta, SECOND_BETA))


def one_cycle(step: int, steps: int, peak: float) -> tuple[float, float]:
    """The rate of a step, counted from 0, and Adam's first beta; both follow half cosines."""
    top = RISING * steps - 1
    first = peak / START
    if step <= top:
        part = step / top
        return _between(first, peak, part), _between(MOST, LEAST, part)
    part = (step - top) / (steps - 1 - top)
    return _between(peak, first / END, part), _between(LEAST, MOST, part)


def _between(start: float, end: float, part: float) -> float:
    """From `start` at 0 to `end` at 1 along half a cosine."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * part))
