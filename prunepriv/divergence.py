"""How differently a model treats members and non-members. Numpy only.

See assets/method.md#gaps and assets/method.md#distribution-distances.

Gaps are means over members minus means over non-members. Distances compare the two groups'
distributions: Kullback-Leibler and Jensen-Shannon on histograms with shared bins, in bits, and
Wasserstein on the values themselves, in their own unit.

A distance is positive even where both groups have the same distribution, the more so the fewer the
records. So each is given with its distribution under permuted membership.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

BINS = 20
"""Bins of the histograms that distances are computed on."""

EDGES: Mapping[str, np.ndarray] = {
    "confidence": np.linspace(0, 1, BINS + 1),
    "sensitivity": np.concatenate([[0.0], np.logspace(-6, 3, BINS - 1), [np.inf]]),
}
"""(BINS + 1,) edges of each signal, the same in all runs: cut by the data, one outlier would move
them. Sensitivity's are logarithmic, two to a factor of ten, with a bin below and one above."""

DISTANCES = ("js", "kl", "wasserstein")

DRAWS = 1_000
"""Permutations of membership, at least."""
DRAWS_PER_CLASS = 20
"""With 20 to a class, one class alone can be named at a false discovery rate of 5 %."""
CHUNK = 1 << 17
"""Records times draws that are permuted at a time, so that memory does not grow with either."""

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
    seed: int,
) -> list[dict[str, Any]]:
    """Gaps and distances over all records, then class by class.

    Args:
        member: (n,) bool.
        label: (n,) true class, 0 to classes - 1.
        confidence: (n,) posterior of the true label, in [0, 1].
        label_sensitivity: (n,) prediction sensitivity of the true label, 0 or more.
        correct: (n,) bool, whether the model classifies the record correctly.
        classes: number of classes, including those without a record here.
        seed: of the permutations of membership, 0 or more.

    Returns:
        One row of class None over all records, then one per class: "class", "members",
        "non_members" (counts), the means "confidence_members", "confidence_non_members",
        "sensitivity_...", "accuracy_...", the gaps "confidence", "sensitivity", "generalization",
        and the distances "confidence_js", "confidence_kl", "confidence_wasserstein",
        "sensitivity_...". For each distance also what chance gives, see :func:`chance`:
        "confidence_js_null", "confidence_js_null95", "confidence_js_p". A figure is None if the
        class has no record of a group that it needs.

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
    everyone = np.ones(len(member), dtype=bool)
    rows = [_row(None, everyone, member, values, DRAWS, [seed])]
    draws = max(DRAWS, DRAWS_PER_CLASS * classes)
    for c in range(classes):
        rows.append(_row(c, label == c, member, values, draws, [seed, c]))
    return rows


def _row(
    which: int | None,
    chosen: np.ndarray,
    member: np.ndarray,
    values: dict[str, np.ndarray],
    draws: int,
    seed: list[int],
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
    found: dict[str, float | None] = {}
    for name, edges in EDGES.items():
        found |= _distances(name, values[name][inside], values[name][outside], edges)
    row |= found
    lacking = not row["members"] or not row["non_members"]
    null = None if lacking else _null(chosen, member, values, draws, np.random.default_rng(seed))
    for name, value in found.items():
        by_chance = (None, None, None) if null is None else chance(float(value or 0), null[name])
        row[f"{name}_null"], row[f"{name}_null95"], row[f"{name}_p"] = by_chance
    return row


def _distances(
    name: str, members: np.ndarray, others: np.ndarray, edges: np.ndarray
) -> dict[str, float | None]:
    if not len(members) or not len(others):
        return dict.fromkeys((f"{name}_{distance}" for distance in DISTANCES), None)
    ours, theirs = np.histogram(members, edges)[0], np.histogram(others, edges)[0]
    return {
        f"{name}_js": jensen_shannon(ours, theirs),
        f"{name}_kl": kullback_leibler(ours, theirs),
        f"{name}_wasserstein": wasserstein(members, others),
    }


def _null(
    chosen: np.ndarray,
    member: np.ndarray,
    values: dict[str, np.ndarray],
    draws: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """(draws,) values of each distance under permuted membership."""
    pooled = [np.sort(values[name][chosen]) for name in EDGES]
    null = permuted(pooled, list(EDGES.values()), int((chosen & member).sum()), draws, rng)
    return {
        f"{name}_{distance}": table[distance]
        for name, table in zip(EDGES, null, strict=True)
        for distance in DISTANCES
    }


def permuted(
    pooled: Sequence[np.ndarray],
    edges: Sequence[np.ndarray],
    members: int,
    draws: int,
    rng: np.random.Generator,
) -> list[dict[str, np.ndarray]]:
    """Distances of signals when membership is permuted among the same records.

    Which of the sorted values are members' has one distribution for every signal, so that all share
    their draws. How many are members up to an edge gives the histograms (multivariate
    hypergeometric counts), and up to each value the distribution functions.

    Args:
        pooled: for each signal (n,) values of all records, sorted.
        edges: for each signal (bins + 1,) edges that hold all its values.
        members: how many are members, from 1 to n - 1.
        draws: number of permutations.

    Returns:
        For each signal {"js", "kl", "wasserstein"}, each (draws,).
    """
    size = len(pooled[0])
    widths = np.stack([np.diff(values) for values in pooled], axis=1)
    inner = [
        values.searchsorted(cuts[1:-1], "left") for values, cuts in zip(pooled, edges, strict=True)
    ]
    totals = [np.diff(cut, prepend=0, append=size) for cut in inner]
    areas: list[np.ndarray] = []
    counts: list[list[np.ndarray]] = [[] for _ in pooled]
    for cumulated in _cumulated(size, members, draws, rng):
        for known, cut in zip(counts, inner, strict=True):
            known.append(np.diff(cumulated[:, cut], axis=1, prepend=0, append=members))
        # members' share up to each value, less that of the others
        apart = cumulated[:, 1:-1] * (1 / members + 1 / (size - members))
        apart -= np.arange(1, size) / (size - members)
        areas.append(np.abs(apart, out=apart) @ widths)
    area = np.concatenate(areas)
    found = []
    for place, (known, total) in enumerate(zip(counts, totals, strict=True)):
        ours = np.concatenate(known)
        js, kl = _jensen_shannon(ours, total - ours), _smoothed(ours, total - ours, SMOOTHING)
        found.append({"js": js, "kl": kl, "wasserstein": area[:, place]})
    return found


def _cumulated(
    size: int, members: int, draws: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """(some draws, size + 1) how many of the first records are members, for 0 to all of them."""
    plain = np.arange(size) < members
    step = max(1, CHUNK // size)
    for first in range(0, draws, step):
        some = min(step, draws - first)
        shuffled = rng.permuted(np.broadcast_to(plain.view(np.uint8), (some, size)), axis=1)
        cumulated = np.zeros((some, size + 1), dtype=np.int32)
        np.cumsum(shuffled, axis=1, out=cumulated[:, 1:])
        yield cumulated


def chance(value: float, null: np.ndarray) -> tuple[float, list[float], float]:
    """What a distance would be if membership meant nothing.

    Args:
        value: as it was found.
        null: (draws,) the same under permuted membership.

    Returns:
        The mean, the central 95 % [low, high], and p: the share of draws at or above the value,
        the value itself counted as one of them (Phipson & Smyth 2010), so in (0, 1].
    """
    # a draw that equals the value is at it, however its sum was rounded
    reached = int((null >= value - 1e-9 * abs(value) - 1e-12).sum())
    band = [float(end) for end in np.quantile(null, [0.025, 0.975])]
    return float(null.mean()), band, (1 + reached) / (1 + len(null))


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
    return float(_smoothed(counts, reference, smoothing))


def jensen_shannon(counts: np.ndarray, reference: np.ndarray) -> float:
    """Jensen-Shannon divergence of two histograms with shared bins, in bits.

    0 for equal frequencies, 1 for histograms that share no bin; symmetric; needs no smoothing.
    """
    return float(_jensen_shannon(counts, reference))


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


def _smoothed(counts: np.ndarray, reference: np.ndarray, smoothing: float) -> np.ndarray:
    """(...) Kullback-Leibler of (..., bins) counts."""
    return _divergence(_frequencies(counts + smoothing), _frequencies(reference + smoothing))


def _jensen_shannon(counts: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(...) Jensen-Shannon of (..., bins) counts."""
    p, q = _frequencies(counts), _frequencies(reference)
    middle = (p + q) / 2
    return np.asarray(np.minimum(1.0, (_divergence(p, middle) + _divergence(q, middle)) / 2))


def _divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """(...) Kullback-Leibler of (..., bins) frequencies, in bits."""
    held = p > 0
    with np.errstate(divide="ignore"):
        ratio = np.divide(p, q, out=np.ones_like(p), where=held)
    return np.asarray(np.maximum(0.0, np.sum(p * np.log2(ratio), axis=-1)))


def _frequencies(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))
