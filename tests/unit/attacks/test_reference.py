"""LiRA, RMIA and BASE against closed forms and slow counts."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

from prunepriv.attacks import (
    Compared,
    ReferenceAttack,
    ReferenceQueries,
    ReferenceShadows,
    means,
)
from prunepriv.attacks.base import Fitted
from prunepriv.attacks.reference import Base, Lira, OfflineAttack, Rmia, pooled_spread
from prunepriv.errors import ExperimentError
from tests.unit.attacks.drawn import (
    Answers,
    DrawnReferences,
    draw_compared,
    draw_shadows,
    take,
)

ATTACKS: list[ReferenceAttack] = [Lira(), Rmia(), Base()]
attacks = pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: type(a).__name__)


def sigmoid(phi: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-phi.astype(np.float64))))


# --- LiRA ---


def test_lira_has_the_roc_of_two_normal_distributions() -> None:
    """With phi ~ N(mu_x, s^2), members d higher, and mu_x known from many references."""
    rng = np.random.default_rng(1)
    n, models, s, d = 20_000, 200, 1.5, 2.0
    mu = rng.normal(0, 3, n)
    member = np.arange(n) % 2 == 0
    reference = (mu + rng.normal(0, s, (models, n))).astype(np.float32)
    usable = np.ones(reference.shape, dtype=bool)
    phi = mu + rng.normal(0, s, n) + d * member
    records = Compared.with_references(phi, reference, usable)
    learned = {"spread": np.array([pooled_spread(reference, usable)])}
    score = Lira().score(learned, ReferenceQueries(records, records))
    assert learned["spread"][0] == pytest.approx(s, rel=0.005)
    expected = norm.cdf(d / (s * np.sqrt(2)))
    assert roc_auc_score(member, score) == pytest.approx(expected, abs=0.01)
    fpr, tpr, _ = roc_curve(member, score)
    for rate in (0.001, 0.01, 0.1, 0.5):
        found = np.interp(rate, fpr, tpr)
        assert found == pytest.approx(norm.cdf(norm.ppf(rate) + d / s), abs=0.035), rate


def test_lira_is_the_normal_tail_of_the_excess() -> None:
    seen = draw_compared(3, 40).population
    queries = ReferenceQueries(seen.compared, seen.compared)
    score = Lira().score({"spread": np.array([0.7])}, queries)
    expected = [norm.logcdf((seen.phi[i] - seen.out_of(i).mean()) / 0.7) for i in range(40)]
    np.testing.assert_allclose(score, expected, rtol=1e-6)


class DifferenceCalibration(OfflineAttack):
    """phi less the mean of the references (Watson et al. 2022), with the same kind of threshold."""

    def learn(self, shadows: ReferenceShadows) -> Fitted:
        return {}

    def score(self, fitted: Mapping[str, np.ndarray], queries: ReferenceQueries) -> np.ndarray:
        return np.asarray(queries.records.phi - queries.records.mean_phi())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_one_spread_lira_ranks_and_decides_as_difference_calibration(seed: int) -> None:
    shadows, target = draw_shadows(seed, leak=2.0), draw_compared(seed + 10, 2000, leak=2.0)
    found = []
    for attack in (Lira(), DifferenceCalibration()):
        fitted = attack.fit(shadows)
        score = attack.score(fitted, target.queries)
        found.append((score, attack.decide(fitted, target.queries, score)))
    (lira, said), (difference, expected) = found
    assert np.array_equal(lira.argsort(), difference.argsort())
    assert np.array_equal(np.unique(lira, return_counts=True)[1], np.ones(2000)), "no ties"
    assert np.array_equal(said, expected)
    assert 0.1 < said.mean() < 0.9


def test_from_38_spreads_on_lira_has_ties_that_difference_calibration_has_not() -> None:
    """Where log Phi is 0 in float64."""
    excess = np.array([36.0, 37.0, 39.0, 40.0])
    seen = Compared.with_references(excess, np.zeros((1, 4)), np.ones((1, 4), dtype=bool))
    score = Lira().score({"spread": np.ones(1)}, ReferenceQueries(seen, seen))
    assert score[0] < score[1] < score[2] == score[3] == 0


def test_with_a_spread_for_each_record_the_order_would_be_another() -> None:
    """What the equality rests on: one number for all."""
    drawn = draw_compared(5, 400)
    seen = drawn.records
    excess = seen.phi - seen.reference.mean(axis=0)
    score = Lira().score({"spread": np.ones(1)}, drawn.queries)
    assert np.array_equal(score.argsort(), excess.argsort())
    by_record = norm.logcdf(excess / seen.reference.std(axis=0, ddof=1))
    assert not np.array_equal(by_record.argsort(), excess.argsort())


def test_the_spread_counts_a_mean_as_one_degree_of_freedom() -> None:
    rng = np.random.default_rng(4)
    usable = rng.random((3, 60_000)) < 0.6
    phi = rng.normal(0, 5, 60_000) + rng.normal(0, 2, usable.shape)
    phi[~usable] = 1e6
    assert pooled_spread(phi, usable) == pytest.approx(2, rel=0.01)


def test_the_spread_of_models_that_agree_is_not_zero() -> None:
    assert pooled_spread(np.ones((3, 5)), np.ones((3, 5), dtype=bool)) > 0


# --- RMIA and BASE ---


def slow_rmia(a: float, gamma: float, drawn: DrawnReferences) -> np.ndarray:
    """The share of z that each x dominates, pair by pair."""

    def ratios(seen: Answers) -> list[float]:
        mean = [sigmoid(seen.out_of(i)).mean() for i in range(len(seen.phi))]
        p = sigmoid(seen.phi)
        return [p[i] / (((1 + a) * m + 1 - a) / 2) for i, m in enumerate(mean)]

    x, z = ratios(drawn.records), ratios(drawn.population)
    hits = [sum(one / other >= gamma for other in z) for one in x]
    return np.array(hits) / len(z)


@pytest.mark.parametrize(("a", "gamma"), [(0.33, 2.0), (0.33, 1.0), (0.9, 1.2), (0.0, 2.0)])
def test_rmia_is_the_share_of_the_population_that_a_record_dominates(
    a: float, gamma: float
) -> None:
    drawn = draw_compared(6, 80, leak=2.0)
    score, expected = Rmia(a, gamma).score({}, drawn.queries), slow_rmia(a, gamma, drawn)
    assert (np.abs(score - expected) <= 1 / 81 + 1e-12).all()
    counts = np.floor(score * 81 + 1e-9)
    assert np.array_equal(counts, np.round(expected * 80))


def test_rmia_with_one_reference_compares_two_ratios() -> None:
    """At a = 1 p(x) is the reference's own p_y."""
    drawn = draw_compared(7, 50, models=1)
    x, z = drawn.records, drawn.population
    p, q = sigmoid(x.phi) / sigmoid(x.reference[0]), sigmoid(z.phi) / sigmoid(z.reference[0])
    hits = np.zeros(50)
    for i, j in product(range(50), range(50)):
        hits[i] += p[i] >= q[j]
    score = Rmia(a=1.0, gamma=1.0).score({}, drawn.queries)
    assert np.array_equal(np.floor(score * 51 + 1e-9), hits)


def test_rmia_breaks_ties_by_the_ratio() -> None:
    queries = draw_compared(8, 400).queries
    nobody = np.zeros(0, dtype=int)
    alone = ReferenceQueries(queries.records, take(queries, nobody).records)
    ratio = Rmia().score({}, alone)
    assert ((ratio > 0) & (ratio < 1)).all()
    assert np.array_equal(Rmia().score({}, queries).argsort(), ratio.argsort())
    assert len(np.unique(ratio)) == 400


def test_base_is_the_log_of_the_ratio_to_the_mean() -> None:
    seen = draw_compared(9, 60).population
    score = Base().score({}, ReferenceQueries(seen.compared, seen.compared))
    means = [sigmoid(seen.out_of(i)).mean() for i in range(60)]
    np.testing.assert_allclose(score, np.log(sigmoid(seen.phi)) - np.log(means), rtol=1e-5)


def test_base_keeps_its_digits_where_posteriors_vanish() -> None:
    phi, reference = np.array([-700.0, 40.0]), np.array([[-710.0, 30.0]])
    seen = Compared.with_references(phi, reference, np.ones((1, 2), dtype=bool))
    score = Base().score({}, ReferenceQueries(seen, seen))
    assert score[0] == pytest.approx(10)
    assert score[1] == pytest.approx(np.exp(-30.0), rel=1e-3)


# --- which models and records may be compared ---


@attacks
def test_a_model_trained_on_a_record_is_not_its_reference(attack: ReferenceAttack) -> None:
    drawn, shadows = draw_compared(10, 200), draw_shadows(11, 200)
    fitted = attack.fit(shadows)
    z = drawn.population
    planted = replace(z, reference=np.where(z.usable, z.reference, 1e6)).compared
    for records in (drawn.records.compared, None):
        plain = ReferenceQueries(records or z.compared, z.compared)
        one = ReferenceQueries(records or planted, planted)
        assert np.array_equal(attack.score(fitted, one), attack.score(fitted, plain))


@attacks
def test_validation_records_are_neither_members_nor_non_members(
    attack: ReferenceAttack,
) -> None:
    shadows = draw_shadows(12, 300)
    for shadow, (phi, seen) in enumerate(zip(shadows.phi, shadows.seen, strict=True)):
        queries, member = shadows.as_target(shadow)
        others = np.delete(shadows.seen, shadow, axis=0)
        known = (others != 1).any(axis=0)
        rows = known & (seen != 2)
        assert np.array_equal(queries.records.phi, phi[rows])
        assert np.array_equal(member, seen[rows] == 1)
        population = known & (seen != 1)
        assert np.array_equal(queries.population.phi, phi[population])
        others_phi = np.delete(shadows.phi, shadow, axis=0)
        for one, chosen in ((queries.records, rows), (queries.population, population)):
            slow = Answers(phi[chosen], others_phi[:, chosen], others[:, chosen] != 1)
            outs = [slow.out_of(record) for record in range(chosen.sum())]
            expected = [out.mean() for out in outs]
            np.testing.assert_allclose(one.mean_phi(), expected, rtol=1e-12, atol=1e-14)
            expected = [np.log(sigmoid(out).mean()) for out in outs]
            np.testing.assert_allclose(one.log_mean_p(), expected, rtol=1e-12, atol=1e-14)


@attacks
def test_a_threshold_is_the_score_of_a_shadows_record(attack: ReferenceAttack) -> None:
    shadows = draw_shadows(14, 300, leak=3.0)
    fitted = attack.fit(shadows)
    seen = [shadows.as_target(shadow) for shadow in range(len(shadows.phi))]
    score = np.concatenate([attack.score(fitted, queries) for queries, _ in seen])
    member = np.concatenate([member for _, member in seen])
    assert fitted["thresholds"][0] in score
    said = score >= fitted["thresholds"][0]
    balanced = (said[member].mean() + 1 - said[~member].mean()) / 2
    best = max(
        (score[member] >= t).mean() + 1 - (score[~member] >= t).mean() for t in np.unique(score)
    )
    assert balanced == pytest.approx(best / 2)


@attacks
def test_shadows_of_the_same_records_are_refused(attack: ReferenceAttack) -> None:
    seen = np.tile((np.arange(20) < 9).astype(np.uint8), (2, 1))
    with pytest.raises(ExperimentError, match="trained on different records, got 2 that leave"):
        attack.fit(ReferenceShadows(np.zeros((2, 20), dtype=np.float32), seen))


def test_the_stored_tables_give_the_queries_of_target_and_population() -> None:
    rng = np.random.default_rng(15)
    seen = rng.integers(0, 3, (2, 30)).astype(np.uint8)
    phi, population_phi = rng.normal(size=8), rng.normal(size=30)
    confidences = [{"phi": rng.normal(size=8)} for _ in seen]
    populations = [{"phi": rng.normal(size=30), "seen": row} for row in seen]
    queries = ReferenceQueries.from_arrays(phi, population_phi, confidences, populations)
    known = (seen != 1).any(axis=0)
    assert 0 < known.sum() < 30
    assert np.array_equal(queries.records.phi, phi)
    answers = np.array([one["phi"] for one in confidences])
    np.testing.assert_allclose(queries.records.mean_phi(), answers.mean(axis=0), rtol=1e-12)
    expected = np.log(sigmoid(answers).mean(axis=0))
    np.testing.assert_allclose(queries.records.log_mean_p(), expected, rtol=1e-12)
    assert np.array_equal(queries.population.phi, population_phi[known])
    reference = np.array([one["phi"][known] for one in populations])
    slow = Answers(population_phi[known], reference, seen[:, known] != 1)
    outs = [slow.out_of(record) for record in range(known.sum())]
    found = queries.population
    np.testing.assert_allclose(found.mean_phi(), [out.mean() for out in outs], rtol=1e-12)
    expected = np.array([np.log(sigmoid(out).mean()) for out in outs])
    np.testing.assert_allclose(found.log_mean_p(), expected, rtol=1e-12)
    shadows = ReferenceShadows.from_arrays(populations)
    assert np.array_equal(shadows.phi, [one["phi"] for one in populations])
    assert np.array_equal(shadows.seen, seen)


# --- what a fit costs ---


class Counted(np.ndarray):
    """An array that counts the values of all arrays made from it, views too."""

    values = 0

    def __array_finalize__(self, made_from: object) -> None:
        Counted.values += self.size


def values_of_a_fit(attack: ReferenceAttack, models: int) -> int:
    """How many values the arrays have that are made in a fit on so many shadows."""
    shadows = draw_shadows(16, 200, models=models)
    shadows = ReferenceShadows(shadows.phi.view(Counted), shadows.seen.view(Counted))
    Counted.values = 0
    attack.fit(shadows)
    return Counted.values


@attacks
def test_a_fit_grows_with_the_number_of_shadows_and_not_with_its_square(
    attack: ReferenceAttack,
) -> None:
    few, many, more = (values_of_a_fit(attack, models) for models in (8, 32, 128))
    assert few > 8 * 200
    assert many < 4.5 * few
    assert more < 4.5 * many


@attacks
def test_a_fit_needs_the_memory_of_one_mean_and_of_all_scores(
    attack: ReferenceAttack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 256 shadows and 100,000 records one such table has 205 MB."""
    monkeypatch.setattr(means, "BLOCK", 1 << 12)
    shadows = draw_shadows(17, 20_000, models=32)
    tracemalloc.start()
    try:
        attack.fit(shadows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3.7 * 8 * shadows.phi.size
