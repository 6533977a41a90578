"""Defences' parts: the pruned model without and with its defence, side by side."""

from __future__ import annotations

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.classes import GAP_LABELS, Gap, class_gaps, gap_bars
from prunepriv.figures.defenses import Point, model_accuracies, privacy_utility
from prunepriv.figures.histograms import leakage_histograms
from prunepriv.figures.leaderboard import accuracy_dots, best_attack
from prunepriv.figures.palette import KINDS
from prunepriv.figures.scales import SCALES
from prunepriv.options import ATTACKS, Adversary, ModelKind
from prunepriv.plan import (
    TRAIN,
    Target,
    divergence_name,
    evaluation_name,
    models_name,
    signals_name,
)
from prunepriv.prose import privacy_statement
from prunepriv.store.signals import QUANTITIES, Quantity
from prunepriv.ui.charts import chart
from prunepriv.ui.controls import class_names
from prunepriv.ui.frame import Frame, link_params, not_there_yet
from prunepriv.ui.glossary import tip
from prunepriv.ui.leakage import SIGNAL_LABELS, Signals, records_of
from prunepriv.ui.runs import entries, result_of
from prunepriv.ui.words import defense_of

MOST_OTHER_RUNS = 12
MOST_CLASSES = 15
BASE = ("pruning", "training", "knowledge")
"""Parts that two runs must share, beside their trained models, for their defences to be compared."""
BOTH: tuple[ModelKind, ...] = ("pruned", "defended")


def defended(frame: Frame) -> bool:
    """Whether the run has a defence; if not, say so and lead to the next step."""
    if "defended" in frame.experiment.models:
        return True
    st.info(
        "This run has no defence, so there is nothing to compare. Launch the same run with PPB, or with "
        "another defence: the trained, control and pruned models are taken over, only the defended "
        "one is new.",
        icon=":material/shield:",
    )
    st.page_link(
        "pages/run.py", label="Launch the same with PPB", icon=":material/play_arrow:",
        query_params=link_params(frame.run_id),
    )  # fmt: skip
    return False


def controls() -> Adversary:
    """The switch: on at first, for it gives the honest figure."""
    adapts = st.toggle(
        "Adaptive adversary", value=True, key="adaptive", bind="query-params", help=tip("adaptive")
    )
    if not adapts:
        st.caption(
            "You are looking at an adversary who does not know of the defence: a flattering figure."
        )
    return "adaptive" if adapts else "non_adaptive"


def worth_it(frame: Frame, adversary: Adversary) -> None:
    """Everything below the switch."""
    _privacy(frame)
    name = defense_of(frame.experiment)
    left, right = st.columns(2, gap="medium")
    with left:
        _attacks(frame, adversary, name)
    with right:
        _trade_off(frame, adversary, name)
    _accuracies(frame, name)
    _signals(frame, name)
    _classes(frame, name)


def _privacy(frame: Frame) -> None:
    """What the defence guarantees, where it guarantees anything."""
    report = frame.result.training_report("defended")
    privacy = None if report is None else report.get("privacy")
    if privacy is None:
        return
    st.markdown(f":material/lock: **{privacy_statement(privacy)}**", help=tip("dp_sgd"))
    st.caption(findings.noise(privacy))


def _attacks(frame: Frame, adversary: Adversary, name: str) -> None:
    """All attacks without and with the defence, and both adversaries in one chart."""
    st.subheader("What it takes from the attacker", anchor=False, help=tip("attack_accuracy"))
    board = frame.result.leaderboard()
    everyone = [
        Target("pruned"),
        Target("defended", "adaptive"),
        Target("defended", "non_adaptive"),
    ]
    best = {one: best_attack(board, one) for one in everyone}
    shown = [one for one in everyone if best[one] is not None]
    before = best[everyone[0]]
    if before is None or len(shown) < 2:
        not_there_yet(frame, "Attacks on the pruned and the defended model")
        return
    adaptive, other = best[everyone[1]], best[everyone[2]]
    chart(
        "defense_attacks",
        frame.provenance(*map(evaluation_name, shown)),
        lambda look: accuracy_dots(board, shown, look),
        finding=findings.defense(before, adaptive, other, name, adversary),
        alt=f"Attack accuracies without and with {name}, with 95 % intervals",
    )
    st.caption(
        "Numbers on the right: the pruned model. " + findings.not_run(board["attack"].unique())
    )


def _trade_off(frame: Frame, adversary: Adversary, name: str) -> None:
    st.subheader("Privacy against accuracy", anchor=False)
    here = _points_of(frame, adversary)
    by_model = {point.target.model: point for point in here}
    if not set(BOTH) <= by_model.keys():
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
        choices=None,  # other runs stand in it too
    )
    st.caption(findings.others(len(points) - len(here)))


def _points_of(frame: Frame, adversary: Adversary, here: bool = True) -> list[Point]:
    """The run's models in the privacy-utility plane, as far as they have been attacked."""
    board = frame.result.leaderboard()
    points = []
    for kind in frame.kinds:
        target = Target(kind, adversary if kind == "defended" else "adaptive")
        best, report = best_attack(board, target), frame.result.model_report(kind)
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
    """Defended models of other finished runs that started from the very same pruned target."""
    mine, trained = frame.experiment, frame.result.plan.key(TRAIN)
    models = models_name("defended")
    seen, found = {frame.result.plan.key(models)}, list[Point]()
    for entry in entries().values():
        experiment = entry.experiment
        same = "defended" in experiment.models and all(
            getattr(experiment, part) == getattr(mine, part) for part in BASE
        )
        if not same or len(found) >= MOST_OTHER_RUNS:
            continue
        other = Frame(entry, result_of(entry))
        plan = other.result.plan
        if plan.key(TRAIN) == trained and plan.key(models) not in seen:
            seen.add(plan.key(models))  # the same models, attacked in another run, are drawn once
            points = _points_of(other, adversary, False)
            found += [point for point in points if point.target.model == "defended"]
    return found


def _accuracies(frame: Frame, name: str) -> None:
    st.subheader("What it costs", anchor=False, help=tip("accuracy_kept"))
    found = {kind: frame.result.model_report(kind) for kind in frame.kinds}
    reports = {kind: report for kind, report in found.items() if report is not None}
    if not set(BOTH) <= reports.keys():
        not_there_yet(frame, "Accuracies of the pruned and the defended model")
        return
    chart(
        "model_accuracies",
        frame.provenance(*(signals_name(kind) for kind in reports)),
        lambda look: model_accuracies(reports, look),
        finding=findings.price(reports, name),
        alt="Accuracy of each model on members and non-members",
    )


def _signals(frame: Frame, name: str) -> None:
    """Histograms without and with the defence."""
    signals = {k: one for k, one in records_of(frame).items() if k in BOTH}
    if len(signals) < len(BOTH):
        return
    with st.grid(2, min_column_width=420, gap="medium"):
        for quantity in QUANTITIES:
            with st.container():
                _histograms(frame, signals, quantity, name)


def _histograms(frame: Frame, signals: Signals, quantity: Quantity, name: str) -> None:
    st.subheader(SIGNAL_LABELS[quantity], anchor=False, help=tip(quantity))
    chart(
        f"defended_{quantity}",
        frame.provenance(*(signals_name(kind) for kind in signals)),
        lambda look: leakage_histograms(signals, quantity, SCALES["linear"], look),
        finding=findings.defended_signals(signals, quantity, name),
        alt=f"Histograms of {quantity}, pruned and defended",
    )


def _classes(frame: Frame, name: str) -> None:
    """Gaps by class without and with the defence."""
    gaps = {kind: table for kind in BOTH if (table := frame.result.gaps(kind)) is not None}
    if len(gaps) < len(BOTH):
        return
    st.subheader("Class by class", anchor=False)
    metric: Gap = st.segmented_control(
        "Gap", list(GAP_LABELS), default="confidence", required=True, key="gap",
        bind="query-params", format_func=lambda one: GAP_LABELS[one].removesuffix(" gap"),
    )  # fmt: skip
    table = class_gaps(gaps, metric, class_names(frame), records_of(frame))
    chart(
        "defended_classes",
        frame.provenance(*(divergence_name(kind) for kind in gaps)),
        lambda look: gap_bars(table, "pruned", metric, look, MOST_CLASSES),
        finding=findings.defended_classes(table, metric, name),
        alt=f"{GAP_LABELS[metric]} by class without and with {name}",
        choices=(metric,),
    )
    st.page_link(
        "pages/classes.py", label="All classes and models", icon=":material/arrow_forward:",
        query_params=link_params(frame.run_id),
    )  # fmt: skip
