"""A record, its class, its membership and its scores belong together."""

from __future__ import annotations

import numpy as np
import pytest

from prunepriv.figures.records import RecordSignals, record_table, reduce_signals
from prunepriv.store.result import TargetSignals


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


def test_record_table_follows_the_record_and_not_the_position(signals, rng):
    order = rng.permutation(120)
    original = signals["original"]
    shuffled = RecordSignals(
        **{name: getattr(original, name)[order] for name in RecordSignals.__dataclass_fields__}
    )
    chosen = rng.choice(original.record, 20, replace=False)
    names = ("ant", "bee", "cat", "dog")
    table = record_table({"pruned": signals["pruned"], "original": shuffled}, chosen, names)
    assert table["record"].tolist() == chosen.tolist()
    for row in table.to_dict("records"):
        at = int(np.flatnonzero(original.record == row["record"])[0])
        assert row["class"] == names[original.label[at]]
        assert row["membership"] == ("member" if original.member[at] else "non-member")
        assert row["confidence: original"] == original.confidence[at]
        assert row["sensitivity: original"] == original.sensitivity[at]
        assert row["confidence: pruned"] == pytest.approx(signals["pruned"].confidence[at])
