"""Multiply-adds of steps, worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from benchmarks.trace.arithmetic import Arithmetic, Done, attack_multiplications, sizes
from prunepriv.attacks.neural import FAST
from prunepriv.attacks.samia import fast_recipe
from prunepriv.experiment import make_experiment

LOCATION = {"data": {"name": "checkins"}, "shadows": 2}
"""5,010 records of 446 features, 30 classes: each model has 2,505 records."""
MEMBERS, VALIDATION, NON_MEMBERS = 1126, 251, 1128
OWN = MEMBERS + NON_MEMBERS
FC = 446 * 256 + 256 * 128 + 128 * 30
NN = 30 * 512 + 512 * 256 + 256 * 128 + 128 * 2
POINT = {"epoch": 1, "loss": 0.1}


def count(
    name: str, params: dict[str, Any] | None = None, report: Any = None, **changes: Any
) -> float | None:
    experiment = make_experiment({**LOCATION, **changes})
    return Arithmetic(experiment).of(
        Done(name, name.split(":", maxsplit=1)[0], params or {}, report)
    )


def samia(classes: int) -> int:
    """Yuan & Zhang's network: a token per class, 64 wide, 4 heads, 3 layers, 128 in between."""
    layer = classes * (64 * 192 + 64 * 64 + 2 * 64 * 128) + 2 * classes * classes * 64
    return classes * 3 * 64 + 3 * layer + classes * 64 * 64 + 64 * 2


def test_records_are_split_as_the_method_says() -> None:
    assert sizes(5010, None) == (MEMBERS, VALIDATION, NON_MEMBERS)
    assert sizes(5010, 400) == sizes(400, None)
    assert sum(sizes(5010, 400)) == 200


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        ("nn", NN),
        ("top3_nn", NN - 27 * 512),
        ("cls_nn", NN + 30 * 512),
        ("samia", samia(30)),
    ],
)
def test_networks_of_attacks(attack: str, expected: int) -> None:
    assert attack_multiplications(attack, 30) == expected


class TestTraining:
    A_PASS = (3 * MEMBERS + VALIDATION) * FC

    def test_epochs_are_those_that_were_done(self) -> None:
        of_all = {"history": [[POINT] * 4, [POINT] * 6, [POINT] * 5]}
        assert count("train", report=of_all) == 15 * self.A_PASS
        of_one = {"history": [POINT] * 6}
        assert count("train:1", report=of_one) == 6 * self.A_PASS

    def test_without_a_report_all_allowed_epochs_count(self) -> None:
        assert count("train") == 50 * 3 * self.A_PASS
        assert count("train:2") == 50 * self.A_PASS
        assert count("fine_tune:pruned") == 25 * 3 * self.A_PASS
        assert count("fine_tune:assumed:pruned:2") == 25 * self.A_PASS

    def test_a_goal_for_the_members_costs_a_pass_more(self) -> None:
        until = {"training": {"stop_at_member_accuracy": 1.0}}
        more = count("train:1", until, {"history": [POINT]})
        assert more == self.A_PASS + MEMBERS * FC
        assert count("fine_tune:pruned:1", until, {"history": [POINT]}) == self.A_PASS


class TestAnswers:
    def test_signals_are_eleven_passes(self) -> None:
        assert count("signals:pruned") == 11 * OWN * 3 * FC
        assert count("signals:pruned:0") == 11 * OWN * FC
        exact = count("signals:pruned:0", signals={"sensitivity": "exact"})
        assert exact == 21 * OWN * FC

    def test_confidences_are_one(self) -> None:
        assert count("confidences:pruned") == (OWN + 2505) * 3 * FC
        assert count("confidences:pruned:2") == OWN * FC
        assert count("population:pruned:2") == 2505 * FC

    def test_a_convolution_counts_at_every_place(self) -> None:
        """Shapes: 3 channels of 16x16; pooled to 8x8 and 4x4 after the first two convolutions."""
        cnn = (27 * 16 * 256 + 144 * 32 * 64 + 288 * 32 * 16) + (512 * 128 + 128 * 10)
        own = sum(sizes(6000, None)[::2])
        assert count("signals:pruned:0", data={"name": "shapes"}) == 11 * own * cnn


class TestAttacks:
    def test_a_fit_trains_on_all_shadow_records(self) -> None:
        passes = FAST.epochs * 3 * 2 * OWN
        assert count("fit:nn:pruned", {"attack": "nn", "recipe": "fast"}) == passes * NN

    def test_the_recipe_of_the_paper(self) -> None:
        paper = count("fit:nn:pruned", {"attack": "nn", "recipe": "paper"})
        assert paper == 100 * 3 * 2 * OWN * NN

    def test_samia_uses_a_sample_and_holds_a_tenth_of_it_out(self) -> None:
        most = fast_recipe(30).most
        assert most < 40 * OWN
        held = round(0.1 * most)
        passes = fast_recipe(30).epochs * (3 * (most - held) + held)
        assert count("fit:samia:pruned", {"attack": "samia"}, shadows=40) == passes * samia(30)

    def test_a_score_is_one_pass_over_the_target(self) -> None:
        assert count("score:nn:pruned:adaptive", {"attack": "nn"}) == OWN * NN


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("data", {}),
        ("split:0", {}),
        ("divergence:pruned", {}),
        ("evaluation:pruned:adaptive", {}),
        ("checks", {}),
        ("fit:conf:pruned", {"attack": "conf"}),
        ("fit:lira:pruned", {"attack": "lira"}),
        ("score:conf:pruned:adaptive", {"attack": "conf"}),
        ("fit:of_tomorrow:pruned", {"attack": "of_tomorrow"}),
        ("of_tomorrow", {}),
    ],
)
def test_other_steps_have_no_arithmetic(name: str, params: dict[str, str]) -> None:
    assert count(name, params) is None


def test_attention_grows_with_the_square_of_the_classes() -> None:
    growth = math.log2(
        attack_multiplications("samia", 4000) / attack_multiplications("samia", 2000)
    )
    assert 1.8 < growth < 2.0
