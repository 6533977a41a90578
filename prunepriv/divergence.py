"""How differently a model treats members and non-members. Numpy only.

See assets/method.md#gaps and assets/method.md#distribution-distances.

Gaps are means over members minus means over non-members. Distances compare the two groups'
distributions: Kullback-Leibler and Jensen-Shannon on histograms with shared bins, in bits, and
Wasserstein on the values themselves, in their own unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BINS = 20
"""Bins of the histograms that distances are computed on."""

SMOOTHING = 0.5
"""Added to each bin's count before Kullback-Leibler (Krichevsky & Trofimov 1981): an empty bin
would make it infinite."""


def gaps(
    member: np.ndarray,
    label: np.ndarray,
    confidence: np.ndarray,
    label_sensitivity: np.ndarray,
    correct: np.ndarray,
    classes: int,
) -> list[dict[str, Any]]:
    """Gaps and distances over all records, then class by class.

    Args:
        member: (n,) bool.
        label: (n,) true class, 0 to classes - 1.
        confidence: (n,) posterior of the true label, in [0, 1].
        label_sensitivity: (n,) prediction sensitivity of the true label, 0 or more.
        correct: (n,) bool, whether the model classifies the record correctly.
        classes: number of classes, including those without a record here.

    Returns:
        One row of class None over all records, then one per class: "class", "members",
        "non_members" (counts), the means "confidence_members", "confidence_non_members",
        "sensitivity_...", "accuracy_...", the gaps "confidence", "sensitivity", "generalization",
        and the distances "confidence_js", "confidence_kl", "confidence_wasserstein",
        "sensitivity_...". A figure is None if the class has no record of a group that it needs.

    Raises:
        ValueError: lengths differ, or a value is not finite.
    """
    columns = {"confidence": confidence, "sensitivity": label_sensitivity, "accuracy": correct}
    values = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    member, label = np.asarray(member, dtype=bool), np.asarray(label)
    for name, column in values.items():
        if column.shape != member.shape or label.shape != member.shape:
            raise ValueError(f"{name}, label and member must be equally long")
        if not np.isfinite(column).all():
            raise ValueError(
                f"{name} must be finite, got {(~np.isfinite(column)).sum()} that are not"
            )
    edges = {
        "confidence": np.linspace(0, 1, BINS + 1),
        "sensitivity": shared_edges(values["sensitivity"], bins=BINS, low=0.0),
    }
    everyone = np.ones(len(member), dtype=bool)
    groups = [(None, everyone), *((c, label == c) for c in range(classes))]
    return [_row(which, chosen, member, values, edges) for which, chosen in groups]


def _row(
    which: int | None,
    chosen: np.ndarray,
    member: np.ndarray,
    values: dict[str, np.ndarray],
    edges: dict[str, np.ndarray],
) -> dict[str, Any]:
    inside, outside = chosen & member, chosen & ~member
    row: dict[str, Any] = {
        "class": which,
        "members": int(inside.sum()),
        "non_members": int(outside.sum()),
    }
    for name, column in values.items():
        ours, theirs = _mean(column[inside]), _mean(column[outside])
        row[f"{name}_members"], row[f"{name}_non_members"] = ours, theirs
        gap = "generalization" if name == "accuracy" else name
        row[gap] = None if ours is None or theirs is None else ours - theirs
    for name, shared in edges.items():
        row |= {f"{name}_{k}": v for k, v in _distances(values[name], inside, outside, shared)}
    return row


def _distances(
    column: np.ndarray, inside: np.ndarray, outside: np.ndarray, edges: np.ndarray
) -> list[tuple[str, float | None]]:
    members, others = column[inside], column[outside]
    if not len(members) or not len(others):
        return [("js", None), ("kl", None), ("wasserstein", None)]
    ours, theirs = np.histogram(members, edges)[0], np.histogram(others, edges)[0]
    return [
        ("js", jensen_shannon(ours, theirs)),
        ("kl", kullback_leibler(ours, theirs)),
        ("wasserstein", wasserstein(members, others)),
    ]


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def kullback_leibler(
    counts: np.ndarray, reference: np.ndarray, smoothing: float = SMOOTHING
) -> float:
    """KL(counts || reference) of two histograms with shared bins, in bits, 0 or more.

    Args:
        counts: (bins,) number of values in each bin.
        reference: (bins,) the same for the distribution to compare with.
        smoothing: added to every bin of both; 0 allows an infinite divergence.
    """
    p, q = _frequencies(counts + smoothing), _frequencies(reference + smoothing)
    held = p > 0
    with np.errstate(divide="ignore"):
        return max(0.0, float(np.sum(p[held] * np.log2(p[held] / q[held]))))


def jensen_shannon(counts: np.ndarray, reference: np.ndarray) -> float:
    """Jensen-Shannon divergence of two histograms with shared bins, in bits.

    0 for equal frequencies, 1 for histograms that share no bin; symmetric; needs no smoothing.
    """
    p, q = _frequencies(counts), _frequencies(reference)
    middle = (p + q) / 2
    halves = (kullback_leibler(p, middle, 0.0), kullback_leibler(q, middle, 0.0))
    return min(1.0, sum(halves) / 2)


def wasserstein(values: np.ndarray, others: np.ndarray) -> float:
    """Wasserstein distance of two samples: the area between their distribution functions.

    The same as ``scipy.stats.wasserstein_distance``, to the last bit, without ``scipy.stats``: that
    takes half a second to import and 45 MB, in the dashboard's server and in every worker.

    Args:
        values, others: (n,) and (m,), finite, at least one each.
    """
    samples = [np.sort(np.asarray(one, dtype=np.float64)) for one in (values, others)]
    pooled = np.sort(np.concatenate(samples), kind="stable")
    ours, theirs = (one.searchsorted(pooled[:-1], "right") / one.size for one in samples)
    return float(np.vecdot(np.abs(ours - theirs), np.diff(pooled)))


def shared_edges(
    *values: np.ndarray, bins: int = BINS, low: float | None = None, high: float | None = None
) -> np.ndarray:
    """(bins + 1,) edges of equally wide bins that cover all the given arrays.

    Histograms are comparable only with the same bins, so give all the values that are shown.

    Args:
        values: arrays of any length, finite.
        bins: number of bins.
        low, high: the ends of the range; if left out, the smallest and the largest value.
    """
    pooled = np.concatenate([np.ravel(np.asarray(v, dtype=np.float64)) for v in values])
    low = (float(pooled.min()) if len(pooled) else 0.0) if low is None else low
    high = (float(pooled.max()) if len(pooled) else 1.0) if high is None else high
    if high <= low:  # all values are equal, but a bin needs a width
        high = low + max(1e-6, abs(low) * 1e-6)
    return np.linspace(low, high, bins + 1)


def density(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(bins,) heights of the histogram; the sum of height times width is the share within the bins.

    All heights are zero for no values. Unlike in ``numpy.histogram(density=True)``, values outside
    the bins count in the total.
    """
    counts = np.histogram(values, edges)[0]
    return np.asarray(counts / (max(1, len(values)) * np.diff(edges)))


def _frequencies(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts / counts.sum())
