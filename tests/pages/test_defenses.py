"""Defences: the adaptive adversary first, both adversaries in one chart, and the cost."""

from __future__ import annotations

import pytest

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.plan import Target
from tests.pages.conftest import Begin, Open, figure


def _experiment(**more: object) -> Experiment:
    given = {
        "data": {"limit": 400},
        "defense": {"name": "ppb"},
        "models": "all",
        "attacks": {"names": ["conf", "samia"]},
    }
    return make_experiment({**given, **more})


def _of(result: object, kind: str, adversary: str, attack: str) -> float:
    rows = result.evaluation(Target(kind, adversary))
    return next(row["accuracy"] for row in rows if row["attack"] == attack)


def test_adaptive_adversary_is_the_default_and_comes_first(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("defenses", run=result.run_id)
    assert not at.exception
    assert at.toggle(key="adaptive").value is True
    sentence = next(m.value for m in at.markdown if "who knows it would choose" in m.value)
    assert sentence.startswith("**In this run, PPB 4 changes what an adversary who knows it")
    adaptive = result.headline(Target("defended", "adaptive"))
    assert f"to {100 * adaptive['accuracy']:.1f} %" in sentence
    other = result.headline(Target("defended", "non_adaptive"))
    assert f"reaches {100 * other['accuracy']:.1f} %" in sentence.split(". ", 1)[1]


def test_both_adversaries_stand_in_one_chart(open_page: Open, begin: Begin) -> None:
    names = [t["name"] for t in figure(open_page("defenses"), "defense_attacks")["data"]]
    assert names == ["Pruned", "Defended, adaptive adversary", "Defended, non-adaptive adversary"]


def test_switch_changes_the_trade_off(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment(attacks={"names": ["samia", "conf"]}))
    for adversary, query in (("adaptive", {}), ("non_adaptive", {"adaptive": "false"})):
        at = open_page("defenses", run=result.run_id, **query)
        marks = {t["name"]: t["y"][0] for t in figure(at, "trade_off")["data"]}
        attack = result.headline(Target("pruned"))["attack"]
        assert attack != result.experiment.attacks.names[0], "else another one would not be seen"
        assert marks["PPB 4"] == pytest.approx(_of(result, "defended", adversary, attack))
        assert marks["Pruned"] == pytest.approx(_of(result, "pruned", "adaptive", attack))
        assert set(marks) == {"Original", "Control", "Pruned", "PPB 4"}
    assert any("underestimate the leakage" in c.value for c in at.caption)


def test_other_strengths_of_the_same_model_are_drawn_too(open_page: Open, begin: Begin) -> None:
    begin(_experiment(defense={"name": "ppb", "strength": 16}))
    begin(_experiment(defense={"name": "ppb", "strength": 2}, seed=99))  # another base model
    at = open_page("defenses", run=begin(_experiment()).run_id)
    names = [t["name"] for t in figure(at, "trade_off")["data"]]
    assert "PPB 16" in names
    assert "PPB 2" not in names


@pytest.mark.parametrize("attacks", [{"names": ["corr"]}, {"recipe": "paper"}])
def test_a_run_that_was_attacked_otherwise_is_named_and_not_drawn(
    open_page: Open, begin: Begin, attacks: dict[str, object]
) -> None:
    own = {"names": ["conf", "samia"]}
    other = begin(_experiment(defense={"name": "ppb", "strength": 16}, attacks={**own, **attacks}))
    at = open_page("defenses", run=begin(_experiment()).run_id)
    names = [t["name"] for t in figure(at, "trade_off")["data"]]
    assert "PPB 16" not in names
    caption = next(c.value for c in at.caption if "Every point is" in c.value)
    assert other.run_id in caption.split("Left out")[1]


def test_cost_is_the_runs_own(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("defenses", run=result.run_id)
    reports = [result.model_report(kind)["non_member_accuracy"] for kind in ("pruned", "defended")]
    sentence = next(m.value for m in at.markdown if "of accuracy on non-members (" in m.value)
    assert f"({100 * reports[0]:.1f} % → {100 * reports[1]:.1f} %" in sentence


def test_run_without_a_defense_names_the_next_step(open_page: Open, begin: Begin) -> None:
    result = begin(make_experiment({"data": {"limit": 400}, "attacks": {"names": ["conf"]}}))
    at = open_page("defenses", run=result.run_id)
    assert not at.exception
    assert "Launch the same run with PPB" in at.info[0].value
    assert not at.get("plotly_chart")


def test_running_run_says_what_will_appear(open_page: Open, begin: Begin) -> None:
    experiment = _experiment()
    begin(experiment, only=("original", "control", "pruned"), status=None)
    at = open_page("defenses", run=experiment.run_id)
    assert not at.exception
    assert all("will appear here" in box.value for box in at.info)
    assert len(at.info) >= 2


def test_other_defenses_of_the_same_model_get_an_arrow_each(open_page: Open, begin: Begin) -> None:
    begin(_experiment(defense={"name": "label_smoothing"}))
    begin(_experiment(defense={"name": "dp_sgd"}))
    begin(_experiment(defense={"name": "dp_sgd"}, training={"fine_tune_epochs": 3}))
    at = open_page("defenses", run=begin(_experiment()).run_id)
    trade_off = figure(at, "trade_off")
    marks = {t["name"]: (t["x"][0], t["y"][0]) for t in trade_off["data"]}
    ends = {"PPB 4", "DP-SGD σ 1", "label smoothing 0.1"}
    assert ends < set(marks)
    assert len(trade_off["data"]) == 6, (
        "neither the run fine-tuned otherwise nor the example with the same PPB"
    )
    arrows = [a for a in trade_off["layout"]["annotations"] if a.get("showarrow")]
    assert {(a["x"], a["y"]) for a in arrows} == {marks[name] for name in ends}
    assert {(a["ax"], a["ay"]) for a in arrows} == {marks["Pruned"]}
    assert any("Grey: 2 other defence(s)" in c.value for c in at.caption)


@pytest.mark.parametrize(
    ("strength", "told"),
    [
        (2.0, "ε = 1.6 at δ = 1e-5 for the 500 steps that the fine-tuning may take; the training"),
        (2.0, "steps that were taken would have ε = 0.8, which is not guaranteed"),
        (0.0, "it gives no guarantee"),
    ],
)
def test_the_guarantee_of_dp_sgd_is_shown(
    open_page: Open, begin: Begin, strength: float, told: str
) -> None:
    result = begin(_experiment(defense={"name": "dp_sgd", "strength": strength}))
    at = open_page("defenses", run=result.run_id)
    assert not at.exception
    assert any(told in m.value.replace("−", "-") for m in at.markdown)
    ppb = open_page("defenses", run=begin(_experiment()).run_id)
    assert not any("ε =" in m.value for m in ppb.markdown), "PPB guarantees nothing"


def test_other_defenses_are_not_called_ppb(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment(defense={"name": "label_smoothing"}))
    at = open_page("defenses", run=result.run_id)
    assert not at.exception
    sentences = [m.value for m in at.markdown if m.value.startswith("**")]
    assert any("label smoothing 0.1 " in sentence for sentence in sentences)
    assert not any("PPB" in sentence for sentence in sentences)
