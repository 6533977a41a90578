"""The pipeline as six cards."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from prunepriv.datasets.splits import split
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.figures import findings
from prunepriv.figures import overview as figures
from prunepriv.options import MODEL_KINDS, MODELS, ON_REQUEST, UNPRUNED, ModelKind
from prunepriv.plan import (
    TARGET,
    Target,
    divergence_name,
    evaluation_name,
    models_name,
    signals_name,
    size_name,
    split_name,
)
from prunepriv.ui import handover
from prunepriv.ui.charts import chart
from prunepriv.ui.frame import Frame, link_params
from prunepriv.ui.overview.subject import pending, subject
from prunepriv.ui.words import defense_name, pruning_of, size_of

Draw = Callable[[Frame, DeltaGenerator], None]
"""Draws a card's chart; the button to its numbers goes into the given container."""


def cards(frame: Frame) -> None:
    """The pipeline, one card per step, each with its finding, its chart and a link to its page."""
    with st.grid(3, min_column_width=290, gap="small"):
        for number, (title, page, name, draw) in enumerate(CARDS, start=1):
            _card(frame, number, title, page, name, draw)


def _card(frame: Frame, number: int, title: str, page: str, name: str, draw: Draw) -> None:
    arrow = " :material/arrow_right_alt:" if number < len(CARDS) else ""
    with st.container(border=True, height="stretch", gap="xxsmall", key=f"card_{number}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{number} · {title}**{arrow}", width="stretch")
            tools = st.container(width="content")
            st.page_link(
                f"pages/{page}.py",
                label=f":small[{name}]",
                icon=":material/chevron_right:",
                icon_position="right",
                query_params=link_params(frame.run_id),
            )
        draw(frame, tools)


def _data_card(frame: Frame, tools: DeltaGenerator) -> None:
    experiment = frame.experiment
    option = experiment.data.option
    parts = split(option.records, TARGET, experiment.seed, experiment.data.limit)
    members, non_members = len(parts.train), len(parts.test)
    validation = len(parts.validation)
    half = members + validation + non_members
    chart(
        "split",
        frame.provenance(split_name()),
        lambda look: figures.split_chart(members, validation, non_members, half, look),
        finding=findings.split(option.label, option.classes, members, half),
        alt=f"{members} members, {validation} validation records, {non_members} non-members; the "
        "other half of the records belongs to the adversary",
        alt_alone=True,
        small_in=tools,
    )


def _train_card(frame: Frame, tools: DeltaGenerator) -> None:
    report = frame.result.training_report("original")
    if report is None:
        st.caption(pending(frame))
        return
    history, best = report["history"], report["best_epoch"]
    kept = next(point for point in history if point["epoch"] == best)
    while_training = frame.experiment.training.stop_at_member_accuracy is None
    finished = frame.result.model_report("original")
    on_members = None if finished is None else finished["member_accuracy"]
    read = [models_name("original"), *([signals_name("original")] if finished else [])]
    size = size_of(report["architecture"])
    network = f"{MODELS[frame.experiment.model.name].label} ({size})"
    chart(
        "training",
        frame.provenance(*read),
        lambda look: figures.training_chart(history, best, while_training, look),
        finding=findings.kept_epoch(network, len(history), kept, on_members, while_training),
        alt="Accuracy of the target model by epoch on members and on validation records",
        alt_alone=True,
        small_in=tools,
    )


def _prune_card(frame: Frame, tools: DeltaGenerator) -> None:
    kind = subject(frame)
    report = frame.result.model_report(kind)
    if report is None:
        st.caption(pending(frame))
        return
    size = frame.result.size(kind)
    requested = frame.experiment.pruning.sparsity if kind in ("pruned", "defended") else 0.0
    read = [signals_name(kind), *([size_name(kind)] if size else [])]
    chart(
        "layers",
        frame.provenance(*read),
        lambda look: figures.layers_chart(report["layers"], requested, look),
        finding=findings.removed(pruning_of(frame.experiment), report["sparsity"], size),
        alt="Share of each layer's weights that was kept and removed",
        alt_alone=True,
        choices=(requested,),
        small_in=tools,
    )
    st.page_link(
        "pages/run.py",
        label=":small[Layer by layer]",
        icon=":material/stacked_bar_chart:",
        query_params=link_params(frame.run_id),
    )


def _fine_tune_card(frame: Frame, tools: DeltaGenerator) -> None:
    undefended: tuple[ModelKind, ...] = (*UNPRUNED, "pruned")
    gaps = {kind: frame.result.gaps(kind) for kind in undefended}
    means = {
        kind: (
            float(table["confidence_members"].iloc[0]),
            float(table["confidence_non_members"].iloc[0]),
        )
        for kind, table in gaps.items()
        if table is not None
    }
    if not means:
        st.caption(pending(frame))
        return
    chart(
        "gaps",
        frame.provenance(*(divergence_name(kind) for kind in means)),
        lambda look: figures.gap_chart(means, look),
        finding=findings.gaps(means),
        alt="Mean confidence of members and non-members for each model: "
        + findings.gap_list(means),
        alt_alone=True,
        small_in=tools,
    )


def _attack_card(frame: Frame, tools: DeltaGenerator) -> None:
    kind = subject(frame)
    target = Target(kind)
    rows, headline = frame.result.evaluation(target), frame.headline(target)
    chance = frame.result.chance(target)
    if rows is None or headline is None or chance is None:
        st.caption(pending(frame))
        return
    chart(
        "attacks",
        frame.provenance(evaluation_name(Target(kind))),
        lambda look: figures.attacks_chart(rows, look),
        finding=findings.attacks_in_short(
            headline, chance, kind, frame.result.fit_of(headline["attack"])
        ),
        alt=f"Accuracy of {len(rows)} attacks with 95 % intervals beside the 50 % line",
        small_in=tools,
    )


def _defend_card(frame: Frame, tools: DeltaGenerator) -> None:
    if "defended" not in frame.experiment.models:
        st.caption("This run has no defence. Launch the same run with PPB to see its effect.")
        if st.button("Set up the same run with PPB", icon=":material/shield:", key="with_ppb"):
            handover.leave(with_ppb(frame.experiment))
            st.switch_page("pages/run.py", query_params=link_params(frame.run_id))
        return
    found = {target: frame.headline(target) for target in frame.result.targets}
    chosen = {target: row for target, row in found.items() if row is not None}
    contrast = frame.result.contrast(Target("pruned"), Target("defended"))
    if contrast is None:
        st.caption(pending(frame))
        return
    chart(
        "defense",
        frame.provenance(*map(evaluation_name, chosen)),
        lambda look: figures.defense_chart(chosen, look),
        finding=findings.defended(
            chosen[Target("defended")],
            chosen.get(Target("defended", "non_adaptive")),
            contrast,
            defense_name(frame.experiment),
        ),
        alt="Accuracy of the attack in view on each model with its 95 % interval",
        small_in=tools,
    )


def with_ppb(experiment: Experiment) -> Experiment:
    """The same experiment with PPB at its usual strength; all models that it can compare."""
    settings = experiment.model_dump(mode="json")
    left_out = ON_REQUEST - set(experiment.models)
    models = [kind for kind in MODEL_KINDS if kind not in left_out]
    return make_experiment({**settings, "defense": {"name": "ppb"}, "models": models})


CARDS: tuple[tuple[str, str, str, Draw], ...] = (
    ("Data", "run", "Run", _data_card),
    ("Train", "run", "Run", _train_card),
    ("Prune", "classes", "Classes", _prune_card),
    ("Fine-tune", "leakage", "Leakage", _fine_tune_card),
    ("Attack", "attacks", "Attacks", _attack_card),
    ("Defend", "defenses", "Defences", _defend_card),
)
