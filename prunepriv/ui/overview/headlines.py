"""Three headline figures, each compared with the original model, and the cause of the change."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from prunepriv.figures import findings
from prunepriv.figures.palette import KINDS
from prunepriv.options import ATTACKS, ModelKind
from prunepriv.plan import Target
from prunepriv.prose import percent, points, signed
from prunepriv.ui.epochs import tell_epochs
from prunepriv.ui.frame import Frame
from prunepriv.ui.glossary import tip
from prunepriv.ui.other_seeds import View, changes_of, chosen_changes, draw_other_seeds
from prunepriv.ui.overview.subject import pending, subject


def headlines(frame: Frame) -> None:
    """Accuracy kept, attack accuracy, confidence gap; then the cause of the change."""
    kind = subject(frame)
    with st.grid(3, min_column_width=230, gap="small"):
        _accuracy_kept(frame, kind)
        _attack_accuracy(frame, kind)
        _confidence_gap(frame, kind)
    found = {k: frame.headline(Target(k)) for k in frame.experiment.models}
    known = {k: row for k, row in found.items() if row is not None}
    if len(known) == len(found):
        retraining, removing = _by_way_of(frame, "control")
        long, short = _by_way_of(frame, "control_matched")
        equally_long = None if long is None or short is None else (long, short)
        st.markdown(
            findings.attribution(known, retraining, removing, equally_long),
            help=tip("policy", "clear", "undecided"),
        )
    tell_epochs(frame)


def other_seeds(frame: Frame) -> None:
    """What the other seeds say about the change of the attack in view."""
    if frame.attack is None:
        draw_other_seeds(frame, View(chosen_changes, "change of attack accuracy"))
    else:
        axis = f"change of {ATTACKS[frame.attack].label}'s accuracy"
        draw_other_seeds(frame, View(changes_of(frame.attack), axis))


def _by_way_of(
    frame: Frame, control: ModelKind
) -> tuple[list[dict[str, Any]] | None, list[dict[str, Any]] | None]:
    """What changes from the original to a control, and from there to the pruned model."""
    return (
        frame.result.contrast(Target("original"), Target(control)),
        frame.result.contrast(Target(control), Target("pruned")),
    )


def _change(frame: Frame, kind: ModelKind) -> list[dict[str, Any]] | None:
    """What changes from the original to a model."""
    return frame.result.contrast(Target("original"), Target(kind))


def _accuracy_kept(frame: Frame, kind: ModelKind) -> None:
    now, before = frame.result.model_report(kind), frame.result.model_report("original")
    name = f"Accuracy kept by the {KINDS[kind].words} model"
    if now is None:
        _headline(name, None, "accuracy_kept", pending(frame))
        return
    accuracy = now["non_member_accuracy"]
    start = None if before is None or kind == "original" else before["non_member_accuracy"]
    row = findings.pick(_change(frame, kind), "non_member_accuracy", None)
    delta = None if start is None else points(accuracy - start) + findings.doubt(row)
    _headline(
        name, percent(accuracy), "accuracy_kept", findings.accuracy_before(start),
        delta=delta, worse=findings.clear_sign(row) < 0,
    )  # fmt: skip


def _attack_accuracy(frame: Frame, kind: ModelKind) -> None:
    headline = frame.headline(Target(kind))
    if headline is None:
        _headline("Attack chosen beforehand", None, "chosen_attack", pending(frame))
        return
    row = findings.pick(_change(frame, kind), attack=findings.in_contrast(headline))
    how = "Attack chosen beforehand" if headline["chosen"] else "Best attack after the fact"
    how = "Attack" if headline.get("fixed") else how
    _headline(
        f"{how}: {ATTACKS[headline['attack']].label}", percent(headline["accuracy"]),
        "chosen_attack", findings.attack_interval(headline),
        delta=None if row is None else findings.told(row),
        worse=findings.clear_sign(row) > 0,
    )  # fmt: skip


def _confidence_gap(frame: Frame, kind: ModelKind) -> None:
    gap = _overall_gap(frame, kind)
    if gap is None:
        _headline("Confidence gap", None, "confidence_gap", pending(frame))
        return
    before = None if kind == "original" else _overall_gap(frame, "original")
    row = findings.pick(_change(frame, kind), "confidence", None)
    delta = None if before is None else signed(gap - before) + findings.doubt(row)
    _headline(
        "Confidence gap", signed(gap), "confidence_gap", findings.gap_before(before),
        delta=delta, worse=findings.clear_sign(row) > 0,
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
