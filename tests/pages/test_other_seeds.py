"""The same experiment under other seeds: what every page shows of them, and the button for more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from prunepriv import environment
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.seeds import under_seeds
from prunepriv.figures import findings
from prunepriv.figures.findings import pick
from prunepriv.plan import Target, evaluation_name
from prunepriv.store.artifacts import ArtifactStore
from prunepriv.store.over_seeds import over_seeds
from prunepriv.store.result import Result
from prunepriv.store.seed_tables import FOLDER, seed_report, write_tables
from prunepriv.ui import launching
from prunepriv.ui.runs import examples
from tests.conftest import WriteRun
from tests.pages.conftest import Begin, Open, figure, figures

PAGES = ("overview", "leakage", "classes", "attacks", "defenses")
CHART = "over_seeds_0"


def experiment(**more: object) -> Experiment:
    given = {
        "data": {"limit": 400}, "defense": {"name": "ppb"}, "models": "all",
        "attacks": {"names": ["conf", "lira"]},
    }  # fmt: skip
    return make_experiment({**given, **more})


@pytest.mark.parametrize("page", PAGES)
def test_pages_show_the_mean_over_the_finished_seeds(
    page: str, open_page: Open, begin: Begin
) -> None:
    data = {"name": "checkins", "limit": 1600 if page == "classes" else 400}  # of 30 classes
    results = [begin(one) for one in under_seeds(experiment(data=data), (1, 2, 3))]
    begin(experiment(data=data, seed=4), status="failed")
    begin(experiment(data=data, seed=5, shadows=3))  # another experiment
    at = open_page(page, run=results[1].run_id)
    assert not at.exception
    names = [trace["name"] for trace in figure(at, CHART)["data"]]
    assert names.count("this run") == 1
    assert names.count("another seed") == 2
    assert any(m.value.startswith("**Mean over 3 seeds") for m in at.markdown)
    assert any("not over other populations" in c.value for c in at.caption)
    assert [b.label for b in at.button if b.key == "more_seeds"] == ["Run 4 more seeds"]


def test_the_chart_is_the_mean_of_the_paired_differences(open_page: Open, begin: Begin) -> None:
    results = [begin(one) for one in under_seeds(experiment(), (1, 2, 3))]
    reports = [report for result in results if (report := seed_report(result))]
    at = open_page("attacks", run=results[0].run_id, change="The defence")
    drawn = figure(at, CHART)
    labels = drawn["layout"]["yaxis"]["ticktext"]
    means = {
        labels[round(y)]: x
        for trace in drawn["data"]
        if trace["name"].startswith("mean")
        for x, y in zip(trace["x"], trace["y"], strict=True)
    }
    sides = {"from": Target("pruned")._asdict(), "to": Target("defended")._asdict()}
    expected = {
        {"chosen": "Chosen", "conf": "Conf", "lira": "LiRA"}[row["attack"]]: row["mean"]
        for row in over_seeds(reports)
        if row["metric"] == "accuracy" and row["class"] is None and {**row, **sides} == row
    }
    assert means == pytest.approx(expected)


def test_two_seeds_do_not_decide(open_page: Open, begin: Begin) -> None:
    results = [begin(one) for one in under_seeds(experiment(), (1, 2))]
    at = open_page("overview", run=results[0].run_id)
    sentence = next(m.value for m in at.markdown if m.value.startswith("**Mean over 2 seeds"))
    assert "undecided" in sentence
    assert "clear" not in sentence
    assert "Three seeds or more decide" in sentence


def test_one_seed_says_that_it_is_the_only_one(open_page: Open, begin: Begin) -> None:
    result = begin(experiment())
    at = open_page("overview", run=result.run_id)
    assert CHART not in figures(at)
    assert any("Only this seed has been run" in c.value for c in at.caption)


def test_an_example_comes_with_its_seeds(
    open_page: Open, tmp_path: Path, write_run: WriteRun, example_folder: Path
) -> None:
    """The tables beside its artifacts; its own run is one of them."""
    (first, *_) = examples()
    reports = []
    for one in under_seeds(first.experiment, (first.experiment.seed, 2, 3)):
        store = ArtifactStore(tmp_path / str(one.seed))
        write_run(store, one, one.seed)
        report = seed_report(Result(store, one))
        assert report is not None
        reports.append(report)
    write_tables(reports, first.folder / FOLDER)
    try:
        at = open_page("overview", run=first.experiment.run_id)
        assert any(m.value.startswith("**Mean over 3 seeds") for m in at.markdown)
    finally:
        for file in (first.folder / FOLDER).iterdir():
            file.unlink()
        (first.folder / FOLDER).rmdir()


def test_the_button_runs_seeds_that_are_not_there(
    open_page: Open, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = [begin(one) for one in under_seeds(experiment(), (1, 3))]
    submitted: list[int] = []

    def submit_only(experiments: tuple[Experiment, ...], store: Path) -> None:
        submitted.extend(one.seed for one in experiments)

    monkeypatch.setattr(launching, "launch_all", submit_only)
    at = open_page("overview", run=results[0].run_id)
    at.button(key="more_seeds").click().run()
    assert not at.exception
    assert submitted == [2, 4, 5, 6]
    (file,) = (environment.store_folder() / "sweeps").glob("*.json")
    assert file.stem.startswith("seeds-of-checkins")


def test_classes_of_few_records_are_told(open_page: Open, begin: Begin) -> None:
    results = [begin(one) for one in under_seeds(experiment(), (1, 2, 3))]
    at = open_page("classes", run=results[0].run_id)
    assert CHART not in figures(at)
    assert any("no class has 10 members" in c.value for c in at.caption)


@pytest.mark.parametrize("page", ["overview", "defenses"])
def test_an_attack_fixed_by_the_reader_is_that_of_all_models(
    page: str, open_page: Open, begin: Begin
) -> None:
    result = begin(experiment(attacks={"names": ["samia", "conf"]}))
    target = Target("defended") if page == "defenses" else Target("pruned")
    policy = result.headline(target)
    assert policy is not None
    other = "conf" if policy["attack"] == "samia" else "samia"
    label = {"conf": "Conf", "samia": "SAMIA"}[other]
    at = open_page(page, run=result.run_id, by=label)
    assert not at.exception
    row = result.attack_row(other, target)
    assert row is not None
    told = " ".join(m.value for m in at.markdown)
    if page == "overview":
        assert at.metric[1].label == f"Attack: {label}"
        assert at.metric[1].value == f"{100 * row['accuracy']:.1f} %"
        change = pick(result.contrast(Target("original"), Target("pruned")), attack=other)
        assert change is not None
        assert at.metric[1].delta == findings.told(change)
        assert f"In this run, {label} is right" in told
        assert "fixed by you" in told
    else:
        assert f"changes {label} by an adversary who knows it" in told
        assert f"to {100 * row['accuracy']:.1f} %" in told
        assert any(c.value.startswith(f"Every point is {label}.") for c in at.caption)
    assert at.query_params["by"] == label


def test_seeds_that_are_running_are_linked_instead_of_offered(
    open_page: Open, begin: Begin
) -> None:
    result = begin(experiment())
    begin(experiment(seed=3), status=None)
    at = open_page("overview", run=result.run_id)
    labels = [link.proto.label for link in at.get("page_link")]
    assert "More seeds are running: show their progress" in labels
    assert not [b for b in at.button if b.key == "more_seeds"]


def test_other_pages_keep_the_attack_that_was_fixed(open_page: Open, begin: Begin) -> None:
    result = begin(experiment())
    at = open_page("overview", run=result.run_id)
    at.selectbox(key="by").select("lira").run()
    at.switch_page("pages/defenses.py").run()
    assert at.selectbox(key="by").value == "lira"
    assert any(c.value.startswith("Every point is LiRA.") for c in at.caption)


def test_a_seed_whose_figures_are_not_complete_is_left_out(open_page: Open, begin: Begin) -> None:
    results = [begin(one) for one in under_seeds(experiment(), (1, 2, 3))]
    target = results[2].targets[-1]
    shutil.rmtree(results[2].store.path(results[2].plan.key(evaluation_name(target))))
    at = open_page("overview", run=results[0].run_id)
    assert any(m.value.startswith("**Mean over 2 seeds") for m in at.markdown)
