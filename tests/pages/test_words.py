"""Every sentence of every page that compares two things has the right word, and names its attack.

Sentences are found by their pattern: a new one that tells a difference without a word fails here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest
from streamlit.proto.Metric_pb2 import Metric
from streamlit.testing.v1 import AppTest

from prunepriv.environment import store_folder
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.sweep import Sweep, make_sweep
from prunepriv.options import ATTACKS
from prunepriv.plan import contrasts
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.result import Result
from prunepriv.store.sweep_files import write_sweep
from tests.pages.conftest import Open, finish
from tests.planted_run import FEW_EPOCHS, PLANTED, STRENGTHS, Planted, write_planted_run

SEEDS: dict[Planted, int] = {"null": 3, "clear": 2, "undecided": 1}
"""The keys of steps do not say what is planted, so that the runs need different seeds."""

PAGES = ("overview", "leakage", "classes", "attacks", "defenses", "sweeps")
KINDS = ("original", "control", "control_matched", "pruned", "defended")
LABELS = [ATTACKS[name].label for name in STRENGTHS]

NUMBER = r"[+\u2212]\d+\.\d+"
WORD = r"(?P<word> \(undecided[^()]*\)| \([^()]*, undecided\))?"
DIFFERENCES = (
    re.compile(rf"{NUMBER} points{WORD}"),
    re.compile(rf"between {NUMBER}(?! points)(?P<word> \([^()]*, undecided\))?"),
    re.compile(rf"(?:costs|gains) \d+\.\d points{WORD}"),
    re.compile(rf"[+\u2212]\d\.\d{{3}}(?!\d){WORD}"),  # of gaps
)
FIGURES = re.compile(
    rf"from {NUMBER} to {NUMBER}|leaves a gap of {NUMBER}|advantage \(TPR \u2212 FPR\) of {NUMBER}"
)
"""Numbers with a sign that are no differences between models."""

COMPARES = re.compile(
    r"\b(more|less|fewer|higher|lower|larger|smaller|better|worse|best|worst|most|least|largest|"
    r"smallest|further|ahead|above|below|differs?)\b"
)
DECIDES = re.compile(
    r"undecided|not clearly|clearly in none|clearly for 0|than chance gives|guessing|\bp = |\(\u00b1 "
)
EXPLAINS = (
    "Click a bar",
    "Intervals: 95 %",
    "Grey: too few",
    "Records with a score of at least",
    "Both sides are attacked",
    "One seed each",
    "The grey bands hold",
    "Star: the attack's",
    "Synthetic check-ins, five sparsities",
)
"""What is no finding of this run, but says how to read a chart."""

OFF, VIOLET = Metric.MetricColor.GRAY, Metric.MetricColor.VIOLET


class Told(NamedTuple):
    """A difference on a page, and whether it is called undecided."""

    text: str
    undecided: bool


def differences(text: str) -> Iterator[Told]:
    """All differences in a text."""
    text = FIGURES.sub("", text.replace("**", ""))
    for pattern in DIFFERENCES:
        for match in pattern.finditer(text):
            yield Told(match.group(), match.group("word") is not None)


class Page(NamedTuple):
    """What a page says, without its question and the run's checks."""

    texts: list[str]
    deltas: list[str]
    colours: set[int]
    failed: bool


def read(at: AppTest) -> Page:
    blocks = [*at.markdown, *at.caption, *at.info, *at.warning, *at.error]
    other = (":gray[", ":material/check_circle:", ":material/info:")
    return Page(
        [one.value for one in blocks if not one.value.startswith(other)],
        [str(metric.delta) for metric in at.metric if metric.delta],
        {metric.proto.color for metric in at.metric},
        bool(at.exception),
    )


def read_pages(open_page: Open, run: Experiment, sweep: Sweep) -> dict[str, Page]:
    """Every page of a run, and its sweep."""
    at = open_page(PAGES[0], run=run.run_id, sweep=sweep.sweep_id)
    pages = {PAGES[0]: read(at)}
    for page in PAGES[1:]:
        pages[page] = read(at.switch_page(f"pages/{page}.py").run())
    return pages


def sentences(text: str) -> list[str]:
    """The sentences of a text that say something of this run: those with a figure."""
    parts = re.split(r"(?<=[.;?])\**\s+(?=[A-Z])", re.sub(r"^\S+\[", "", text).replace("**", ""))
    return [part for part in parts if re.search(r"\d", part) and not part.startswith(EXPLAINS)]


def plant(what: Planted) -> tuple[Experiment, Sweep]:
    """A run, one of an adversary who is wrong about its pruning, and a sweep with the same seed."""
    base: dict[str, Any] = {
        "data": {"limit": 2400},
        "shadows": 2,
        "attacks": {"names": list(STRENGTHS)},
        "seed": SEEDS[what],
    }
    whole = {**base, "models": KINDS, "defense": {"name": "ppb"}}
    run = make_experiment(whole)
    wrong = make_experiment({**whole, "models": ["pruned"], "knowledge": {"sparsity": 0.5}})
    grid = {"training.epochs": [FEW_EPOCHS, 50], "pruning.sparsity": [0.5, 0.9]}
    sweep = make_sweep({"name": what, "base": {**base, "models": ["pruned"]}, "grid": grid})
    store = ArtifactStore(store_folder())
    write_sweep(store.root, sweep)
    catalog = Catalog(store.root)
    for experiment in (run, wrong, *sweep.experiments):
        write_planted_run(store, experiment, what)
        finish(catalog, experiment)
    catalog.close()
    return run, sweep


def without_word(page: Page, what: Planted) -> Iterator[str]:
    """What a page compares with a wrong word, with none, or without naming the attack."""
    for text in (*page.texts, *page.deltas):
        yield from (one.text for one in differences(text) if one.undecided is (what == "clear"))
    for text in page.texts:
        if re.search(f"{NUMBER} points", text) and not any(name in text for name in LABELS):
            yield text
        if what != "clear":
            compared = filter(COMPARES.search, sentences(text))
            yield from (one for one in compared if not DECIDES.search(one))


@pytest.mark.parametrize("what", PLANTED)
def test_every_comparison_has_its_word(open_page: Open, what: Planted) -> None:
    run, sweep = plant(what)
    result = Result(ArtifactStore(store_folder()), run)
    for pair in contrasts(run):
        rows = [row for row in result.contrast(*pair) or () if row["class"] is None]
        assert {row["clear"] for row in rows} == {what == "clear"}, "it is as planted"
    pages = read_pages(open_page, run, sweep)
    assert not any(page.failed for page in pages.values())
    wrong = [(name, one) for name, page in pages.items() for one in without_word(page, what)]
    assert wrong == []
    for name, page in pages.items():
        told = [one for text in (*page.texts, *page.deltas) for one in differences(text)]
        assert len(told) > 0 or name == "classes", "this test reads the page"
    check_words(what, partial(said, pages))
    assert pages["overview"].colours == ({VIOLET} if what == "clear" else {OFF})


def said(pages: dict[str, Page], page: str, words: str) -> str:
    """The one text of a page with these words."""
    (found,) = (text for text in pages[page].texts if words in text)
    return found


def check_words(what: Planted, of: Any) -> None:
    """What is said of attacks, of classes and of what comes first."""
    guesses = [
        of("overview", "chosen beforehand, is"),
        of("overview", "what an adversary would choose beforehand"),
        of("overview", "PPB changes the attack"),
        of("attacks", "After the fact"),
        of("attacks", "where it is wrong about it"),
        of("defenses", "would choose by"),
        of("sweeps", "goes from"),
        of("sweeps", "does best"),
    ]
    for text in guesses:
        told = re.sub("guessing gives 50 %", "", text)
        assert ("guessing" in told) is (what == "null"), text
    leak = re.sub(r"In this run.*", "", of("leakage", "ean confidence"))
    assert ("(undecided)" in leak) is (what == "null"), leak
    assert ("higher on members" in leak) is (what != "null"), leak
    ranked = [
        of("attacks", "does best"),
        of("attacks", "finds the most members"),
        of("classes", "is largest for"),
        of("defenses", "left is that of"),
        of("sweeps", "does best"),
    ]
    for text in ranked:
        assert ("not clearly" in text) is (what != "clear"), text
    for text in (of("classes", "Paired on the same"), of("defenses", "left is that of")):
        assert ("clearly in none" in text) is (what != "clear"), text
        assert bool(re.search("clearly (larger|smaller) in", text)) is (what == "clear"), text


@pytest.mark.parametrize(
    ("text", "undecided"),
    [
        ("+1.0 points by training again", [False]),
        ("by **\u22121.0 points (undecided) by training again**", [True]),
        ("by \u22121.0 points (undecided: one seed), 95 %", [True]),
        ("between \u22123.8 (Conf, undecided) and +3.0 points (RMIA)", [False, True]),
        ("costs 2.0 points (undecided) of accuracy", [True]),
        ("changed by +0.150: \u22120.020 (undecided) by retraining", [False, True]),
        ("from +0.150 to +0.200, by +0.050", [False]),
        ("the gap is +0.15", []),
    ],
)
def test_differences_are_found_with_their_words(text: str, undecided: list[bool]) -> None:
    assert [one.undecided for one in differences(text)] == undecided
