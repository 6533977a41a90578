"""The checks of every run, so that a mistake in the experiment is not reported as a leak.

Each function compares what a run stored with what it must be, and states the result in one sentence
with figures. No function raises on a violation: a failed check is shown clearly with the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.special import bdtrc

from prunepriv.datasets.splits import Split
from prunepriv.options import APPROACHES, ATTACKS
from prunepriv.prose import MODELS_LEARNED, NOT_SAFETY, join, percent

Arrays = Mapping[str, np.ndarray]

SCORED_AGAIN = 16
"""Records of each target that are scored again."""
TOLERANCE = 1e-3
"""Largest difference, as a share of the logits' size, between scoring in a batch and alone.

Signals are computed in float32 on every device; the logits of different batch sizes differ by less
than 1e-5. In train mode, dropout changes the logits by a third and batch norm by a few per cent.
"""
LEVEL = 0.05
"""How likely a model that learnt nothing may pass as one that learnt something."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a run.

    Attributes:
        check: its name in the JSON.
        label: its name for readers.
        passed: None for a check that only informs.
        detail: a sentence with figures.
    """

    check: str
    label: str
    passed: bool | None
    detail: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def splits_disjoint(splits: Sequence[Split]) -> Check:
    """No record is in two parts of a model, nor in both halves.

    Args:
        splits: of the target and of each shadow.
    """
    parts = [(one.train, one.validation, one.test) for one in splits]
    own, *shadows = parts
    within = sum(_shared(a, b) for trio in parts for a, b in combinations(trio, 2))
    twice = sum(part.size - np.unique(part).size for trio in parts for part in trio)
    theirs = np.unique(np.concatenate([part for trio in shadows for part in trio]))
    across = _shared(np.concatenate(own), theirs)
    sizes = " / ".join(f"{part.size:,}" for part in own)
    if within or twice or across:
        detail = (
            f"{within:,} records stand in two of a model's parts, {twice:,} twice in one, and "
            f"{across:,} of the target's are known to a shadow: none of it may be."
        )
    else:
        detail = (
            f"The target's {sizes} training, validation and test records and the shadows' "
            f"{theirs.size:,} share none, nor do the parts of any of {len(shadows)} shadows."
        )
    return _check("splits_disjoint", "Splits are disjoint", not (within or twice or across), detail)


def eval_mode(scored: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Check:
    """Single records that are scored in eval mode have the logits that were stored.

    In train mode, dropout makes logits random and batch norm makes them depend on the batch.

    Args:
        scored: kind of model -> logits (r, C) as stored, and as scored again one by one.
    """
    apart = {kind: _distance(stored, again) for kind, (stored, again) in scored.items()}
    wrong = [kind for kind, distance in apart.items() if not distance <= TOLERANCE]
    most = max(apart, key=lambda kind: apart[kind])
    records = len(scored[most][0])
    detail = (
        f"{records} records scored again one by one in eval mode differ by {apart[most]:.1e} of the "
        f"logits' size at most ({most}); {TOLERANCE:g} is allowed."
    )
    if wrong:
        detail += (
            f" The stored answers of {join(wrong)} were given in another mode or by another model."
        )
    return _check("eval_mode", "Models were scored in eval mode", not wrong, detail)


def thresholds_from_shadows(
    fits: int, others: Sequence[str], thresholds: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> Check:
    """Attacks were fitted on the shadows only, and decide by the thresholds fitted there.

    Args:
        fits: how many attacks were fitted.
        others: what fits read that is not a shadow's answers to its own records.
        thresholds: score step -> the thresholds that it used, and those refitted on the shadows.
    """
    moved = [name for name, (used, again) in thresholds.items() if not _equal(used, again)]
    detail = (
        f"{fits} fits were given shadows' answers only, and no row of the target; the thresholds of "
        f"{len(thresholds)} threshold attacks, refitted on the shadows, are those that were used."
    )
    if others or moved:
        faults = [f"fits read {join(list(others))} as well"] if others else []
        if moved:
            faults.append(
                f"{len(moved)} of {len(thresholds)} thresholds are not those of the shadows: "
                + join(moved[:3])
            )
        detail = f"{'; '.join(faults)[0].upper()}{'; '.join(faults)[1:]}."
    passed = not (others or moved)
    return _check("thresholds_from_shadows", "Thresholds come from the shadows", passed, detail)


@dataclass(frozen=True, slots=True)
class MaskCount:
    """The weights that masks remove, counted again, of one model or of several.

    Attributes:
        removed: weights that masks remove.
        nonzero: how many of those are not zero.
        apart: largest difference of a sparsity, whole or of a layer, from the report.
        sparsity: of the first model, whole.
    """

    removed: int
    nonzero: int
    apart: float
    sparsity: float

    def __add__(self, other: MaskCount) -> MaskCount:
        """The count of both."""
        return MaskCount(
            self.removed + other.removed,
            self.nonzero + other.nonzero,
            max(self.apart, other.apart),
            self.sparsity,
        )


def count_masks(weights: Arrays, masks: Arrays, report: Mapping[str, Any]) -> MaskCount:
    """Count the masks of a fine-tuned model.

    Args:
        weights: parameters by name.
        masks: bool by name, True = kept.
        report: of the step: "sparsity", and "layers" as layer -> sparsity.
    """
    nonzero = sum(int(np.count_nonzero(weights[name][~kept])) for name, kept in masks.items())
    removed = sum(int(np.count_nonzero(~kept)) for kept in masks.values())
    apart, gone, size = 0.0, 0, 0
    for layer, told in report["layers"].items():
        name = f"{layer}.weight"
        count = int(np.count_nonzero(~masks[name])) if name in masks else 0
        apart = max(apart, abs(count / weights[name].size - told))
        gone, size = gone + count, size + weights[name].size
    whole = gone / size
    return MaskCount(removed, nonzero, max(apart, abs(whole - report["sparsity"])), whole)


def masks_exact(counts: Mapping[str, MaskCount]) -> Check:
    """Every weight that was removed is exactly zero, and sparsities are as reported."""
    nonzero = sum(count.nonzero for count in counts.values())
    apart = max((count.apart for count in counts.values()), default=0.0)
    removed = sum(count.removed for count in counts.values())
    achieved = join([f"{name} {percent(count.sparsity)}" for name, count in counts.items()])
    if not counts:
        detail = "No model was fine-tuned, so nothing is masked."
    elif nonzero or apart > 1e-6:
        detail = (
            f"{nonzero:,} of {removed:,} removed weights are not zero, and the achieved sparsity is "
            f"{apart:.2g} off the report at most: both must be 0."
        )
    else:
        detail = (
            f"All {removed:,} removed weights are exactly zero, and counting them gives the reported "
            f"sparsity ({achieved} of the target's weights)."
        )
    return _check("masks_exact", "Masks are exact", not (nonzero or apart > 1e-6), detail)


def misaligned(signals: Arrays, labels: np.ndarray, train: np.ndarray, test: np.ndarray) -> int:
    """How many rows of one model's signals have a label or a membership that is not the record's.

    Args:
        signals: "record", "label" and "member", each (n,).
        labels: of the whole data set.
        train, test: the model's members and its non-members.
    """
    record, member = signals["record"], signals["member"].astype(bool)
    known = np.where(member, np.isin(record, train), np.isin(record, test))
    return int((~known | (signals["label"] != labels[record])).sum())


def membership_aligned(wrong: Mapping[str, int], rows: int) -> Check:
    """Records, labels and membership belong together.

    Args:
        wrong: signals step -> rows that are not the record's, over the target and its shadows.
        rows: number of rows checked.
    """
    bad = {name: count for name, count in wrong.items() if count}
    if bad:
        detail = (
            f"{sum(bad.values()):,} of {rows:,} rows carry another record's label or membership "
        )
        detail += f"({join(list(bad))})."
    else:
        detail = (
            f"All {rows:,} rows of {len(wrong)} signals tables carry their record's label in the data "
            "set and its place in the split."
        )
    label = "Labels and membership are the records' own"
    return _check("membership_aligned", label, not bad, detail)


@dataclass(frozen=True, slots=True)
class Learning:
    """How often a model is right on its non-members, and how often it would be by chance.

    Attributes:
        correct: records that it classifies correctly.
        records: of how many.
        chance: the expected share of correct answers if the same answers were given to the records
            in any other order (Cohen 1960): the sum over classes of the share of answers times the
            share of labels. An answer that is always the same is right by chance alone.
    """

    correct: int
    records: int
    chance: float

    @property
    def is_above_chance(self) -> bool:
        """Whether a one-sided binomial test at :data:`LEVEL` says so."""
        return float(bdtrc(self.correct - 1, self.records, self.chance)) < LEVEL

    @property
    def words(self) -> str:
        """As in "63.1 % (chance 3.5 %)"."""
        return f"{percent(self.correct / self.records)} (chance {percent(self.chance)})"


def learning(signals: Arrays) -> Learning:
    """What one model has learnt, from its signals; only its non-members count.

    Args:
        signals: "logits" (n, C), "label" and "member", each (n,); with at least one non-member.
    """
    others = ~signals["member"].astype(bool)
    answer, label = signals["logits"][others].argmax(axis=1), signals["label"][others]
    classes = signals["logits"].shape[1]
    shares = [np.bincount(rows, minlength=classes) / rows.size for rows in (answer, label)]
    return Learning(int((answer == label).sum()), label.size, float(shares[0] @ shares[1]))


def models_learned(
    targets: Mapping[str, Learning], shadows: Mapping[str, Sequence[Learning]]
) -> Check:
    """Targets, and most shadows of each kind, are better than chance on records they never saw.

    See assets/method.md#hygiene-checks.

    Args:
        targets: kind of model -> its target.
        shadows: kind of model -> its shadows; at least one each.
    """
    lost = {kind: one for kind, one in targets.items() if not one.is_above_chance}
    blank = {kind: sum(not one.is_above_chance for one in row) for kind, row in shadows.items()}
    counts = {kind: f"{blank[kind]} of {len(row)} of {kind}" for kind, row in shadows.items()}
    useless = [counts[kind] for kind, row in shadows.items() if 2 * blank[kind] >= len(row)]
    faults = {"targets": _listed(lost), "shadows": join(useless)}
    if lost or useless:
        told = [
            f"On records that they never saw, these {who} are right no more often than chance: {which}."
            for who, which in faults.items()
            if which
        ]
        detail = " ".join([*told, NOT_SAFETY])
    else:
        total, none = sum(map(len, shadows.values())), sum(blank.values())
        others = f"{total - none} of {total}" if none else f"all {total}"
        detail = (
            f"Every target is right more often than chance on records that it never saw: "
            f"{_listed(targets)}. So are {others} shadows."
        )
    return _check("models_learned", MODELS_LEARNED, not (lost or useless), detail)


def adversary_knowledge(
    pruning: Mapping[str, Any] | None, assumed: Mapping[str, Any] | None
) -> Check:
    """What the adversary knew of the pruning; this check only informs.

    Args:
        pruning: "approach" and "sparsity" of the target; None where nothing was pruned.
        assumed: what the adversary believes them to be; None if it knows them.
    """
    if pruning is None:
        detail = "Nothing was pruned; the adversary knows how the target was trained."
    elif assumed is None:
        detail = f"The adversary knows the target's pruning ({_pruning(pruning)}) and trains its shadows by it."
    else:
        detail = (
            f"The target was pruned by {_pruning(pruning)}, but the adversary believes it was pruned by "
            f"{_pruning(assumed)}, and prunes its shadows so."
        )
    return Check("adversary_knowledge", "What the adversary knew", None, detail)


def attacks_not_run(names: Sequence[str]) -> Check:
    """The attacks that were not run: the best attack of a run is the best of those that were."""
    left = [option.label for name, option in ATTACKS.items() if name not in names]
    detail = (
        f"{len(left)} of {len(ATTACKS)} attacks were not run, so nothing is known of them: {join(left)}."
        if left
        else f"All {len(ATTACKS)} attacks were run."
    )
    return Check("attacks_not_run", "Attacks not run", None, detail)


def _listed(models: Mapping[str, Learning]) -> str:
    return join([f"{kind} {one.words}" for kind, one in models.items()])


def _check(name: str, label: str, passed: bool | np.bool_, detail: str) -> Check:
    return Check(name, label, bool(passed), detail)


def _shared(first: np.ndarray, second: np.ndarray) -> int:
    return int(np.intersect1d(first, second).size)


def _distance(stored: np.ndarray, again: np.ndarray) -> float:
    """Root mean square of the difference, as a share of that of the stored logits."""
    size = float(np.sqrt(np.mean(stored.astype(np.float64) ** 2)))
    return float(np.sqrt(np.mean((stored.astype(np.float64) - again) ** 2))) / max(size, 1e-12)


def _equal(used: np.ndarray, again: np.ndarray) -> bool:
    return used.shape == again.shape and bool(np.allclose(used, again, rtol=1e-9, atol=1e-12))


def _pruning(pruning: Mapping[str, Any]) -> str:
    return f"{APPROACHES[pruning['approach']].label} {100 * pruning['sparsity']:g} %"
