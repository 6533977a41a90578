"""One contract over all attacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from prunepriv.attacks import REGISTRY, FitSettings, PooledShadows, Queries, get_attack
from prunepriv.errors import Cancelled, UnknownNameError
from prunepriv.options import ATTACKS
from tests.unit.attacks.drawn import draw, take

torch.set_num_threads(1)

NAMES = list(ATTACKS)
NETWORKS = [name for name in NAMES if ATTACKS[name].kind == "network"]
SETTINGS = FitSettings(recipe="fast", seed=3)


def auc(name: str, leak: float) -> float:
    """Over three targets of 700 records each, whose members and non-members are as many."""
    attack = get_attack(name)
    fitted = attack.fit(draw(1, 1200, leak=leak).shadows(), SETTINGS)
    targets = [draw(seed, 700, leak=leak) for seed in (2, 3, 4)]
    scores = [attack.score(fitted, target.queries) for target in targets]
    return float(roc_auc_score(np.concatenate([t.member for t in targets]), np.concatenate(scores)))


def test_the_registry_is_the_options_table() -> None:
    assert list(REGISTRY) == NAMES


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="unknown attack 'guess': choose one of corr, conf"):
        get_attack("guess")


def test_what_an_attack_sees_of_the_target_tells_no_membership() -> None:
    assert {field.name for field in fields(Queries)} == {"logits", "sensitivity", "label"}


@pytest.mark.parametrize("name", NAMES)
def test_exchangeable_records_cannot_be_told_apart(name: str) -> None:
    assert auc(name, leak=0.0) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("name", NAMES)
def test_planted_leakage_is_found(name: str) -> None:
    # Corr sees a yes or a no only, and some non-members are answered right by chance
    assert auc(name, leak=9.0) > (0.7 if name == "corr" else 0.9)


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_finite_and_follow_the_records_order(name: str) -> None:
    attack, target = get_attack(name), draw(2, 300)
    fitted = attack.fit(draw(1, 400, leak=2.0).shadows(), SETTINGS)
    order = np.random.default_rng(5).permutation(300)
    shuffled = take(target.queries, order)
    score, moved = attack.score(fitted, target.queries), attack.score(fitted, shuffled)
    assert score.shape == (300,)
    assert score.dtype == np.float64
    assert np.isfinite(score).all()
    np.testing.assert_allclose(moved, score[order], rtol=1e-4, atol=1e-5)
    said = attack.decide(fitted, target.queries, score)
    assert said.dtype == bool
    assert attack.decide(fitted, shuffled, score[order]).tolist() == said[order].tolist()
    alone = attack.score(fitted, take(target.queries, np.array([7])))
    np.testing.assert_allclose(alone, score[7:8], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_extreme_answers_get_finite_scores(name: str) -> None:
    attack = get_attack(name)
    fitted = attack.fit(draw(1, 400, leak=2.0).shadows(), SETTINGS)
    logits = np.zeros((3, 5), dtype=np.float32)
    logits[:2, 0] = 1e4
    score = attack.score(fitted, Queries(logits, np.zeros_like(logits), np.array([0, 1, 2])))
    assert np.isfinite(score).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_learned_is_plain_finite_arrays_with_thresholds(name: str) -> None:
    fitted = get_attack(name).fit(draw(1, 400).shadows(), SETTINGS)
    assert fitted["thresholds"].shape == ((5,) if get_attack(name).per_class else (1,))
    assert all(isinstance(array, np.ndarray) for array in fitted.values())
    assert all(np.isfinite(array).all() for array in fitted.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_learns_the_same(name: str) -> None:
    shadows = draw(1, 300).shadows()
    first = get_attack(name).fit(shadows, SETTINGS)
    torch.manual_seed(99)  # nothing that is kept comes from the global generator
    again = get_attack(name).fit(shadows, SETTINGS)
    assert list(first) == list(again)
    assert all(np.array_equal(array, again[key]) for key, array in first.items())
    other = get_attack(name).fit(shadows, FitSettings(recipe="fast", seed=4))
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
        get_attack(name).fit(draw(1, 300).shadows(), SETTINGS, report)
    assert len(heard) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [143, 287])
def test_any_number_of_shadow_records_will_do(name: str, n: int) -> None:
    # of 143 and 287, nine tenths are 129 and 258: batches of 128 leave one over, or two
    drawn = draw(1, n)
    fitted = get_attack(name).fit(PooledShadows(drawn.queries, drawn.member), SETTINGS)
    assert np.isfinite(get_attack(name).score(fitted, drawn.queries)).all()
