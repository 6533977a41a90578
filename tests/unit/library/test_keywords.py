"""Keywords mean what the command line's options mean, and a mistake is one sentence."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import prunepriv
from prunepriv.cli import launch as launch_module
from prunepriv.cli import main
from prunepriv.errors import UnknownNameError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.settings import SETTINGS
from prunepriv.library.choices import choices_of, experiment_of, new_sweep
from prunepriv.library.keywords import KEYWORDS, NAMES, OTHERS, in_keywords


def chosen(preset: str | None = None, **keywords: Any) -> Experiment:
    choices = choices_of(keywords, lambda named, column: {"name": named})
    return experiment_of(None, preset, choices)


def axes(**keywords: Any) -> dict[str, list[Any]] | None:
    return new_sweep(
        None, None, choices_of(keywords, lambda named, column: {"name": named}), False
    ).grid


def test_there_is_a_keyword_for_every_setting() -> None:
    assert [setting.path for setting in KEYWORDS.values()] == [one.path for one in SETTINGS]
    assert len(set(NAMES)) == len(NAMES)


SAME: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({}, ()),
    ({"data": "digits"}, ("--dataset", "digits")),
    ({"dataset": "digits", "limit": 200}, ("--dataset", "digits", "--limit", "200")),
    ({"limit": 0, "patience": 0}, ("--limit", "0", "--patience", "0")),
    ({"patience": None, "seed": None}, ()),
    ({"sparsity": np.float64(0.5), "seed": np.int64(3)}, ("--sparsity", "0.5", "--seed", "3")),
    ({"sparsity": np.array(0.5)}, ("--sparsity", "0.5")),
    ({"attacks": ["conf", "nn"]}, ("--attacks", "conf,nn")),
    ({"attacks": "conf, nn", "models": "all"}, ("--attacks", "conf,nn")),
    ({"attacks": {"nn", "conf"}}, ("--attacks", "conf,nn")),
    ({"attacks": pd.Series(["conf", "nn"])}, ("--attacks", "conf,nn")),
    ({"models": ("pruned", "control")}, ("--models", "pruned,control")),
    ({"knobs": {"distinctiveness": 0.25}}, ("--knob", "distinctiveness=0.25")),
    ({"data": "shapes", "width": 0.5}, ("--dataset", "shapes", "--width", "0.5")),
    (
        {"preset": "default_ppb", "strength": 8, "seed": 3},
        ("--preset", "default_ppb", "--strength", "8", "--seed", "3"),
    ),
    (
        {"defense": "dp_sgd", "clip": 0.5, "learning_rate": 0.01},
        ("--defense", "dp_sgd", "--clip", "0.5", "--learning-rate", "0.01"),
    ),
    (
        {"stop_at_member_accuracy": 0.99, "fine_tune_epochs": 4, "assumed_sparsity": 0.5},
        ("--stop-at-member-accuracy", "0.99", "--fine-tune-epochs", "4", "--assumed-sparsity", "0.5"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("keywords", "words"), SAME, ids=[" ".join(one[1]) for one in SAME])
def test_keywords_choose_what_the_options_choose(
    monkeypatch: pytest.MonkeyPatch, keywords: dict[str, Any], words: tuple[str, ...]
) -> None:
    made: list[Experiment] = []
    monkeypatch.setattr(launch_module, "run_and_show", lambda *given: made.append(given[0]))
    monkeypatch.setattr(sys, "argv", ["prunepriv", "run", *words])
    with pytest.raises(SystemExit):
        main()
    assert made == [chosen(**keywords)]


def test_several_values_are_an_axis() -> None:
    found = axes(sparsity=np.array([0.5, 0.7]), seed=range(1, 3), data=["digits", "shapes"])
    assert found == {
        "data.name": ["digits", "shapes"],
        "pruning.sparsity": [0.5, 0.7],
        "seed": [1, 2],
    }
    assert axes(patience=[0, 5], attacks=["conf", "nn"]) == {"training.patience": [None, 5]}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"sparcity": 0.7}, "unknown keyword 'sparcity': did you mean sparsity?"),
    ({"defence": "ppb"}, "unknown keyword 'defence': did you mean defense?"),
    ({"prest": "default"}, "unknown keyword 'prest': did you mean preset?"),
    ({"zzz": 1}, "unknown keyword 'zzz': choose among dataset, limit"),
    ({"data": "digits", "dataset": "digits"}, "dataset was given under two names: use one"),
    ({"sparsity": 1.2}, "sparsity must lie in [0, 1), got 1.2"),
    ({"sparsity": "high"}, "sparsity must be a valid number"),
    ({"sparsity": [0.5, 0.7]}, "sparsity must have one value in a run, got [0.5, 0.7]"),
    ({"epochs": 2.5}, "epochs must be a valid integer"),
    ({"epochs": True}, "epochs must be a number, got True"),
    ({"model": {"name": "fc"}}, "model must be a name, got {'name': 'fc'}"),
    ({"model": "x"}, "unknown model 'x': choose one of fc, cnn"),
    ({"data": 3}, "data must be a name, a path or own:DIGEST, got 3"),
    ({"data": "cifar"}, "unknown data set 'cifar': choose one of checkins"),
    ({"data": ["digits", 3.5, "x"]}, "dataset must have one value in a run"),
    ({"attacks": 3}, "attacks must be a name or a list of names, got 3"),
    ({"attacks": ["conf", 3]}, "attacks must be a name or a list of names"),
    ({"attacks": ["x"]}, "unknown attack 'x': choose one of corr, conf"),
    ({"models": "defended"}, "model 'defended' needs a defence: choose defense ppb"),
    ({"knobs": 0.3}, "knob must be numbers by name, such as {'noise': 0.3}, got 0.3"),
    ({"knobs": {"noise": 1}}, "unknown setting 'noise' of data set checkins"),
    ({"strength": 4}, "and none was chosen: add defense ppb, or leave it out"),
    ({"clip": 1}, "was not chosen: add defense dp_sgd, or leave it out"),
    ({"patience": -1}, "patience must be greater than or equal to 1, got -1"),
    ({"shadows": 0}, "shadows must be "),
    ({"recipe": "x"}, "recipe must be 'fast' or 'paper', got 'x'"),
    ({"preset": "x"}, "unknown preset 'x': choose one of default"),
    ({"preset": 3}, "preset must be the name of a preset, got 3"),
    ({"store": 3}, "store must be the path of a folder, got 3"),
    ({"experiment": 3}, "experiment must be an Experiment or settings by part"),
    ({"experiment": {}, "seed": 3}, "experiment holds all settings: put seed into it"),
    ({"experiment": {}, "preset": "default"}, "put preset into it"),
    ({"experiment": {"seeds": 3}}, "seeds is not a setting"),
    ({"label_column": "x"}, "label_column "),
    ({"label_column": "x", "data": ["digits"]}, "label_column is for one file"),
    ({"data": "own:0000"}, "own:0000 is not in this store"),
]


def test_the_other_keywords_of_run_are_known() -> None:
    assert set(inspect.signature(prunepriv.run).parameters) - set(NAMES) == set(OTHERS)


@pytest.mark.parametrize(("keywords", "sentence"), MISTAKES, ids=lambda value: str(value)[:50])
def test_a_mistake_is_one_sentence_that_names_the_keyword(
    keywords: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(prunepriv.ExperimentError) as error:
        prunepriv.run(**keywords)
    told = str(error.value)
    assert sentence in told
    assert "\n" not in told
    assert "--" not in told


def test_the_kind_of_a_mistake_is_kept() -> None:
    with pytest.raises(UnknownNameError):
        chosen(preset="x")


def test_only_names_of_settings_become_keywords() -> None:
    told = in_keywords("training.epochs of data.csv and --fine-tune-epochs 3: see model.x")
    assert told == "epochs of data.csv and fine_tune_epochs 3: see model.x"


def test_a_file_of_the_users_is_read(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("age,kind\n" + "4,a\n7,b\n" * 20)
    with pytest.raises(prunepriv.ExperimentError, match="sparsity must lie in"):
        prunepriv.run(data=file, label_column="kind", sparsity=2)
    with pytest.raises(prunepriv.DataError, match="no column 'label'"):
        prunepriv.run(data=str(file), label_column="label")


def test_an_experiment_may_be_given_whole() -> None:
    whole = make_experiment({"seed": 3})
    none = choices_of({}, lambda named, column: {})
    assert experiment_of(whole, None, none) is whole
    assert experiment_of(whole.model_dump(), None, none) == whole
    assert experiment_of({"seed": 3}, None, none) == whole
