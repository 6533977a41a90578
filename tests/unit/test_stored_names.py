"""The names of stored tensors are those of the networks' layers: they stay, or stores are lost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pytest

from prunepriv.attacks.neural import attack_network
from prunepriv.attacks.samia import SelfAttention
from prunepriv.models import build
from prunepriv.options import MODELS

MODEL_NAMES = {
    ("fc", "batch"): "bd19a91c0e21",
    ("cnn", "batch"): "34f86eeba8a3",
    ("cnn", "group"): "fe85b2c6fe97",
    ("resnet18", "batch"): "e90b1f58ce95",
    ("resnet18", "group"): "4ebb7268839d",
    ("vgg16", "batch"): "3a8dd6f92a1e",
    ("vgg16", "group"): "ad50cab91814",
    ("densenet121", "batch"): "01da9529598d",
    ("densenet121", "group"): "09d3ad844286",
}
"""SHA-256 of the sorted names, as in version 0.1.0; another layer is another version of its step."""


def digest(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:12]


@pytest.mark.parametrize(("model", "norm"), list(MODEL_NAMES))
def test_names_of_a_models_tensors(model: str, norm: str) -> None:
    tabular = MODELS[model].serves == "tabular"
    shape, width = ((9,), 1.0) if tabular else ((3, 32, 32), 0.125)
    stack = build(model, 1, shape, 4, width, norm)
    assert digest(stack.state_dict()) == MODEL_NAMES[model, norm]


def test_every_model_has_its_names() -> None:
    assert {model for model, _ in MODEL_NAMES} == set(MODELS)


def test_names_of_the_attack_networks_tensors() -> None:
    assert digest(SelfAttention(3).state_dict()) == "833c6ae9778a"
    layers = {name.partition(".")[0] for name in attack_network(5).state_dict()}
    assert layers == {"0", "3", "6", "8"}
