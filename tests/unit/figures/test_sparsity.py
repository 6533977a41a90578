from __future__ import annotations

from typing import Any

import pytest

from prunepriv.figures import findings
from prunepriv.figures.palette import DARK, LIGHT
from prunepriv.figures.sparsity import MOST_BARS, sparsity_chart

FEW = {"hidden1": 0.698, "hidden2": 0.7, "output": 0.71}
DEEP = {f"denseblock.{k}.conv": 0.6 + k / 1000 for k in range(121)}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_few_layers_are_bars_with_their_names(theme: Any) -> None:
    figure, table = sparsity_chart(FEW, 0.7, theme)
    (bars,) = figure.data
    assert (bars.type, list(bars.y), list(bars.x)) == ("bar", list(FEW), list(FEW.values()))
    assert table.to_dict("list") == {
        "number": [1, 2, 3], "layer": list(FEW), "sparsity": list(FEW.values()),
        "requested": [0.7] * 3,
    }  # fmt: skip
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == 0.7
    assert figure.layout.yaxis.autorange == "reversed", "the first layer on top"
    assert figure.layout.template.layout.paper_bgcolor == theme.surface


def test_many_layers_are_dots_in_order_and_no_taller() -> None:
    figure, table = sparsity_chart(DEEP, 0.6, LIGHT)
    (dots,) = figure.data
    assert (dots.mode, len(dots.x)) == ("markers", 121)
    assert list(dots.customdata) == list(DEEP) == list(table["layer"])
    assert list(dots.y) == list(DEEP.values())
    (line,) = figure.layout.shapes
    assert line.y0 == line.y1 == 0.6
    widest, _ = sparsity_chart(dict(list(DEEP.items())[:MOST_BARS]), 0.6, LIGHT)
    assert figure.layout.height < widest.layout.height < 700


def test_the_sentence_names_the_ends() -> None:
    told = findings.sparsity(FEW, 0.699, "L1 unstructured 70 %")
    assert told.startswith("L1 unstructured 70 % removed 69.9 % of the model's weights")
    assert "69.8 % of layer hidden1 to 71.0 % of layer output, of 3 layers" in told
    alike = findings.sparsity({"a": 0.70001, "b": 0.69999}, 0.7, "L1 unstructured 70 %")
    assert alike.endswith("70.0 % of every one of its 2 layers.")


def test_the_sentence_says_why_few_weights_are_zero_where_channels_were_removed() -> None:
    size = {
        "removed_channels": 0.6,
        "emitting_channels": 0.0,
        "parameters_left": 0.4,
        "multiplications_left": 0.2,
    }
    told = findings.sparsity(FEW, 0.067, "Network slimming 60 %", size)
    assert "removed 6.7 % of the model's weights" in told
    assert "60.0 % of the channels were removed: their own weights count as removed" in told
    short = findings.removed("Network slimming 60 %", 0.067, size)
    assert short.startswith("Network slimming 60 %: 6.7 % of the weights were removed")
    assert short.endswith("40.0 % of the parameters and 20.0 % of the multiplications are left.")
    assert findings.removed("L1 unstructured 70 %", 0.7).endswith("the solid part was kept.")
