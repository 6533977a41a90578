from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from prunepriv.environment import store_folder
from prunepriv.experiment import make_experiment
from prunepriv.options import ATTACKS
from prunepriv.plan import Target, size_name
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.catalog import Catalog
from prunepriv.store.result import Result
from prunepriv.ui.runs import entries
from tests.pages.conftest import Begin, Open, figures


def test_the_first_example_is_shown_to_a_first_time_visitor(open_page: Open) -> None:
    at = open_page()
    assert not at.exception
    assert at.title[0].value == "Overview"
    assert at.sidebar.selectbox[0].value == next(iter(entries()))
    assert at.query_params["run"] == next(iter(entries()))


def test_the_three_headlines_are_the_runs_own_figures(open_page: Open) -> None:
    at = open_page()
    example = next(iter(entries().values())).example
    assert example is not None
    store = ArtifactStore(example.folder)
    result = Result(store, example.experiment)
    report, headline = result.model_report("pruned"), result.headline(Target("pruned"))
    gaps = result.gaps("pruned")
    assert report is not None
    assert headline is not None
    assert gaps is not None
    values = [metric.value for metric in at.metric]
    assert values == [
        f"{100 * report['non_member_accuracy']:.1f} %",
        f"{100 * headline['accuracy']:.1f} %",
        f"{gaps['confidence'].iloc[0]:+.2f}",
    ]


def test_each_step_of_the_pipeline_has_a_chart_of_its_own(open_page: Open) -> None:
    cards = figures(open_page())
    assert list(cards) == ["split", "training", "layers", "gaps", "attacks", "defense"]
    attacks = cards["attacks"]
    assert len(attacks["data"][0]["x"]) == len(ATTACKS)
    assert attacks["layout"]["xaxis"]["range"] == [0.4, 1.0]


def test_the_train_card_tells_the_finished_models_accuracy_on_members(
    open_page: Open, begin: Begin
) -> None:
    """Not the one while training, which the curve shows."""
    experiment = make_experiment({"data": {"limit": 400}, "attacks": {"names": ["conf"]}})
    result = begin(experiment)
    at = open_page(run=result.run_id)
    report = result.model_report("original")
    assert report is not None
    (told,) = (c.value for c in (*at.caption, *at.markdown) if " kept: accuracy " in c.value)
    assert f"accuracy {100 * report['member_accuracy']:.1f} % on members, " in told
    drawn = figures(at)["training"]
    assert drawn["layout"]["xaxis"]["title"]["text"] == "epoch (members: while training)"
    assert "members while training" in drawn["data"][0]["hovertemplate"]


def test_every_chart_has_a_text_for_screen_readers(open_page: Open) -> None:
    for chart in open_page().get("plotly_chart"):
        assert len(chart.proto.alt) > 30


def test_the_run_in_the_url_is_shown(open_page: Open) -> None:
    second = list(open_page().sidebar.selectbox[0].options)[1]
    run = list(entries())[1]
    at = open_page(run=run)
    assert at.sidebar.selectbox[0].value == run
    assert second == entries()[run].title


def test_a_run_that_does_not_exist_gets_one_sentence_and_links(open_page: Open) -> None:
    for run in ("checkins-fc-70-000000000000", "../../etc/passwd", "x" * 5000, "<script>"):
        at = open_page(run=run)
        assert not at.exception
        assert len(at.warning) == 1
        assert "\n" not in at.warning[0].value
        assert len(at.warning[0].value) < 250
        assert not at.metric


def test_a_run_without_results_has_empty_headlines(open_page: Open) -> None:
    experiment = make_experiment({"data": {"limit": 500}})
    catalog = Catalog(store_folder())
    catalog.submit(experiment)
    at = open_page(run=experiment.run_id)
    assert not at.exception
    assert [metric.value for metric in at.metric] == ["—"] * 3
    catalog.close()


def test_without_any_run_the_page_says_how_to_start_one(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("prunepriv.environment.EXAMPLES", tmp_path / "nothing")
    at: AppTest = open_page()
    assert not at.exception
    assert "no run yet" in at.info[0].value


def test_a_store_that_cannot_be_used_is_explained_in_a_sentence(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("PRUNEPRIV_STORE", str(tmp_path / "file"))
    at = open_page()
    assert not at.exception
    assert str(tmp_path / "file") in at.error[0].value


def test_without_a_defense_a_button_fills_the_form_with_ppb(
    open_page: Open,
) -> None:
    experiment = make_experiment({"data": {"limit": 300}, "pruning": {"sparsity": 0.5}, "seed": 4})
    catalog = Catalog(store_folder())
    catalog.submit(experiment)
    catalog.close()
    at = open_page(run=experiment.run_id)
    at.button(key="with_ppb").click().run()
    assert not at.exception
    command = at.code[0].value
    for words in ("--limit 300", "--sparsity 0.5", "--seed 4", "--defense ppb", "defended"):
        assert words in command


def test_the_prune_card_says_what_is_left_and_a_run_of_before_says_less(
    begin: Begin, open_page: Open
) -> None:
    given = {"data": {"limit": 400}, "pruning": {"sparsity": 0.5}, "attacks": {"names": ["conf"]}}
    result = begin(make_experiment(given))
    left = "of the multiplications are left."
    for page in ("overview", "run"):
        at = open_page(page, run=result.run_id)
        assert not at.exception
        assert any(left in text.value for text in (*at.markdown, *at.caption)), page
    shutil.rmtree(result.store.path(result.plan.key(size_name("pruned"))))
    st.cache_data.clear()
    st.cache_resource.clear()
    for page in ("overview", "run"):
        at = open_page(page, run=result.run_id)
        assert not at.exception
        told = [text.value for text in (*at.markdown, *at.caption)]
        assert any(
            "of the weights were removed" in t or "of the model's weights" in t for t in told
        ), page
        assert not any(left in text for text in told), page
