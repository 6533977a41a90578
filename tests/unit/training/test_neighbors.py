"""What a model becomes does not depend on the models beside it: not one bit of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from prunepriv.defenses import make_protection
from prunepriv.models import Ensemble, build
from prunepriv.options import DEFENSES
from prunepriv.training import Records, Settings, Trained, initialize, train
from tests.stacks import WIDTH, make_problem

MODELS = 4
STACKS = ([0, 1, 2, 3], [3, 1], [2, 0, 3])
"""A model among one, two and three others, at every place."""


class Problem(NamedTuple):
    """A network, and what it is trained on."""

    network: str
    shape: tuple[int, ...]
    classes: int
    batch: int
    width: float = WIDTH
    norm: str = "batch"
    noise: float = 0.35

    @property
    def records(self) -> Records:
        shape, classes = self.shape, self.classes
        return make_problem(self.network, MODELS, noise=self.noise, shape=shape, classes=classes)

    def stack(self, models: int) -> Ensemble:
        return build(self.network, models, self.shape, self.classes, self.width, self.norm)

    def masks(self) -> dict[str, Tensor]:
        """Half of every weight, drawn for each model."""
        stack, generator = self.stack(MODELS), torch.Generator().manual_seed(1)
        return {
            name: torch.rand(stack.get_parameter(name).shape, generator=generator) > 0.5
            for name in stack.prunable()
        }


PROBLEMS: dict[str, Problem] = {
    # the matrices of a stack begin at multiples of 64 bytes, or they do not: see layers.products
    "fc-aligned": Problem("fc", (48,), 16, batch=32),
    "fc-last-batch": Problem("fc", (446,), 30, batch=64, width=1.0),
    "fc-batch-of-one": Problem("fc", (37,), 3, batch=89, width=0.1),
    "fc-two-classes": Problem("fc", (249,), 2, batch=50, width=1.0),
    "cnn": Problem("cnn", (3, 16, 16), 5, batch=32),
    "cnn-gray": Problem("cnn", (1, 11, 9), 3, batch=44, norm="group"),
}
problems = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())

Learn = Callable[[Sequence[int]], list[Trained]]


def learner(
    problem: Problem, settings: Settings, *, defense: str = "none", masked: bool = False
) -> Learn:
    """Trains the models of some numbers as one stack."""
    records, masks = problem.records, problem.masks() if masked else {}
    strength = DEFENSES[defense].default_strength

    def learn(numbers: Sequence[int]) -> list[Trained]:
        stack, rows = problem.stack(len(numbers)), torch.tensor(numbers)
        initialize(stack, 7, numbers)
        own = Records(records.x, records.y, records.train[rows], records.validation[rows])
        return train(
            stack,
            own,
            settings,
            seed=7,
            stage="fine_tune" if masked else "train",
            numbers=numbers,
            protect=make_protection(defense, strength, clip=1.0),
            masks={name: kept[rows] for name, kept in masks.items()},
        )

    return learn


def assert_same_alone(learn: Learn) -> list[Trained]:
    """Each model of every stack is, bit by bit, the model that is trained alone."""
    alone = [learn([number])[0] for number in range(MODELS)]
    for numbers in STACKS:
        for number, one in zip(numbers, learn(numbers), strict=True):
            what = f"model {number} of the stack {numbers}"
            assert one.history == alone[number].history, what
            assert one.best_epoch == alone[number].best_epoch, what
            assert one.protection == alone[number].protection, what
            for name, value in one.state.items():
                assert torch.equal(value, alone[number].state[name]), f"{name} of {what}"
    first, second = (model.state["output.weight"] for model in alone[:2])
    assert not torch.equal(first, second), "the test needs models that differ"
    return alone


@problems
def test_training(problem: Problem) -> None:
    assert_same_alone(learner(problem, Settings(epochs=3, batch_size=problem.batch)))


@problems
@pytest.mark.parametrize("defense", DEFENSES)
def test_fine_tuning_with_masks_under_every_defense(problem: Problem, defense: str) -> None:
    if defense == "dp_sgd" and problem.network == "cnn" and problem.norm == "batch":
        problem = problem._replace(norm="group")  # DP-SGD allows no batch norm
    settings = Settings(epochs=2, batch_size=problem.batch)
    alone = assert_same_alone(learner(problem, settings, defense=defense, masked=True))
    for number, model in enumerate(alone):
        for name, kept in problem.masks().items():
            assert not model.state[name][~kept[number]].any()


STOPPING = {
    "aligned": Problem("fc", (256,), 16, batch=32, width=1.0, noise=0.9),
    "two-classes": PROBLEMS["fc-two-classes"]._replace(noise=0.9),
}


@pytest.mark.parametrize("defense", ["none", "ppb", "adversarial"])
@pytest.mark.parametrize("problem", STOPPING.values(), ids=STOPPING.keys())
def test_models_that_stop_at_different_epochs(problem: Problem, defense: str) -> None:
    """Those that go on move up in the stack, with their weights, moments, orders and masks."""
    settings = Settings(
        epochs=12, stop_at_member_accuracy=0.9, batch_size=problem.batch, learning_rate=3e-3
    )
    alone = assert_same_alone(learner(problem, settings, defense=defense, masked=True))
    first, *others = (len(model.history) for model in alone)
    assert max(others) > first, "the test needs a model that goes on after the first has stopped"


@pytest.mark.parametrize("patience", [0, 2])
def test_models_that_lose_patience_at_different_epochs(patience: int) -> None:
    problem = PROBLEMS["fc-last-batch"]
    settings = Settings(epochs=12, patience=patience, batch_size=problem.batch, learning_rate=5e-3)
    alone = assert_same_alone(learner(problem, settings))
    assert len({len(model.history) for model in alone}) > 1, "models must stop at different epochs"
