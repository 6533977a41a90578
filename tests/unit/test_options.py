"""The tables are complete, their names fit files and URLs, and they import no torch."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping

import pytest

from prunepriv.errors import UnknownNameError
from prunepriv.options import (
    APPROACHES,
    ATTACKS,
    DATASETS,
    DEFENSES,
    MODEL_KIND_SUMMARIES,
    MODEL_KINDS,
    MODELS,
    RECIPES,
    Option,
    lookup,
    records_of_fit,
    table,
)

TABLES: Mapping[str, Mapping[str, Option]] = {
    "data set": DATASETS,
    "model": MODELS,
    "approach": APPROACHES,
    "defence": DEFENSES,
    "attack": ATTACKS,
    "recipe": RECIPES,
}
OPTIONS = [(what, option) for what, options in TABLES.items() for option in options.values()]


def test_the_names_of_all_options() -> None:
    bundled = [option.name for option in DATASETS.values() if option.bundled]
    assert bundled == ["checkins", "shapes", "digits"]
    paper = "location purchase texas cifar10 cifar100 svhn chmnist"
    assert " ".join(list(DATASETS)[3:]) == paper
    assert " ".join(MODELS) == "fc cnn resnet18 vgg16 densenet121"
    assert " ".join(APPROACHES) == "l1_unstructured l1_structured l2_structured network_slimming"
    assert " ".join(DEFENSES) == "none ppb adversarial dp_sgd label_smoothing"
    assert (
        " ".join(ATTACKS) == "corr conf entr mentr top1_conf nn top3_nn cls_nn samia lira rmia base"
    )
    assert set(RECIPES) == {"fast", "paper"}
    assert list(MODEL_KIND_SUMMARIES) == list(MODEL_KINDS)


@pytest.mark.parametrize(("what", "option"), OPTIONS, ids=[o.name for _, o in OPTIONS])
def test_every_option_says_what_it_is(what: str, option: Option) -> None:
    assert TABLES[what][option.name] is option
    assert re.fullmatch(r"[a-z0-9_]+", option.name)
    assert option.label
    assert re.fullmatch(r"[A-Z0-9].*\.", option.summary), "a sentence"


def test_the_values_of_a_data_set_agree() -> None:
    for option in DATASETS.values():
        assert len(option.shape) == {"tabular": 1, "image": 3}[option.kind]
        assert not option.class_names or len(option.class_names) == option.classes
        assert any(model.serves == option.kind for model in MODELS.values())
        for knob in option.knobs:
            assert knob.low <= knob.default <= knob.high
            assert 0 < knob.step <= knob.high - knob.low


def test_every_model_can_be_pruned() -> None:
    for model in MODELS.values():
        assert any(approach.needs & model.layers for approach in APPROACHES.values())


def test_defense_strengths_lie_in_their_range() -> None:
    for defense in DEFENSES.values():
        assert defense.low <= defense.default_strength <= defense.high


def test_every_attack_says_what_it_needs() -> None:
    for attack in ATTACKS.values():
        assert re.fullmatch(r"[A-Z].*\.", attack.needs), attack.name


def test_every_attack_says_what_is_fitted_and_what_is_not() -> None:
    for attack in ATTACKS.values():
        for told in (attack.fitted, attack.fixed):
            assert re.fullmatch(r"[a-z].*[^.]", told), attack.name
        assert attack.kind != "network" or "weights" in attack.fitted
        assert attack.kind == "network" or attack.name == "corr" or "threshold" in attack.fitted


def test_only_attack_networks_are_fitted_on_a_sample() -> None:
    for attack in ATTACKS.values():
        limited = records_of_fit(10**7, attack.most_records(100), "fast") < 10**7
        assert limited == (attack.kind == "network"), attack.name
        assert records_of_fit(10**7, attack.most_records(100), "paper") == 10**7


def test_a_defense_with_a_strength_says_what_it_is() -> None:
    for defense in DEFENSES.values():
        assert bool(defense.strength) == (defense.high > 0), defense.name


@pytest.mark.parametrize("what", TABLES)
def test_unknown_names_list_the_known_ones(what: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        lookup(TABLES[what], "nope", what)
    assert str(caught.value) == f"unknown {what} 'nope': choose one of {', '.join(TABLES[what])}"


def test_a_name_listed_twice_is_refused() -> None:
    option = Option(name="conf", label="Conf", summary="One.")
    with pytest.raises(RuntimeError, match="listed twice"):
        table(option, Option(name="conf", label="Other", summary="Another."))
    assert table(option) == {"conf": option}


def test_options_import_no_torch() -> None:
    code = (
        "import sys; import prunepriv.options, prunepriv.experiment, prunepriv.plan, "
        "prunepriv.store.result, prunepriv.evaluation, prunepriv.divergence; "
        "print([m for m in ('torch', 'streamlit', 'plotly', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
