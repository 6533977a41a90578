"""Models that are each trained for a number of epochs of their own."""

from __future__ import annotations

from dataclasses import replace

import torch

from prunepriv.progress import Report
from prunepriv.training import Protection, Settings
from tests.stacks import fresh, make_problem, train_stack


def test_models_of_a_stack_may_have_lengths_of_their_own() -> None:
    """Each is trained that long whatever its validation accuracy, and keeps its last weights."""
    records, lengths = make_problem("fc", 3), [2, 6, 1]
    settings = Settings(epochs=99, patience=1, learning_rate=1e-2)
    told: list[list[tuple[float, str]]] = [[] for _ in lengths]

    def report_of(model: int) -> Report:
        def report(fraction: float, message: str = "", point: object = None) -> None:
            told[model].append((fraction, message))

        return report

    stack = train_stack(
        fresh("fc", 3), records, settings, seed=7, stage="fine_tune", lengths=lengths,
        reports=[report_of(model) for model in range(3)],
    )  # fmt: skip
    assert [len(points) for points in stack.history] == stack.best_epoch == lengths
    assert [points[-1] for points in told] == [(1.0, f"epoch {n} of {n}") for n in lengths]
    for model, length in enumerate(lengths):
        one = train_stack(
            fresh("fc", 3).single(model), records.of(model), settings, seed=7,
            stage="fine_tune", numbers=[model], lengths=[length],
        )  # fmt: skip
        fixed = train_stack(
            fresh("fc", 3).single(model), records.of(model),
            replace(settings, epochs=length, patience=None), seed=7, stage="fine_tune",
            numbers=[model],
        )  # fmt: skip
        assert one.history[0] == fixed.history[0] == stack.history[model]
        for name, value in one.state.items():
            assert torch.equal(value[0], stack.state[name][model])


def test_models_that_are_trained_alone_have_their_own_lengths() -> None:
    class Alone(Protection):
        alone = True

    stack = train_stack(
        fresh("fc", 2), make_problem("fc", 2), Settings(epochs=9), seed=7, stage="fine_tune",
        lengths=[3, 1], protect=Alone,
    )  # fmt: skip
    assert [len(points) for points in stack.history] == stack.best_epoch == [3, 1]
