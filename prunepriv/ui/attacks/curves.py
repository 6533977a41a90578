"""Score curves of the attacks on one model, each sorted once."""

from __future__ import annotations

from collections.abc import Iterable

from prunepriv.figures.roc import Curve, make_curve
from prunepriv.plan import Target, score_name
from prunepriv.ui.cache import Cache
from prunepriv.ui.frame import Frame
from prunepriv.ui.provenance import Provenance

CURVES: Cache[Curve] = Cache(64)


def curves_of(frame: Frame, target: Target) -> dict[str, Curve]:
    """A score curve per attack that has scored this model, in the experiment's order."""
    found = {}
    for name in frame.experiment.attacks.names:
        curve = curve_of(frame, target, name)
        if curve is not None:
            found[name] = curve
    return found


def curve_of(frame: Frame, target: Target, attack: str) -> Curve | None:
    """The score curve of one attack, sorted once; None before it has scored."""
    scores = frame.result.scores(attack, target)
    records = frame.result.records(target.model)
    if scores is None or records is None:
        return None
    key = frame.result.plan.key(score_name(attack, target))
    return CURVES.get(key, lambda: make_curve(attack, scores, records.member))


def provenance_of_scores(frame: Frame, target: Target, attacks: Iterable[str]) -> Provenance:
    """Provenance of a chart of those attacks' scores."""
    return frame.provenance(*(score_name(name, target) for name in attacks))
