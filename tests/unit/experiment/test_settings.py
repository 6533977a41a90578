"""Every field of an experiment has a row in the table, and every row a field."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prunepriv.errors import ExperimentError
from prunepriv.experiment import PARTS, Experiment, make_experiment
from prunepriv.experiment.defaults import choice_of
from prunepriv.experiment.parts import Defense
from prunepriv.experiment.settings import (
    BY_PATH,
    SETTINGS,
    Setting,
    is_used,
    refuse_unused,
    with_value,
)


def fields() -> Iterator[str]:
    for name in Experiment.model_fields:
        if name in PARTS:
            yield from (f"{name}.{field}" for field in PARTS[name].model_fields)
        else:
            yield name


def test_every_field_has_one_row() -> None:
    described = set(fields()) - {"data.own"}  # the user's own data set is named by --dataset
    assert set(BY_PATH) == described
    assert len(SETTINGS) == len(described)


@pytest.mark.parametrize("what", ["option", "label", "key", "words", "name"])
def test_no_two_rows_share_a_name(what: str) -> None:
    names = [getattr(setting, what) for setting in SETTINGS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: one.path)
def test_every_row_is_complete(setting: Setting) -> None:
    assert setting.help.endswith(".")
    assert setting.option.startswith("--")
    assert setting.of(make_experiment({})) is not ...
    if setting.zero:
        assert setting.optional, "0 means no value"
    if setting.used_by.owner:
        assert setting.used_by.unused is not None
        assert setting.used_by.choose.startswith("--")


def test_a_row_reads_its_field() -> None:
    sparsity = BY_PATH["pruning.sparsity"]
    assert (sparsity.bound("ge", "gt"), sparsity.bound("le", "lt")) == (0, 1)
    assert (sparsity.kind, sparsity.default, sparsity.optional) == ("float", 0.7, False)
    assert BY_PATH["training.patience"].optional
    assert BY_PATH["model.norm"].choices == ("batch", "group")
    assert BY_PATH["attacks.names"].many
    assert BY_PATH["data.knobs"].default == {}


def test_what_nobody_uses_is_dropped_from_the_key() -> None:
    plain = make_experiment({})
    given = {"defense": {"strength": 9, "clip": 3}, "pruning": {"slimming_penalty": 0.5}}
    assert make_experiment(given).key == plain.key
    assert Defense.off() == plain.defense.model_dump()


@pytest.mark.parametrize(
    ("path", "user"),
    [
        ("defense.clip", {"defense": {"name": "dp_sgd"}}),
        ("defense.strength", {"defense": {"name": "ppb"}}),
        ("pruning.slimming_penalty", {"pruning": {"approach": "network_slimming"}}),
        ("model.width", {"model": {"name": "cnn"}}),
    ],
)
def test_a_setting_is_used_where_its_user_is_chosen(path: str, user: dict[str, object]) -> None:
    setting = BY_PATH[path]
    assert is_used(setting, choice_of(user))
    assert not is_used(setting, choice_of({"model": {"name": "fc"}}))
    if setting.used_by.owner:
        refuse_unused(user, {path: setting.option})
        with pytest.raises(
            ExperimentError, match=f"{setting.option} belongs to .*: add --.* leave it out"
        ):
            refuse_unused({}, {path: setting.option})


def test_a_value_is_set_by_its_dotted_name() -> None:
    settings = {"pruning": {"approach": "l1_structured"}}
    with_value(settings, "pruning.sparsity", 0.5)
    with_value(settings, "seed", 3)
    assert settings == {"pruning": {"approach": "l1_structured", "sparsity": 0.5}, "seed": 3}
    with pytest.raises(ExperimentError, match="seed must be a mapping of settings, got 3"):
        with_value(settings, "seed.x", 1)
