"""Attacks: the leaderboard, the slider and the counts agree with the run's own evaluation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prunepriv.experiment import Experiment, make_experiment
from prunepriv.options import ATTACKS
from prunepriv.plan import Target
from tests.pages.conftest import Begin, Open, figure


def _experiment(**more: object) -> Experiment:
    given = {
        "data": {"limit": 400},
        "defense": {"name": "ppb"},
        "models": "all",
        "attacks": {"names": ["conf", "top1_conf", "samia"]},
    }
    return make_experiment({**given, **more})


def test_sentence_names_the_chosen_attack_and_its_interval(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("attacks", run=result.run_id)
    assert not at.exception
    chosen = result.headline(Target("pruned", "adaptive"))
    low, high = chosen["accuracy_ci95"]
    sentence = at.markdown[1].value
    assert f"**{ATTACKS[chosen['attack']].label}, chosen beforehand" in sentence
    assert f"{100 * chosen['accuracy']:.1f} %" in sentence
    assert f"{100 * low:.1f} to {100 * high:.1f} %" in sentence
    best = max(result.evaluation(Target("pruned", "adaptive")), key=lambda row: row["accuracy"])
    assert f"does best with {100 * best['accuracy']:.1f} %" in sentence
    assert figure(at, "leaderboard")["layout"]["xaxis"]["range"] == [0.4, 1.0]


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (None, Target("control"), Target("pruned")),
        ("Retraining", Target("original"), Target("control")),
        ("Knowing the defence", Target("defended", "non_adaptive"), Target("defended")),
    ],
)
def test_paired_differences_are_the_runs_own(
    open_page: Open, begin: Begin, change: str | None, before: Target, after: Target
) -> None:
    result = begin(_experiment())
    query = {} if change is None else {"change": change}
    at = open_page("attacks", run=result.run_id, **query)
    assert not at.exception
    rows = [
        row
        for row in result.contrast(before, after)
        if row["class"] is None and row["metric"] == "accuracy" and row["attack"] is not None
    ]
    drawn = figure(at, "contrasts")["data"]
    assert sorted(x for trace in drawn for x in trace["x"]) == pytest.approx(
        sorted(row["difference"] for row in rows)
    )
    assert len(drawn[0]["x"]) == sum(row["clear"] for row in rows)


def test_precision_where_members_are_few_is_told(open_page: Open, begin: Begin) -> None:
    at = open_page("attacks", run=begin(_experiment()).run_id)
    assert any(m.value.startswith("If 1 % of those asked are members") for m in at.markdown)


def test_each_attack_says_what_of_it_is_fitted(open_page: Open, begin: Begin) -> None:
    at = open_page("attacks", run=begin(_experiment()).run_id, attack="Conf")
    (told,) = (c.value for c in at.caption if "Fitted on shadows" in c.value)
    assert "Fitted on shadows: a threshold for each class. Not fitted: the score." in told
    assert not any("was fitted on" in c.value for c in at.caption), "no sample was taken"


def test_a_fit_on_a_sample_is_told_with_the_attack_and_where_it_is_the_headline(
    open_page: Open, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = begin(_experiment(attacks={"names": ["samia"]}))
    fewer = replace(ATTACKS["samia"], fast_tokens=30 * 200)
    monkeypatch.setitem(ATTACKS, "samia", fewer)  # type: ignore[arg-type]
    fit = result.fit_of("samia")
    assert (fit["records"], fit["classes"]) == (200, 30)
    told = f"SAMIA was fitted on 200 of {fit['of']} shadow records"
    at = open_page("attacks", run=result.run_id)
    assert [told in c.value for c in at.caption if "SAMIA was fitted" in c.value] == [True, True]
    at = open_page(run=result.run_id)
    assert sum(told in element.value for element in (*at.caption, *at.markdown)) == 1


def test_attacks_that_were_not_run_are_listed(open_page: Open, begin: Begin) -> None:
    at = open_page("attacks", run=begin(_experiment()).run_id)
    caption = next(c.value for c in at.caption if "Not run here" in c.value)
    assert "Corr, Entr, Mentr, NN, Top3-NN, Cls-NN, LiRA, RMIA and BASE" in caption
    assert "Online LiRA" in caption


def test_slider_starts_at_the_attacks_own_threshold(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("attacks", run=result.run_id, attack="Top1-conf")
    scores, signals = (
        result.scores("top1_conf", Target("pruned", "adaptive")),
        result.signals("pruned"),
    )
    slider = at.select_slider[0]
    assert float(slider.value) == pytest.approx(scores.thresholds[0], rel=1e-4)
    assert "the attack's own threshold" in " ".join(c.value for c in at.caption)
    found = int((scores.decision & signals.member).sum())
    accused = int((scores.decision & ~signals.member).sum())
    sentence = next(m.value for m in at.markdown if "are called members" in m.value)
    assert f"these are {found} of" in sentence
    assert f"members and {accused} of" in sentence


def test_moving_the_slider_moves_counts_and_dot(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("attacks", run=result.run_id, attack="Top1-conf")
    slider = at.select_slider[0]
    slider.set_value(slider.options[-20]).run()
    assert not at.exception
    cut = float(at.select_slider[0].value)
    scores, signals = (
        result.scores("top1_conf", Target("pruned", "adaptive")),
        result.signals("pruned"),
    )
    tiles = figure(at, "cut_confusion")
    texts = " ".join(note["text"] for note in tiles["layout"]["annotations"])
    found = int((scores.score[signals.member] >= cut - 1e-6).sum())
    assert f"<b>{found}</b><br>true positives" in texts
    dot = next(trace for trace in figure(at, "cut_roc")["data"] if trace["name"] == "threshold")
    assert dot["y"][0] == pytest.approx(found / signals.member.sum())


def test_thresholds_per_class_are_explained(open_page: Open, begin: Begin) -> None:
    at = open_page("attacks", run=begin(_experiment()).run_id, attack="Conf")
    assert any("one threshold for each class" in c.value for c in at.caption)


def test_low_fpr_table_counts_and_grays(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("attacks", run=result.run_id)
    table = at.dataframe[0].value
    assert list(table.index) == ["Conf", "Top1-conf", "SAMIA"]
    rows = {row["attack"]: row for row in result.evaluation(Target("pruned", "adaptive"))}
    row = rows["conf"]
    assert table.loc["Conf", "at 1 % FPR"] == (
        f"{100 * row['tpr_at_fpr']['0.01']:.1f} % ({row['false_positives_at_fpr']['0.01']} FP)"
    )
    assert "too few" in next(
        m.value for m in at.markdown if "at low false positive rates" in m.value
    )


def test_defended_model_can_face_either_adversary(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    shown = {}
    for name in ("Adaptive", "Non-adaptive"):
        at = open_page("attacks", run=result.run_id, model="Defended", adversary=name)
        assert not at.exception
        shown[name] = at.markdown[1].value
    assert "(adaptive adversary)" in shown["Adaptive"]
    assert "(non-adaptive adversary)" in shown["Non-adaptive"]


def test_agreement_against_a_direct_count(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("attacks", run=result.run_id)
    verdicts = [
        result.scores(name, Target("pruned", "adaptive")).decision
        for name in ("conf", "top1_conf", "samia")
    ]
    same = np.mean(
        [len({bool(one[at]) for one in verdicts}) == 1 for at in range(len(verdicts[0]))]
    )
    sentence = next(m.value for m in at.markdown if "attacks agree on" in m.value)
    assert f"all 3 attacks agree on {100 * same:.0f} %" in sentence


def test_a_single_attack_has_no_agreement(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment(attacks={"names": ["conf"]}))
    at = open_page("attacks", run=result.run_id)
    assert not at.exception
    assert any("needs at least two attacks" in c.value for c in at.caption)


def test_running_run_shows_the_models_that_are_done(open_page: Open, begin: Begin) -> None:
    experiment = _experiment()
    begin(experiment, only=("original",), status=None)
    at = open_page("attacks", run=experiment.run_id)
    assert not at.exception
    assert "original model" in at.markdown[1].value
    begin(_experiment(seed=3), only=(), status=None)
    at = open_page("attacks", run=_experiment(seed=3).run_id)
    assert not at.exception
    assert "will appear here" in at.info[0].value


def test_a_moved_slider_survives_a_change_of_model(open_page: Open, begin: Begin) -> None:
    result = begin(_experiment())
    at = open_page("attacks", run=result.run_id, attack="Conf")
    at.select_slider[0].set_value(at.select_slider[0].options[7]).run()
    at.get("segmented_control")[0].set_value("original").run()
    assert not at.exception
    assert at.select_slider[0].value in at.select_slider[0].options
    assert "original model" in at.markdown[1].value


def test_a_threshold_in_the_url_that_does_not_exist_is_ignored(
    open_page: Open, begin: Begin
) -> None:
    result = begin(_experiment())
    at = open_page("attacks", run=result.run_id, attack="Conf", threshold_conf="nonsense")
    assert not at.exception
    assert at.select_slider[0].value in at.select_slider[0].options
