"""A sweep's charts and tables: lines over one axis, a heatmap of two axes, files to download."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st
import yaml

from prunepriv.experiment.sweep import Sweep
from prunepriv.figures import findings
from prunepriv.figures.knowledge import knowledge_matrix
from prunepriv.figures.palette import KINDS
from prunepriv.figures.sweeps import (
    MOST_LINES,
    accuracy_lines,
    line_points,
    matrix,
    matrix_cells,
    setting_name,
    setting_value,
    varying,
    x_axis,
)
from prunepriv.options import ATTACKS, ModelKind
from prunepriv.store.differences import Resampled, between
from prunepriv.store.sweep_table import cells_of, summary, table_bytes
from prunepriv.ui.charts import chart
from prunepriv.ui.provenance import Provenance


@dataclass(frozen=True)
class Compare:
    """Compares runs of a sweep, see ``store.differences.between``.

    Attributes:
        table: the sweep's rows.
        cells: of each row, its row in the means.
        resampled: the resamples of its evaluations.
    """

    table: pd.DataFrame
    cells: pd.Series
    resampled: Resampled

    def __call__(
        self, before: list[Any], after: list[Any], by: str | None = None
    ) -> findings.Row | None:
        """From some rows of the means to others."""
        sides = [self.table.loc[self.cells.isin(rows)] for rows in (before, after)]
        return between(sides[0], sides[1], self.resampled, by)


@dataclass(frozen=True, slots=True)
class SweepProvenance(Provenance):
    """What produced the numbers of a sweep's chart: many runs; the table has a column of seeds."""

    runs: int = 0

    def stamp(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(sweep=self.run, command=self.command)

    @property
    def line(self) -> str:
        return f"Sweep `{self.run}` · {self.runs} runs · `{self.command}`"


def charts(sweep: Sweep, table: pd.DataFrame, resampled: Resampled) -> None:
    """Draw one data set, network and attack: lines, and a heatmap if two settings vary.

    Args:
        sweep: whose.
        table: its rows so far; not empty.
        resampled: the resamples of its evaluations.
    """
    means, compare = summary(table, sweep), Compare(table, cells_of(table, sweep), resampled)
    settings = [name for name in sweep.columns if name != "seed"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name in ("data.name", "model.name"):
            means = _choose(means, name)
        means, attack = _choose_attack(means)
    x = x_axis(means, settings)
    points = line_points(means, attack, settings)
    provenance = provenance_of(sweep)
    if not _is_matrix(means, settings):
        _lines(points, attack, x, provenance, compare)
    _heatmaps(sweep, means, attack, provenance, compare)
    st.caption(findings.seeds(points))


def _is_matrix(means: pd.DataFrame, settings: list[str]) -> bool:
    """Whether the adversary's assumption varies: a matrix shows that, lines do not."""
    return any(name.startswith("knowledge.") for name in varying(means, settings))


def _choose(means: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows of one value of a setting; the visitor chooses if there are several."""
    values = list(dict.fromkeys(means[name]))
    if len(values) < 2:
        return means
    chosen = st.selectbox(
        setting_name(name).capitalize(), values, key=f"sweep_{name}", bind="query-params",
        format_func=lambda value: setting_value(name, value), width=220,
    )  # fmt: skip
    kept = means[name] == (chosen if chosen in values else values[0])
    rows: pd.DataFrame = means.loc[kept]
    return rows


def _choose_attack(means: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    names = [name for name in ATTACKS if name in set(means["attack"])]
    chosen = st.selectbox(
        "Attack", names, key="sweep_attack", bind="query-params", width=220,
        format_func=lambda name: ATTACKS[name].label,
    )  # fmt: skip
    attack = chosen if chosen in names else names[0]
    ours: pd.DataFrame = means.loc[means["attack"] == attack]
    return ours, attack


def _lines(
    points: pd.DataFrame, attack: str, x: str, provenance: Provenance, compare: Compare
) -> None:
    def differ(before: Any, after: Any) -> findings.Row | None:
        return compare([before], [after])

    chart(
        "sweep_lines",
        provenance,
        lambda look: accuracy_lines(points, x, look),
        finding=lambda shown: findings.sweep_lines(shown, attack, x, differ),
        alt=f"Attack accuracy over {setting_name(x)}, a line per model",
        choices=None,
    )
    lines = points["series"].nunique()
    if lines > MOST_LINES:
        st.caption(f"The first {MOST_LINES} of {lines} lines; the tables have all of them.")


def _heatmaps(
    sweep: Sweep, means: pd.DataFrame, attack: str, provenance: Provenance, compare: Compare
) -> None:
    """Draw two settings against each other for one model, if at least two vary."""
    axes = _two_axes(means, [name for name in sweep.columns if name != "seed"])
    kind = None if axes is None else _choose_kind(means, axes)
    if axes is None or kind is None:
        return
    ours = means[(means["model"] == kind) & (means["adversary"] == "adaptive")]
    rows, columns = (_values(sweep, name) for name in axes)
    cells = matrix_cells(ours, axes, (rows, columns))
    titles = (setting_name(axes[0]), setting_name(axes[1]))
    known = axes[1].removeprefix("knowledge.")
    knows = known != axes[1]
    places = list(itertools.product(rows, columns))  # of the cells, in their order

    def differ(before: Any, after: Any) -> findings.Row | None:
        return compare(_at(ours, axes, places[before]), _at(ours, axes, places[after]))

    chart(
        "sweep_matrix",
        provenance,
        lambda look: knowledge_matrix(cells, known, look) if knows else matrix(cells, titles, look),
        finding=findings.knowledge(cells, attack, known, _cost(compare, ours, axes))
        if knows
        else findings.sweep_matrix(cells, attack, KINDS[kind].words, differ),
        alt=f"Attack accuracy by {titles[0]} and {titles[1]}",
        choices=None,
    )


def _at(means: pd.DataFrame, axes: tuple[str, str], values: tuple[Any, Any]) -> list[Any]:
    """The rows of the means in one cell of a heatmap."""
    here = (means[axes[0]] == values[0]) & (means[axes[1]] == values[1])
    return list(means.index[here])


def _cost(compare: Compare, means: pd.DataFrame, axes: tuple[str, str]) -> findings.Row | None:
    """What not to know a setting changes, on the same targets."""
    knows = means[axes[0]] == means[axes[1]]
    return compare(list(means.index[knows]), list(means.index[~knows]), by=axes[0])


def _choose_kind(means: pd.DataFrame, axes: tuple[str, str]) -> ModelKind | None:
    """The model whose heatmap is drawn: one that the axes affect."""
    there = [kind for kind in KINDS if kind in set(means["model"])]
    against = any(name.startswith("defense.") for name in axes)
    kinds = [kind for kind in there if kind == "defended" or (kind == "pruned" and not against)]
    if len(kinds) < 2:
        return kinds[0] if kinds else None
    chosen = st.segmented_control(
        "Model", kinds, default=kinds[0], required=True, key="sweep_model", bind="query-params",
        format_func=lambda one: KINDS[one].label,
    )  # fmt: skip
    return chosen if chosen in kinds else kinds[0]


def _values(sweep: Sweep, name: str) -> list[Any]:
    """A setting's values in the sweep: numbers in their order, names in the sweep's."""
    found = list(dict.fromkeys(cell.values[name] for cell in sweep.cells))
    return sorted(found) if all(isinstance(value, int | float) for value in found) else found


def _two_axes(means: pd.DataFrame, settings: list[str]) -> tuple[str, str] | None:
    """Rows and columns of the heatmap."""
    varied = varying(means, settings)
    for known in ("sparsity", "approach"):
        if f"knowledge.{known}" in varied:
            return f"pruning.{known}", f"knowledge.{known}"
    if len(varied) < 2:
        return None
    x = x_axis(means, settings)
    return (
        (next(name for name in varied if name != x), x) if x in varied else (varied[0], varied[1])
    )


def tables(sweep: Sweep, table: pd.DataFrame) -> None:
    """Draw the tidy table and its means, with files of both and of the sweep's definition."""
    st.subheader("Results as a table", anchor=False)
    means = summary(table, sweep)
    tabs: Mapping[str, pd.DataFrame] = {"Runs": table, "Means over seeds": means}
    shown = st.segmented_control(
        "Rows", list(tabs), default="Runs", required=True, key="sweep_rows", bind="query-params"
    )
    rows, name = (tabs["Runs"], "runs") if shown == "Runs" else (means, "summary")
    st.dataframe(rows, hide_index=True, height=320, alt=f"The sweep's table, {len(rows)} rows")
    with st.container(horizontal=True):
        for suffix, label, mime in (
            (".csv", "CSV", "text/csv"),
            (".parquet", "Parquet", "application/vnd.apache.parquet"),
        ):
            st.download_button(
                label, table_bytes(rows, sweep, suffix), icon=":material/download:",
                file_name=f"{sweep.sweep_id}_{name}{suffix}", mime=mime, on_click="ignore",
            )  # fmt: skip
        st.download_button(
            "The sweep as YAML", yaml.safe_dump(sweep.definition, sort_keys=False),
            file_name=f"{sweep.sweep_id}.yaml", mime="application/yaml", on_click="ignore",
            icon=":material/download:",
        )  # fmt: skip
    st.code(command_of(sweep), language=None, wrap_lines=True)


def command_of(sweep: Sweep) -> str:
    """The command that runs it again, or prints its table."""
    return f"python -m prunepriv sweep {sweep.sweep_id}"


def provenance_of(sweep: Sweep) -> SweepProvenance:
    """The provenance of every chart of a sweep."""
    return SweepProvenance(
        run=sweep.sweep_id, seed=0, keys=(), command=command_of(sweep), runs=len(sweep.cells)
    )
