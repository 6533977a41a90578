"""PPB against hand-computed values, scipy and finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import entropy

from prunepriv.defenses.ppb import pair_divergence, ppb
from prunepriv.training import cross_entropy


def drawn(models: int, batch: int, classes: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(models, batch, classes, generator=generator, dtype=torch.float64)


def by_scipy(logits: np.ndarray) -> float:
    """The divergence of one model's batch, pair by pair."""
    half = len(logits) // 2
    ranked = [sorted(softmax(row), reverse=True) for row in logits]
    return float(np.mean([entropy(ranked[half + i], ranked[i]) for i in range(half)]))


def test_by_hand() -> None:
    # posteriors (3/4, 1/4) of the first half's record, (1/2, 1/2) of the second half's:
    # KL((1/2, 1/2) || (3/4, 1/4)) = 1/2 log(2/3) + 1/2 log 2 = 1/2 log(4/3)
    logits = torch.tensor([[[0.0, math.log(3)], [0.0, 0.0]]], dtype=torch.float64)
    assert float(pair_divergence(logits)) == pytest.approx(0.5 * math.log(4 / 3), rel=1e-12)
    # in the other direction it is 3/4 log(3/2) + 1/4 log(1/2): the direction matters
    other = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert float(pair_divergence(logits.flip(1))) == pytest.approx(other, rel=1e-12)


@given(st.integers(1, 3), st.integers(2, 9), st.integers(2, 6), st.integers(0, 99))
def test_every_models_divergence_is_scipys(
    models: int, batch: int, classes: int, seed: int
) -> None:
    logits = drawn(models, batch, classes, seed)
    expected = [by_scipy(rows) for rows in logits.numpy()]
    assert pair_divergence(logits).tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_classes_do_not_matter_but_ranks_do() -> None:
    row = torch.tensor([3.0, 1.0, -1.0])
    logits = torch.stack([row, row.flip(0)])[None]
    assert float(pair_divergence(logits)) == pytest.approx(0, abs=1e-7)


def test_pairs_go_by_position() -> None:
    logits = drawn(1, 6, 4)
    swapped = logits[:, [1, 0, 2, 4, 3, 5]]
    assert float(pair_divergence(swapped)) == pytest.approx(float(pair_divergence(logits)))
    assert (
        abs(float(pair_divergence(logits[:, [1, 0, 2, 3, 4, 5]]) - pair_divergence(logits))) > 1e-3
    )


def test_an_odd_record_is_left_out() -> None:
    logits = drawn(2, 7, 4)
    assert torch.equal(pair_divergence(logits), pair_divergence(logits[:, :6]))


def test_a_batch_of_one_has_no_pair() -> None:
    logits = drawn(2, 1, 4).requires_grad_()
    divergence = pair_divergence(logits)
    assert divergence.tolist() == [0, 0]
    (gradient,) = torch.autograd.grad(divergence.sum(), logits)
    assert not gradient.any()


def test_the_gradient_goes_through_both_sides() -> None:
    logits = drawn(2, 5, 4).requires_grad_()
    assert torch.autograd.gradcheck(pair_divergence, logits)
    (gradient,) = torch.autograd.grad(pair_divergence(logits).sum(), logits)
    assert gradient[:, :4].abs().amax(2).min() > 1e-3, "both halves learn"
    assert not gradient[:, 4].any(), "the odd record does not"


def test_strength_scales_the_divergence() -> None:
    logits, labels = drawn(2, 6, 4), torch.tensor([[0, 1, 2, 3, 0, 1]] * 2)
    plain = cross_entropy(logits, labels)
    assert torch.equal(ppb(0.0)(logits, labels), plain)
    torch.testing.assert_close(ppb(4.0)(logits, labels) - plain, 4 * pair_divergence(logits))


def test_a_models_divergence_is_that_of_its_own_batch() -> None:
    logits = drawn(3, 6, 4)
    together = pair_divergence(logits)
    for model in range(3):
        torch.testing.assert_close(
            pair_divergence(logits[model : model + 1]), together[model : model + 1]
        )
