"""A record, its class, its membership and its scores belong together."""

from __future__ import annotations

import numpy as np
import pytest

from prunepriv.store.signals import RecordSignals
from prunepriv.ui.leakage.records import record_table


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
