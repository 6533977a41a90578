"""Which entries are removed, and the sparsity that is achieved."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from prunepriv.pruning.masks import smallest, sparsities
from tests.stacks import make_stack


@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=12).flatmap(
        lambda row: st.tuples(st.just(row), st.integers(0, len(row)))
    )
)
def test_the_exact_count_is_removed_and_no_removed_entry_is_larger_than_a_kept_one(
    drawn: tuple[list[int], int],
) -> None:
    row, count = drawn
    importance = torch.tensor([row, row[::-1]], dtype=torch.float32)
    kept = smallest(importance, count)
    assert (~kept).sum(1).tolist() == [count, count]
    for values, stay in zip(importance, kept, strict=True):
        if 0 < count < len(row):
            assert values[~stay].max() <= values[stay].min()


def test_sparsity_is_counted_over_all_prunable_weights() -> None:
    ensemble = make_stack("cnn", 2)
    weights = {name: ensemble.get_parameter(name) for name in ensemble.prunable()}
    masks = {name: torch.rand_like(weights[name]) > 0.3 for name in list(weights)[:2]}
    masks["norms.0.bias"] = torch.zeros_like(ensemble.get_parameter("norms.0.bias")).bool()
    whole, layers = sparsities(ensemble, masks)
    for model in range(2):
        gone = {name: int((~masks[name][model]).sum()) if name in masks else 0 for name in weights}
        sizes = {name: weight[model].numel() for name, weight in weights.items()}
        assert whole[model] == pytest.approx(sum(gone.values()) / sum(sizes.values()))
        assert layers[model] == {
            name.removesuffix(".weight"): gone[name] / sizes[name] for name in weights
        }


def test_without_masks_the_sparsity_is_zero() -> None:
    whole, layers = sparsities(make_stack("fc", 2), {})
    assert whole == [0, 0]
    assert layers == [{"hidden1": 0, "hidden2": 0, "output": 0}] * 2
