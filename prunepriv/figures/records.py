"""What a run says of each single record, before and after pruning.

A record is known by the data set's own index from the split to the last table, so that a picture,
its class and its membership always belong together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prunepriv.figures.palette import KINDS, group
from prunepriv.figures.scales import Quantity
from prunepriv.options import ModelKind
from prunepriv.store.result import TargetSignals


@dataclass(frozen=True)
class RecordSignals:
    """The per-record part of a model's signals: small enough to keep in memory.

    Attributes:
        record: (n,) the data set's own index.
        member: (n,) bool.
        label: (n,) true class.
        confidence: (n,) posterior of the true label, 0 to 1.
        sensitivity: (n,) prediction sensitivity of the true label, 0 or more.
        correct: (n,) bool, whether the model classifies the record correctly.
    """

    record: np.ndarray
    member: np.ndarray
    label: np.ndarray
    confidence: np.ndarray
    sensitivity: np.ndarray
    correct: np.ndarray

    def values(self, quantity: Quantity) -> np.ndarray:
        """(n,) the confidence or the sensitivity."""
        return self.confidence if quantity == "confidence" else self.sensitivity

    def of_class(self, label: int | None) -> RecordSignals:
        """Only the records of one class; all of them for None."""
        if label is None:
            return self
        keep = self.label == label
        return RecordSignals(
            self.record[keep],
            self.member[keep],
            self.label[keep],
            self.confidence[keep],
            self.sensitivity[keep],
            self.correct[keep],
        )


def reduce_signals(signals: TargetSignals) -> RecordSignals:
    """The per-record part of a model's signals.

    The posterior of the true label alone is computed, not all of them: with 27,000 records of 100
    classes that is the difference between 20 and 150 ms.
    """
    rows = np.arange(len(signals.label))
    top = signals.logits.max(axis=1)
    total = np.exp(signals.logits - top[:, None], dtype=np.float32).sum(axis=1, dtype=np.float64)
    of_label = signals.logits[rows, signals.label]
    return RecordSignals(
        record=signals.record,
        member=signals.member,
        label=signals.label,
        confidence=np.exp((of_label - top).astype(np.float64)) / total,
        sensitivity=signals.sensitivity[rows, signals.label].astype(np.float64),
        correct=signals.logits.argmax(axis=1) == signals.label,
    )


def in_bin(values: np.ndarray, low: float, high: float, last: bool) -> np.ndarray:
    """(n,) bool: which values lie in [low, high), or in [low, infinity) for the last bin.

    The first bin should be given ``low = -inf``: histograms count what lies beyond their ends in
    the outermost bars.
    """
    return np.asarray((values >= low) & ((values < high) | last))


def record_table(
    signals: Mapping[ModelKind, RecordSignals],
    chosen: np.ndarray,
    class_names: tuple[str, ...],
) -> pd.DataFrame:
    """One row per record: class, membership and its scores under every model there is.

    Args:
        signals: per kind of model; all hold the same records, in any order.
        chosen: (m,) indices of records in the data set.
        class_names: names of the classes, by number.

    Returns:
        Columns ``record``, ``class``, ``membership`` and, for each kind of model,
        ``confidence: <kind>`` and ``sensitivity: <kind>``; one row per chosen record, in order.
    """
    first = next(iter(signals.values()))
    rows = _rows(first.record, chosen)
    label = first.label[rows]
    table = pd.DataFrame(
        {
            "record": chosen,
            "class": [class_names[one] for one in label],
            "membership": [group(bool(one)).label.rstrip("s") for one in first.member[rows]],
        }
    )
    for quantity in ("confidence", "sensitivity"):
        for kind, one in signals.items():
            values = one.values(quantity)[_rows(one.record, chosen)]
            table[f"{quantity}: {KINDS[kind].label.lower()}"] = values
    return table


def _rows(records: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Positions of the chosen records among ``records``, which are distinct."""
    order = np.argsort(records, kind="stable")
    return np.asarray(order[np.searchsorted(records, chosen, sorter=order)])
