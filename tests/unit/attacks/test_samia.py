"""SAMIA's network against torch.nn's, and its gain where only the sensitivity leaks."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from prunepriv.attacks import FitSettings, ReferenceAttack, get_attack
from prunepriv.attacks.encoder import EncoderLayer
from prunepriv.attacks.samia import SelfAttention
from prunepriv.options import ATTACKS
from tests.unit.attacks.drawn import draw

torch.set_num_threads(1)


@pytest.mark.parametrize("classes", [2, 10, 30])
def test_the_network_has_the_papers_size(classes: int) -> None:
    network = SelfAttention(classes)
    attention = 3 * (64 * 64 + 64) + (64 * 64 + 64)
    feed_forward = (64 * 128 + 128) + (128 * 64 + 64)
    layer = attention + feed_forward + 2 * 2 * 64
    norm, embedding = 2 * 3 * classes, 3 * 64 + 64
    head = (64 * classes * 64 + 64) + (64 * 2 + 2)
    expected = norm + embedding + 3 * layer + head
    assert sum(parameter.numel() for parameter in network.parameters()) == expected
    assert network.eval()(torch.randn(7, 3 * classes)).shape == (7, 2)


def test_a_layer_is_torchs_encoder_layer() -> None:
    torch.manual_seed(0)
    ours = EncoderLayer().eval()
    theirs = nn.TransformerEncoderLayer(
        64, 4, dim_feedforward=128, dropout=0.2, activation="gelu", batch_first=True
    )
    theirs.load_state_dict(
        {
            "self_attn.in_proj_weight": ours.project.weight,
            "self_attn.in_proj_bias": ours.project.bias,
            "self_attn.out_proj.weight": ours.combine.weight,
            "self_attn.out_proj.bias": ours.combine.bias,
            "linear1.weight": ours.widen.weight,
            "linear1.bias": ours.widen.bias,
            "linear2.weight": ours.narrow.weight,
            "linear2.bias": ours.narrow.bias,
            "norm1.weight": ours.norm1.weight,
            "norm1.bias": ours.norm1.bias,
            "norm2.weight": ours.norm2.weight,
            "norm2.bias": ours.norm2.bias,
        }
    )
    x = 2 * torch.randn(5, 9, 64)
    torch.testing.assert_close(ours(x), theirs.eval()(x), atol=2e-5, rtol=1e-4)


def test_a_token_holds_the_three_features_of_one_class() -> None:
    network = SelfAttention(3).eval()
    seen: list[torch.Tensor] = []
    network.embed.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    p, s, y = [0.5, 0.3, 0.2], [10.0, 20.0, 30.0], [0.0, 1.0, 0.0]
    network(torch.tensor([p + s + y]))
    tokens = seen[0][0] * (1 + network.normalise.eps) ** 0.5
    for token, expected in zip(tokens.tolist(), zip(p, s, y, strict=True), strict=True):
        assert token == pytest.approx(expected, rel=1e-5)


def test_only_samia_sees_a_leak_in_the_sensitivity() -> None:
    shadows = draw(1, 2400, in_sensitivity=0.8).shadows()
    target = draw(2, 800, in_sensitivity=0.8)
    aucs = {}
    for name in ATTACKS:
        attack = get_attack(name)
        if isinstance(attack, ReferenceAttack):
            continue  # these attacks read only phi
        fitted = attack.fit(shadows, FitSettings(recipe="fast", seed=3))
        aucs[name] = float(roc_auc_score(target.member, attack.score(fitted, target.queries)))
    samia = aucs.pop("samia")
    assert samia > 0.8
    assert max(aucs.values()) < 0.58


def test_sensitivity_that_was_not_measured_is_refused() -> None:
    shadows = draw(1, 40).shadows()
    bare = replace(shadows, queries=replace(shadows.queries, sensitivity=None))
    with pytest.raises(ValueError, match="which was not measured"):
        get_attack("samia").fit(bare, FitSettings())
