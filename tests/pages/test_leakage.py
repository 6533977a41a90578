"""Leakage: the charts show the stored signals, and the records are the right ones."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from prunepriv.datasets import load
from prunepriv.environment import data_folder
from prunepriv.experiment import Experiment, make_experiment
from tests.pages.conftest import Begin, Open, figure, figures

EVERY = ("original", "control", "pruned", "defended")


def _array(value: object) -> np.ndarray:
    """A plotly array, which may be packed as base64."""
    if isinstance(value, dict):
        return np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
    return np.array(value)


def test_both_signals_of_all_models_on_shared_bins(open_page: Open) -> None:
    at = open_page("leakage")
    assert not at.exception
    histograms = figures(at)
    assert list(histograms) == ["histograms_confidence", "histograms_sensitivity"]
    for histogram in histograms.values():
        bars = [trace for trace in histogram["data"] if trace["type"] == "bar"]
        assert len(bars) == 8
        edges = {tuple(_array(bar["x"])) for bar in bars}
        assert len(edges) == 1
        for bar in bars:
            assert np.sum(_array(bar["y"]) * _array(bar["width"])) == pytest.approx(1)


def test_the_sentence_separates_retraining_from_removing_weights(
    open_page: Open, begin: Begin
) -> None:
    result = begin(_experiment())
    at = open_page("leakage", run=result.run_id)
    gaps = {kind: float(result.gaps(kind)["confidence"].iloc[0]) for kind in EVERY[:3]}
    sentence = next(m.value for m in at.markdown if "retraining" in m.value)
    assert f"{gaps['pruned']:.3f}" in sentence
    for change in (gaps["control"] - gaps["original"], gaps["pruned"] - gaps["control"]):
        assert f"{change:+.3f}".replace("-", "−") in sentence


def test_controls_come_from_the_url(open_page: Open) -> None:
    at = open_page("leakage", axes="Logit")
    assert at.get("segmented_control")[0].value == "logit"
    assert "logit axis" in json.dumps(figure(at, "histograms_confidence"))


def test_class_filter_keeps_that_class_only(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("leakage", run=result.run_id)
    at.selectbox(key="class").select_index(3).run()
    signals = result.signals("pruned")
    assert signals is not None
    count = int((signals.member & (signals.label == 2)).sum())
    legend = next(
        t["name"] for t in figure(at, "histograms_confidence")["data"] if "members" in t["name"]
    )
    assert legend == f"members ({count})"


def test_picture_class_and_membership_belong_together(open_page: Open, begin: Begin) -> None:
    """Every row shows the data set's own record: its pixels, its class, its membership, its score."""
    experiment = make_experiment(
        {"data": {"name": "digits", "limit": 300}, "attacks": {"names": ["conf"]}}
    )
    result = begin(experiment, real_data=True)
    at = open_page("leakage", run=experiment.run_id)
    assert not at.exception
    digits = load("digits", {}, data_folder())
    signals = result.signals("pruned")
    assert signals is not None
    place = {int(record): at for at, record in enumerate(signals.record)}
    rows = at.dataframe[0].value
    assert len(rows) > 5
    for row in rows.to_dict("records"):
        record = row["record"]
        where = place[record]
        pixels = np.array(Image.open(io.BytesIO(base64.b64decode(row["picture"].split(",")[1]))))
        assert np.array_equal(pixels[3::6, 3::6], digits.x[record, 0])
        assert row["class"] == str(digits.y[record])
        assert row["membership"] == ("member" if signals.member[where] else "non-member")
        assert row["confidence: pruned"] == pytest.approx(signals.confidence[where], rel=1e-5)


def test_features_are_hidden_if_their_labels_differ(open_page: Open) -> None:
    rows = open_page("leakage").dataframe[0].value
    # made-up labels differ from the generator's, so no features may be shown next to them
    assert "features" not in rows.columns


def test_a_chosen_bar_lists_its_records(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("leakage", run=result.run_id)
    at.selectbox(key="bar").select_index(0).run()
    assert not at.exception
    signals = result.signals("pruned")
    assert signals is not None
    first = signals.confidence < 1 / 30
    assert set(at.dataframe[0].value["record"]) == set(signals.record[first])


def test_bars_of_sensitivity_are_fixed_and_another_signals_bar_is_not_kept(
    open_page: Open, begin: Begin
) -> None:
    """Confidence has 30 bars; sensitivity has those of its fixed bars that hold a record."""
    result = begin(_experiment())
    at = open_page("leakage", run=result.run_id, axes="Log")
    at.selectbox(key="bar").select_index(0).run()
    at.segmented_control(key="bar_signal").set_value("sensitivity").run()
    assert not at.exception
    signals = {kind: result.signals(kind) for kind in result.experiment.models}
    values = np.concatenate([one.label_sensitivity for one in signals.values() if one])
    ends = np.floor(4 * np.log10([values.min(), values.max()]))
    options = at.selectbox(key="bar").options
    assert len(options) == ends[1] - ends[0] + 1
    assert at.selectbox(key="bar").value == str(int(ends[0]) + 26), "the first bar that is shown"
    pruned = signals["pruned"]
    assert pruned is not None
    at.selectbox(key="bar").select_index(len(options) - 4).run()
    held = np.floor(4 * np.log10(pruned.label_sensitivity)) == ends[1] - 3
    assert held.any()
    assert set(at.dataframe[0].value["record"]) == set(pruned.record[held][:100])
    at.segmented_control(key="bar_signal").set_value("confidence").run()
    assert not at.exception
    assert len(at.selectbox(key="bar").options) == 30


def test_running_run_shows_the_models_that_are_done(open_page: Open, begin: Begin) -> None:
    experiment = _experiment()
    begin(experiment, only=("original", "control"), status=None)
    at = open_page("leakage", run=experiment.run_id)
    assert not at.exception
    text = json.dumps(figure(at, "histograms_confidence"))
    assert text.count("still being computed") == 2


def test_run_without_results_says_what_will_appear(open_page: Open, begin: Begin) -> None:
    experiment = _experiment()
    begin(experiment, only=(), status=None)
    at = open_page("leakage", run=experiment.run_id)
    assert not at.exception
    assert "will appear here" in at.info[0].value


def test_without_a_defense_the_fourth_panel_says_so(open_page: Open, begin: Begin) -> None:
    result = begin(make_experiment({"data": {"limit": 400}, "attacks": {"names": ["conf"]}}))
    at = open_page("leakage", run=result.run_id)
    assert not at.exception
    assert "no defence in this run" in json.dumps(figure(at, "histograms_confidence"))


def _experiment() -> Experiment:
    return make_experiment(
        {
            "data": {"limit": 400},
            "defense": {"name": "ppb"},
            "models": "all",
            "attacks": {"names": ["conf", "samia"]},
            "seed": 11,
        }
    )
