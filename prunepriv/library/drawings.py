"""Draws the figures of a run by name, as on the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from prunepriv.errors import ExperimentError
from prunepriv.figures.agreement import MEASURE_LABELS, agreement_heatmap
from prunepriv.figures.classes import (
    DISTANCE_LABELS,
    GAP_LABELS,
    MOST_CLASSES,
    class_distances,
    class_gaps,
    distance_dots,
    gap_bars,
)
from prunepriv.figures.defenses import model_accuracies
from prunepriv.figures.figure import Figure
from prunepriv.figures.histograms import absent_models, leakage_histograms
from prunepriv.figures.leaderboard import accuracy_dots, best_attack
from prunepriv.figures.live import curves_chart
from prunepriv.figures.palette import THEMES
from prunepriv.figures.roc import make_curve, roc_chart
from prunepriv.figures.scales import SCALES
from prunepriv.figures.sparsity import sparsity_chart
from prunepriv.figures.threshold import start_threshold, threshold_histogram
from prunepriv.library.drawable import Drawable, one_of
from prunepriv.library.figures import FIGURES
from prunepriv.options import lookup
from prunepriv.plan import Target
from prunepriv.store.result import Result
from prunepriv.store.signals import QUANTITIES, Quantity

Drawn = tuple[Figure, pd.DataFrame]


def draw(
    result: Result, name: str, theme: str, options: Mapping[str, Any], live: bool = False
) -> Figure:
    """A figure of a run.

    Args:
        result: the run.
        name: one of FIGURES.
        theme: "light" or "dark".
        options: options of the figure, by name.
        live: whether the run waits or is at work.

    Raises:
        ExperimentError: no such figure, theme, option or choice.
        MissingArtifactError: its data have not been computed yet.
    """
    known = lookup(FIGURES, name, "figure").options
    for option in options:
        if option not in known:
            listed = ", ".join(known) or "none"
            raise ExperimentError(
                f"figure {name} has no option {option!r}: its options are {listed}"
            )
    look = THEMES[one_of("theme", theme, THEMES)]
    return DRAWINGS[name](Drawable(result, look, live), **options)[0]


def _histograms(quantity: Quantity) -> Callable[..., Drawn]:
    def drawn(run: Drawable, scale: str = "linear", label: int | None = None) -> Drawn:
        records = run.need(run.records(), "signals")
        absent = absent_models(run.experiment, records, run.live)
        ours = {kind: one.of_class(run.label(label)) for kind, one in records.items()}
        if not any(len(one.record) for one in ours.values()):
            raise ExperimentError(
                f"no record of the target has label {label}: choose another label"
            )
        axes = SCALES[one_of("scale", scale, SCALES)]
        return leakage_histograms(ours, quantity, axes, run.theme, absent)

    return drawn


def _classes(
    run: Drawable,
    model: str | None = None,
    gap: str = "confidence",
    most: Any = MOST_CLASSES,
) -> Drawn:
    gaps, metric = run.gaps(), one_of("gap", gap, GAP_LABELS)
    table = class_gaps(gaps, metric, run.class_names, run.records())
    return gap_bars(table, run.kind(model, gaps), metric, run.theme, _most(most))


def _distances(
    run: Drawable,
    model: str | None = None,
    signal: str = "confidence",
    distance: str = "js",
    label: int | None = None,
    most: Any = MOST_CLASSES,
) -> Drawn:
    gaps = run.gaps()
    quantity = one_of("signal", signal, QUANTITIES)
    measure = one_of("distance", distance, DISTANCE_LABELS)
    table = class_distances(gaps, quantity, measure, run.class_names)
    by, chosen = run.kind(model, gaps), run.label(label)
    return distance_dots(table, by, quantity, measure, run.theme, chosen, _most(most))


def _most(most: Any) -> int | None:
    if most is not None and (not isinstance(most, int) or most < 1):
        raise ExperimentError(
            f"most must be a number of classes from 1, or None for all, got {most!r}"
        )
    return most


def _attacks(run: Drawable, model: str | None = None, adversary: str = "adaptive") -> Drawn:
    target, original = run.target(model, adversary), Target("original")
    board = run.board(target)
    compared = target != original and best_attack(board, original) is not None
    return accuracy_dots(board, [target, original] if compared else [target], run.theme)


def _roc(
    run: Drawable,
    attack: str | None = None,
    model: str | None = None,
    adversary: str = "adaptive",
    log: bool = False,
) -> Drawn:
    target = run.target(model, adversary)
    scores, member = run.scores(target), run.records_of(target).member
    curves = {name: make_curve(name, one, member) for name, one in scores.items()}
    return roc_chart(curves, run.attack(attack, target, scores), run.theme, log)


def _threshold(
    run: Drawable,
    attack: str | None = None,
    model: str | None = None,
    adversary: str = "adaptive",
    threshold: Any = None,
) -> Drawn:
    target = run.target(model, adversary)
    scores, records = run.scores(target), run.records_of(target)
    chosen = run.attack(attack, target, scores)
    curve = make_curve(chosen, scores[chosen], records.member)
    if threshold is None:
        threshold = start_threshold(scores[chosen].thresholds, records.label)
    if not isinstance(threshold, (int, float)):
        raise ExperimentError(f"threshold must be a number, got {threshold!r}")
    return threshold_histogram(curve, threshold, "even", run.theme)


def _agreement(
    run: Drawable,
    model: str | None = None,
    adversary: str = "adaptive",
    measure: str = "alike",
) -> Drawn:
    scores = run.scores(run.target(model, adversary))
    if len(scores) < 2:
        raise ExperimentError("agreement needs at least two attacks: choose more attacks")
    verdicts = {name: one.decision for name, one in scores.items()}
    return agreement_heatmap(verdicts, one_of("measure", measure, MEASURE_LABELS), run.theme)


def _defense(run: Drawable) -> Drawn:
    if not {"pruned", "defended"} <= set(run.experiment.models):
        raise ExperimentError(
            "defense needs a run that attacks the pruned and the defended model: choose a defence"
        )
    everyone = [Target("pruned"), Target("defended"), Target("defended", "non_adaptive")]
    board = run.board(everyone[0])
    return accuracy_dots(board, [t for t in everyone if best_attack(board, t)], run.theme)


def _accuracies(run: Drawable) -> Drawn:
    found = {kind: run.result.model_report(kind) for kind in run.experiment.models}
    reports = {kind: report for kind, report in found.items() if report is not None}
    return model_accuracies(run.need(reports, "accuracies"), run.theme)


def _sparsity(run: Drawable, model: str | None = None) -> Drawn:
    kind = run.kind(model)
    report = run.need(run.result.model_report(kind), f"signals of the {kind} model")
    return sparsity_chart(report["layers"], run.experiment.pruning.sparsity, run.theme)


def _training(run: Drawable, model: str = "original") -> Drawn:
    kind = one_of("model", model, ("original", *run.experiment.models))
    report = run.need(run.result.training_report(kind), f"training of the {kind} model")
    training = run.experiment.training
    most = training.epochs if kind == "original" else training.fine_tune_epochs
    return curves_chart(report["history"], report["best_epoch"], most, run.theme)


DRAWINGS: Mapping[str, Callable[..., Drawn]] = {
    "confidence": _histograms("confidence"),
    "sensitivity": _histograms("sensitivity"),
    "classes": _classes,
    "distances": _distances,
    "attacks": _attacks,
    "roc": _roc,
    "threshold": _threshold,
    "agreement": _agreement,
    "defense": _defense,
    "accuracies": _accuracies,
    "sparsity": _sparsity,
    "training": _training,
}
