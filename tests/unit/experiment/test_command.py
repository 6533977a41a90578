from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunepriv.cli import launch as cli_launch
from prunepriv.cli.app import app
from prunepriv.errors import ExperimentError
from prunepriv.experiment import Experiment, make_experiment
from prunepriv.experiment.command import command_line
from prunepriv.experiment.presets import presets
from prunepriv.options import APPROACHES, ATTACKS, DATASETS


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    """Any experiment that the command line can express."""
    dataset = draw(st.sampled_from(list(DATASETS.values())))
    names = st.lists(st.sampled_from(list(ATTACKS)), min_size=1, unique=True)
    knobs = {k.name: round(draw(st.floats(k.low, k.high)), 3) for k in dataset.knobs}
    given_: dict[str, Any] = {
        "data": {
            "name": dataset.name,
            "limit": draw(st.none() | st.integers(40, 9000)),
            "knobs": knobs,
        },
        "model": {
            "width": draw(st.sampled_from([1.0, 0.5, 2.0])),
            **draw(st.sampled_from([{}, {"norm": "group"}])),
        }
        if dataset.kind == "image"
        else {},
        "training": {
            "epochs": draw(st.integers(1, 100)),
            "fine_tune_epochs": draw(st.integers(1, 100)),
            "patience": draw(st.none() | st.integers(1, 9)),
            "stop_at_member_accuracy": draw(st.none() | st.sampled_from([0.9, 0.99])),
            "learning_rate": draw(st.sampled_from([1e-3, 0.0123456789])),
            "weight_decay": draw(st.sampled_from([5e-4, 0.0])),
            "batch_size": draw(st.sampled_from([128, 64])),
        },
        "pruning": {
            "approach": draw(st.sampled_from(list(APPROACHES))),
            "sparsity": draw(st.sampled_from([0.0, 0.5, 0.625, 0.9])),
            "slimming_penalty": draw(st.sampled_from([1e-4, 0.0, 2e-3])),
        },
        "defense": draw(
            st.sampled_from(
                [
                    {"name": "none"},
                    {"name": "ppb", "strength": 8.0},
                    {"name": "adversarial"},
                    {"name": "dp_sgd", "strength": 1.25, "clip": 0.5},
                    {"name": "dp_sgd"},
                    {"name": "label_smoothing", "strength": 0.2},
                ]
            )
        ),
        "knowledge": {
            "approach": draw(st.none() | st.sampled_from(list(APPROACHES))),
            "sparsity": draw(st.none() | st.sampled_from([0.0, 0.3, 0.625])),
        },
        "signals": {"sensitivity": draw(st.sampled_from(["sampled", "exact"]))},
        "attacks": {"names": draw(names), "recipe": draw(st.sampled_from(["fast", "paper"]))},
        "shadows": draw(st.integers(1, 9)),
        "seed": draw(st.integers(0, 2**31 - 1)),
    }
    try:
        return make_experiment(given_)
    except ExperimentError:
        plain = {"pruning": {"sparsity": 0.5}, "knowledge": {"sparsity": 0.3}, "shadows": 2}
        return make_experiment(given_ | plain)


def parsed(command: str, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """The experiment that the command line would run."""
    caught: list[Experiment] = []
    monkeypatch.setattr(
        cli_launch, "run_and_show", lambda experiment, *rest: caught.append(experiment)
    )
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "prunepriv"]
    app(words[3:], standalone_mode=False)
    return caught[0]


@given(experiments())
def test_the_command_runs_the_same_experiment(experiment: Experiment) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert parsed(command_line(experiment), patch) == experiment


@pytest.mark.parametrize("name", list(presets()))
def test_the_command_of_a_preset_runs_the_same_experiment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = presets()[name].made
    assert parsed(command_line(experiment), monkeypatch) == experiment


def test_the_users_own_data_set_is_named_by_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNEPRIV_STORE", str(tmp_path / "store"))
    file = tmp_path / "people.csv"
    file.write_text("age,kind\n" + "4,0\n7,1\n" * 20)
    given_by_path = parsed(
        shlex.join(
            ["python", "-m", "prunepriv", "run", "--dataset", str(file), "--label-column", "kind"]
        ),
        monkeypatch,
    )
    own = given_by_path.data.own
    assert own is not None
    assert own.label == "people"
    command = command_line(given_by_path)
    assert f"--dataset own:{own.digest[:12]}" in command
    assert parsed(command, monkeypatch) == given_by_path


def test_defaults_are_left_out() -> None:
    command = command_line(make_experiment({}))
    assert "--limit" not in command
    assert "--attacks" not in command
    assert "--strength" not in command
    assert "--norm" not in command
    assert "--clip" not in command
    assert "--assumed" not in command
    assert "--sensitivity" not in command


def test_several_seeds_take_the_place_of_one() -> None:
    experiment = make_experiment({"seed": 3})
    words = command_line(experiment, (3, 1)).split()
    assert words[words.index("--seeds") + 1] == "3,1"
    assert "--seed" not in words
