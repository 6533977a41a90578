"""One meaning per colour, and no meaning by colour alone."""

from __future__ import annotations

import pytest

from prunepriv.figures.leaderboard import target_symbol
from prunepriv.figures.palette import KINDS, MEMBERS, NON_MEMBERS, THEMES, blend, rgba
from prunepriv.options import MODEL_KINDS
from prunepriv.plan import Target


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    low, high = sorted(_luminance(color) for color in (first, second))
    return (high + 0.05) / (low + 0.05)


def test_groups_are_okabe_ito_and_differ_without_color_too():
    assert (MEMBERS.color, NON_MEMBERS.color) == ("#D55E00", "#0072B2")
    for look in ("dash", "pattern", "symbol", "glyph", "label"):
        assert getattr(MEMBERS, look) != getattr(NON_MEMBERS, look)


def test_every_kind_of_model_has_a_mark_and_a_line_of_its_own():
    assert tuple(KINDS) == MODEL_KINDS
    for look in ("dash", "symbol", "label"):
        assert len({getattr(style, look) for style in KINDS.values()}) == len(KINDS)
    everyone = [*(Target(kind) for kind in MODEL_KINDS), Target("defended", "non_adaptive")]
    assert len(set(map(target_symbol, everyone))) == len(everyone)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_contrast_is_enough_for_text_and_for_marks(theme):
    assert _contrast(theme.ink, theme.surface) >= 7
    assert _contrast(theme.muted, theme.surface) >= 4.5
    assert _contrast(theme.ink, theme.sequential[-1][1]) >= 4.5  # numbers on a dark cell
    for look in (MEMBERS, NON_MEMBERS):
        assert _contrast(look.color, theme.surface) >= 3


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_template_brings_its_own_background_for_exports(theme):
    layout = theme.template.layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == theme.surface
    assert layout.font.color == theme.ink


def test_rgba_and_blend():
    assert rgba("#D55E00", 0.5) == "rgba(213,94,0,0.5)"
    assert blend("#000000", "#FFFFFF", 0.0) == "#000000"
    assert blend("#000000", "#FFFFFF", 1.0) == "#FFFFFF"
    assert blend("#000000", "#204060", 0.5) == "#102030"
