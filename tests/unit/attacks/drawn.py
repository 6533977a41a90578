"""Random signals of known leakage, for tests of attacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from prunepriv.attacks import (
    Compared,
    FitSettings,
    Fitted,
    PooledShadows,
    Queries,
    ReferenceAttack,
    ReferenceQueries,
    ReferenceShadows,
    get_attack,
)
from prunepriv.progress import Report, silent


@dataclass(frozen=True)
class Drawn:
    queries: Queries
    member: np.ndarray

    def shadows(self) -> PooledShadows:
        return PooledShadows(self.queries, self.member)


def draw(
    seed: int, n: int = 600, classes: int = 5, *, leak: float = 0.0, in_sensitivity: float = 0.0
) -> Drawn:
    """Records that reveal membership only as the arguments say.

    Args:
        leak: how much larger the logit of a member's true class is.
        in_sensitivity: a member's sensitivity is lower by a factor of e to this power.
    """
    rng = np.random.default_rng(seed)
    member = rng.permutation(np.arange(n) % 2 == 0)
    label = rng.integers(0, classes, n)
    logits = rng.normal(0, 1.5, (n, classes))
    logits[np.arange(n), label] += 1.0 + leak * member
    sensitivity = rng.lognormal(-2, 0.5, (n, classes)) * np.exp(-in_sensitivity * member)[:, None]
    queries = Queries(logits.astype(np.float32), sensitivity.astype(np.float32), label)
    return Drawn(queries, member)


MODELS = 5


@dataclass(frozen=True)
class Answers:
    """Phi of one model (n,) and of its references (S, n), and which of these are usable (S, n)."""

    phi: np.ndarray
    reference: np.ndarray
    usable: np.ndarray

    @property
    def compared(self) -> Compared:
        return Compared.with_references(self.phi, self.reference, self.usable)

    def out_of(self, record: int) -> np.ndarray:
        """Phi of one record, of the models that were not trained on it."""
        return np.asarray(self.reference[self.usable[:, record], record].astype(np.float64))


@dataclass(frozen=True)
class DrawnReferences:
    records: Answers
    population: Answers
    member: np.ndarray

    @property
    def queries(self) -> ReferenceQueries:
        return ReferenceQueries(self.records.compared, self.population.compared)


def draw_shadows(
    seed: int, n: int = 600, *, leak: float = 0.0, models: int = MODELS
) -> ReferenceShadows:
    """Shadows that were each trained on 45 % of the records; phi varies by record and at random."""
    rng = np.random.default_rng(seed)
    uses = np.repeat([1, 2, 0], [round(0.45 * n), n - 2 * round(0.45 * n), round(0.45 * n)])
    seen = np.stack([rng.permutation(uses) for _ in range(models)]).astype(np.uint8)
    phi = _hardness(rng, n) + rng.normal(0, 1, seen.shape) + leak * (seen == 1)
    return ReferenceShadows(phi.astype(np.float32), seen)


def draw_compared(
    seed: int, n: int = 600, *, leak: float = 0.0, models: int = MODELS
) -> DrawnReferences:
    """A target's records, half of them members, with its references, and a population."""
    rng = np.random.default_rng(seed)
    member = rng.permutation(np.arange(n) % 2 == 0)

    def answers(usable: np.ndarray, lead: np.ndarray) -> Answers:
        hardness = _hardness(rng, n)
        reference = hardness + rng.normal(0, 1, (models, n)) + leak * ~usable
        phi = hardness + rng.normal(0, 1, n) + lead
        return Answers(phi.astype(np.float32), reference.astype(np.float32), usable)

    everywhere = np.ones((models, n), dtype=bool)
    some = rng.random((models, n)) < 0.55
    some[0] |= ~some.any(axis=0)
    return DrawnReferences(answers(everywhere, leak * member), answers(some, np.zeros(n)), member)


def _hardness(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.asarray(rng.normal(-2, 1, n))


def fit(
    name: str, seed: int, n: int, settings: FitSettings, report: Report = silent, leak: float = 0.0
) -> Fitted:
    """Fit any attack on random shadows of the type that it needs."""
    attack = get_attack(name)
    if isinstance(attack, ReferenceAttack):
        return attack.fit(draw_shadows(seed, n, leak=leak), report)
    return attack.fit(draw(seed, n, leak=leak).shadows(), settings, report)


def target(name: str, seed: int, n: int, leak: float = 0.0) -> Drawn | DrawnReferences:
    """A random target of the type that the attack needs."""
    if isinstance(get_attack(name), ReferenceAttack):
        return draw_compared(seed, n, leak=leak)
    return draw(seed, n, leak=leak)


def take(queries: Any, rows: np.ndarray) -> Any:
    """Some of the records, with the same population."""
    if isinstance(queries, Queries):
        return queries.take(rows)
    seen = queries.records
    some = Compared(seen.phi[rows], lambda: seen.mean_phi()[rows], lambda: seen.log_mean_p()[rows])
    return ReferenceQueries(some, queries.population)


def extreme(name: str) -> Any:
    """Three records: confident and right, confident and wrong, and undecided."""
    if isinstance(get_attack(name), ReferenceAttack):
        phi = np.array([1e4, -1e4, 0], dtype=np.float32)
        all_out = np.ones((MODELS, 3), dtype=bool)
        opposite = np.tile(-phi, (MODELS, 1))
        seen = Answers(phi, opposite, all_out).compared
        return ReferenceQueries(seen, draw_compared(2, 50).population.compared)
    logits = np.zeros((3, 5), dtype=np.float32)
    logits[:2, 0] = 1e4
    return Queries(logits, np.zeros_like(logits), np.array([0, 1, 2]))
