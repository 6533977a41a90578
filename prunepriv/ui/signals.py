"""Signals of single records, as several pages show them."""

from __future__ import annotations

from collections.abc import Mapping

from prunepriv.options import ModelKind
from prunepriv.store.signals import Quantity, RecordSignals
from prunepriv.ui.frame import Frame

Signals = Mapping[ModelKind, RecordSignals]
SIGNAL_LABELS: Mapping[Quantity, str] = {"confidence": "Confidence", "sensitivity": "Sensitivity"}


def records_of(frame: Frame, label: int | None = None) -> dict[ModelKind, RecordSignals]:
    """Per-record signals of every model that has been scored, of one class or of all."""
    found = {kind: frame.result.records(kind) for kind in frame.kinds}
    return {kind: one.of_class(label) for kind, one in found.items() if one is not None}
