"""Steps that only some runs have: the control trained equally long, and private training's guarantee."""

from __future__ import annotations

from typing import Any

from tests.unit.plan.test_graph import DEFENDED, changed, planned

MATCHED: dict[str, Any] = {"models": ["original", "control", "control_matched", "pruned"]}


def test_all_leaves_the_control_that_is_trained_equally_long_out() -> None:
    assert not any("control_matched" in name for name in planned(**DEFENDED).by_name)


def test_the_control_that_is_trained_equally_long_changes_no_other_step() -> None:
    without, with_it = planned(models="all"), planned(**MATCHED)
    assert changed(without, with_it) == {"checks"}
    assert set(without.by_name) < set(with_it.by_name)


def test_a_matched_control_reads_the_pruned_model_of_its_number() -> None:
    """It is attacked as the control is, and needs the pruned models also where nobody attacks them."""
    run = planned(models=["control_matched"], attacks={"names": ["conf", "lira"]})
    done: set[str] = set()
    for step in run.steps:
        assert set(step.inputs.values()) <= done, step.name
        done.add(step.key)
    for number in range(6):
        step = run.by_name[f"fine_tune:control_matched:{number}"]
        assert step.inputs == {
            "data": run.key("data"), "split": run.key(f"split:{number}"),
            "model": run.key(f"train:{number}"), "matched": run.key(f"fine_tune:pruned:{number}"),
        }  # fmt: skip
        assert run.key(f"fine_tune:pruned:{number}") == planned().key(f"fine_tune:pruned:{number}")
    assert not {name for name in run.by_name if name.startswith(("signals:pruned", "fit:conf:p"))}
    assert run.by_name["score:conf:control_matched:adaptive"].inputs["fit"] == run.key(
        "fit:conf:control_matched"
    )


def test_a_matched_control_follows_the_pruned_model_and_not_the_stopping_rule() -> None:
    name = "fine_tune:control_matched:1"
    keys = {planned(**MATCHED, pruning={"sparsity": s}).key(name) for s in (0.6, 0.7)}
    assert len(keys) == 2, "pruned otherwise, kept after other epochs"
    params = planned(**MATCHED).by_name[name].params
    assert not {"patience", "fine_tune_epochs"} & set(params["training"])
    assert params["pruning"] is None
    assert params["defense"]["name"] == "none"


def test_the_matched_controls_of_an_adversary_follow_the_true_pruning() -> None:
    run = planned(**MATCHED, knowledge={"sparsity": 0.5})
    step = run.by_name["fine_tune:control_matched:2"]
    assert step.inputs["matched"] == run.key("fine_tune:pruned:2")
    assert "fine_tune:assumed:pruned:2" in run.by_name
    assert not any("assumed:control" in name for name in run.by_name)


def test_only_a_private_fine_tuning_has_a_guarantee() -> None:
    private: dict[str, Any] = {"defense": {"name": "dp_sgd"}, "models": "all"}
    kinds = [step for step in planned(**private).steps if step.kind == "privacy"]
    assert [step.name for step in kinds] == ["privacy:defended"]
    assert kinds[0].params == {"epochs": 25}
    assert kinds[0].inputs == {"model": planned(**private).key("fine_tune:defended:0")}
    assert not any(step.kind == "privacy" for step in planned(**DEFENDED).steps)
    other: dict[str, Any] = {"defense": {"name": "dp_sgd"}, "models": ["pruned"]}
    assert not any(step.kind == "privacy" for step in planned(**other).steps)


def test_the_guarantee_changes_no_key_of_training() -> None:
    run = planned(defense={"name": "dp_sgd"}, models="all")
    assert run.experiment.run_id == "checkins-fc-70-41c01553623c"
    assert run.key("fine_tune:defended:0").startswith("745dc7b40f03")
    assert run.key("fine_tune:defended:3").startswith("42ed9873525c")
