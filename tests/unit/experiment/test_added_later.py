"""A setting that is added later costs nobody their store: ids and keys stay what they were."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import Field

from prunepriv.experiment import Experiment, completed, identity, make_experiment
from prunepriv.experiment.added_later import AddedLater
from prunepriv.experiment.parts import Part, Training
from prunepriv.plan import plan


class Before(Part):
    rate: float = 0.5


class After(Part):
    rate: float = 0.5
    noise: Annotated[float, AddedLater(0.0)] = Field(0.2, description="New.")


class Whole(Part):
    inner: After = Field(default_factory=After)
    seed: Annotated[int, AddedLater(7)] = 9


def test_a_new_setting_is_left_out_at_its_old_value() -> None:
    assert identity(After(noise=0.0)) == identity(Before()) == {"rate": 0.5}
    assert identity(After()) == {"rate": 0.5, "noise": 0.2}, "its default is another value"


def test_parts_within_parts_are_left_out_too() -> None:
    assert identity(Whole(inner=After(noise=0.0), seed=7)) == {"inner": {"rate": 0.5}}
    assert identity(Whole()) == {"inner": {"rate": 0.5, "noise": 0.2}, "seed": 9}


@pytest.mark.parametrize("part", [After(noise=0.0), After(), After(noise=3.0)])
def test_what_was_left_out_is_completed(part: After) -> None:
    assert completed(After, identity(part)) == part.model_dump()


def test_the_values_of_an_older_store_are_completed_with_what_it_did() -> None:
    assert completed(After, {"rate": 0.1}) == {"rate": 0.1, "noise": 0.0}


class LaterTraining(Training):
    """Training as a later version may describe it."""

    label_noise: Annotated[float, AddedLater(0.0)] = 0.0


class LaterExperiment(Experiment):
    """An experiment as a later version may describe it."""

    training: LaterTraining = Field(default_factory=LaterTraining)
    repeats: Annotated[int, AddedLater(1)] = 1


def test_a_setting_added_to_experiments_changes_no_id() -> None:
    experiment, later = make_experiment({}), LaterExperiment()
    assert "label_noise" in later.model_dump()["training"], "the test needs the new setting"
    assert (later.key, later.run_id) == (experiment.key, experiment.run_id)
    assert LaterExperiment(repeats=2).key != experiment.key
    assert LaterExperiment(training=LaterTraining(label_noise=0.1)).key != experiment.key


def test_a_setting_added_to_training_changes_no_key() -> None:
    experiment = make_experiment({})
    later = experiment.model_copy(
        update={"training": LaterTraining(**experiment.training.model_dump())}
    )
    assert later.run_id == experiment.run_id
    assert [s.key for s in plan(later).steps] == [s.key for s in plan(experiment).steps]
    noisy = experiment.model_copy(
        update={"training": LaterTraining(**experiment.training.model_dump(), label_noise=0.1)}
    )
    changed = {s.name for s in plan(noisy).steps} - {
        a.name
        for a, b in zip(plan(noisy).steps, plan(experiment).steps, strict=True)
        if a.key == b.key
    }
    assert "train:0" in changed
    assert "split:0" not in changed
