"""Three headline figures, each compared with the original model, and the cause of the change."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.palette import KINDS
from prunepriv.options import ATTACKS, ModelKind
from prunepriv.plan import Target
from prunepriv.prose import percent, points, signed
from prunepriv.ui.epochs import tell_epochs
from prunepriv.ui.frame import Frame
from prunepriv.ui.glossary import tip
from prunepriv.ui.overview.subject import pending, subject


def headlines(frame: Frame) -> None:
    """Accuracy kept, attack accuracy, confidence gap; then the cause of the change."""
    kind = subject(frame)
    with st.grid(3, min_column_width=230, gap="small"):
        _accuracy_kept(frame, kind)
        _attack_accuracy(frame, kind)
        _confidence_gap(frame, kind)
    found = {k: frame.result.evaluation(Target(k)) for k in frame.experiment.models}
    rows = {k: rows for k, rows in found.items() if rows is not None}
    if len(rows) == len(found):
        st.markdown(findings.attribution(rows))
    tell_epochs(frame)


def _accuracy_kept(frame: Frame, kind: ModelKind) -> None:
    now, before = frame.result.model_report(kind), frame.result.model_report("original")
    name = f"Accuracy kept by the {KINDS[kind].words} model"
    if now is None:
        _headline(name, None, "accuracy_kept", pending(frame))
        return
    accuracy = now["non_member_accuracy"]
    start = None if before is None or kind == "original" else before["non_member_accuracy"]
    delta = None if start is None else accuracy - start
    _headline(
        name, percent(accuracy), "accuracy_kept", findings.accuracy_before(start),
        delta=None if delta is None else points(delta), worse=delta is not None and delta < -0.005,
    )  # fmt: skip


def _attack_accuracy(frame: Frame, kind: ModelKind) -> None:
    rows, before = (
        frame.result.evaluation(Target(kind)),
        frame.result.evaluation(Target("original")),
    )
    if rows is None:
        _headline("Best attack", None, "attack_accuracy", pending(frame))
        return
    best = findings.best_of(rows)
    delta, worse = None, False
    if before is not None and kind != "original":
        difference, clear = findings.change(findings.best_of(before), best)
        delta, worse = points(difference), clear and difference > 0
    _headline(
        f"Best attack: {ATTACKS[best['attack']].label}", percent(best["accuracy"]),
        "attack_accuracy", findings.attack_interval(best), delta=delta, worse=worse,
    )  # fmt: skip


def _confidence_gap(frame: Frame, kind: ModelKind) -> None:
    gap = _overall_gap(frame, kind)
    if gap is None:
        _headline("Confidence gap", None, "confidence_gap", pending(frame))
        return
    before = None if kind == "original" else _overall_gap(frame, "original")
    delta = None if before is None else gap - before
    _headline(
        "Confidence gap", signed(gap), "confidence_gap", findings.gap_before(before),
        delta=None if delta is None else signed(delta), worse=delta is not None and delta > 0.005,
    )  # fmt: skip


def _overall_gap(frame: Frame, kind: ModelKind) -> float | None:
    table = frame.result.gaps(kind)
    return None if table is None else float(table["confidence"].iloc[0])


def _headline(
    name: str,
    value: str | None,
    term: str,
    told: str,
    delta: str | None = None,
    worse: bool = False,
) -> None:
    """A figure and its change from the original model; violet if the change is for the worse."""
    arrow: Literal["up", "down", "off"] = "off"
    if delta is not None:
        arrow = "up" if delta.startswith("+") else "down"
    st.metric(
        name, value, told if delta is None else delta, border=True, height="stretch",
        delta_color="violet" if worse else "off", delta_arrow=arrow,
        delta_description=None if delta is None else told, help=tip(term),
    )  # fmt: skip
