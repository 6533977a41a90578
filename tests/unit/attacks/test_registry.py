"""One contract over all attacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from prunepriv.attacks import (
    REGISTRY,
    Compared,
    FitSettings,
    Queries,
    ReferenceAttack,
    ReferenceQueries,
    get_attack,
)
from prunepriv.errors import Cancelled, UnknownNameError
from prunepriv.options import ATTACKS
from tests.unit.attacks.drawn import extreme, fit, take, target

torch.set_num_threads(1)

NAMES = list(ATTACKS)
NETWORKS = [name for name in NAMES if ATTACKS[name].kind == "network"]
SETTINGS = FitSettings(recipe="fast", seed=3)


def auc(name: str, leak: float) -> float:
    """Over three targets of 700 records each, half of them members."""
    attack: Any = get_attack(name)
    fitted = fit(name, 1, 1200, SETTINGS, leak=leak)
    targets = [target(name, seed, 700, leak) for seed in (2, 3, 4)]
    scores = [attack.score(fitted, one.queries) for one in targets]
    return float(roc_auc_score(np.concatenate([t.member for t in targets]), np.concatenate(scores)))


def test_the_registry_is_the_options_table() -> None:
    assert list(REGISTRY) == NAMES


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="unknown attack 'guess': choose one of corr, conf"):
        get_attack("guess")


def test_what_an_attack_sees_of_the_target_tells_no_membership() -> None:
    assert {field.name for field in fields(Queries)} == {"logits", "sensitivity", "label"}
    assert {field.name for field in fields(ReferenceQueries)} == {"records", "population"}
    assert {field.name for field in fields(Compared)} == {"phi", "mean_phi", "log_mean_p"}


def test_attacks_that_need_references_are_the_reference_attacks_of_the_table() -> None:
    for name, option in ATTACKS.items():
        assert isinstance(get_attack(name), ReferenceAttack) == (option.kind == "reference")


@pytest.mark.parametrize("name", NAMES)
def test_every_attack_cites_its_source_and_says_what_it_needs(name: str) -> None:
    text = " ".join((type(get_attack(name)).__doc__ or "").split())
    assert "Needs " in text
    assert all(source in text for source in ATTACKS[name].source.split("; "))


@pytest.mark.parametrize("name", NAMES)
def test_exchangeable_records_cannot_be_told_apart(name: str) -> None:
    assert auc(name, leak=0.0) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("name", NAMES)
def test_planted_leakage_is_found(name: str) -> None:
    # Corr only uses right or wrong, and some non-members are classified correctly by chance
    assert auc(name, leak=9.0) > (0.7 if name == "corr" else 0.9)


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_finite_and_follow_the_records_order(name: str) -> None:
    attack: Any = get_attack(name)
    queries = target(name, 2, 300).queries
    fitted = fit(name, 1, 400, SETTINGS, leak=2.0)
    order = np.random.default_rng(5).permutation(300)
    shuffled = take(queries, order)
    score, moved = attack.score(fitted, queries), attack.score(fitted, shuffled)
    assert score.shape == (300,)
    assert score.dtype == np.float64
    assert np.isfinite(score).all()
    np.testing.assert_allclose(moved, score[order], rtol=1e-4, atol=1e-5)
    said = attack.decide(fitted, queries, score)
    assert said.dtype == bool
    assert attack.decide(fitted, shuffled, score[order]).tolist() == said[order].tolist()
    alone = attack.score(fitted, take(queries, np.array([7])))
    np.testing.assert_allclose(alone, score[7:8], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_extreme_answers_get_finite_scores(name: str) -> None:
    attack: Any = get_attack(name)
    score = attack.score(fit(name, 1, 400, SETTINGS, leak=2.0), extreme(name))
    assert np.isfinite(score).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_learned_is_plain_finite_arrays_with_thresholds(name: str) -> None:
    fitted = fit(name, 1, 400, SETTINGS)
    per_class = getattr(get_attack(name), "per_class", False)
    assert fitted["thresholds"].shape == ((5,) if per_class else (1,))
    assert all(isinstance(array, np.ndarray) for array in fitted.values())
    assert all(np.isfinite(array).all() for array in fitted.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_learns_the_same(name: str) -> None:
    first = fit(name, 1, 300, SETTINGS)
    torch.manual_seed(99)  # no result depends on the global generator
    again = fit(name, 1, 300, SETTINGS)
    assert list(first) == list(again)
    assert all(np.array_equal(array, again[key]) for key, array in first.items())
    other = fit(name, 1, 300, FitSettings(recipe="fast", seed=4))
    same = all(np.array_equal(array, other[key]) for key, array in first.items())
    assert same == (name not in NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_cancelled_fit_stops(name: str) -> None:
    heard: list[float] = []

    def report(
        fraction: float, message: str = "", point: Mapping[str, float] | None = None
    ) -> None:
        heard.append(fraction)
        raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        fit(name, 1, 300, SETTINGS, report)
    assert len(heard) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [143, 287])
def test_any_number_of_shadow_records_will_do(name: str, n: int) -> None:
    # nine tenths of 143 and 287 are 129 and 258: after batches of 128, one or two records are left
    attack: Any = get_attack(name)
    fitted = fit(name, 1, n, SETTINGS)
    assert np.isfinite(attack.score(fitted, target(name, 1, n).queries)).all()
