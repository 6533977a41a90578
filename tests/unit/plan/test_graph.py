"""Which steps a run has, which steps runs share, and in which order they can be done."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from typing import Any

import pytest

from prunepriv.experiment import make_experiment
from prunepriv.options import ATTACKS
from prunepriv.plan import Plan, Step, Target, plan, shadows_of, targets
from prunepriv.plan import step as step_module

REFERENCE = [name for name, option in ATTACKS.items() if option.kind == "reference"]
DEFENDED: dict[str, Any] = {"defense": {"name": "ppb"}, "models": "all"}


def planned(**given: Any) -> Plan:
    return plan(make_experiment(given))


def changed(one: Plan, other: Plan) -> set[str]:
    """Names of steps that both have, with different keys."""
    return {
        name
        for name, step in one.by_name.items()
        if name in other.by_name and other.key(name) != step.key
    }


@pytest.mark.parametrize("given", [{}, DEFENDED, {"models": ["original"]}, {"models": ["pruned"]}])
def test_every_step_comes_after_those_it_reads(given: dict[str, Any]) -> None:
    done: set[str] = set()
    for step in planned(**given).steps:
        assert set(step.inputs.values()) <= done, step.name
        done.add(step.key)


@pytest.mark.parametrize("given", [{}, DEFENDED, {"models": ["original", "defended"], **DEFENDED}])
def test_names_and_keys_are_unique(given: dict[str, Any]) -> None:
    steps = planned(**given).steps
    assert len({s.name for s in steps}) == len({s.key for s in steps}) == len(steps)


def test_the_steps_of_a_run_with_all_models() -> None:
    whole = planned(**DEFENDED)
    kinds = ("original", "control", "pruned", "defended")
    pairs = [f"{kind}:adaptive" for kind in kinds] + ["defended:non_adaptive"]
    expected = {"data", "split", "train"}
    expected |= {f"fine_tune:{kind}" for kind in kinds[1:]}
    per_model = ("signals", "confidences", "divergence")
    expected |= {f"{step}:{kind}" for step in per_model for kind in kinds}
    expected |= {f"fit:{attack}:{kind}" for attack in ATTACKS for kind in kinds}
    expected |= {f"score:{attack}:{pair}" for attack in ATTACKS for pair in pairs}
    expected |= {f"evaluation:{pair}" for pair in pairs} | {"checks"}
    assert set(whole.by_name) == expected


def test_only_what_is_asked_for_is_made() -> None:
    names = set(planned(models=["original"], attacks={"names": ["conf"]}).by_name)
    assert names == {
        "data", "split", "train", "signals:original", "divergence:original",
        "fit:conf:original", "score:conf:original:adaptive", "evaluation:original:adaptive",
        "checks",
    }  # fmt: skip


# --- targets and adversaries ---


def test_a_defended_model_is_attacked_by_both_adversaries() -> None:
    assert targets(make_experiment({"models": ["pruned"]})) == (("pruned", "adaptive"),)
    assert targets(make_experiment(DEFENDED | {"models": ["defended"]})) == (
        ("defended", "adaptive"),
        ("defended", "non_adaptive"),
    )


def test_the_non_adaptive_adversary_learns_from_undefended_shadows() -> None:
    for kind in ("original", "control", "pruned", "defended"):
        assert shadows_of(Target(kind)) == kind
    assert shadows_of(Target("defended", "non_adaptive")) == "pruned"
    run = planned(defense={"name": "ppb"}, models=["defended"])
    # nobody asked for the pruned model, but its shadows are needed
    for attack in ATTACKS:
        adaptive = run.by_name[f"score:{attack}:defended:adaptive"]
        non_adaptive = run.by_name[f"score:{attack}:defended:non_adaptive"]
        assert adaptive.inputs["fit"] == run.key(f"fit:{attack}:defended")
        assert non_adaptive.inputs["fit"] == run.key(f"fit:{attack}:pruned")
        assert (
            adaptive.inputs["signals"]
            == non_adaptive.inputs["signals"]
            == run.key("signals:defended")
        )


def test_attacks_are_fitted_on_signals_and_never_on_evaluations() -> None:
    run = planned(**DEFENDED)
    for step in run.steps:
        read = {run.by_key[key].kind for key in step.inputs.values()}
        reference = step.params.get("attack") in REFERENCE
        if step.kind == "fit":
            assert read == {"confidences" if reference else "signals"}
        if step.kind == "score":
            assert read == {"fit", "signals"} | ({"confidences"} if reference else set())


# --- keys ---


def test_keys_are_stable() -> None:
    """A key that changes without a new version of the step would make finished work useless."""
    step = Step("data", "data", {"name": "digits", "knobs": {}})
    text = '{"inputs":{},"kind":"data","params":{"knobs":{},"name":"digits"},"version":1}'
    assert step.key == hashlib.sha256(text.encode()).hexdigest()
    assert step.key.startswith("761a3518c6b6")


def test_keys_are_the_same_in_another_process() -> None:
    code = (
        "from prunepriv.experiment import make_experiment; "
        "from prunepriv.plan import plan; "
        "print([s.key for s in plan(make_experiment({})).steps])"
    )
    environment = {"PYTHONHASHSEED": "123", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == str([step.key for step in planned().steps])


def test_changing_the_sparsity_trains_nothing_again() -> None:
    affected = changed(planned(), planned(pruning={"sparsity": 0.6}))
    assert "fine_tune:pruned" in affected
    affected.discard("checks")  # which read the whole run
    assert all(name.split(":")[1:] and "pruned" in name for name in affected), (
        "only the pruned model"
    )


def test_adding_a_defense_changes_nothing_of_the_undefended() -> None:
    undefended, defended = planned(models="all"), planned(**DEFENDED)
    assert changed(undefended, defended) == {"checks"}
    assert set(undefended.by_name) < set(defended.by_name)


def test_the_strength_changes_the_defended_model_only() -> None:
    affected = changed(
        planned(**DEFENDED), planned(models="all", defense={"name": "ppb", "strength": 8})
    )
    assert "fine_tune:defended" in affected
    assert "score:samia:defended:non_adaptive" in affected
    assert "fit:samia:pruned" not in affected
    assert all("defended" in name for name in affected - {"checks"})


def test_the_recipe_changes_networks_only() -> None:
    affected = changed(planned(), planned(attacks={"recipe": "paper"}))
    networks = {name for name, option in ATTACKS.items() if option.kind == "network"}
    assert {name.split(":")[1] for name in affected if name.startswith("fit:")} == networks
    assert not any(name.startswith(("train", "fine_tune", "signals")) for name in affected)


def test_choosing_fewer_attacks_shares_the_rest() -> None:
    affected = changed(planned(), planned(attacks={"names": ["conf", "samia"]}))
    evaluations = {f"evaluation:{k}:adaptive" for k in ("original", "control", "pruned")}
    assert affected == evaluations | {"checks"}


def test_the_control_does_not_depend_on_approach_or_sparsity() -> None:
    shapes: dict[str, Any] = {"data": {"name": "shapes"}}
    one = planned(**shapes, pruning={"approach": "l1_structured", "sparsity": 0.5})
    other = planned(**shapes, pruning={"approach": "l2_structured", "sparsity": 0.9})
    assert one.key("fine_tune:control") == other.key("fine_tune:control")
    assert one.key("fine_tune:pruned") != other.key("fine_tune:pruned")


def test_slimming_trains_its_own_models() -> None:
    shapes: dict[str, Any] = {"data": {"name": "shapes"}}
    affected = changed(
        planned(**shapes), planned(**shapes, pruning={"approach": "network_slimming"})
    )
    assert "train" in affected


EVERYTHING: list[dict[str, Any]] = [
    {"seed": 8},
    {"shadows": 4},
    {"data": {"limit": 400}},
    {"data": {"knobs": {"distinctiveness": 0.9}}},
]


@pytest.mark.parametrize("change", EVERYTHING, ids=str)
def test_what_all_steps_depend_on_changes_all_keys(change: dict[str, Any]) -> None:
    unchanged = set(planned().by_name) - changed(planned(), planned(**change))
    assert unchanged <= {"data"}


TRAINING: list[tuple[str, Any, bool, bool]] = [
    # field, value, changes the key of training, changes that of fine-tuning itself
    ("epochs", 40, True, True),
    ("fine_tune_epochs", 7, False, True),
    ("patience", 3, True, True),
    ("stop_at_member_accuracy", 0.99, True, True),
    ("learning_rate", 1e-2, True, True),
    ("weight_decay", 0.0, True, True),
    ("batch_size", 64, True, True),
]


@pytest.mark.parametrize(("name", "value", "trains", "tunes"), TRAINING)
def test_training_settings(name: str, value: Any, trains: bool, tunes: bool) -> None:
    affected = changed(planned(), planned(training={name: value}))
    assert ("train" in affected, "fine_tune:pruned" in affected) == (trains, tunes)


def test_a_new_version_changes_the_step_and_all_that_read_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {step.name: step.key for step in planned(**DEFENDED).steps}
    monkeypatch.setattr(step_module, "VERSIONS", {**step_module.VERSIONS, "signals": 99})
    after = planned(**DEFENDED)
    affected = {name for name, key in before.items() if after.key(name) != key}
    kept = {
        "data",
        "split",
        "train",
        *(f"fine_tune:{k}" for k in ("control", "pruned", "defended")),
        *(f"confidences:{k}" for k in ("original", "control", "pruned", "defended")),
        *(f"fit:{a}:{k}" for a in REFERENCE for k in ("original", "control", "pruned", "defended")),
    }
    assert affected == set(before) - kept


def test_reference_attacks_read_the_confidences_of_target_and_shadows() -> None:
    run = planned(**DEFENDED)
    adaptive, non_adaptive = (
        run.by_name[f"score:lira:defended:{adversary}"].inputs
        for adversary in ("adaptive", "non_adaptive")
    )
    assert adaptive["target"] == non_adaptive["target"] == run.key("confidences:defended")
    assert adaptive["shadows"] == run.key("confidences:defended")
    assert non_adaptive["shadows"] == run.key("confidences:pruned")
    assert non_adaptive["fit"] == run.key("fit:lira:pruned")
    assert not any("confidences" in n for n in planned(attacks={"names": ["conf"]}).by_name)


def test_a_wrong_assumption_changes_shadows_and_not_the_target() -> None:
    known, wrong = planned(), planned(knowledge={"sparsity": 0.5})
    for name in ("fine_tune", "signals", "confidences"):
        assert wrong.key(f"{name}:pruned") == known.key(f"{name}:pruned")
        assert wrong.key(f"{name}:assumed:pruned") == planned(pruning={"sparsity": 0.5}).key(
            f"{name}:pruned"
        )
    score = wrong.by_name["score:lira:pruned:adaptive"].inputs
    assert score["target"] == wrong.key("confidences:pruned")
    assert score["shadows"] == wrong.key("confidences:assumed:pruned")
    assert score["fit"] == wrong.key("fit:lira:assumed:pruned")
    assert "fit:lira:pruned" not in wrong.by_name


def test_long_fits_come_first() -> None:
    fits = [s.name.split(":")[1] for s in planned().steps if s.kind == "fit"]
    order = [attack for attack, _ in itertools.groupby(fits)]
    assert order[0] == "samia"
    networks = [ATTACKS[attack].kind == "network" for attack in order]
    assert networks == sorted(networks, reverse=True), "networks before all others"
