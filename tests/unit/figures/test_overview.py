from __future__ import annotations

from typing import Any

import pytest

from prunepriv.figures import overview
from prunepriv.figures.live import best_epoch, curves_chart
from prunepriv.figures.palette import ACCURACY_RANGE, DARK, LIGHT, MEMBERS, NON_MEMBERS

HISTORY = [
    {"epoch": 1, "loss": 2.0, "member_accuracy": 0.4, "validation_accuracy": 0.3},
    {"epoch": 2, "loss": 1.0, "member_accuracy": 0.8, "validation_accuracy": 0.5},
    {"epoch": 3, "loss": 0.5, "member_accuracy": 0.9, "validation_accuracy": 0.5},
]


def row(attack: str, accuracy: float) -> dict[str, Any]:
    return {
        "attack": attack,
        "accuracy": accuracy,
        "accuracy_ci95": [accuracy - 0.02, accuracy + 0.03],
        "members": 10,
        "non_members": 10,
    }


def test_attacks_stand_best_first_with_their_intervals() -> None:
    figure, table = overview.attacks_chart([row("corr", 0.6), row("samia", 0.8)], LIGHT)
    dots = figure.data[0]
    assert list(dots.y) == ["SAMIA", "Corr"]
    assert list(dots.x) == list(table["accuracy"]) == [0.8, 0.6]
    assert list(dots.error_x.array) == pytest.approx([0.03, 0.03])
    assert list(dots.error_x.arrayminus) == pytest.approx([0.02, 0.02])
    assert tuple(figure.layout.xaxis.range) == ACCURACY_RANGE


def test_the_gap_is_members_minus_non_members_in_their_own_colors() -> None:
    figure, table = overview.gap_chart({"original": (0.9, 0.6), "pruned": (0.8, 0.7)}, DARK)
    assert list(table["gap"]) == pytest.approx([0.3, 0.1])
    colors = {trace.marker.color: list(trace.x) for trace in figure.data if trace.mode == "markers"}
    assert colors == {MEMBERS.color: [0.9, 0.8], NON_MEMBERS.color: [0.6, 0.7]}


def test_layers_show_what_is_kept_and_what_is_removed() -> None:
    figure, table = overview.layers_chart({"a": 0.6, "b": 0.55}, 0.6, LIGHT)
    kept, removed = figure.data
    assert list(kept.x) == pytest.approx([0.4, 0.45])
    assert list(removed.x) == list(table["sparsity"]) == [0.6, 0.55]


def test_the_split_draws_every_record_once() -> None:
    figure, table = overview.split_chart(45, 10, 45, 100, LIGHT)
    assert sum(trace.x[0] for trace in figure.data) == table["records"].sum() == 200


def test_the_kept_epoch_is_starred() -> None:
    figure, table = overview.training_chart(HISTORY, 2, True, LIGHT)
    star = figure.data[-1]
    assert (list(star.x), list(star.y)) == ([2], [0.5])
    assert table.loc[table["kept"], "epoch"].tolist() == [2]


@pytest.mark.parametrize("while_training", [True, False])
def test_the_members_curve_says_when_it_is_measured(while_training: bool) -> None:
    figure, _ = overview.training_chart(HISTORY, 2, while_training, LIGHT)
    assert ("while training" in figure.layout.xaxis.title.text) == while_training
    members, validation, _ = figure.data
    assert ("members while training" in members.hovertemplate) == while_training
    assert "while training" not in validation.hovertemplate


def test_of_equally_good_epochs_the_first_is_best() -> None:
    assert best_epoch(HISTORY) == 2


def test_live_curves_leave_room_for_the_epochs_to_come() -> None:
    figure, table = curves_chart(HISTORY, 2, 30, LIGHT)
    assert figure.layout.xaxis.range[1] == 30.5
    assert list(table["loss"]) == [2.0, 1.0, 0.5]
    assert table.loc[table["best"], "epoch"].tolist() == [2]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_figures_have_the_background_of_the_page(theme: Any) -> None:
    figure, _ = overview.training_chart(HISTORY, 1, True, theme)
    assert figure.layout.template.layout.paper_bgcolor == theme.surface
