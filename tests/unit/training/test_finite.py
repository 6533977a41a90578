"""A loss or an answer that is not finite ends the training at once, with a sentence."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from prunepriv.errors import TrainingError
from prunepriv.models import Ensemble
from prunepriv.training import Settings, cross_entropy, plain, train
from prunepriv.training.finite import refuse_non_finite
from tests.stacks import fresh, make_problem

INF = math.inf


def point(loss: float = 0.5, validation: float = 0.25) -> dict[str, float]:
    return {
        "epoch": 3, "loss": loss, "member_accuracy": 0.5, "validation_accuracy": validation,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (point(loss=INF), "shadow 5's loss became inf in epoch 3 of fine-tuning: "),
        (point(loss=-INF), "shadow 5's loss became -inf in epoch 3 of fine-tuning: "),
        (point(loss=math.nan), "shadow 5's loss became not a number in epoch 3 of fine-tuning: "),
        (
            point(validation=math.nan),
            "shadow 5's answers were no longer finite numbers after epoch 3 of fine-tuning: ",
        ),
    ],
    ids=["inf", "minus-inf", "nan", "answers"],
)
def test_the_sentence_says_whose_where_and_what_to_change(
    wrong: dict[str, float], fault: str
) -> None:
    with pytest.raises(TrainingError) as told:
        refuse_non_finite(
            [point(), wrong], [2, 5], "fine_tune", Settings(epochs=9, learning_rate=0.5), False
        )
    assert str(told.value) == f"{fault}lower the learning rate (now 0.5)"


def test_finite_points_pass() -> None:
    refuse_non_finite([point(), point(loss=-1e30)], [0, 1], "train", Settings(epochs=9), True)


def test_every_cause_that_the_user_can_change_is_named() -> None:
    settings = Settings(epochs=9, scale_penalty=1e-4)
    with pytest.raises(TrainingError) as told:
        refuse_non_finite([point(loss=INF)], [0], "train", settings, True)
    assert str(told.value).startswith("the target's loss became inf in epoch 3 of training: ")
    assert str(told.value).endswith(
        "lower the learning rate (now 0.001) or the slimming penalty (now 0.0001), or weaken the "
        "defence"
    )


def overflow(ensemble: Ensemble, settings: Settings, **options: object) -> str:
    """The sentence with which the training of a stack ends in its first epoch."""
    reported = []
    with pytest.raises(TrainingError) as told:
        train(
            ensemble, make_problem("fc" if hasattr(ensemble, "hidden1") else "cnn", 2), settings,
            seed=7, stage="train", reports=[lambda *given: reported.append(given)] * 2, **options,  # type: ignore[arg-type]
        )  # fmt: skip
    assert not reported
    return str(told.value)


def test_a_learning_rate_that_overflows_fails_the_first_epoch() -> None:
    settings = Settings(epochs=5, batch_size=32, learning_rate=1e20)
    told = overflow(fresh("fc", 2), settings)
    assert told == (
        "the target's loss became not a number in epoch 1 of training: lower the learning rate "
        "(now 1e+20)"
    )


def test_weights_that_overflow_in_the_last_step_are_found_by_their_answers() -> None:
    """No loss was computed with them: 90 records are one batch."""
    settings = Settings(epochs=1, batch_size=128, learning_rate=1e20)
    told = overflow(fresh("cnn", 2), settings)
    assert told.startswith("the target's answers were no longer finite numbers after epoch 1")


def test_answers_that_reach_no_number_in_eval_mode_are_found() -> None:
    """Batch norm's running statistics are used in eval mode alone: the losses stay finite."""
    ensemble = fresh("cnn", 2)
    ensemble.norms[0].running_mean[0] = torch.nan  # type: ignore[index, union-attr]
    told = overflow(ensemble, Settings(epochs=5, batch_size=32))
    assert told.startswith("the target's answers were no longer finite numbers after epoch 1")


@pytest.mark.parametrize("one_by_one", [False, True], ids=["together", "one-by-one"])
def test_a_model_is_named_by_its_number(monkeypatch: pytest.MonkeyPatch, one_by_one: bool) -> None:
    ensemble = fresh("fc", 2)
    monkeypatch.setattr(type(ensemble), "one_by_one", one_by_one)
    ensemble.output.bias.data[1, 0] = INF  # type: ignore[union-attr]
    reports: list[object] = []
    with pytest.raises(TrainingError, match=r"^shadow 1's loss became not a number in epoch 1 "):
        train(
            ensemble, make_problem("fc", 2), Settings(epochs=2), seed=7, stage="train",
            reports=[lambda *given: reports.append(given)] * 2,
        )  # fmt: skip
    assert len(reports) == (2 if one_by_one else 0)


def test_a_defences_penalty_counts_too() -> None:
    def objective(logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits, labels) + 1e38 * logits.square().sum(dim=(1, 2))

    told = overflow(fresh("fc", 2), Settings(epochs=5), protect=plain(objective))
    assert told == (
        "the target's loss became inf in epoch 1 of training: lower the learning rate (now 0.001), "
        "or weaken the defence"
    )
