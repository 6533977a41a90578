"""The studies of coverage, with few runs: the large ones are made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import coverage


def test_truths_are_those_of_very_many_records() -> None:
    member = np.arange(400_000) < 200_000
    rng = np.random.default_rng(0)
    scores = coverage._scores(member, rng)
    sides = {side: (score, score >= shift / 2) for side, (score, shift) in scores.items()}
    for metric, truth in coverage._truths().items():
        before, after = (coverage._figure(*sides[side], member, metric) for side in ("from", "to"))
        assert after - before == pytest.approx(truth, abs=0.004)


def test_paired_intervals_cover_the_truth() -> None:
    for rate in coverage.covered(200, 100, 300).values():
        assert 0.88 <= rate <= 1.0


def test_few_null_runs_are_reported() -> None:
    assert 0.01 <= coverage.best_of_twelve(200, 200, 300) <= 0.1
    assert coverage.false_names(40, 300) <= 0.15
