"""A grid of panels as plain dictionaries, passed to plotly once.

``plotly.subplots`` and ``figure.add_*`` validate the whole figure at every call: 70 ms for four
histograms. To build dictionaries and validate them once takes a tenth of that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from prunepriv.figures.palette import Theme

Json = dict[str, Any]


@dataclass
class Panels:
    """Panels of equal size in rows and columns; they share both axes if ``shared``.

    Attributes:
        height: of one panel, in pixels.
        gap: between rows, in pixels: room for headings.
        top, bottom: margins in pixels.
    """

    theme: Theme
    rows: int = 1
    columns: int = 1
    height: int = 200
    gap: int = 80
    top: int = 40
    bottom: int = 52
    shared: bool = True
    traces: list[Json] = field(default_factory=list)
    shapes: list[Json] = field(default_factory=list)
    annotations: list[Json] = field(default_factory=list)
    layout: Json = field(default_factory=dict)

    def axes(self, place: int) -> tuple[str, str]:
        """Names of the x and y axis of a panel, counted row by row: ("x3", "y3")."""
        number = "" if place == 0 else str(place + 1)
        return f"x{number}", f"y{number}"

    def trace(self, place: int, **trace: Any) -> None:
        """Draw a trace in a panel."""
        x, y = self.axes(place)
        self.traces.append({"xaxis": x, "yaxis": y, **trace})

    def upright(self, place: int, at: float, **line: Any) -> None:
        """A vertical line over a panel's full height."""
        self._line(place, x0=at, x1=at, y0=0, y1=1, y="domain", line=line)

    def level(self, place: int, at: float, **line: Any) -> None:
        """A horizontal line over a panel's full width."""
        self._line(place, x0=0, x1=1, y0=at, y1=at, x="domain", line=line)

    def box(self, place: int, **shape: Any) -> None:
        """A shape in a panel's own coordinates, by default behind the data."""
        x, y = self.axes(place)
        self.shapes.append({"type": "rect", "xref": x, "yref": y, "layer": "below", **shape})

    def note(self, place: int, text: str, **annotation: Any) -> None:
        """A text in a panel; x and y are fractions of it unless ``xref`` or ``yref`` is given."""
        x, y = self.axes(place)
        where = {"xref": f"{x} domain", "yref": f"{y} domain"}
        self.annotations.append({"text": text, "showarrow": False, **where, **annotation})

    def heading(self, place: int, text: str, **annotation: Any) -> None:
        """A text above a panel, flush left."""
        corner = {"x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "align": "left"}
        self.note(place, text, **{**corner, "yshift": 4, **annotation})

    def below(self, text: str) -> None:
        """One title for all the x axes."""
        center = {"x": 0.5, "xref": "paper", "xanchor": "center", "font": {"size": 13}}
        foot = {"y": 0, "yref": "paper", "yanchor": "top", "yshift": -26}
        self.annotations.append({"text": text, "showarrow": False, **center, **foot})

    def figure(self, x: Json, y: Json) -> go.Figure:
        """The finished figure.

        Args:
            x, y: settings of every x and y axis; "title" is set on the outermost ones only.
        """
        layout: Json = {
            "template": self.theme.template,
            "height": self.top + self.bottom + self._inner,
            "margin": {"t": self.top, "b": self.bottom, "l": 52, "r": 20},
            "shapes": self.shapes,
            "annotations": self.annotations,
            **self.layout,
        }
        for place in range(self.rows * self.columns):
            x_name, y_name = (name.replace(name[0], f"{name[0]}axis") for name in self.axes(place))
            layout[x_name], layout[y_name] = self._axis_pair(place, x, y)
        return go.Figure({"data": self.traces, "layout": layout})

    @property
    def _inner(self) -> int:
        return self.rows * self.height + (self.rows - 1) * self.gap

    def _drawn(self, place: int) -> bool:
        """Whether something is drawn in a panel."""
        return any(trace["xaxis"] == self.axes(place)[0] for trace in self.traces)

    def _axis_pair(self, place: int, x: Json, y: Json) -> tuple[Json, Json]:
        row, column = divmod(place, self.columns)
        x_name, y_name = self.axes(place)
        between = 0.05 if self.shared else 0.14
        width = (1 - between * (self.columns - 1)) / self.columns
        left = column * (width + between)
        top = 1 - row * (self.height + self.gap) / self._inner
        low = max(0.0, top - self.height / self._inner)
        across: Json = {**x, "domain": [left, left + width], "anchor": y_name}
        up: Json = {**y, "domain": [low, top], "anchor": x_name}
        if self.shared and place:
            across, up = {**across, "matches": "x"}, {**up, "matches": "y"}
        if self.shared and self._drawn(place + self.columns):  # the panel below has the labels
            across = {**across, "showticklabels": False, "title": None}
        if self.shared and column:
            up = {**up, "showticklabels": False, "title": None}
        return across, up

    def _line(self, place: int, x: str = "", y: str = "", **shape: Any) -> None:
        x_name, y_name = self.axes(place)
        refs = {"xref": f"{x_name} {x}".strip(), "yref": f"{y_name} {y}".strip()}
        self.shapes.append({"type": "line", **refs, **shape})
