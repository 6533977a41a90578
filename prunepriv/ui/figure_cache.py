"""Figures kept for the next visitor: an artifact never changes, so neither does what is drawn of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from prunepriv.figures.palette import Theme
from prunepriv.ui.charts import theme
from prunepriv.ui.provenance import Provenance

if TYPE_CHECKING:  # figures are drawn in figures/ only
    import plotly.graph_objects as go

Drawing = tuple["go.Figure", pd.DataFrame]


def drawn(
    key: str,
    provenance: Provenance,
    choices: tuple[Hashable, ...],
    make: Callable[[Theme], Drawing],
) -> Drawing:
    """A figure and its table, made once per artifacts, choices and theme; not to be written to.

    Args:
        key: the chart's.
        provenance: tells which artifacts it is drawn from.
        choices: every control, and everything else beside the artifacts, that it depends on.
        make: draws it.
    """
    look = theme()
    return _drawn((key, *provenance.keys, *choices, look.name), lambda: make(look))


@st.cache_resource(max_entries=128, show_spinner=False)
def _drawn(key: tuple[Hashable, ...], _make: Callable[[], Drawing]) -> Drawing:
    return _make()
