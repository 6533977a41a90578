"""One meaning per colour, in the whole program.

Members are vermilion and non-members blue (Okabe & Ito's palette, safe for colour-blind readers);
they also differ in dash and pattern. Nothing else has a hue: kinds of model are panels, line styles
or marker shapes in ink, so that a colour has the same meaning in all charts.

Importing streamlit replaces plotly's default template by placeholder colours. So every figure
function takes a :class:`Theme` and uses its template.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import plotly.graph_objects as go

from prunepriv.options import ModelKind

ThemeName = Literal["light", "dark"]
ColorScale = list[tuple[float, str]]

FONT = '"Source Sans", "Source Sans Pro", "Liberation Sans", Arial, sans-serif'
CHANCE = 0.5
"""Balanced accuracy of random guessing."""
ACCURACY_RANGE = (0.4, 1.0)
"""Axis of every attack accuracy, so that charts can be compared."""


@dataclass(frozen=True, slots=True)
class Group:
    """How members, or non-members, are drawn in all charts."""

    label: str
    color: str
    dash: str
    pattern: str
    symbol: str
    glyph: str

    @property
    def sample(self) -> str:
        """A piece of the group's line in its colour, for plotly's texts."""
        return f'<span style="color:{self.color}"><b>{self.glyph}</b></span>'


MEMBERS = Group("members", "#D55E00", "solid", "", "circle", "\N{EM DASH}")
NON_MEMBERS = Group(
    "non-members",
    "#0072B2",
    "dash",
    "/",
    "diamond",
    "\N{BOX DRAWINGS LIGHT TRIPLE DASH HORIZONTAL}",
)


def group(member: bool) -> Group:
    """The look of members (True) or of non-members."""
    return MEMBERS if member else NON_MEMBERS


@dataclass(frozen=True, slots=True)
class KindStyle:
    """How a kind of model is drawn where it has no panel of its own."""

    label: str
    dash: str
    symbol: str
    before_model: str = ""

    @property
    def words(self) -> str:
        """Its name within a sentence, before "model"."""
        return self.before_model or self.label.lower()


KINDS: dict[ModelKind, KindStyle] = {
    "original": KindStyle("Original", "dot", "circle-open"),
    "control": KindStyle("Control", "dash", "diamond-open"),
    "control_matched": KindStyle(
        "Control, equally long", "dashdot", "triangle-up-open", "equally long control"
    ),
    "pruned": KindStyle("Pruned", "solid", "circle"),
    "defended": KindStyle("Defended", "longdashdot", "square"),
}


def rgba(color: str, alpha: float) -> str:
    """``#RRGGBB`` with an opacity in [0, 1], as plotly and CSS take it."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def blend(first: str, second: str, share: float) -> str:
    """``#RRGGBB`` between two such colours, with ``share`` of the second one."""
    ends = [[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in (first, second)]
    mixed = [round(a + share * (b - a)) for a, b in zip(*ends, strict=True)]
    return "#" + "".join(f"{part:02X}" for part in mixed)


@dataclass(frozen=True)
class Theme:
    """Colours of a light or a dark page.

    Attributes:
        surface: background of page and figure; equal to the page's own in .streamlit/config.toml.
        ink: text, axes and everything without its own colour.
        muted: less important text and marks.
        grid: grid lines.
        shade: fill of regions that cannot be measured.
    """

    name: ThemeName
    surface: str
    ink: str
    muted: str
    grid: str
    shade: str

    @property
    def sequential(self) -> ColorScale:
        """From low to high, without a hue, and light enough that ink on it can be read."""
        return [(0.0, self.surface), (1.0, blend(self.surface, self.ink, 0.4))]

    @property
    def diverging(self) -> ColorScale:
        """From "higher for non-members" over zero to "higher for members"."""
        return [(0.0, NON_MEMBERS.color), (0.5, self.surface), (1.0, MEMBERS.color)]

    @cached_property
    def template(self) -> go.layout.Template:
        """Layout of every figure: thin axes, horizontal legend on top, its own background."""
        axis = {
            "gridcolor": self.grid,
            "linecolor": self.muted,
            "zerolinecolor": self.grid,
            "tickcolor": self.muted,
            "ticks": "outside",
            "ticklen": 4,
            "showline": True,
            "automargin": True,
            "title": {"standoff": 8, "font": {"size": 13}},
            "tickfont": {"size": 12, "color": self.ink},
        }
        return go.layout.Template(
            layout={
                "font": {"family": FONT, "size": 13, "color": self.ink},
                "paper_bgcolor": self.surface,
                "plot_bgcolor": self.surface,
                "colorway": [self.ink],
                "xaxis": axis,
                "yaxis": axis,
                "margin": {"l": 56, "r": 16, "t": 48, "b": 48},
                "hoverlabel": {"font": {"family": FONT, "size": 13}},
                "legend": {
                    "orientation": "h",
                    "x": 0,
                    "xref": "container",
                    "xanchor": "left",
                    "font": {"size": 12},
                    "y": 1.0,
                    "yanchor": "top",
                    "yref": "container",
                    "title": {"text": ""},
                },
                "annotationdefaults": {"font": {"size": 12, "color": self.ink}, "showarrow": False},
                "bargap": 0.0,
                "dragmode": False,
                "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": self.muted},
            }
        )


LIGHT = Theme("light", "#FFFFFF", "#1F2430", "#5B6472", "#E4E7EC", "#EEF0F3")
DARK = Theme("dark", "#0E1117", "#E8EAED", "#9AA3B2", "#2A303B", "#1C222C")
THEMES: dict[ThemeName, Theme] = {"light": LIGHT, "dark": DARK}
