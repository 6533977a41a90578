"""Filters with their channels last: how they lie in memory changes no bit of a model."""

from __future__ import annotations

import pytest
import torch

from prunepriv.defenses import make_protection
from prunepriv.models import Ensemble, build
from prunepriv.options import DEFENSES
from prunepriv.training import Settings, Trained, initialize, train
from tests.stacks import CLASSES, make_problem, make_stack

LARGE = ["resnet18", "vgg16", "densenet121"]
WIDTH = 0.25
"""At which some filters fill vector registers, and others do not."""


def learn(name: str, defense: str, norm: str, shape: tuple[int, ...]) -> Trained:
    """One model, trained with half of its weights masked."""
    ensemble = build(name, 1, shape, CLASSES, WIDTH, norm)
    initialize(ensemble, 7)
    generator = torch.Generator().manual_seed(1)
    masks = {
        name: torch.rand(ensemble.get_parameter(name).shape, generator=generator) > 0.5
        for name in ensemble.prunable()
    }
    settings = Settings(
        epochs=2, patience=None, batch_size=32, scale_penalty=1e-3 * (norm == "batch")
    )
    (trained,) = train(
        ensemble,
        make_problem(name, 1, shape=shape),
        settings,
        seed=7,
        stage="fine_tune",
        protect=make_protection(defense, DEFENSES[defense].default_strength, clip=1.0),
        masks=masks,
    )
    return trained


@pytest.mark.parametrize(
    ("name", "defense"),
    [*(("cnn", defense) for defense in DEFENSES), *((name, "none") for name in LARGE)],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_layout_changes_no_bit(
    name: str, defense: str, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = (channels, 8, 8)
    norm = "group" if defense == "dp_sgd" else "batch"  # DP-SGD allows no batch norm
    ours = learn(name, defense, norm, shape)
    monkeypatch.setattr(Ensemble, "lay_out_for_training", lambda *_: None)
    contiguous = learn(name, defense, norm, shape)
    assert ours.history == contiguous.history
    assert ours.protection == contiguous.protection
    for key, value in ours.state.items():
        assert torch.equal(value, contiguous.state[key]), key
        assert value.is_contiguous(), key  # as it is stored


def test_filters_lie_with_channels_last() -> None:
    ensemble = make_stack("vgg16", 2, shape=(3, 8, 8))
    before = ensemble.copy_state()
    ensemble.lay_out_for_training((3, 8, 8))
    laid_out = []
    for key, kind in ensemble.prunable().items():
        if kind == "conv":
            filters = ensemble.get_parameter(key).data.flatten(0, 1)
            assert filters.data_ptr() == ensemble.get_parameter(key).data_ptr()  # no copy
            laid_out.append(filters.is_contiguous(memory_format=torch.channels_last))
    assert laid_out == [True] * 7 + [False] * 6  # the last six see one pixel
    for key, value in ensemble.copy_state().items():
        assert torch.equal(value, before[key])
        assert value.is_contiguous()


def test_filters_that_do_not_fill_vector_registers_stay() -> None:
    ensemble = make_stack("cnn", 1, shape=(3, 8, 8), width=WIDTH)
    ensemble.lay_out_for_training((3, 8, 8))
    filters = [ensemble.get_parameter(f"convolutions.{i}.weight") for i in range(3)]
    assert [one[0].numel() % 16 for one in filters] == [12, 0, 0]
    assert [one.is_contiguous() for one in filters] == [True, False, False]
