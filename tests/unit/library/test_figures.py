"""Figures by name: those of the pages, in either theme, with their options checked."""

from __future__ import annotations

import inspect
from contextlib import closing
from typing import Any

import pytest

import prunepriv
from prunepriv.environment import store_folder
from prunepriv.errors import MissingArtifactError, UnknownNameError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.figures.classes import class_gaps, gap_bars
from prunepriv.figures.histograms import leakage_histograms
from prunepriv.figures.leaderboard import accuracy_dots
from prunepriv.figures.palette import DARK, LIGHT
from prunepriv.figures.roc import make_curve, roc_chart
from prunepriv.figures.scales import SCALES
from prunepriv.library.drawings import DRAWINGS
from prunepriv.plan import TARGET, Target, models_name
from prunepriv.store.catalog import Catalog
from prunepriv.store.result import Result


def test_every_figure_has_a_drawing_that_takes_its_options() -> None:
    assert list(DRAWINGS) == list(prunepriv.FIGURES)
    for name, option in prunepriv.FIGURES.items():
        named = list(inspect.signature(DRAWINGS[name]).parameters)[1:]
        assert named == list(option.options)


@pytest.mark.parametrize("name", prunepriv.FIGURES)
def test_every_figure_is_drawn_in_either_theme(synthetic: prunepriv.Run, name: str) -> None:
    light, dark = synthetic.figure(name), synthetic.figure(name, theme="dark")
    assert light.data
    assert light.layout.template.layout.paper_bgcolor == LIGHT.surface
    assert dark.layout.template.layout.paper_bgcolor == DARK.surface
    assert len(light.data) == len(dark.data)


def json_of(figure: Any) -> str:
    """A figure as text: two with missing numbers can be equal so."""
    return str(figure.to_json())


def records(result: Result, kind: Any) -> Any:
    found = result.records(kind)
    assert found is not None
    return found


def test_figures_are_those_of_the_pure_functions(synthetic: prunepriv.Run, result: Result) -> None:
    kinds = result.experiment.models
    signals = {kind: records(result, kind) for kind in kinds}
    expected, _ = leakage_histograms(signals, "sensitivity", SCALES["log"], LIGHT, {})
    assert json_of(synthetic.figure("sensitivity", scale="log")) == json_of(expected)
    one = {kind: every.of_class(3) for kind, every in signals.items()}
    expected, _ = leakage_histograms(one, "confidence", SCALES["linear"], LIGHT, {})
    assert json_of(synthetic.figure("confidence", label=3)) == json_of(expected)
    gaps = {kind: result.gaps(kind) for kind in kinds}
    names = result.experiment.data.option.class_labels
    table = class_gaps(gaps, "generalization", names, signals)  # type: ignore[arg-type]
    expected, _ = gap_bars(table, "control", "generalization", DARK, None)
    drawn = synthetic.figure(
        "classes", theme="dark", model="control", gap="generalization", most=None
    )
    assert json_of(drawn) == json_of(expected)
    target = Target("defended", "non_adaptive")
    scores = {name: result.scores(name, target) for name in result.experiment.attacks.names}
    member = signals["defended"].member
    curves = {name: make_curve(name, found, member) for name, found in scores.items()}  # type: ignore[arg-type]
    expected, _ = roc_chart(curves, "conf", LIGHT, log=True)
    drawn = synthetic.figure(
        "roc", attack="conf", model="defended", adversary="non_adaptive", log=True
    )
    assert json_of(drawn) == json_of(expected)
    expected, _ = accuracy_dots(result.leaderboard(), [Target("original")], LIGHT)
    assert json_of(synthetic.figure("attacks", model="original")) == json_of(expected)


def test_a_threshold_may_be_chosen(synthetic: prunepriv.Run) -> None:
    own, other = (
        synthetic.figure("threshold", attack="conf", **chosen)
        for chosen in ({}, {"threshold": 0.5})
    )
    assert own != other
    assert own == synthetic.figure("threshold", attack="conf", threshold=None)


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("confidance", {}, "unknown figure 'confidance': choose one of confidence, sensitivity"),
    ("confidence", {"attack": "conf"}, "no option 'attack': its options are scale, label"),
    ("accuracies", {"model": "pruned"}, "no option 'model': its options are none"),
    ("confidence", {"theme": "blue"}, "theme must be one of light, dark, got 'blue'"),
    ("confidence", {"scale": "cubic"}, "scale must be one of linear, log, logit, got 'cubic'"),
    ("confidence", {"label": 30}, "label must be one of 0 to 29, got 30"),
    ("classes", {"gap": "size"}, "gap must be one of confidence, sensitivity, generalization"),
    ("classes", {"most": 0}, "most must be a number of classes"),
    ("distances", {"most": 0}, "most must be a number of classes"),
    ("distances", {"distance": "miles"}, "distance must be one of js, kl, wasserstein"),
    ("roc", {"attack": "x"}, "attack must be one of corr, conf"),
    ("roc", {"model": "x"}, "model must be one of original, control, pruned, defended"),
    ("roc", {"model": ["pruned"]}, "model must be one of"),
    ("roc", {"adversary": "x"}, "adversary must be one of adaptive, non_adaptive"),
    ("roc", {"adversary": "non_adaptive"}, "only a defended model has a non-adaptive adversary"),
    ("threshold", {"threshold": "high"}, "threshold must be a number, got 'high'"),
    ("agreement", {"measure": "x"}, "measure must be one of alike, phi"),
]


@pytest.mark.parametrize(("name", "options", "sentence"), MISTAKES, ids=lambda v: str(v)[:40])
def test_a_mistake_is_one_sentence(
    synthetic: prunepriv.Run, name: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(prunepriv.ExperimentError) as error:
        synthetic.figure(name, **options)
    assert sentence in str(error.value)


def test_what_is_not_there_yet_is_told(small_experiment: Experiment) -> None:
    run = waiting(small_experiment)
    with pytest.raises(UnknownNameError):
        run.figure("x")
    for name in prunepriv.FIGURES:
        with pytest.raises(MissingArtifactError, match=f"run {run.id} has no .* yet"):
            run.figure(name)


def test_what_a_run_does_not_compare_is_told() -> None:
    run = waiting(make_experiment({"models": ["pruned"], "attacks": {"names": ["conf"]}}))
    with pytest.raises(
        prunepriv.ExperimentError,
        match="defense needs a run that attacks the pruned and the defended model",
    ):
        run.figure("defense")


def waiting(experiment: Experiment) -> prunepriv.Run:
    """A run that nobody has begun."""
    with closing(Catalog(store_folder())) as catalog:
        catalog.submit(experiment)
    return prunepriv.load(experiment.run_id)


@pytest.mark.parametrize("kind", ["original", "pruned"])
def test_the_training_figure_is_the_targets(
    synthetic: prunepriv.Run, result: Result, kind: str
) -> None:
    own = result.artifact(models_name(kind, TARGET))
    assert own is not None
    report, drawn = own.json("report"), synthetic.figure("training", model=kind)
    loss = next(trace for trace in drawn.data if trace.name == "training loss")
    assert list(loss.y) == [point["loss"] for point in report["history"]]
    star = drawn.data[-1]
    assert list(star.x) == [report["best_epoch"]]
