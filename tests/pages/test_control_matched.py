"""Pages of a run with the control that is trained equally long, and the epochs beside comparisons."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.options import MODEL_KINDS
from prunepriv.store.result import Result
from tests.pages.conftest import Begin, Open, figure, figures

COMPARING = ("overview", "leakage", "classes", "attacks", "defenses")


def with_all_five() -> Experiment:
    return make_experiment(
        {
            "data": {"limit": 400},
            "defense": {"name": "ppb"},
            "models": list(MODEL_KINDS),
            "attacks": {"names": ["conf", "lira"]},
            "shadows": 2,
        }
    )


def texts(at: AppTest) -> str:
    return "\n".join(one.value for one in (*at.markdown, *at.caption))


def sentence(result: Result) -> str:
    kept = {kind: result.epochs_kept(kind) for kind in MODEL_KINDS}
    return (
        f"Epochs of fine-tuning kept: control {kept['control']}, equally long control "
        f"{kept['control_matched']}, pruned {kept['pruned']}, defended {kept['defended']}."
    )


@pytest.mark.parametrize("page", COMPARING)
def test_pages_that_compare_models_tell_the_epochs(
    open_page: Open, begin: Begin, page: str
) -> None:
    result = begin(with_all_five())
    at = open_page(page, run=result.run_id)
    assert not at.exception
    assert result.epochs_kept("control_matched") == result.epochs_kept("pruned")
    assert texts(at).count(sentence(result)) == 1


@pytest.mark.parametrize("page", COMPARING)
def test_a_run_without_it_does_not_miss_it(open_page: Open, page: str) -> None:
    at = open_page(page)
    told = texts(at) + json.dumps(figures(at))
    assert "Epochs of fine-tuning kept: control " in told
    assert "equally long" not in told.lower()


def test_sentences_give_both_steps(open_page: Open, begin: Begin) -> None:
    result = begin(with_all_five())
    overview = texts(open_page("overview", run=result.run_id))
    assert "By way of the control that was trained equally long these are **" in overview
    leakage = texts(open_page("leakage", run=result.run_id))
    assert leakage.count("By way of the control that was trained equally long these are") == 2
    classes = texts(open_page("classes", run=result.run_id))
    assert "By removing weights from the control trained equally long" in classes


def test_it_has_a_panel_and_a_name_of_its_own(open_page: Open, begin: Begin) -> None:
    result = begin(with_all_five())
    shown = json.dumps(figure(open_page("leakage", run=result.run_id), "histograms_confidence"))
    assert shown.count("<b>Control, equally long</b>") == 1
    layout = json.loads(shown)["layout"]
    unlabelled = [
        n for n in ("", 2, 3, 4, 5) if not layout[f"xaxis{n}"].get("showticklabels", True)
    ]
    assert unlabelled == ["", 2, 3], "the lowest panel of each column has the labels"
    at = open_page("attacks", run=result.run_id, model="Control, equally long")
    assert not at.exception
    assert "equally long control model" in texts(at)
    trade_off = figure(open_page("defenses", run=result.run_id), "trade_off")
    assert "Control, equally long" in {trace["name"] for trace in trade_off["data"]}


def test_it_can_be_asked_for_on_the_form(open_page: Open) -> None:
    at = open_page("run")
    kinds = at.button_group(key="new_attacked")
    assert "control_matched" not in kinds.value, "only on request"
    assert "control_matched" not in at.code[0].value
    kinds.set_value(["original", "control", "control_matched", "pruned"]).run()
    assert not at.exception
    assert "control_matched" in at.code[0].value


@pytest.mark.parametrize("models", [["original", "control_matched"], ["original", "pruned"]])
def test_the_run_with_ppb_keeps_it_where_it_was_asked_for(
    open_page: Open, begin: Begin, models: list[str]
) -> None:
    given = {"data": {"limit": 300}, "models": models, "attacks": {"names": ["conf"]}}
    at = open_page(run=begin(make_experiment(given)).run_id)
    at.button(key="with_ppb").click().run()
    assert not at.exception
    assert ("control_matched" in at.code[0].value) == ("control_matched" in models)
