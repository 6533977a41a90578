"""Privacy against accuracy: this run's models, and other defences of the same pruned model."""

from __future__ import annotations

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.defenses import Point, privacy_utility
from prunepriv.figures.palette import KINDS
from prunepriv.options import ATTACKS, Adversary
from prunepriv.plan import TRAIN, Target, evaluation_name, models_name
from prunepriv.ui.charts import chart
from prunepriv.ui.frame import Frame, not_there_yet
from prunepriv.ui.runs import result_of
from prunepriv.ui.words import defense_of

MOST_OTHER_RUNS = 12
BASE = ("pruning", "training", "knowledge")
"""Parts that two runs must share, with their trained models, so that defences can be compared."""


def draw_trade_off(frame: Frame, adversary: Adversary, name: str) -> None:
    """Draw an arrow from the pruned model to every defended one."""
    st.subheader("Privacy against accuracy", anchor=False)
    here = _points_of(frame, adversary)
    by_model = {point.target.model: point for point in here}
    if not {"pruned", "defended"} <= by_model.keys():
        not_there_yet(frame, "The trade-off")
        return
    start, end = by_model["pruned"], by_model["defended"]
    points = [*here, *_others(frame, adversary)]
    chart(
        "trade_off",
        frame.provenance(*(evaluation_name(point.target) for point in here)),
        lambda look: privacy_utility(points, look),
        finding=findings.trade(end.utility - start.utility, end.leakage - start.leakage, name),
        alt=f"Accuracy on non-members against the best attack, an arrow from pruned to {name}",
        choices=tuple(points),  # the other runs' too
    )
    st.caption(findings.others(len(points) - len(here)))


def _points_of(frame: Frame, adversary: Adversary, here: bool = True) -> list[Point]:
    """The run's models in the privacy-utility plane; only models that have been attacked."""
    points = []
    for kind in frame.kinds:
        target = Target(kind, adversary if kind == "defended" else "adaptive")
        best, report = frame.result.best(target), frame.result.model_report(kind)
        if best is None or report is None:
            continue
        low, high = best["accuracy_ci95"]
        points.append(
            Point(
                target=target,
                text=defense_of(frame.experiment) if kind == "defended" else KINDS[kind].label,
                utility=report["non_member_accuracy"],
                leakage=best["accuracy"],
                low=low,
                high=high,
                attack=ATTACKS[best["attack"]].label,
                run=frame.run_id,
                here=here,
            )
        )
    return points


def _others(frame: Frame, adversary: Adversary) -> list[Point]:
    """Defended models of other finished runs that started from the same pruned target."""
    mine, trained = frame.experiment, frame.result.plan.key(TRAIN)
    models = models_name("defended")
    seen, found = {frame.result.plan.key(models)}, list[Point]()
    for entry in frame.listed.values():
        experiment = entry.experiment
        same = "defended" in experiment.models and all(
            getattr(experiment, part) == getattr(mine, part) for part in BASE
        )
        if not same or len(found) >= MOST_OTHER_RUNS:
            continue
        other = Frame(entry, result_of(entry), frame.listed)
        plan = other.result.plan
        if plan.key(TRAIN) == trained and plan.key(models) not in seen:
            seen.add(plan.key(models))  # draw models that several runs attack only once
            points = _points_of(other, adversary, False)
            found += [point for point in points if point.target.model == "defended"]
    return found
