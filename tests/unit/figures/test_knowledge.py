"""What a wrong belief costs an adversary, in a matrix and in a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prunepriv.figures.findings import knowledge
from prunepriv.figures.knowledge import knowledge_matrix
from prunepriv.figures.palette import DARK

WORDS = ("50 %", "70 %")


def cells(accuracies: list[float], half: float = 0.01) -> pd.DataFrame:
    """Two by two, row by row."""
    accuracy = np.array(accuracies)
    return pd.DataFrame(
        {
            "row": np.repeat(WORDS, 2),
            "column": np.tile(WORDS, 2),
            "accuracy": accuracy,
            "low": accuracy - half,
            "high": accuracy + half,
            "seeds": 1,
            "guessing": accuracy < 0.505,
        }
    )


def test_the_target_is_the_row_and_what_it_knows_is_framed() -> None:
    figure, _ = knowledge_matrix(cells([0.7, 0.6, 0.55, 0.65]), "sparsity", DARK)
    assert figure.layout.yaxis.title.text == "target's sparsity"
    assert figure.layout.xaxis.title.text == "sparsity that the adversary assumes"
    assert figure.data[0].z[1][0] == 0.55
    assert len(figure.layout.shapes) == 2


COST = {"difference": -0.13, "ci95": (-0.2, -0.05), "clear": True, "seeds": 1, "why": ""}


@pytest.mark.parametrize(
    ("accuracies", "cost", "said"),
    [
        (
            [0.70, 0.60, 0.50, 0.66],
            COST,
            "In these runs of one seed, Conf is right 68.0 % of the time where the adversary knows "
            "the sparsity and 55.0 % (guessing in 1 of 2 runs) where it is wrong about it: its accuracy changes by "
            "\u221213.0 points, 95 % interval \u221220.0 to \u22125.0.",
        ),
        (
            [0.60, 0.63, 0.63, 0.60],
            {**COST, "difference": 0.03, "ci95": (-0.01, 0.07), "clear": False, "seeds": 4},
            "changes by +3.0 points (undecided), 95 % interval \u22121.0 to +7.0.",
        ),
        (
            [0.60, 0.59, 0.59, 0.60],
            {**COST, "difference": -0.01, "ci95": None, "clear": False, "why": "one seed"},
            "changes by \u22121.0 points (undecided: one seed).",
        ),
        ([0.70, 0.65, np.nan, 0.50], COST, "70.0 % of the time where the adversary knows"),
        ([0.70, np.nan, np.nan, 0.66], None, "where the adversary knows the sparsity; no run on"),
        ([np.nan, 0.6, np.nan, np.nan], None, "where the adversary does not know the sparsity; no"),
    ],
)
def test_the_sentence_compares_the_diagonal_with_the_rest(
    accuracies: list[float], cost: dict[str, Any] | None, said: str
) -> None:
    sentence = knowledge(cells(accuracies), "conf", "sparsity", cost)
    assert said in sentence
    assert "nan" not in sentence
