"""The type of matrix products."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from prunepriv.attacks.products import Linear, fast_products, use_products


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "avx2": True}, torch.float32),
        ({"architecture": "arm64"}, torch.float32),
    ],
    ids=["avx512", "amx", "avx2", "arm"],
)
def test_bfloat16_only_where_the_processor_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, features: dict[str, Any], expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    assert fast_products() == expected


def test_predictions_have_products_of_the_inputs_type() -> None:
    torch.manual_seed(0)
    layer, x = Linear(30, 20), torch.randn(4, 5, 30)
    exact = torch.nn.functional.linear(x, layer.weight, layer.bias)
    use_products(layer, torch.bfloat16)
    rounded = layer(x)
    assert rounded.dtype == torch.float32
    assert 1e-4 < (rounded - exact).detach().abs().max() < 3e-2
    torch.testing.assert_close(layer.eval()(x), exact)
