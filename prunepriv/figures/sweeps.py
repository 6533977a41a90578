"""Attack accuracy of a sweep over one setting as lines, and over two as a heatmap."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from prunepriv.experiment.settings import BY_PATH
from prunepriv.figures.leaderboard import chance_line, target_label, target_symbol
from prunepriv.figures.palette import ACCURACY_RANGE, KINDS, Theme
from prunepriv.figures.panels import Panels
from prunepriv.options import UNPRUNED
from prunepriv.plan import Target
from prunepriv.prose import percent

DASHES = ("solid", "dash", "dot", "longdash", "dashdot", "longdashdot")
"""For lines that differ in a setting; models differ in their marks."""
MOST_LINES = 12


def setting_name(name: str) -> str:
    """A setting in words: "sparsity" for ``pruning.sparsity``."""
    if name in BY_PATH:
        return BY_PATH[name].words
    return name.rpartition(".")[2].replace("_", " ")  # a setting of a bundled data set's generator


def setting_value(name: str, value: Any) -> str:
    """A setting's value in words: "70 %", "L1 unstructured"."""
    setting = BY_PATH.get(name)
    table = setting.table if setting is not None and setting.table is not None else {}
    if value in table:
        return table[value].label
    if setting is not None and setting.percent and value is not None:
        return f"{100 * value:g} %"
    return f"{value:g}" if isinstance(value, float) else str(value)


def varying(means: pd.DataFrame, settings: Sequence[str]) -> list[str]:
    """Settings with more than one value in the table."""
    return [name for name in settings if means[name].nunique(dropna=False) > 1]


def x_axis(means: pd.DataFrame, settings: Sequence[str]) -> str:
    """The setting on the horizontal axis: the sparsity, or the first number that varies."""
    varied = varying(means, settings)
    numbers = [name for name in varied if pd.api.types.is_numeric_dtype(means[name])]
    if "pruning.sparsity" in varied or not numbers:
        return "pruning.sparsity"
    return numbers[0]


def line_points(means: pd.DataFrame, attack: str, settings: Sequence[str]) -> pd.DataFrame:
    """One attack's means, ordered by line and then along each line.

    Args:
        means: ``store.sweep_table.summary``, of one data set and network.
        attack: whose.
        settings: the sweep's, without the seed.

    Returns:
        Columns ``series`` (what a line stands for, in words), ``setting``, ``model``, ``adversary``,
        ``x``, ``accuracy``, ``low``, ``high`` (95 % t-interval over seeds, missing for one seed),
        ``seeds``, ``guessing`` (in how many of them). The index is that of the means.
    """
    ours = means[means["attack"] == attack]
    x = x_axis(means, settings)
    others = [name for name in varying(means, settings) if name != x]
    rows = []
    for row in ours.reset_index(names="cell").to_dict("records"):
        own = [name for name in others if _concerns(name, row["model"])]
        setting = ", ".join(setting_value(name, row[name]) for name in own)
        model = target_label(Target(row["model"], row["adversary"]))
        rows.append(
            {
                "cell": row["cell"],
                "series": f"{model}, {setting}" if setting else model,
                "setting": setting,
                "model": row["model"],
                "adversary": row["adversary"],
                "x": row[x],
                "accuracy": row["accuracy"],
                "low": row["accuracy_low"],
                "high": row["accuracy_high"],
                "seeds": row["seeds"],
                "guessing": row["guessing"],
            }
        )
    columns = ["cell", "series", "setting", "model", "adversary", "x", "accuracy", "low", "high"]
    points = pd.DataFrame(rows, columns=[*columns, "seeds", "guessing"]).set_index("cell")
    order = {kind: place for place, kind in enumerate(KINDS)}
    return points.sort_values(
        ["model", "setting", "adversary", "x"],
        key=lambda column: column.map(order) if column.name == "model" else column,
        kind="stable",
    ).drop_duplicates(["series", "x"])  # an undefended model has a row per defence


def _concerns(name: str, model: str) -> bool:
    """Whether a setting changes a kind of model."""
    return model == "defended" or not name.startswith("defense.")


def accuracy_lines(points: pd.DataFrame, x: str, theme: Theme) -> tuple[go.Figure, pd.DataFrame]:
    """Attack accuracy over a setting, a line per model and combination of the others.

    Args:
        points: :func:`line_points`; only the first MOST_LINES lines are drawn.
        x: the setting's dotted name.

    Returns:
        The figure and the points that it shows.
    """
    names = list(dict.fromkeys(points["series"]))[:MOST_LINES]
    points = points[points["series"].isin(names)]
    settings = list(dict.fromkeys(points["setting"]))
    panels = Panels(theme, height=340, top=24 + 18 * len(names), bottom=56)
    chance_line(panels, 0, upright=False)
    for name in names:
        ours = points[points["series"] == name]
        place = settings.index(ours["setting"].iloc[0])
        _line(panels, ours, name, place, alone=len(settings) == 1)
    share = x.endswith(".sparsity")
    across: dict[str, Any] = {"title": {"text": setting_name(x)}, "nticks": 8}
    if share:
        across |= {"tickmode": "array", "tickvals": sorted(set(points["x"])), "tickformat": ".0%"}
    figure = panels.figure(
        x=across,
        y={"range": list(ACCURACY_RANGE), "tickformat": ".0%", "dtick": 0.1,
           "title": {"text": "attack accuracy (balanced)"}},
    )  # fmt: skip
    return figure, points


def _line(panels: Panels, ours: pd.DataFrame, name: str, place: int, alone: bool) -> None:
    """A line with its intervals; unpruned models are grey."""
    first = ours.iloc[0]
    kind, series = KINDS[first["model"]], Target(first["model"], first["adversary"])
    color = panels.theme.muted if first["model"] in UNPRUNED else panels.theme.ink
    spread = ours["high"] - ours["accuracy"]
    panels.trace(
        0, type="scatter", mode="lines+markers", x=ours["x"].tolist(), y=ours["accuracy"].tolist(),
        name=name, customdata=ours[["low", "high", "seeds"]].to_numpy().tolist(),
        line={"color": color, "width": 1.8,
              "dash": kind.dash if alone else DASHES[place % len(DASHES)]},
        marker={"symbol": target_symbol(series), "size": 9, "color": color,
                "line": {"width": 1.5, "color": color}},
        error_y={"type": "data", "array": spread.fillna(0).tolist(), "color": color,
                 "thickness": 1.2, "width": 4, "visible": bool(spread.notna().any())},
        hovertemplate=f"{name}<br>%{{y:.1%}}, mean of %{{customdata[2]}} seed(s)<extra></extra>",
    )  # fmt: skip


def matrix_cells(
    means: pd.DataFrame, axes: tuple[str, str], values: tuple[Sequence[Any], Sequence[Any]]
) -> pd.DataFrame:
    """A row per combination of two settings, as :func:`matrix` draws them.

    Args:
        means: of one attack on one model; several rows of one cell are averaged.
        axes: dotted names of rows and columns.
        values: of rows and columns, in the order wanted.

    Returns:
        Columns ``row``, ``column`` (words), ``accuracy``, ``low``, ``high``, ``seeds`` and
        ``guessing`` (how many evaluations, and of them those that are not distinguishable from
        guessing); missing where not run.
    """
    picked = {"accuracy": "mean", "accuracy_low": "mean", "accuracy_high": "mean"}
    counted = {"seeds": "sum", "guessing": "sum"}
    known = means.groupby(list(axes), sort=False).agg(picked | counted).to_dict("index")
    nothing = dict.fromkeys(picked | counted, float("nan"))
    rows = []
    for row, column in itertools.product(*values):
        cell = known.get((row, column), nothing)
        words = {"row": setting_value(axes[0], row), "column": setting_value(axes[1], column)}
        figures = {"accuracy": cell["accuracy"], "low": cell["accuracy_low"]}
        counts = {name: cell[name] for name in counted}
        rows.append({**words, **figures, "high": cell["accuracy_high"], **counts})
    return pd.DataFrame(rows)


def matrix(
    cells: pd.DataFrame, titles: tuple[str, str], theme: Theme, outlined: bool = False
) -> tuple[go.Figure, pd.DataFrame]:
    """Accuracies of two settings' combinations, each written in its cell.

    Args:
        cells: ``row``, ``column`` (words, in the order wanted), ``accuracy`` (missing: not run).
        titles: of rows and columns.
        outlined: draw a frame around cells whose row and column have the same words.

    Returns:
        The figure and the cells.
    """
    rows, columns = (list(dict.fromkeys(cells[name])) for name in ("row", "column"))
    found = {(c["row"], c["column"]): c["accuracy"] for c in cells.to_dict("records")}
    z = [[found.get((row, column), float("nan")) for column in columns] for row in rows]
    panels = Panels(theme, height=44 * len(rows) + 10, top=16, bottom=64)
    panels.trace(
        0, type="heatmap", z=z, x=list(range(len(columns))), y=list(range(len(rows))),
        zmin=ACCURACY_RANGE[0], zmax=ACCURACY_RANGE[1], xgap=3, ygap=3, hoverongaps=False,
        colorscale=theme.sequential, showscale=False, hovertemplate="%{z:.1%}<extra></extra>",
    )  # fmt: skip
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            value = z[y][x]
            missing = pd.isna(value)
            quiet = {"font": {"size": 11, "color": theme.muted}} if missing else {}
            panels.note(
                0, "not run" if missing else percent(value), x=x, y=y, xref="x", yref="y", **quiet
            )
            if outlined and row == column:
                panels.box(
                    0, x0=x - 0.47, x1=x + 0.47, y0=y - 0.45, y1=y + 0.45, layer="above",
                    line={"color": theme.ink, "width": 1.5},
                )  # fmt: skip
    figure = panels.figure(
        x={**_words(columns), "title": {"text": titles[1]}, "range": [-0.5, len(columns) - 0.5]},
        y={**_words(rows), "title": {"text": titles[0]}, "range": [len(rows) - 0.5, -0.5]},
    )
    return figure, cells


def _words(words: Sequence[str]) -> dict[str, Any]:
    ticks = {"tickmode": "array", "tickvals": list(range(len(words))), "ticktext": list(words)}
    return {**ticks, "showgrid": False, "zeroline": False, "ticks": "", "tickfont": {"size": 11}}
