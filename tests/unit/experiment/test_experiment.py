"""Every Experiment object can be run; every other choice is refused in one sentence."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from prunepriv.errors import ExperimentError
from prunepriv.experiment import Experiment, canonical_json, make_experiment
from prunepriv.experiment.parts import Attacks
from prunepriv.options import APPROACHES, ATTACKS, DATASETS, MODELS, RECIPES

OWN: dict[str, Any] = {
    "digest": "0f" * 32, "label": "mine", "kind": "tabular", "records": 90, "shape": [4], "classes": 3,
}  # fmt: skip

REFUSED: list[tuple[dict[str, Any], str]] = [
    # unknown names list the known ones
    (
        {"data": {"name": "nope"}},
        "unknown data set 'nope': choose one of checkins, shapes, digits, location, purchase",
    ),
    ({"model": {"name": "nope"}}, "unknown model 'nope': choose one of fc, cnn"),
    (
        {"pruning": {"approach": "nope"}},
        "unknown approach 'nope': choose one of l1_unstructured, l1_structured, l2_structured, "
        "network_slimming",
    ),
    ({"defense": {"name": "nope"}}, "unknown defence 'nope': choose one of none, ppb"),
    (
        {"attacks": {"names": ["conf", "nope"]}},
        "unknown attack 'nope': choose one of corr, conf, entr, mentr, top1_conf, nn, top3_nn, "
        "cls_nn, samia, lira",
    ),
    ({"attacks": {"recipe": "nope"}}, "attacks.recipe must be 'fast' or 'paper', got 'nope'"),
    (
        {"models": ["nope"]},
        "models.0 must be 'original', 'control', 'control_matched', 'pruned' or 'defended', got 'nope'",
    ),
    ({"data": {"name": ["location"]}}, "unknown data set"),
    # numbers out of range
    ({"pruning": {"sparsity": 1.2}}, "sparsity must lie in [0, 1), got 1.2"),
    ({"pruning": {"sparsity": 1}}, "sparsity must lie in [0, 1), got 1"),
    ({"pruning": {"sparsity": -0.1}}, "sparsity must lie in [0, 1), got -0.1"),
    ({"pruning": {"sparsity": float("nan")}}, "sparsity must be a finite number, got nan"),
    ({"pruning": {"sparsity": "much"}}, "sparsity must be a valid number"),
    (
        {"shadows": 0},
        "shadows must be at least 1, because every attack learns from them, got 0",
    ),
    ({"shadows": 257}, "shadows must be less than or equal to 256, got 257"),
    ({"shadows": 2.5}, "shadows must be a valid integer"),
    ({"seed": -1}, "seed must be greater than or equal to 0, got -1"),
    ({"data": {"limit": 10}}, "data.limit must be greater than or equal to 40, got 10"),
    ({"training": {"epochs": 0}}, "training.epochs must be greater than or equal to 1, got 0"),
    ({"training": {"epochs": "many"}}, "training.epochs must be a valid integer"),
    ({"training": {"fine_tune_epochs": 0}}, "training.fine_tune_epochs must be greater than"),
    ({"training": {"patience": 0}}, "training.patience must be greater than or equal to 1"),
    ({"model": {"width": 0}}, "model.width must be greater than 0, got 0"),
    (
        {"defense": {"name": "ppb", "strength": 65}},
        "defense.strength must be less than or equal to 64, got 65",
    ),
    (
        {"data": {"knobs": {"distinctiveness": 2}}},
        "distinctiveness must lie in [0, 1], got 2",
    ),
    ({"data": {"knobs": {"distinctiveness": float("nan")}}}, "distinctiveness must lie in [0, 1]"),
    (
        {"data": {"knobs": {"noise": 0.1}}},
        "unknown setting 'noise' of data set checkins: it takes distinctiveness",
    ),
    (
        {"data": {"name": "location", "knobs": {"noise": 0.1}}},
        "unknown setting 'noise' of data set location: it takes none",
    ),
    # choices that cannot be combined
    (
        {"data": {"name": "digits"}, "model": {"name": "fc"}},
        "model fc takes tabular records, but digits holds image records: choose cnn, resnet18",
    ),
    (
        {"data": {"name": "shapes"}, "defense": {"name": "dp_sgd"}, "model": {"norm": "batch"}},
        "DP-SGD clips each record's gradient, and batch norm mixes the records of a batch: choose "
        "group norm",
    ),
    (
        {"data": {"name": "shapes"}, "model": {"name": "vgg16"}, "defense": {"name": "dp_sgd"}},
        "DP-SGD keeps a gradient per record, which takes too much memory for vgg16: choose cnn",
    ),
    (
        {
            "data": {"name": "shapes"},
            "defense": {"name": "dp_sgd"},
            "pruning": {"approach": "network_slimming"},
        },
        "network_slimming ranks batch-norm scales, and with group norm (which DP-SGD needs) cnn "
        "has none: choose l1_unstructured",
    ),
    ({"model": {"norm": "group"}}, "group norm replaces batch norm, and fc has none"),
    ({"defense": {"name": "dp_sgd", "clip": 0}}, "clip must be above 0 for DP-SGD, got 0"),
    (
        {"defense": {"name": "label_smoothing", "strength": 0.95}},
        "strength of label_smoothing must lie in [0, 0.9], got 0.95",
    ),
    (
        {"shadows": 1, "attacks": {"names": ["lira"]}},
        "lira sets its threshold for a shadow with the other shadows: give at least 2",
    ),
    ({"knowledge": {"approach": "nope"}}, "unknown approach 'nope'"),
    (
        {"knowledge": {"approach": "network_slimming"}},
        "network_slimming needs batch-norm layers, and fc has none",
    ),
    (
        {"knowledge": {"sparsity": 1}},
        "knowledge.sparsity must be less than 1, got 1",
    ),
    # the user's own data set
    (
        {"data": {"name": "own"}},
        "data set 'own' needs its description in data.own: name its file with --dataset PATH",
    ),
    ({"data": {"name": "digits", "own": OWN}}, "data set 'own' needs its description"),
    (
        {"data": {"name": "location"}, "pruning": {"approach": "l1_structured"}},
        "l1_structured needs conv layers, and fc has none: choose l1_unstructured",
    ),
    (
        {"pruning": {"approach": "network_slimming"}},
        "network_slimming needs batch-norm layers, and fc has none: choose l1_unstructured",
    ),
    ({"models": ["defended"]}, "model 'defended' needs a defence: choose --defense ppb"),
    ({"models": ["pruned", "pruned"]}, "models must not contain a name twice, got pruned, pruned"),
    ({"attacks": {"names": ["nn", "nn"]}}, "attacks must not contain a name twice, got nn, nn"),
    ({"models": []}, "models must name at least one, got none"),
    ({"attacks": {"names": []}}, "attacks.names must name at least one, got none"),
    # not an experiment at all
    ({"sparsity": 0.5}, "sparsity is not a setting"),
    ({"training": {"optimiser": "sgd"}}, "training.optimiser is not a setting"),
    ({"data": "location"}, "data must be a mapping of settings, got 'location'"),
    ({"pruning": None}, "pruning must be a mapping of settings, got None"),
    ({"data": {"knobs": [1]}}, "data.knobs must be a mapping of settings, got [1]"),
]


@pytest.mark.parametrize(("given", "sentence"), REFUSED, ids=[s for _, s in REFUSED])
def test_refuses_in_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        make_experiment(given)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ";" not in str(caught.value), "one mistake, one sentence"


def test_reports_every_mistake() -> None:
    with pytest.raises(ExperimentError, match=r"shadows must be at least 1.*; seed must be"):
        make_experiment({"shadows": 0, "seed": -1})


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@given(st.sampled_from(sorted(Experiment.model_fields)), plain)
def test_anything_from_outside_is_an_experiment_or_a_sentence(name: str, value: Any) -> None:
    try:
        experiment = make_experiment({name: value})
    except ExperimentError:  # any other exception fails the test
        return
    assert make_experiment(experiment.model_dump(mode="json")) == experiment


# --- defaults ---


def test_the_default_run() -> None:
    run = make_experiment({})
    assert (run.data.name, run.model.name) == ("checkins", "fc")
    assert (run.pruning.approach, run.pruning.sparsity) == ("l1_unstructured", 0.7)
    assert (run.training.epochs, run.training.fine_tune_epochs, run.shadows) == (50, 25, 5)
    assert run.models == ("original", "control", "pruned")
    assert run.attacks.names == tuple(ATTACKS)


@pytest.mark.parametrize("dataset", DATASETS)
def test_defaults_follow_the_data_set(dataset: str) -> None:
    run = make_experiment({"data": {"name": dataset}})
    assert MODELS[run.model.name].serves == DATASETS[dataset].kind
    assert run.training.epochs == MODELS[run.model.name].epochs
    assert run.training.fine_tune_epochs == run.training.epochs // 2
    assert run.data.knobs == {k.name: k.default for k in DATASETS[dataset].knobs}


def test_fine_tuning_lasts_half_as_long_by_default() -> None:
    assert make_experiment({"training": {"epochs": 9}}).training.fine_tune_epochs == 4
    assert make_experiment({"training": {"epochs": 1}}).training.fine_tune_epochs == 1
    chosen = {"epochs": 9, "fine_tune_epochs": 20}
    assert make_experiment({"training": chosen}).training.fine_tune_epochs == 20


def test_all_models_means_all_models_of_the_run() -> None:
    defended = make_experiment({"models": "all", "defense": {"name": "ppb"}})
    assert defended.models == ("original", "control", "pruned", "defended")
    assert defended.defense.strength == 4
    assert make_experiment({"models": "all"}).models == ("original", "control", "pruned")
    asked = make_experiment({"models": ["control_matched", "pruned"]})
    assert asked.models == ("control_matched", "pruned"), "only where it is named"


def test_recipes_are_those_of_the_table() -> None:
    assert set(get_args(Attacks.model_fields["recipe"].annotation)) == set(RECIPES)


@pytest.mark.parametrize("approach", APPROACHES)
def test_every_approach_serves_the_small_cnn(approach: str) -> None:
    run = make_experiment({"data": {"name": "shapes"}, "pruning": {"approach": approach}})
    assert run.pruning.approach == approach
    assert (run.pruning.slimming_penalty > 0) == (approach == "network_slimming")


def test_the_users_own_data_set_has_its_description() -> None:
    run = make_experiment({"data": {"name": "own", "own": OWN}})
    option = run.data.option
    assert (option.label, option.records, option.shape, option.classes) == ("mine", 90, (4,), 3)
    assert run.model.name == "fc"
    assert run.run_id.startswith("own-fc-70-")
    assert make_experiment(run.model_dump(mode="json")) == run
    with pytest.raises(ExperimentError, match=r"data\.own\.classes: .* import its file again"):
        make_experiment({"data": {"name": "own", "own": {**OWN, "classes": 1}}})


def test_dp_sgd_gives_every_model_of_the_run_group_norm() -> None:
    run = make_experiment({"data": {"name": "shapes"}, "defense": {"name": "dp_sgd"}})
    assert (run.model.norm, run.defense.clip) == ("group", 1.0)
    assert make_experiment({"defense": {"name": "dp_sgd"}}).model.norm == "batch", "FC has none"


def test_one_shadow_leaves_out_attacks_that_need_two() -> None:
    names = make_experiment({"shadows": 1}).attacks.names
    assert set(ATTACKS) - set(names) == {"lira", "rmia", "base"}


def test_what_the_adversary_assumes_is_an_experiment_of_its_own() -> None:
    assert make_experiment({}).assumed is None
    known: dict[str, Any] = {"approach": "network_slimming", "sparsity": 0.9}
    run = make_experiment({"data": {"name": "shapes"}, "knowledge": known, "seed": 3})
    assumed = run.assumed
    assert assumed is not None
    assert (assumed.pruning.approach, assumed.pruning.sparsity) == ("network_slimming", 0.9)
    assert assumed.pruning.slimming_penalty > 0
    assert assumed.assumed is None
    same = {"pruning": assumed.pruning.model_dump(), "knowledge": {}}
    assert make_experiment({**run.model_dump(mode="json"), **same}) == assumed


# --- keys ---


def test_settings_without_effect_do_not_make_another_run() -> None:
    plain_run = make_experiment({})
    for spelled_out in (
        {"defense": {"name": "none", "strength": 9}},
        {"pruning": {"slimming_penalty": 0.5}},
        {"training": {"epochs": 50}},
        {"defense": {"clip": 3}},
        {"knowledge": {"approach": "l1_unstructured", "sparsity": 0.7}},
        {"attacks": {"names": "all"}},
        {"data": {"name": "checkins", "knobs": {"distinctiveness": 0.5}}},
    ):
        assert make_experiment(spelled_out).key == plain_run.key


def test_settings_with_effect_make_another_run() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"seed": 8},
        {"shadows": 4},
        {"pruning": {"sparsity": 0.6}},
        {"defense": {"name": "ppb"}},
        {"defense": {"name": "ppb", "strength": 8}},
        {"attacks": {"recipe": "paper"}},
        {"attacks": {"names": ["conf"]}},
        {"data": {"limit": 400}},
        {"data": {"knobs": {"distinctiveness": 0.6}}},
        {"training": {"epochs": 40}},
        {"knowledge": {"sparsity": 0.5}},
        {"signals": {"sensitivity": "exact"}},
        {"defense": {"name": "dp_sgd"}},
        {"defense": {"name": "dp_sgd", "clip": 2}},
        {"data": {"name": "own", "own": OWN}},
        {"data": {"name": "own", "own": {**OWN, "digest": "1f" * 32}}},
    ]
    assert len({make_experiment(change).run_id for change in changes}) == len(changes)


def test_an_experiment_survives_json() -> None:
    run = make_experiment({"data": {"name": "shapes", "knobs": {"noise": 0.3}}, "seed": 3})
    again = make_experiment(Experiment.model_validate_json(run.model_dump_json()).model_dump())
    assert again == run
    assert again.key == run.key


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 2**31 - 1))
def test_run_ids_suit_paths_and_urls(sparsity: float, seed: int) -> None:
    run = make_experiment({"pruning": {"sparsity": sparsity}, "seed": seed})
    assert re.fullmatch(r"[0-9a-z_-]{8,64}", run.run_id)


def test_canonical_json_is_the_same_for_equal_values() -> None:
    assert canonical_json({"b": 1, "a": [1, None]}) == canonical_json({"a": [1, None], "b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_an_experiment_cannot_be_changed() -> None:
    run = make_experiment({})
    with pytest.raises(ValidationError, match="frozen"):
        run.seed = 3  # type: ignore[misc]


def parts(model: type[BaseModel]) -> list[type[BaseModel]]:
    inner = [f.annotation for f in model.model_fields.values()]
    nested = [t for t in inner if isinstance(t, type) and issubclass(t, BaseModel)]
    return [model, *(p for n in nested for p in parts(n))]


@pytest.mark.parametrize("part", parts(Experiment)[1:], ids=lambda part: part.__name__)
def test_every_setting_is_described(part: type[BaseModel]) -> None:
    for name, field in part.model_fields.items():
        assert field.description, f"{part.__name__}.{name}"


def test_width_is_refused_where_it_scales_nothing() -> None:
    with pytest.raises(
        ExperimentError, match="width scales convolutional networks, and fc is not one"
    ):
        make_experiment({"model": {"name": "fc", "width": 0.5}})
    assert make_experiment({"data": {"name": "shapes"}, "model": {"width": 0.5}}).model.width == 0.5


@pytest.mark.parametrize("limit", [5010, 6000])
def test_a_limit_that_leaves_nothing_out_is_none(limit: int) -> None:
    assert make_experiment({"data": {"limit": limit}}) == make_experiment({})
    assert make_experiment({"data": {"limit": 5009}}).data.limit == 5009
