"""A model's signals: the per-record part, and the records of one class."""

from __future__ import annotations

import numpy as np

from prunepriv.store.signals import TargetSignals, reduce_signals


def test_reduced_signals_equal_the_full_ones(rng):
    signals = TargetSignals(
        record=rng.permutation(50),
        member=np.arange(50) < 25,
        label=rng.integers(0, 7, 50),
        logits=rng.normal(0, 30, (50, 7)).astype(np.float32),
        sensitivity=rng.random((50, 7)).astype(np.float32),
    )
    reduced = reduce_signals(signals)
    assert np.allclose(reduced.confidence, signals.confidence, rtol=1e-5, atol=1e-12)
    assert np.array_equal(reduced.sensitivity, signals.label_sensitivity.astype(float))
    assert np.array_equal(reduced.correct, signals.correct)
    assert np.array_equal(reduced.record, signals.record)


def test_of_class_keeps_rows_together(signals):
    full = signals["pruned"]
    only = full.of_class(2)
    assert set(only.label) == {2}
    place = {record: at for at, record in enumerate(full.record)}
    for at, record in enumerate(only.record):
        assert only.confidence[at] == full.confidence[place[record]]
        assert only.member[at] == full.member[place[record]]
    assert full.of_class(None) is full
