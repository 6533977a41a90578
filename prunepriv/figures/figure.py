"""The type of a figure, for those who pass one on without importing plotly."""

from plotly.graph_objects import Figure

__all__ = ["Figure"]
