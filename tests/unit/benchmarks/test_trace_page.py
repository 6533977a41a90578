"""The page of a trace: complete, self-contained and well formed."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import benchmarks.trace as trace_command
from benchmarks.trace.page import STYLE, page
from benchmarks.trace.records import Trace
from benchmarks.trace.timeline import TICKS, ticks, timeline
from prunepriv.plan import StepKind
from prunepriv.store.catalog import Catalog
from tests.unit.benchmarks.test_trace_records import EXPERIMENT, TWO_WORKERS, bar, finish

SVG = "{http://www.w3.org/2000/svg}"


def drawn(trace: Trace) -> ElementTree.Element:
    text = timeline(trace, 4.0).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return ElementTree.fromstring(text)


def bars_of(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """By the first word of their tooltip, which is the step's name."""
    nested = [one for one in root.iter(f"{SVG}svg") if one is not root]
    return {str(one.findtext(f"{SVG}title")).partition(": ")[0]: one for one in nested}


def share(place: str | None) -> float:
    return float(str(place).removesuffix("%")) / 100


def test_every_step_is_a_bar_at_its_time() -> None:
    bars = bars_of(drawn(TWO_WORKERS))
    assert list(bars) == ["train", "signals", "fit:nn", "fit:samia", "checks"]
    for one in TWO_WORKERS.bars:
        assert share(bars[one.name].get("x")) == pytest.approx(one.start / 10)
        assert share(bars[one.name].get("width")) == pytest.approx(one.seconds / 10)
    assert bars["train"].get("y") == bars["fit:nn"].get("y") != bars["fit:samia"].get("y")
    rectangle = bars["fit:nn"].find(f"{SVG}rect")
    assert rectangle is not None
    assert rectangle.get("class") == "bar fit"


def test_the_tooltip_of_a_bar() -> None:
    root = drawn(TWO_WORKERS)
    titles = [str(one.text) for one in root.iter(f"{SVG}title")]
    assert (
        "train: 3.50 s from 0.50 s on, worker 1; its arithmetic takes 0.50 s, 14 %; "
        "on the critical path"
    ) in titles
    assert "fit:nn: 2.00 s from 5.50 s on, worker 1; its arithmetic takes 1.00 s, 50 %" in titles
    assert "0.50 s until the first step began" in titles


def test_the_critical_path_is_marked() -> None:
    marks = [one for one in drawn(TWO_WORKERS).iter(f"{SVG}rect") if one.get("class") == "path"]
    assert len(marks) == len(TWO_WORKERS.chain)
    assert sum(share(mark.get("width")) for mark in marks) == pytest.approx(0.95)


def test_a_name_is_drawn_where_there_is_room() -> None:
    """A bar of a second is 33, 70 or 110 pixels wide; "fit:cls_nn" takes 64 and a margin of 10."""
    trace = Trace(
        "some-run", 10.0, 0.0,
        (bar("fit:cls_nn", 1, 0.0, 1.0), bar("fit:nn", 1, 1.0, 1.0), bar("checks", 1, 2.0, 0.1)),
        0,
    )  # fmt: skip
    named = {
        name: {str(t.get("class")).split()[1]: t.text for t in one.iter(f"{SVG}text")}
        for name, one in bars_of(drawn(trace)).items()
    }
    assert named["fit:cls_nn"] == {"middle": "cls_nn", "wide": "fit:cls_nn"}
    assert named["fit:nn"] == {"narrow": "nn", "middle": "fit:nn", "wide": "fit:nn"}
    assert named["checks"] == {}


def test_a_step_begun_for_another_run_moves_the_axis() -> None:
    early = replace(TWO_WORKERS, bars=(bar("train", 1, -10.0, 12.0),))
    assert share(bars_of(drawn(early))["train"].get("x")) == 0.0
    assert "-10 s" in {one.text for one in drawn(early).iter(f"{SVG}text")}


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e6))
def test_ticks_are_few_round_and_inside(low: float, length: float) -> None:
    found = ticks(low, low + length)
    assert 1 <= len(found) <= TICKS + 1
    assert all(low - 1e-6 * length <= one <= low + length * (1 + 1e-6) for one in found)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 65, [0, 20, 40, 60]), (0, 10, [0, 2, 4, 6, 8, 10]), (-1, 5, [-1, 0, 1, 2, 3, 4, 5])],
)
def test_ticks_by_hand(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


class _Tags(HTMLParser):
    """Checks that every element is closed, and collects attributes and text."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())


def test_the_page_is_whole_and_loads_nothing() -> None:
    text = page(TWO_WORKERS, 4.0)
    tags = _Tags()
    tags.feed(text)
    assert tags.open == []
    assert not {name for name, _ in tags.attributes} & {"src", "href", "srcset", "data"}
    assert not re.search(r"url\(|@import|https?:", text)
    for one in TWO_WORKERS.bars:
        assert one.name in tags.words, "in the table of all steps"
    for figure in ("10.00 s", "0.50 s", "95 %", "42 %", "17 %"):
        assert figure in tags.words


def test_names_are_escaped() -> None:
    odd = replace(TWO_WORKERS, run_id="<u>", bars=(bar("fit:<i>&", 1, 0.0, 10.0),))
    text = page(odd, 4.0)
    assert "<u>" not in text
    assert "Trace of &lt;u&gt;" in text
    assert "<i>&" not in text
    assert "fit:&lt;i&gt;&amp;" in text


def test_every_kind_of_step_has_a_colour() -> None:
    style = STYLE.read_text()
    for kind in get_args(StepKind):
        assert f".bar.{kind}," in style


def test_a_run_that_had_nothing_to_do_has_a_page() -> None:
    assert "5 in the store before" in page(Trace("some-run", 0.0, 0.0, (), 5), 4.0)


def test_the_command_writes_the_page(
    catalog: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = finish(catalog, EXPERIMENT)
    trace_command.report(run_id, catalog.store, tmp_path / "trace.html", gigaflops=50.0)
    assert f"Trace of {run_id}" in (tmp_path / "trace.html").read_text()
    printed = capsys.readouterr().out
    assert "one core: 50.0 GFLOP/s" in printed
    assert f"drawn in {tmp_path / 'trace.html'}" in printed
