"""The type of a figure, for modules that must not import plotly."""

from plotly.graph_objects import Figure

__all__ = ["Figure"]
