"""A chart as every page shows it: the finding, the picture, the numbers, the way out."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from prunepriv.figures.figure import Figure
from prunepriv.figures.palette import DARK, LIGHT, Theme
from prunepriv.ui.provenance import Provenance


def theme() -> Theme:
    """The theme that the visitor's browser shows, for the figures' own template."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def chart(
    figure: Figure,
    *,
    finding: str,
    data: pd.DataFrame,
    key: str,
    alt: str,
    provenance: Provenance,
    select: bool = False,
) -> list[dict[str, Any]]:
    """Draw one chart with all that belongs to it.

    Args:
        figure: wears its own template (:func:`theme`).
        finding: one plain-English sentence from this run's data; stands above the chart.
        data: exactly the plotted numbers.
        key: unique on the page.
        alt: what a screen reader says.
        provenance: run, seed, artifacts and command, for the file.
        select: whether a click on a mark reruns the page.

    Returns:
        The clicked marks, as plotly describes them ("x", "y", "customdata", ...); empty unless
        ``select``.
    """
    st.markdown(f"**{finding}**")
    config = picture_config(f"{provenance.run}-{key}")
    points: list[dict[str, Any]] = []
    if select:
        state = st.plotly_chart(
            figure, theme=None, key=key, config=config, alt=alt,
            on_select="rerun", selection_mode="points",
        )  # fmt: skip
        points = [dict(point) for point in state["selection"]["points"]]
    else:
        st.plotly_chart(figure, theme=None, key=key, config=config, alt=alt)
    show_data(data, key, provenance)
    return points


def small_chart(
    figure: Figure,
    *,
    finding: str,
    data: pd.DataFrame,
    key: str,
    alt: str,
    provenance: Provenance,
    tools: DeltaGenerator,
) -> None:
    """A chart in a card: as :func:`chart`, with a small button to the numbers in ``tools``."""
    st.markdown(f":small[{finding}]")
    config = {**picture_config(f"{provenance.run}-{key}"), "modeBarButtons": [["toImage"]]}
    st.plotly_chart(figure, theme=None, key=key, config=config, alt=alt)
    with tools:
        _small_data(data, key, provenance)


@st.fragment
def _small_data(data: pd.DataFrame, key: str, provenance: Provenance) -> None:
    with st.popover(":small[Data]", key=f"{key}_data", type="tertiary", on_change="rerun") as box:
        if box.open:
            _numbers(data, key, provenance)


def picture_config(name: str) -> dict[str, Any]:
    """Plotly's tools: an SVG at twice the resolution, and nothing that leaves the machine."""
    return {
        "displaylogo": False,
        "showSendToCloud": False,
        "responsive": True,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "svg", "filename": name, "scale": 2},
    }


@st.fragment
def show_data(data: pd.DataFrame, key: str, provenance: Provenance) -> None:
    """The plotted numbers and their file; drawn only when opened, so that pages stay quick."""
    with st.expander(
        "Show data", key=f"{key}_data", icon=":material/table:", on_change="rerun"
    ) as box:
        if box.open:
            _numbers(data, key, provenance)


def _numbers(data: pd.DataFrame, key: str, provenance: Provenance) -> None:
    st.dataframe(data, hide_index=True, alt=f"The numbers of the chart {key}")
    st.download_button(
        "Download CSV",
        provenance.csv(data),
        file_name=f"{provenance.run}-{key}.csv",
        mime="text/csv",
        key=f"{key}_csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(provenance.line)
