"""How the target was pruned, and how the adversary believes it was pruned."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from prunepriv.figures.palette import Theme
from prunepriv.figures.sweeps import matrix


def knowledge_matrix(
    cells: pd.DataFrame, what: str, theme: Theme
) -> tuple[go.Figure, pd.DataFrame]:
    """The target's pruning (rows) against the shadows' (columns); framed where they are the same.

    Args:
        cells: ``row``, ``column`` (words, in the order wanted), ``accuracy`` (missing: not run).
        what: the setting, "sparsity" or "approach".

    Returns:
        The figure and the cells.
    """
    titles = (f"target's {what}", f"{what} that the adversary assumes")
    return matrix(cells, titles, theme, outlined=True)
