"""Privacy against accuracy: this run's models, and other defences of the same pruned model."""

from __future__ import annotations

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.defenses import Point, privacy_utility
from prunepriv.figures.palette import KINDS
from prunepriv.options import ATTACKS, Adversary
from prunepriv.plan import Target, evaluation_name, models_name
from prunepriv.ui.charts import chart
from prunepriv.ui.frame import Frame, not_there_yet
from prunepriv.ui.runs import entries, result_of
from prunepriv.ui.words import defense_of

MOST_OTHER_RUNS = 12
BASE = ("pruning", "training", "knowledge")
"""Parts that two runs must share, with their trained models, so that defences can be compared."""


def draw_trade_off(frame: Frame, adversary: Adversary, name: str) -> None:
    """Draw an arrow from the pruned model to every defended one."""
    st.subheader("Privacy against accuracy", anchor=False)
    headline = frame.headline(Target("pruned"))
    contrast = frame.result.contrast(Target("pruned"), Target("defended"))
    if headline is None or contrast is None:
        not_there_yet(frame, "The trade-off")
        return
    attack = headline["attack"]
    here = _points_of(frame, adversary, attack)
    by_model = {point.target.model: point for point in here}
    if not {"pruned", "defended"} <= by_model.keys():
        not_there_yet(frame, "The trade-off")
        return
    elsewhere, left_out = _others(frame, adversary, attack)
    points = [*here, *elsewhere]
    chart(
        "trade_off",
        frame.provenance(*(evaluation_name(point.target) for point in here)),
        lambda look: privacy_utility(points, look),
        finding=findings.trade(contrast, attack, name),
        alt=f"Accuracy on non-members against {ATTACKS[attack].label}, an arrow from pruned to {name}",
        choices=None,  # the chart shows other runs too
    )
    st.caption(findings.others(len(elsewhere), attack, left_out, frame.attack is not None))


def _points_of(frame: Frame, adversary: Adversary, attack: str, here: bool = True) -> list[Point]:
    """The run's models in the privacy-utility plane; only models that were attacked by this attack."""
    points = []
    for kind in frame.kinds:
        target = Target(kind, adversary if kind == "defended" else "adaptive")
        row, report = frame.result.attack_row(attack, target), frame.result.model_report(kind)
        if row is None or report is None:
            continue
        low, high = row["accuracy_ci95"]
        points.append(
            Point(
                target=target,
                text=defense_of(frame.experiment) if kind == "defended" else KINDS[kind].label,
                utility=report["non_member_accuracy"],
                leakage=row["accuracy"],
                low=low,
                high=high,
                attack=ATTACKS[attack].label,
                run=frame.run_id,
                here=here,
            )
        )
    return points


def _others(frame: Frame, adversary: Adversary, attack: str) -> tuple[list[Point], list[str]]:
    """Defended models of other finished runs that started from the same pruned target.

    Returns:
        Their points, and the ids of runs that were not attacked in the same way: by the attack of
        all points, with the same recipe.
    """
    mine, trained = frame.experiment, frame.result.plan.key(models_name("original"))
    models = models_name("defended")
    seen, found, left_out = {frame.result.plan.key(models)}, list[Point](), list[str]()
    for entry in entries().values():
        experiment = entry.experiment
        same = "defended" in experiment.models and all(
            getattr(experiment, part) == getattr(mine, part) for part in BASE
        )
        if not same or len(found) >= MOST_OTHER_RUNS:
            continue
        other = Frame(entry, result_of(entry))
        plan = other.result.plan
        if plan.key(models_name("original")) == trained and plan.key(models) not in seen:
            same_recipe = other.experiment.attacks.recipe == mine.attacks.recipe
            points = _points_of(other, adversary, attack, False) if same_recipe else []
            defended = [point for point in points if point.target.model == "defended"]
            if not defended:
                left_out.append(other.run_id)
                continue
            seen.add(plan.key(models))  # draw models that several runs attack only once
            found += defended
    return found, left_out
