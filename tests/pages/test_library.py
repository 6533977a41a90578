"""The library's figures are those of the pages, chart by chart."""

from __future__ import annotations

import json

import pytest

import prunepriv
from prunepriv.experiment import make_experiment
from tests.pages.conftest import Begin, Open

PAGES = {
    "leakage": ("confidence", "sensitivity"),
    "classes": ("classes", "distances"),
    "attacks": ("attacks", "roc", "threshold", "agreement"),
    "defenses": ("defense", "accuracies"),
    "run": ("sparsity", "training"),
}
"""Where each figure stands."""


def test_every_figure_is_compared() -> None:
    assert {name for names in PAGES.values() for name in names} == set(prunepriv.FIGURES)


@pytest.mark.parametrize("page", PAGES)
def test_figures_are_those_of_the_page(open_page: Open, begin: Begin, page: str) -> None:
    result = begin(
        make_experiment({"data": {"limit": 400}, "defense": {"name": "ppb"}, "models": "all"})
    )
    at = open_page(page, run=result.run_id)
    assert not at.exception
    shown = [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]
    run = prunepriv.load(result.run_id)
    for name in PAGES[page]:
        ours = json.loads(str(run.figure(name).to_json()))
        assert ours["data"] in [theirs["data"] for theirs in shown], name
        assert ours["layout"] in [theirs["layout"] for theirs in shown], name
