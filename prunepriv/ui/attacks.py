"""Attacks' parts: which attack works, how well, and what its threshold does."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.agreement import MEASURE_LABELS, Measure, agreement_heatmap, votes_chart
from prunepriv.figures.leaderboard import accuracy_dots, best_attack
from prunepriv.figures.palette import Theme
from prunepriv.figures.roc import (
    Curve,
    low_fpr_table,
    low_fpr_words,
    make_curve,
    roc_chart,
)
from prunepriv.figures.threshold import (
    Spacing,
    confusion_tiles,
    roc_point,
    slider_stops,
    start_threshold,
    threshold_histogram,
)
from prunepriv.options import ATTACKS
from prunepriv.plan import Target, evaluation_name, score_name
from prunepriv.store.result import AttackScores
from prunepriv.ui.charts import Drawing, chart, show_data, theme
from prunepriv.ui.controls import adversary, model_kind
from prunepriv.ui.frame import Frame, not_there_yet
from prunepriv.ui.glossary import tip
from prunepriv.ui.knowledge import knowledge
from prunepriv.ui.provenance import Provenance

SPACINGS: dict[Spacing, str] = {"even": "Spread out", "linear": "Linear"}


def controls(frame: Frame) -> Target | None:
    """Which model is attacked, and by whom."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = model_kind(frame, label="Attacked model")
        if kind is None:
            return None
        if Target("defended", "non_adaptive") in frame.result.targets and kind == "defended":
            return Target(kind, adversary())
    return Target(kind)


def attacks(frame: Frame, target: Target | None) -> None:
    """Everything below the controls."""
    board = frame.result.leaderboard()
    if target is None:
        not_there_yet(frame, "Attacks")
        return
    curves = curves_of(frame, target)
    if not curves:
        not_there_yet(frame, f"Attacks on the {target.model} model")
        return
    _leaderboard(frame, board, target)
    best = best_attack(board, target)
    names = list(curves)
    start = names.index(str(best["attack"])) if best and best["attack"] in names else 0
    st.subheader("One attack in front", anchor=False)
    with st.container(width=260):
        chosen = st.selectbox(
            "Attack", names, index=start, key="attack", bind="query-params", required=True,
            format_func=lambda name: ATTACKS[name].label,
        )  # fmt: skip
    chosen = chosen if chosen in curves else names[start]
    option = ATTACKS[chosen]
    st.caption(f"{option.summary} Score: `{option.score}` ({option.source})")
    _rocs(frame, curves, chosen, target)
    _low_rates(frame, curves, target)
    _threshold(frame, target, chosen)
    _agreement(frame, target, names)
    knowledge(frame, target, chosen)


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
    return _curve(key, attack, scores, records.member)


@st.cache_resource(max_entries=64, show_spinner=False)
def _curve(key: str, attack: str, _scores: AttackScores, _member: np.ndarray) -> Curve:
    return make_curve(attack, _scores, _member)


def _provenance(frame: Frame, target: Target, names: Mapping[str, object]) -> Provenance:
    return frame.provenance(*(score_name(name, target) for name in names))


def _leaderboard(frame: Frame, board: pd.DataFrame, target: Target) -> None:
    st.subheader("All attacks", anchor=False, help=tip("attack_accuracy"))
    best = best_attack(board, target)
    if best is None:
        not_there_yet(frame, "The comparison of attacks")
        return
    original = Target("original")
    reference = best_attack(board, original) if target != original else None
    shown = [target, original] if reference is not None else [target]
    chart(
        "leaderboard",
        frame.provenance(*map(evaluation_name, shown)),
        lambda look: accuracy_dots(board, shown, look),
        finding=findings.best_attack(best, target, reference),
        alt="Attack accuracies with 95 % intervals and the line of guessing",
    )
    st.caption(
        "Intervals: 95 % bootstrap over this run's records; another seed may differ by more. "
        + findings.not_run(frame.experiment.attacks.names)
    )


def _rocs(frame: Frame, curves: Mapping[str, Curve], chosen: str, target: Target) -> None:
    provenance = _provenance(frame, target, curves)
    with st.grid(2, min_column_width=400, gap="medium"):
        for log in (False, True):
            with st.container():
                _roc(curves, chosen, provenance, log)
    st.caption(
        "Star: the attack's own thresholds, fitted on shadow models. Band: 95 % interval of the "
        "TPR (Wilson). On logarithmic axes the curve ends where less than one record would count. "
        "An attack with few distinct scores, such as Corr, has few steps."
    )


def _roc(curves: Mapping[str, Curve], chosen: str, provenance: Provenance, log: bool) -> None:
    chart(
        "roc_log" if log else "roc_linear",
        provenance,
        lambda look: roc_chart(curves, chosen, look, log),
        finding=(findings.roc_log if log else findings.roc_linear)(curves[chosen]),
        alt=f"ROC on {'logarithmic' if log else 'linear'} axes",
        choices=(chosen,),
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _low_rates_table(keys: tuple[str, ...], _curves: Mapping[str, Curve]) -> pd.DataFrame:
    return low_fpr_table(_curves)


def _low_rates(frame: Frame, curves: Mapping[str, Curve], target: Target) -> None:
    provenance = _provenance(frame, target, curves)
    table = _low_rates_table(provenance.keys, curves)
    words, meant = low_fpr_words(table)
    grey = f"color: {theme().muted}; opacity: 0.55; font-style: italic"
    st.markdown(f"**{findings.low_rates(table)}**", help=tip("tpr_at_fpr"))
    st.dataframe(
        words.style.apply(lambda _: np.where(meant, "", grey), axis=None),
        height="content",
        alt="True positive rate of every attack at 10, 1, 0.1 and 0 % false positives",
    )
    st.caption(
        "FP: false positives that the figure rests on. Grey: too few non-members for it to mean "
        "anything; 0.1 % and less need 5,000."
    )
    show_data(table, "low_fpr", provenance)


@st.fragment
def _threshold(frame: Frame, target: Target, attack: str) -> None:
    """The slider and what it moves; a fragment, so that a tick redraws nothing else."""
    curve, scores = curve_of(frame, target, attack), _scores(frame, target, attack)
    records = frame.result.records(target.model)
    if curve is None or scores is None or records is None:
        return
    st.subheader("Move the threshold", anchor=False, help=tip("threshold"))
    start = start_threshold(scores.thresholds, records.label)
    stops = slider_stops(curve.points, start)
    text = next(name for name, value in stops.items() if value == start)
    picked = st.select_slider(
        f"{curve.label} says \u201cmember\u201d from this score on", list(stops), value=text,
        key=f"threshold_{attack}", bind="query-params",
    )  # fmt: skip
    st.caption(findings.own_threshold(curve, scores.thresholds, text))
    spacing: Spacing = st.segmented_control(
        "Score axis", list(SPACINGS), default="even", required=True, key="score_axis",
        bind="query-params", format_func=lambda one: SPACINGS[one],
        help="Spread out: a bar is as wide as its share of the records, so crowded ends stay "
        "readable. Linear: the score itself.",
    )  # fmt: skip
    _cut(curve, stops.get(picked, start), picked, spacing, _provenance(frame, target, {attack: 0}))


def _scores(frame: Frame, target: Target, attack: str) -> AttackScores | None:
    return frame.result.scores(attack, target)


def _cut(
    curve: Curve, threshold: float, text: str, spacing: Spacing, provenance: Provenance
) -> None:
    counts = curve.points.confusion(threshold)
    pictures: tuple[tuple[str, str, str, Callable[[Theme], Drawing]], ...] = (
        ("cut", "Histogram cut at the threshold", findings.cut(counts, text),
         lambda look: threshold_histogram(curve, threshold, spacing, look)),
        ("cut_roc", "ROC with the threshold's point", findings.cut_rates(counts),
         lambda look: roc_point(curve, threshold, look)),
        ("cut_confusion", "Confusion matrix", findings.cut_verdicts(counts),
         lambda look: confusion_tiles(counts, look)),
    )  # fmt: skip
    with st.grid(3, min_column_width=290, gap="medium"):
        for key, what, finding, draw in pictures:
            with st.container():  # there are too many thresholds to keep a figure of each
                chart(key, provenance, draw, finding=finding, alt=what, choices=None)


def _agreement(frame: Frame, target: Target, names: list[str]) -> None:
    """Whether attacks find the same members; needs two of them."""
    st.subheader("Do attacks agree?", anchor=False)
    found = {name: _scores(frame, target, name) for name in names}
    verdicts = {name: one.decision for name, one in found.items() if one is not None}
    records = frame.result.records(target.model)
    if len(verdicts) < 2 or records is None:
        st.caption("Agreement needs two attacks at least.")
        return
    measure: Measure = st.segmented_control(
        "Measure", list(MEASURE_LABELS), default="alike", required=True, key="agreement_by",
        bind="query-params", format_func=lambda one: MEASURE_LABELS[one],
        help="Phi leaves out what two attacks would agree on by chance.",
    )  # fmt: skip
    provenance = _provenance(frame, target, verdicts)
    with st.grid(2, min_column_width=400, gap="medium"):
        with st.container():
            chart(
                "agreement",
                provenance,
                lambda look: agreement_heatmap(verdicts, measure, look),
                finding=lambda pairs: findings.agreement(pairs, verdicts),
                alt=f"{MEASURE_LABELS[measure]} for each pair of attacks",
                choices=(measure,),
            )
        with st.container():
            chart(
                "votes",
                provenance,
                lambda look: votes_chart(verdicts, records.member, look),
                finding=findings.votes,
                alt="How many attacks call a record a member",
            )
