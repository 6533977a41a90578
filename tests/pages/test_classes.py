"""Classes: sorted gaps, and the chosen class in the other charts."""

from __future__ import annotations

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.figures.classes import class_distances
from tests.pages.conftest import Begin, Open, figure, figures

CHARTS = ["class_bars", "class_means", "class_heatmap", "class_distances"]


def _experiment() -> Experiment:
    return make_experiment(
        {"data": {"name": "digits"}, "attacks": {"names": ["conf"]}, "training": {"epochs": 2}}
    )


def test_bars_have_the_order_of_the_runs_own_gaps(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("classes", run=result.run_id)
    assert not at.exception
    bars = figure(at, "class_bars")
    gaps = result.gaps("pruned").iloc[1:].sort_values("confidence", ascending=False)
    expected = [str(int(label)) for label in gaps["class"]]
    assert bars["layout"]["yaxis"]["categoryarray"] == expected
    sentence = next(m.value for m in at.markdown if "largest for" in m.value)
    first = f"largest for {expected[0]} ({gaps['confidence'].iloc[0]:+.2f}, not clearly above "
    assert f"{first}{expected[1]})" in sentence


def test_four_charts_with_words_and_no_selection_in_the_clicked_one(
    open_page: Open, begin: Begin
) -> None:
    result = begin(_experiment())
    before, after = (
        figures(open_page("classes", run=result.run_id, **query)) for query in ({}, {"class": "7"})
    )
    assert list(before) == list(after) == CHARTS
    assert before.pop("class_bars") == after.pop("class_bars"), "a click must not change its chart"
    assert before != after
    distances = after["class_distances"]["layout"]
    row = distances["yaxis"]["ticktext"].index("7")
    assert {(box["y0"], box["y1"]) for box in distances["shapes"]} == {(row - 0.5, row + 0.5)}


def test_a_click_on_a_bar_chooses_its_class(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("classes", run=result.run_id)
    at.session_state["class_bars"] = {
        "selection": {"points": [{"customdata": [4, 0.1, 9, 9]}], "point_indices": [0]}
    }
    at.run()
    assert not at.exception
    assert at.selectbox(key="class").value == "4"


def test_gap_and_order_come_from_the_url(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("classes", run=result.run_id, gap="Generalisation", model="Original")
    gaps = result.gaps("original").iloc[1:]
    top = gaps.loc[gaps["generalization"].astype(float).idxmax(), "class"]
    assert figure(at, "class_bars")["layout"]["yaxis"]["categoryarray"][0] == str(int(top))


def test_many_classes_start_with_those_that_leak_most(open_page: Open) -> None:
    at = open_page("classes")
    assert not at.exception
    assert len(figure(at, "class_bars")["layout"]["yaxis"]["categoryarray"]) == 15
    at.toggle(key="all_classes").set_value(True).run()
    everything = len(figure(at, "class_bars")["layout"]["yaxis"]["categoryarray"])
    assert everything > 15
    assert at.toggle(key="all_classes").label == f"All {everything} classes"


def test_running_run_shows_the_models_that_are_done(open_page: Open, begin: Begin) -> None:
    experiment = _experiment()
    begin(experiment, only=("original",), status=None)
    at = open_page("classes", run=experiment.run_id)
    assert not at.exception
    assert "Still being computed: control, pruned." in [c.value for c in at.caption]
    assert list(figures(at)) == CHARTS, "one model is enough to compare with chance"


def test_distances_are_shown_with_chance_and_its_classes_named(
    open_page: Open, begin: Begin
) -> None:
    result = begin(_experiment())
    at = open_page("classes", run=result.run_id, distance="Wasserstein", distance_of="Sensitivity")
    table = class_distances(
        {kind: result.gaps(kind) for kind in result.experiment.models},
        "sensitivity", "wasserstein", [str(one) for one in range(10)],
    )  # fmt: skip
    sentence = next(m.value for m in at.markdown if "further apart than chance" in m.value)
    ours = table[(table["model"] == "pruned") & (table["class"] >= 0)]
    beyond = int(ours["beyond_chance"].sum())
    assert f"in {beyond} of 10 classes of the pruned" in sentence or beyond in (0, 10)
    assert "the Wasserstein distance of sensitivity" in sentence
    legend = {trace.get("name") for trace in figure(at, "class_distances")["data"]}
    assert {"by chance: 95 % and mean", "beyond chance", "within chance"} <= legend


def test_run_without_results_says_what_will_appear(open_page: Open, begin: Begin) -> None:
    experiment = _experiment()
    begin(experiment, only=(), status=None)
    at = open_page("classes", run=experiment.run_id)
    assert not at.exception
    assert "will appear here" in at.info[0].value
