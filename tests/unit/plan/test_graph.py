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
from prunepriv.plan import Plan, Step, Target, plan, read_name, shadows_of, targets
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


def numbered(name: str, shadows: int = 5, first: int = 0) -> set[str]:
    """The names of a step of every model."""
    return {f"{name}:{number}" for number in range(first, shadows + 1)}


def test_shadows_sensitivity_is_measured_only_if_an_attack_reads_it() -> None:
    without = planned(attacks={"names": ["conf", "lira"]})
    with_samia = planned(attacks={"names": ["conf", "lira", "samia"]})
    exact = planned(attacks={"names": ["conf", "samia"]}, signals={"sensitivity": "exact"})
    for number, cheap in ((0, {}), (1, {"sensitivity": "none"})):
        name = f"signals:pruned:{number}"
        assert without.by_name[name].params == {"seed": 7, **cheap}
        assert with_samia.by_name[name].params == {"seed": 7}
        assert exact.by_name[name].params == {"seed": 7, "sensitivity": "exact"}


def test_the_steps_of_a_run_with_all_models() -> None:
    whole = planned(**DEFENDED)
    kinds = ("original", "control", "pruned", "defended")
    pairs = [f"{kind}:adaptive" for kind in kinds] + ["defended:non_adaptive"]
    expected = {"data", "checks"} | numbered("split") | numbered("train")
    for kind in kinds:
        expected |= {f"divergence:{kind}", f"size:{kind}"} | numbered(f"signals:{kind}")
        expected |= numbered(f"population:{kind}") | numbered(f"confidences:{kind}", first=1)
    expected |= {name for kind in kinds[1:] for name in numbered(f"fine_tune:{kind}")}
    expected |= {f"fit:{attack}:{kind}" for attack in ATTACKS for kind in kinds}
    expected |= {f"score:{attack}:{pair}" for attack in ATTACKS for pair in pairs}
    expected |= {f"evaluation:{pair}" for pair in pairs}
    expected |= {
        "contrast:original:control",
        "contrast:control:pruned",
        "contrast:original:pruned",
        "contrast:pruned:defended",
        "contrast:defended_non_adaptive:defended",
    }
    assert set(whole.by_name) == expected


def test_only_what_is_asked_for_is_made() -> None:
    names = set(planned(models=["original"], attacks={"names": ["conf"]}, shadows=2).by_name)
    assert names == {
        "data", *numbered("split", 2), *numbered("train", 2), *numbered("signals:original", 2),
        "divergence:original", "fit:conf:original", "score:conf:original:adaptive",
        "evaluation:original:adaptive", "size:original", "checks",
    }  # fmt: skip


def test_what_a_page_shows_first_is_begun_first() -> None:
    """The histograms of every kind's target, before any shadow is trained."""
    names = [step.name for step in planned(**DEFENDED).steps]
    first_shadow = names.index("split:1")
    assert (
        max(names.index(f"divergence:{kind}") for kind in ("original", "defended")) < first_shadow
    )
    assert names[:5] == ["data", "split:0", "train:0", "signals:original:0", "divergence:original"]


def test_another_shadow_changes_no_key_of_the_others() -> None:
    few, more = planned(**DEFENDED, shadows=5), planned(**DEFENDED, shadows=8)
    same = ("split", "train", "fine_tune", "signals", "population", "confidences", "divergence")
    for step in few.steps:
        if step.kind in same:
            assert more.key(step.name) == step.key, step.name
    new = {step.key for step in more.steps} - {step.key for step in few.steps}
    trained = {more.by_key[key].name for key in new if more.by_key[key].kind == "train"}
    assert trained == {"train:6", "train:7", "train:8"}


def test_every_model_has_keys_of_its_own() -> None:
    keys = [planned().key(f"train:{number}") for number in range(6)]
    assert len(set(keys)) == 6
    assert keys == [planned(models=["original"]).key(f"train:{number}") for number in range(6)]


def test_shadows_of_a_family_differ_by_their_number_only() -> None:
    whole = planned(**DEFENDED)
    for step in whole.steps:
        parts = read_name(step.name)
        alike = [other for other in whole.steps if step.family and other.family == step.family]
        if parts.number:
            assert [read_name(other.name).group for other in alike] == [parts.group] * 5
        else:
            assert step.family is None, "the target, and steps of no model, are done alone"


def test_shadows_whose_training_differs_are_no_family() -> None:
    families = {
        planned(training={"epochs": epochs}).by_name["train:1"].family for epochs in (10, 20)
    }
    others: list[dict[str, Any]] = [{"limit": 100}, {"knobs": {"distinctiveness": 0.9}}]
    families |= {planned(data=data).by_name["train:1"].family for data in others}
    assert len(families) == 4, "a limit leaves training itself as it is"


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
            == run.key("signals:defended:0")
        )


def test_fits_read_shadows_only_and_scores_never_evaluations() -> None:
    run = planned(**DEFENDED)
    for step in run.steps:
        names = [read_name(run.by_key[key].name) for key in step.inputs.values()]
        reference = step.params.get("attack") in REFERENCE
        read = {name.kind for name in names}
        if step.kind == "fit":
            assert read == {"population" if reference else "signals"}
            assert [name.number for name in names] == [1, 2, 3, 4, 5], "no row of the target"
        if step.kind == "score":
            more = {"population", "confidences"} if reference else set()
            assert read == {"fit", "signals"} | more


def test_a_model_is_scored_on_the_records_that_its_step_is_named_for() -> None:
    run = planned(**DEFENDED)
    for kind in ("original", "defended"):
        for number in range(6):
            own, model = run.key(f"split:{number}"), f"{kind}:{number}"
            trained = f"train:{number}" if kind == "original" else f"fine_tune:{model}"
            assert run.by_name[f"signals:{model}"].inputs["split"] == own
            assert run.by_name[f"signals:{model}"].inputs["model"] == run.key(trained)
            population = run.by_name[f"population:{model}"].inputs
            assert population["split"] == run.key(f"split:{max(number, 1)}"), "the shadow half"
            assert population["model"] == run.key(trained)
            if number:
                confidences = run.by_name[f"confidences:{model}"].inputs
                assert confidences["split"] == run.key("split:0"), "the target's records"
                assert confidences["model"] == run.key(trained)


# --- keys ---


def test_keys_are_stable() -> None:
    """A key that changes without a new version of the step would make finished work useless."""
    step = Step("data", "data", {"name": "digits", "knobs": {}})
    text = '{"inputs":{},"kind":"data","params":{"knobs":{},"name":"digits"},"version":1}'
    assert step.key == hashlib.sha256(text.encode()).hexdigest()
    assert step.key.startswith("761a3518c6b6")


GOLDEN: dict[str, str] = {
    "data": "73fa21f5e9e2",
    "split:0": "1cdff475b776",
    "split:3": "6c8b9b0776d4",
    "train:0": "5aeb194e232e",
    "train:3": "803891ef56c7",
    "fine_tune:control:1": "6357758575c4",
    "fine_tune:pruned:0": "8fbc30f80b68",
    "fine_tune:defended:3": "2787e4ff67cd",
    "signals:pruned:3": "1ede8136fd46",
    "population:pruned:0": "4a4a21d63276",
    "confidences:pruned:1": "9808abdbc579",
    "divergence:pruned": "ce06829e14bf",
    "fit:samia:pruned": "7ec4aefc4229",
    "fit:lira:pruned": "edb5ea227113",
    "score:lira:pruned:adaptive": "69506e04812f",
    "evaluation:pruned:adaptive": "8717505a4388",
    "contrast:pruned:defended": "955fdbd71109",
    "checks": "7dddbad1f3e7",
}


@pytest.mark.parametrize("name", list(GOLDEN))
def test_a_change_of_keys_is_seen(name: str) -> None:
    """Every user's finished steps would have to be done again.

    A new setting is marked ``AddedLater``, and then changes no key. A step whose code writes
    something else gets a new version: then, and only then, these keys change.
    """
    assert planned(**DEFENDED).key(name).startswith(GOLDEN[name])
    assert planned(**DEFENDED).experiment.run_id == "checkins-fc-70-4f92531373b8"


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
    assert {"fine_tune:pruned:0", "fine_tune:pruned:5"} <= affected
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
    assert {"fine_tune:defended:0", "fine_tune:defended:5"} <= affected
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
    kinds = ("original", "control", "pruned")
    evaluations = {f"evaluation:{kind}:adaptive" for kind in kinds}
    contrasts = {f"contrast:{a}:{b}" for a, b in itertools.combinations(kinds, 2)}
    assert affected == evaluations | contrasts | {"checks"}


def test_the_control_does_not_depend_on_approach_or_sparsity() -> None:
    shapes: dict[str, Any] = {"data": {"name": "shapes"}}
    one = planned(**shapes, pruning={"approach": "l1_structured", "sparsity": 0.5})
    other = planned(**shapes, pruning={"approach": "l2_structured", "sparsity": 0.9})
    assert one.key("fine_tune:control:0") == other.key("fine_tune:control:0")
    assert one.key("fine_tune:pruned:0") != other.key("fine_tune:pruned:0")


def test_slimming_trains_its_own_models() -> None:
    shapes: dict[str, Any] = {"data": {"name": "shapes"}}
    affected = changed(
        planned(**shapes), planned(**shapes, pruning={"approach": "network_slimming"})
    )
    assert numbered("train") <= affected


EVERYTHING: list[dict[str, Any]] = [
    {"seed": 8},
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
    assert ("train:0" in affected, "fine_tune:pruned:0" in affected) == (trains, tunes)


def test_a_new_version_changes_the_step_and_all_that_read_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {step.name: step.key for step in planned(**DEFENDED).steps}
    monkeypatch.setattr(step_module, "VERSIONS", {**step_module.VERSIONS, "signals": 99})
    after = planned(**DEFENDED)
    affected = {name for name, key in before.items() if after.key(name) != key}
    spared = ("data", "split", "train", "fine_tune", "population", "confidences", "size")
    kept = {name for name in before if read_name(name).kind in spared}
    kept |= {n for n in before if read_name(n).kind == "fit" and read_name(n).attack in REFERENCE}
    assert affected == set(before) - kept


def test_reference_attacks_read_the_confidences_of_target_and_shadows() -> None:
    run = planned(**DEFENDED)
    for adversary, source in (("adaptive", "defended"), ("non_adaptive", "pruned")):
        read = run.by_name[f"score:lira:defended:{adversary}"].inputs
        assert read["population"] == run.key("population:defended:0")
        assert read["signals"] == run.key("signals:defended:0")
        for number in range(1, 6):
            for what in ("population", "confidences"):
                assert read[f"{what}:{number}"] == run.key(f"{what}:{source}:{number}")
        assert read["fit"] == run.key(f"fit:lira:{source}")
    names = planned(attacks={"names": ["conf"]}).by_name
    assert not any(read_name(n).kind in ("population", "confidences") for n in names)


def test_a_wrong_assumption_changes_shadows_and_not_the_target() -> None:
    known, wrong = planned(), planned(knowledge={"sparsity": 0.5})
    other = planned(pruning={"sparsity": 0.5})
    assert wrong.key("signals:pruned:0") == known.key("signals:pruned:0")
    for name in ("fine_tune", "signals", "population", "confidences"):
        assert wrong.key(f"{name}:assumed:pruned:3") == other.key(f"{name}:pruned:3")
        assert f"{name}:pruned:3" not in wrong.by_name, "nobody learns from such shadows"
    assert "fine_tune:assumed:pruned:0" not in wrong.by_name, "nobody attacks such a target"
    score = wrong.by_name["score:lira:pruned:adaptive"].inputs
    assert score["population"] == wrong.key("population:pruned:0")
    assert score["confidences:3"] == wrong.key("confidences:assumed:pruned:3")
    assert score["fit"] == wrong.key("fit:lira:assumed:pruned")
    assert "fit:lira:pruned" not in wrong.by_name


def test_models_are_trained_again_for_an_assumption_that_trains_in_another_way() -> None:
    shapes: dict[str, Any] = {"data": {"name": "shapes"}, "models": ["pruned"]}
    wrong = planned(**shapes, knowledge={"approach": "network_slimming"})
    slimmed = planned(**shapes, pruning={"approach": "network_slimming"})
    assert wrong.key("train:assumed:2") == slimmed.key("train:2") != wrong.key("train:2")
    tuned = wrong.by_name["fine_tune:assumed:pruned:2"]
    assert tuned.inputs["model"] == wrong.key("train:assumed:2")


def test_long_fits_come_first() -> None:
    fits = [s.name.split(":")[1] for s in planned().steps if s.kind == "fit"]
    order = [attack for attack, _ in itertools.groupby(fits)]
    assert order[0] == "samia"
    networks = [ATTACKS[attack].kind == "network" for attack in order]
    assert networks == sorted(networks, reverse=True), "networks before all others"
