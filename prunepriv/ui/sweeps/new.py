"""A new sweep: from a preset, from axes chosen on the page, or from a file; its cost, its launch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from prunepriv.engine.client import default_workers
from prunepriv.environment import store_folder
from prunepriv.errors import ExperimentError
from prunepriv.estimates.cost import Cost, cost_of
from prunepriv.experiment.presets import sweep_presets
from prunepriv.experiment.sweep import Sweep, make_sweep
from prunepriv.experiment.sweep_file import LARGEST_FILE, read_sweep
from prunepriv.options import APPROACHES, ATTACKS, DATASETS, DEFENSES, MODELS, Option
from prunepriv.prose import join
from prunepriv.ui.glossary import tip
from prunepriv.ui.runs import catalog
from prunepriv.ui.sweeps.pick import start

WAYS = ("Preset", "Choose axes", "File")
SPARSITIES = (50, 60, 70, 80, 90)
EXAMPLE = """name: sparsity on Location
base: {data: {name: location}, defense: {name: ppb}}
grid:
  pruning.sparsity: [0.5, 0.7]
  pruning.approach: [l1_unstructured]
  seed: [1, 2]
"""


def draw() -> None:
    """Draw everything from the choice to the launch."""
    way = st.segmented_control(
        "Start from", WAYS, default=WAYS[0], required=True, key="sweep_from", bind="query-params"
    )
    try:
        sweep = {"Preset": _preset, "Choose axes": _axes, "File": _file}.get(str(way), _preset)()
    except ExperimentError as error:
        st.warning(f"This cannot be run: {error}", icon=":material/block:")
        return
    if sweep is not None:
        _launch(sweep)


def _preset() -> Sweep:
    known = sweep_presets()
    chosen = st.segmented_control(
        "Preset", list(known), default=next(iter(known)), required=True, key="sweep_preset",
        bind="query-params", format_func=lambda name: known[name].label, label_visibility="collapsed",
    )  # fmt: skip
    preset = known.get(str(chosen)) or next(iter(known.values()))
    st.caption(preset.description)
    return preset.made


def _axes() -> Sweep:
    """Multi-selects for the most common axes."""
    with st.grid(2, min_column_width=330, gap="medium"):
        with st.container(gap="small"):
            data = st.selectbox(
                "Data set", list(DATASETS), key="sweep_new_data", bind="query-params",
                format_func=lambda name: DATASETS[name].label,
            )  # fmt: skip
            data = data if data in DATASETS else next(iter(DATASETS))
            fits = {n: m for n, m in MODELS.items() if m.serves == DATASETS[data].kind}
            models = _some("Networks", "models", fits, 1)
            approaches = _some("Pruning approaches", "approaches", APPROACHES, 1)
            sparsities = st.pills(
                "Sparsities", SPARSITIES, selection_mode="multi", default=[50, 70, 90],
                format_func=lambda value: f"{value} %", help=tip("sparsity"),
                key="sweep_new_sparsities", bind="query-params",
            )  # fmt: skip
        with st.container(gap="small"):
            defenses = _some("Defences", "defenses", DEFENSES, 1)
            attacks = _some("Attacks", "attacks", ATTACKS, 5)
            seeds = st.number_input(
                "Seeds", min_value=1, max_value=20, value=3, key="sweep_new_seeds",
                bind="query-params", width=150, help=tip("seed"),
            )  # fmt: skip
            limit = st.number_input(
                "Records", min_value=0, max_value=1_000_000, value=0, step=100,
                key="sweep_new_limit", bind="query-params", width=150,
                help=tip("limit") + " 0: all of them.",
            )  # fmt: skip
    return make_sweep(
        {
            "name": f"{DATASETS[data].label}: {join([APPROACHES[name].label for name in approaches])}",
            "base": {
                "data": {"name": data, "limit": int(limit) or None},
                "attacks": {"names": attacks},
            },
            "grid": {
                "model.name": models,
                "pruning.approach": approaches,
                "pruning.sparsity": [int(value) / 100 for value in sorted(sparsities)],
                "defense.name": defenses,
                "seed": list(range(1, int(seeds) + 1)),
            },
            "skip_impossible": True,
        }
    )


def _some(label: str, name: str, options: Any, first: int) -> list[str]:
    """Several of a table's options, in its order."""
    table: dict[str, Option] = dict(options)
    chosen = st.pills(
        label, list(table), selection_mode="multi", default=list(table)[:first],
        format_func=lambda one: table[one].label, key=f"sweep_new_{name}", bind="query-params",
        help="\n".join(f"- **{one.label}**: {one.summary}" for one in table.values()),
    )  # fmt: skip
    return [one for one in table if one in chosen]


def _file() -> Sweep | None:
    given = st.file_uploader(
        "YAML or JSON", type=["yaml", "yml", "json"], key="sweep_file",
        help=f"At most {LARGEST_FILE // 2**10} KB. Any setting of an experiment can be an axis.",
    )  # fmt: skip
    if given is None:
        st.caption("Any setting of an experiment can be an axis, by its dotted name:")
        st.code(EXAMPLE, language="yaml")
        return None
    return read_sweep(given.read(LARGEST_FILE + 1), given.name)


def _launch(sweep: Sweep) -> None:
    """Draw its size, its cost and the button."""
    cost = _cost(store_folder(), sweep.sweep_id, sweep)
    workers = default_workers()
    with st.container(border=True, key="sweep_launch"):
        st.markdown(
            f"**{cost.pruned_models:,} pruned models in {cost.runs:,} runs**: {cost.steps:,} steps, "
            f"each done once; {cost.cached_steps:,} of them are already in the store."
        )
        st.markdown(f":material/timer: Time: {cost.time_words(workers)}.")
        to_fetch = sorted({d.label for d in _datasets(sweep) if not d.bundled})
        if to_fetch:
            st.caption(f"Needs {join(to_fetch)}: downloaded once, unless already on this computer.")
        if sweep.impossible:
            with st.expander(f"{len(sweep.impossible)} cells are left out"):
                st.markdown("\n".join(f"- {sentence}" for sentence in sweep.impossible[:20]))
        if st.button(
            "Launch the sweep", type="primary", icon=":material/play_arrow:", key="launch_sweep"
        ):
            start(sweep)


def _datasets(sweep: Sweep) -> list[Any]:
    return [experiment.data.option for experiment in sweep.experiments]


@st.cache_data(max_entries=32, ttl=10, show_spinner="Counting its steps")
def _cost(store: Path, sweep_id: str, _sweep: Sweep) -> Cost:
    return cost_of(_sweep.experiments, catalog(), default_workers())
