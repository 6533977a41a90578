"""The adversary-knowledge matrix: attacks whose adversary is wrong about the target's pruning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd
import streamlit as st

from prunepriv.engine.client import default_workers
from prunepriv.errors import ExperimentError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.sweep import Sweep, make_sweep, value_of, with_settings
from prunepriv.figures import findings
from prunepriv.figures.knowledge import knowledge_matrix
from prunepriv.figures.sweeps import setting_value
from prunepriv.options import APPROACHES, ATTACKS
from prunepriv.plan import Target, evaluation_name
from prunepriv.store.differences import between
from prunepriv.ui.charts import chart
from prunepriv.ui.frame import Frame
from prunepriv.ui.launching import is_running, known_cost, link_to_progress, submit_sweep
from prunepriv.ui.runs import entries, result_of

What = Literal["sparsity", "approach"]
SPARSITIES = (0.5, 0.7, 0.9)
"""Default rows and columns; the run's own sparsity replaces the nearest one."""
EVERY = 3.0


def draw_knowledge(frame: Frame, target: Target, attack: str) -> None:
    """Draw the matrix of one attack on a pruned model, and a button for the missing cells."""
    if target.model not in ("pruned", "defended"):
        return
    st.subheader(
        "What the adversary knows", anchor=False,
        help="The adversary prunes its shadow models in the same way as it believes the target was "
        "pruned. On the diagonal, its belief is right. The cells come from your runs that differ only "
        "in the pruning.",
    )  # fmt: skip
    what: What = "sparsity"
    approaches = _approaches(frame.experiment)
    if len(approaches) > 1:
        chosen = st.segmented_control(
            "Not known to the adversary", ["sparsity", "approach"], default="sparsity", required=True,
            key="knowledge_of", bind="query-params", format_func=str.capitalize,
        )  # fmt: skip
        what = "approach" if chosen == "approach" else "sparsity"
    values = _values(frame.experiment, what, approaches)
    sweep = matrix_sweep(frame.experiment, target, what, values)
    st.fragment(_draw, run_every=EVERY if is_running(sweep) else None)(
        frame, target, attack, what, values, sweep
    )


def _draw(
    frame: Frame, target: Target, attack: str, what: What, values: list[Any], sweep: Sweep
) -> None:
    runs = _runs_of_cells(frame, what)
    cells = matrix_table(runs, target, attack, what, values)
    if cells["accuracy"].notna().sum() == 0:
        st.caption("No cell of this matrix has been evaluated yet.")
        return
    chart(
        "knowledge",
        frame.provenance(evaluation_name(target)),
        lambda look: knowledge_matrix(cells, what, look),
        finding=findings.knowledge(cells, attack, what, _not_knowing(runs, cells, target, attack)),
        alt=f"{ATTACKS[attack].label}'s accuracy by the target's {what} and the {what} that the "
        "adversary assumes",
        choices=None,  # the cells come from other runs too
    )
    _offer(sweep, int(cells["accuracy"].isna().sum()), frame)


def _runs_of_cells(frame: Frame, what: What) -> dict[tuple[Any, Any], Frame]:
    """By the target's setting and what the adversary believes it to be, a run of the store.

    Its data, training and seed are those of the selected run, and its pruning and knowledge differ
    from it only in ``what``.
    """
    found = {
        cell: one for one in _similar_runs(frame) if (cell := _cell(one, frame, what)) is not None
    }
    return {**found, _assumes(frame.experiment, what): frame}


def matrix_table(
    runs: Mapping[tuple[Any, Any], Frame],
    target: Target,
    attack: str,
    what: What,
    values: list[Any],
) -> pd.DataFrame:
    """A row per cell: ``row`` (target), ``column`` (assumed), ``accuracy``, ``low``, ``high``, ...

    ``seeds`` and ``guessing`` are 1 or 0, as of a sweep of one seed; ``of_run`` is the run's id.
    """
    rows = []
    for actual in values:
        for assumed in values:
            run = runs.get((actual, assumed))
            row = None if run is None else _evaluated(run, target, attack)
            low, high = row["accuracy_ci95"] if row is not None else (None, None)
            rows.append(
                {
                    "row": setting_value(f"pruning.{what}", actual),
                    "column": setting_value(f"pruning.{what}", assumed),
                    "accuracy": None if row is None else row["accuracy"],
                    "low": low,
                    "high": high,
                    "seeds": int(row is not None),
                    "guessing": int(row is not None and findings.is_guessing(row)),
                    "of_run": "" if run is None or row is None else run.run_id,
                }
            )
    return pd.DataFrame(rows).astype(dict.fromkeys(("accuracy", "low", "high"), "float64"))


def _not_knowing(
    runs: Mapping[tuple[Any, Any], Frame], cells: pd.DataFrame, target: Target, attack: str
) -> findings.Row | None:
    """What it changes not to know the setting: the cells have the same seed and the same records."""
    by_run = {run.run_id: run for run in runs.values()}
    known = cells[cells["of_run"] != ""]
    rows = known.assign(seed=0, attack=attack, key=known["of_run"])

    def resampled(run: str, attack: str) -> np.ndarray | None:
        found = by_run[run].result.resampled(target, "accuracy", [attack])
        return None if found is None else found[attack]

    knows = rows["row"] == rows["column"]
    return between(rows[knows], rows[~knows], resampled, by="row")


def matrix_sweep(experiment: Experiment, target: Target, what: What, values: list[Any]) -> Sweep:
    """The sweep that fills the matrix."""
    base = experiment.model_dump(mode="json") | {"models": [target.model], "knowledge": {}}
    del base["pruning"][what]
    if what == "approach":
        del base["pruning"]["slimming_penalty"]  # belongs to one approach
    grid = {f"pruning.{what}": values, f"knowledge.{what}": values}
    name = f"knowledge of the {what}, {experiment.run_id}"
    return make_sweep({"name": name, "base": base, "grid": grid})


def _values(experiment: Experiment, what: What, approaches: list[str]) -> list[Any]:
    """Rows and columns: the run's own setting is always among them."""
    if what == "approach":
        return approaches
    own = {value_of(experiment, "pruning.sparsity"), value_of(experiment, "knowledge.sparsity")}
    offered = list(SPARSITIES)
    for value in own:
        if value not in offered:
            offered.remove(min(set(offered) - own, key=lambda other: abs(other - value)))
            offered.append(value)
    return sorted(offered)


def _approaches(experiment: Experiment) -> list[str]:
    """Approaches that can prune the run's network."""
    return [name for name in APPROACHES if _possible(experiment, name)]


def _possible(experiment: Experiment, approach: str) -> bool:
    base = experiment.model_dump(mode="json") | {"knowledge": {}}
    try:
        make_experiment(with_settings(base, {"pruning.approach": approach}))
    except ExperimentError:
        return False
    return True


def _similar_runs(frame: Frame) -> list[Frame]:
    """Runs that differ from the selected one only in pruning, knowledge, models and attacks."""
    shared = _shared(frame.experiment)
    return [
        Frame(entry, result_of(entry))
        for entry in entries().values()
        if entry.run_id != frame.run_id and _shared(entry.experiment) == shared
    ]


def _shared(experiment: Experiment) -> dict[str, Any]:
    given = experiment.model_dump(exclude={"pruning", "knowledge", "models", "attacks"})
    return given | {"recipe": experiment.attacks.recipe}


def _cell(run: Frame, frame: Frame, what: What) -> tuple[Any, Any] | None:
    """A run's cell in the matrix; None if the other setting of the pruning differs too."""
    other = "approach" if what == "sparsity" else "sparsity"
    own = value_of(frame.experiment, f"pruning.{other}")
    if set(_assumes(run.experiment, other)) != {own}:
        return None
    return _assumes(run.experiment, what)


def _assumes(experiment: Experiment, what: str) -> tuple[Any, Any]:
    """The target's setting, and what the adversary believes it to be."""
    return value_of(experiment, f"pruning.{what}"), value_of(experiment, f"knowledge.{what}")


def _evaluated(run: Frame, target: Target, attack: str) -> dict[str, Any] | None:
    if target.model not in run.experiment.models:
        return None
    rows = run.result.evaluation(target) or ()
    return next((row for row in rows if row["attack"] == attack), None)


def _offer(sweep: Sweep, missing: int, frame: Frame) -> None:
    """Draw the cost of the missing cells and the button; or a link to the sweep that runs them."""
    if is_running(sweep):
        link_to_progress(frame, sweep, "The missing cells")
        return
    if not missing:
        return
    cost = known_cost(sweep.sweep_id, sweep.experiments)
    workers = default_workers()
    st.caption(
        f"{missing} of {len(sweep.cells)} cells have not been run. A sweep runs them: "
        f"{cost.steps - cost.cached_steps:,} steps to do, {cost.cached_steps:,} already in the store. "
        f"Time: {cost.time_words(workers)}."
    )
    if st.button("Run the missing cells", icon=":material/play_arrow:", key="run_knowledge"):
        submit_sweep(sweep)
