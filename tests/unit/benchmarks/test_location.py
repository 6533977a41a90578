"""The figure of the released code that no attack of the table has, against a count."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.location import KINDS, one_threshold
from prunepriv.options import ModelKind
from prunepriv.plan import signals_name
from prunepriv.store.result import Result
from prunepriv.store.signals import TargetSignals


@pytest.mark.parametrize("kind", KINDS)
def test_one_threshold_for_the_confidence_is_fitted_on_all_shadow_records(
    finished: Result, kind: ModelKind
) -> None:
    seen = []
    for number in range(finished.experiment.shadows + 1):
        artifact = finished.artifact(signals_name(kind, number))
        assert artifact is not None
        seen.append(TargetSignals.from_arrays(artifact.tensors("signals")))
    target, *shadows = seen
    score = np.concatenate([one.confidence for one in shadows])
    member = np.concatenate([one.member for one in shadows])
    members, others = int(member.sum()), int((~member).sum())
    gain = {  # whole numbers, so that ties are ties
        float(t): int((score[member] >= t).sum()) * others
        - int((score[~member] >= t).sum()) * members
        for t in score
    }
    most = max(gain.values())
    threshold = min(t for t, one in gain.items() if one == most)
    said = target.confidence >= threshold
    expected = (said[target.member].mean() + 1 - said[~target.member].mean()) / 2
    assert one_threshold(finished, kind) == pytest.approx(expected, abs=1e-6)
