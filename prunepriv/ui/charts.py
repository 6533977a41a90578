"""A chart as every page shows it: the finding, the figure, its numbers and their download."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from prunepriv.figures.figure import Figure, finished
from prunepriv.figures.palette import DARK, LIGHT, Theme
from prunepriv.ui.cache import Cache
from prunepriv.ui.provenance import Provenance

Drawing = tuple[Figure, pd.DataFrame]
"""A figure, and exactly the numbers that it plots."""

Drawn = tuple[Figure, pd.DataFrame, str]
"""The same, and what is told of it if that was made from the numbers."""

FIGURES: Cache[Drawn] = Cache(512)
PASSING: Cache[Drawn] = Cache(64)


def theme() -> Theme:
    """The theme of the visitor's browser, for the figures' own template."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def chart(
    key: str,
    provenance: Provenance,
    draw: Callable[[Theme], Drawing],
    *,
    finding: str | Callable[[pd.DataFrame], str],
    alt: str,
    alt_alone: bool = False,
    choices: tuple[Hashable, ...] | None = (),
    passing: bool = False,
    select: bool = False,
    small_in: DeltaGenerator | None = None,
) -> list[Any] | None:
    """Draw one chart with its finding, its numbers and their download.

    A figure is made once for its artifacts, choices and theme, and then cached for all visitors: an
    artifact never changes, so its figure does not change either. If the finding is a function, it is
    called once too, and may depend on nothing else.

    Args:
        key: unique on the page; also names its files.
        provenance: run, seed, artifacts and command, for the file and for the key of the cache.
        draw: makes the figure and the table of exactly the plotted numbers; neither is modified.
        finding: one plain-English sentence from this run's data, or a function that makes it from
            the table; shown above the chart.
        alt: what the chart shows; a screen reader reads it, and then the finding.
        alt_alone: whether the screen reader leaves the finding out.
        choices: every control, and every other value except the artifacts, that the figure depends
            on; None if the figure is made again every time.
        passing: whether only the latest figures are kept, because a slider passes through hundreds.
        select: whether a click on a mark reruns the page.
        small_in: if given, the chart is small, for a card, and the button for its numbers goes into
            this container.

    Returns:
        ``customdata`` of the mark that was just clicked; None without a new click.
    """
    look = theme()

    def make() -> Drawn:
        figure, table = draw(look)
        return figure, table, finding(table) if callable(finding) else ""

    if choices is None:
        figure, table, told = make()
    else:
        cache = PASSING if passing else FIGURES
        figure, table, told = cache.get(
            (key, provenance.keys, choices, look.name), lambda: _finished(*make())
        )
    told = finding if isinstance(finding, str) else told
    st.markdown(f"**{told}**" if small_in is None else f":small[{told}]")
    config = picture_config(f"{provenance.run}-{key}")
    if small_in is not None:
        config["modeBarButtons"] = [["toImage"]]
    shown: Any = st.plotly_chart(
        figure, theme=None, key=key, config=config, alt=alt if alt_alone else f"{alt}. {told}",
        on_select="rerun" if select else "ignore", selection_mode="points",
    )  # fmt: skip
    if small_in is None:
        show_data(table, key, provenance)
    else:
        with small_in:
            _small_data(table, key, provenance)
    return _clicked(shown["selection"]["points"], key) if select else None


def _finished(figure: Figure, table: pd.DataFrame, told: str) -> Drawn:
    return finished(figure), table, told


def _clicked(points: Sequence[Mapping[str, Any]], key: str) -> list[Any] | None:
    """The mark that was just clicked.

    A chart reports its selection at every rerun, even if the visitor has chosen something else in
    another control since then. So only a change of the selection is a click.
    """
    mark = list(points[0]["customdata"]) if points and "customdata" in points[0] else None
    before = st.session_state.get(f"{key}_clicked")
    st.session_state[f"{key}_clicked"] = mark
    return mark if mark != before else None


@st.fragment
def _small_data(data: pd.DataFrame, key: str, provenance: Provenance) -> None:
    with st.popover(":small[Data]", key=f"{key}_data", type="tertiary", on_change="rerun") as box:
        if box.open:
            _numbers(data, key, provenance)


def picture_config(name: str) -> dict[str, Any]:
    """Plotly's toolbar: an SVG at twice the resolution, and no button that sends data elsewhere."""
    return {
        "displaylogo": False,
        "showSendToCloud": False,
        "responsive": True,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "svg", "filename": name, "scale": 2},
    }


@st.fragment
def show_data(data: pd.DataFrame, key: str, provenance: Provenance) -> None:
    """Show the plotted numbers and their file; drawn only when opened, so that pages stay fast."""
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
