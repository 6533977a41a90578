"""Fits that leave a tenth of the shadow records out, and what an adversary learns from those.

Which records these are: :mod:`prunepriv.datasets.held_out`. See
assets/method.md#choosing-an-attack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from prunepriv.attacks import (
    Attack,
    FitSettings,
    PooledShadows,
    Queries,
    ReferenceAttack,
    ReferenceShadows,
)
from prunepriv.attacks.base import Fitted
from prunepriv.datasets.held_out import SHARE, drawn
from prunepriv.evaluation import limit_at_low_fpr, own_estimate
from prunepriv.progress import Report, silent

MOST = 10_000
"""The most rows that an attack is judged on, about: more would only take time."""


class Shadows:
    """Signals of all shadows, in rows for the fit and rows to judge it.

    Args:
        tables: of each shadow, those of its signals.
        seed: of the experiment.
    """

    def __init__(self, tables: Sequence[Mapping[str, np.ndarray]], seed: int) -> None:
        joined = {name: np.concatenate([one[name] for one in tables]) for name in tables[0]}
        queries = Queries(joined["logits"], joined.get("sensitivity"), joined["label"])
        self._all = PooledShadows(queries, joined["member"].astype(bool))
        self._record = joined["record"]
        self._drawn = drawn(self._record, seed)

    @property
    def for_fit(self) -> PooledShadows:
        """The rows that a fit may use."""
        return self._all.take(self._drawn >= SHARE)

    def judged(self, name: str, attack: Attack, fitted: Fitted) -> dict[str, Any] | None:
        """What the attack's adversary knows of its accuracy, see :func:`_estimate`."""
        rows = judged_rows(self._drawn)
        queries = self._all.queries.take(rows)
        if not len(queries):
            return None
        score = attack.score(fitted, queries)
        decision = attack.decide(fitted, queries, score)
        return _estimate(name, score, decision, self._all.member[rows], self._record[rows])


def fit_alone(
    name: str, attack: Attack, shadows: Shadows, settings: FitSettings, report: Report = silent
) -> tuple[Fitted, dict[str, Any] | None]:
    """Fit an attack that reads the target only, and judge it on the records it did not use."""
    fitted = attack.fit(shadows.for_fit, settings, report)
    return fitted, shadows.judged(name, attack, fitted)


def fit_compared(
    name: str,
    attack: ReferenceAttack,
    tables: Sequence[Mapping[str, np.ndarray]],
    seed: int,
    report: Report = silent,
) -> tuple[Fitted, dict[str, Any] | None]:
    """The same for a reference attack: each shadow is the target in turn.

    With five shadows, about 2.2 references of a record are left there, and five are on the target:
    the estimate reads 2 to 3 points low.

    Args:
        tables: of each shadow, those of its population.
    """
    shadows = ReferenceShadows.from_arrays(tables)
    record = tables[0]["record"]
    draws = drawn(record, seed)
    fitted = attack.fit(shadows.take(draws >= SHARE), report)
    held = np.zeros(len(record), dtype=bool)
    held[judged_rows(draws, len(tables))] = True
    scores, members, records = [], [], []
    for shadow in range(len(tables)):
        queries, member = shadows.as_target(shadow, held)
        scores.append(attack.score(fitted, queries))
        decided = attack.decide(fitted, queries, scores[-1])
        members.append(np.stack([member, decided]))
        records.append(record[shadows.judged(shadow) & held])
    member, decision = np.concatenate(members, axis=1)
    return fitted, _estimate(
        name, np.concatenate(scores), decision, member, np.concatenate(records)
    )


def judged_rows(numbers: np.ndarray, times: int = 1) -> np.ndarray:
    """Which held-out rows an attack is judged on: all, or those of about MOST rows' records.

    Args:
        numbers: (n,) of :func:`drawn`.
        times: how often each row is judged.
    """
    held = times * int((numbers < SHARE).sum())
    return np.flatnonzero(numbers < SHARE * min(1.0, MOST / max(1, held)))


def _estimate(
    name: str, score: np.ndarray, decision: np.ndarray, member: np.ndarray, record: np.ndarray
) -> dict[str, Any] | None:
    """Accuracy with its standard error, and the score that 1 % of the non-members exceed.

    None without members or without non-members.
    """
    if member.all() or not member.any():
        return None
    found = own_estimate(name, decision, member, record)
    return {
        "accuracy": found.accuracy,
        "standard_error": found.standard_error,
        "members": int(member.sum()),
        "non_members": int((~member).sum()),
        "records": len(np.unique(record)),
        "low_fpr_limit": limit_at_low_fpr(score[~member]),
    }
