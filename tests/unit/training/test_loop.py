"""The training loop against a plain one in PyTorch, one model at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from prunepriv.errors import Cancelled
from prunepriv.models import Ensemble, build
from prunepriv.progress import Report, silent
from prunepriv.seeding import derive
from prunepriv.training import (
    Records,
    Settings,
    cross_entropy,
    plain,
    train,
)
from tests.stacks import (
    CLASSES,
    SHAPES,
    WIDTH,
    TrainedStack,
    alone,
    fresh,
    make_problem,
    train_stack,
)


def of_model(records: Records, model: int) -> Records:
    one = slice(model, model + 1)
    return Records(records.x, records.y, records.train[one], records.validation[one])


def accuracy(
    ensemble: Ensemble, state: Mapping[str, Tensor], records: Records, rows: Tensor
) -> list[float]:
    ensemble = build(
        "fc" if "hidden1.weight" in state else "cnn", len(rows), records.x.shape[1:], CLASSES, WIDTH
    )
    ensemble.load(state)
    with torch.inference_mode():
        logits = ensemble.eval()(ensemble.inputs(records.x[rows]))
    hits: list[float] = (logits.argmax(2) == records.y[rows]).float().mean(1).tolist()
    return hits


class Reads(TorchDispatchMode):
    """Counts how often a tensor's values, or sizes that depend on them, are read."""

    KINDS = (
        torch.ops.aten._local_scalar_dense.default,
        torch.ops.aten.nonzero.default,
        torch.ops.aten.masked_select.default,
        torch.ops.aten.equal.default,
    )

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.count += function in self.KINDS
        return function(*args, **(kwargs or {}))


def plain_loop(
    name: str, records: Records, settings: Settings
) -> tuple[dict[str, Tensor], list[list[float]], int]:
    """One model, trained as assets/method.md#training says, without anything of prunepriv's loop.

    Returns the best-validation weights, [loss, validation accuracy] per epoch, and the best epoch.
    """
    ensemble = fresh(name, 1)
    network = alone(name, ensemble, 0)
    optimizer = torch.optim.Adam(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    order = torch.Generator().manual_seed(derive(7, "train", 0, "order"))
    members, watched = records.train[0], records.validation[0]
    best, best_epoch, kept, curve = -1.0, 0, {}, []
    for epoch in range(1, settings.epochs + 1):
        network.train()
        loss_sum = 0.0
        shuffled = members[torch.randperm(len(members), generator=order)]
        for start in range(0, len(members), settings.batch_size):
            batch = shuffled[start : start + settings.batch_size]
            loss = nn.functional.cross_entropy(
                network(ensemble.inputs(records.x[batch])), records.y[batch]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(batch)
        network.eval()
        with torch.no_grad():
            answers = network(ensemble.inputs(records.x[watched])).argmax(1)
        reached = (answers == records.y[watched]).float().mean().item()
        curve.append([loss_sum / len(members), reached])
        if reached > best:
            best, best_epoch = reached, epoch
            kept = {key: value.clone() for key, value in network.state_dict().items()}
        elif settings.patience is not None and epoch - best_epoch > settings.patience:
            break
    return kept, curve, best_epoch


def assert_same_weights(
    name: str, stacked: Mapping[str, Tensor], plain: Mapping[str, Tensor]
) -> None:
    """State of a stack of one against that of the plain network, layer by layer in order."""
    network = alone(name, loaded(name, stacked), 0)
    for key, value in network.state_dict().items():
        if "num_batches" not in key:
            # where a gradient is almost zero, the rounding error decides on Adam's step
            assert float((value - plain[key]).abs().max()) < 5e-3
            assert float((value - plain[key]).abs().mean()) < 2e-4


def loaded(name: str, state: Mapping[str, Tensor]) -> Ensemble:
    ensemble = build(name, 1, SHAPES[name], CLASSES, WIDTH)
    ensemble.load(state)
    return ensemble


@pytest.mark.parametrize("name", ["fc", "cnn"])
def test_one_model_learns_the_same_as_in_a_plain_loop(name: str) -> None:
    settings = Settings(epochs=12, patience=2, batch_size=32)
    records = make_problem(name, 1)
    trained = train_stack(fresh(name, 1, dropout=False), records, settings, seed=7, stage="train")
    kept, curve, best_epoch = plain_loop(name, records, settings)
    points = trained.history[0]
    assert trained.best_epoch == [best_epoch]
    assert [point["epoch"] for point in points] == list(range(1, len(curve) + 1))
    assert [point["loss"] for point in points] == pytest.approx([lo for lo, _ in curve], rel=1e-3)
    assert [p["validation_accuracy"] for p in points] == pytest.approx([va for _, va in curve])
    assert_same_weights(name, trained.state, kept)


@pytest.mark.parametrize("name", ["fc", "cnn"])
def test_a_model_learns_the_same_alone_as_with_others(name: str) -> None:
    settings = Settings(epochs=4, batch_size=32)
    records = make_problem(name, 3)
    together = train_stack(fresh(name, 3), records, settings, seed=7, stage="train")
    first = train_stack(fresh(name, 1), of_model(records, 0), settings, seed=7, stage="train")
    for key, value in first.state.items():
        assert torch.equal(value[0], together.state[key][0])
    assert not torch.allclose(*together.state["output.weight"][:2], atol=1e-2)


def test_nothing_waits_for_the_device_within_an_epoch() -> None:
    """On a GPU, to read a value on the processor is to wait until all before it is computed."""
    settings, records = Settings(epochs=1, batch_size=8), make_problem("cnn", 1)
    with Reads() as known:
        torch.ones(3).sum().item()
    assert known.count == 1
    counts = []
    for members in (16, 64):
        some = replace(records, train=records.train[:, :members])
        with Reads() as reads:
            train(fresh("cnn", 1), some, settings, seed=7, stage="train")
        counts.append(reads.count)
    assert counts[0] == counts[1], "as many in eight steps as in two"


@pytest.mark.parametrize("name", ["fc", "cnn"])
def test_models_trained_in_turn_learn_what_they_learn_together(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, settings = make_problem(name, 3), Settings(epochs=3, batch_size=32, patience=1)
    trained, heard = [], []
    for one_by_one in (False, True):
        ensemble = fresh(name, 3)
        monkeypatch.setattr(type(ensemble), "one_by_one", one_by_one)
        points: list[list[dict[str, float]]] = [[], [], []]
        trained.append(
            train_stack(
                ensemble, records, settings, seed=7, stage="train", reports=reporters(points)
            )
        )
        heard.append(points)
    together, in_turn = trained
    for key, value in together.state.items():
        # a grouped convolution rounds otherwise than one for a single model
        assert float((in_turn.state[key] - value).abs().max()) < 5e-3
        assert float((in_turn.state[key] - value).abs().mean()) < 2e-4
    assert in_turn.best_epoch == together.best_epoch
    assert [len(points) for points in in_turn.history] == [len(p) for p in together.history]
    assert heard == [together.history, in_turn.history], "each model reports its own curve"


def reporters(points: list[list[dict[str, float]]]) -> list[Report]:
    """A report per model, which adds the model's points to its list."""

    def of(mine: list[dict[str, float]]) -> Report:
        def report(
            fraction: float, message: str = "", point: Mapping[str, float] | None = None
        ) -> None:
            assert point is not None
            assert message.startswith(f"epoch {point['epoch']:g} of at most")
            mine.append(dict(point))

        return report

    return [of(mine) for mine in points]


def test_numbers_choose_the_random_streams() -> None:
    records, settings = make_problem("fc", 3), Settings(epochs=3, batch_size=32)
    whole = train_stack(fresh("fc", 3), records, settings, seed=7, stage="train")
    rows = torch.tensor([2, 1])
    some = Records(records.x, records.y, records.train[rows], records.validation[rows])
    ensemble = build("fc", 2, SHAPES["fc"], CLASSES, WIDTH)
    ensemble.load({name: value[rows] for name, value in fresh("fc", 3).state_dict().items()})
    options = {"seed": 7, "stage": "train", "numbers": [2, 1]}
    for name, value in train_stack(ensemble, some, settings, **options).state.items():
        assert torch.equal(value, whole.state[name][rows]), name


def test_a_model_continues_the_same_when_other_models_have_stopped() -> None:
    records = make_problem("fc", 3)
    settings = Settings(epochs=15, patience=1, batch_size=32)
    trained = train_stack(fresh("fc", 3), records, settings, seed=7, stage="train")
    lengths = [len(points) for points in trained.history]
    last = lengths.index(max(lengths))
    assert min(lengths) < max(lengths), "the test needs models that stop at different epochs"
    endless = train_stack(
        fresh("fc", 3), records, Settings(epochs=max(lengths), patience=None, batch_size=32),
        seed=7, stage="train",
    )  # fmt: skip
    for ours, theirs in zip(trained.history[last], endless.history[last], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3)


def test_masked_models_stay_masked_when_other_models_have_stopped() -> None:
    records = make_problem("fc", 3)
    generator = torch.Generator().manual_seed(1)
    shape = fresh("fc", 3).get_parameter("hidden1.weight").shape
    masks = {"hidden1.weight": torch.rand(shape, generator=generator) > 0.5}
    settings = Settings(epochs=60, stop_at_member_accuracy=0.97, batch_size=32)
    trained = train_stack(fresh("fc", 3), records, settings, seed=7, stage="fine_tune", masks=masks)
    lengths = [len(points) for points in trained.history]
    assert lengths[0] < lengths[1] or min(lengths[:2]) < lengths[2], "the test needs rows that move"
    assert not trained.state["hidden1.weight"][~masks["hidden1.weight"]].any()
    assert (trained.state["hidden1.weight"][masks["hidden1.weight"]] != 0).all()


def test_masks_hold_after_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    records = make_problem("cnn", 2)
    ensemble = fresh("cnn", 2)
    monkeypatch.setattr(type(ensemble), "one_by_one", False)  # it trains these very parameters
    parameters = dict(ensemble.named_parameters())
    masks = {
        "convolutions.1.weight": torch.ones_like(parameters["convolutions.1.weight"]).bool(),
        "norms.1.bias": torch.ones_like(parameters["norms.1.bias"]).bool(),
        "output.weight": torch.rand_like(parameters["output.weight"]) > 0.5,
    }
    masks["convolutions.1.weight"][:, ::2] = False
    masks["norms.1.bias"][:, ::2] = False
    looked = 0

    def watching(logits: Tensor, labels: Tensor) -> Tensor:
        nonlocal looked
        looked += 1
        for name, kept in masks.items():
            assert not parameters[name][~kept].any()
        return cross_entropy(logits, labels)

    settings = Settings(epochs=2, batch_size=32)
    trained = train_stack(
        ensemble, records, settings, seed=7, stage="fine_tune", masks=masks, protect=plain(watching)
    )
    assert looked == 2 * 3
    for name, kept in masks.items():
        assert not trained.state[name][~kept].any()
        assert trained.state[name][kept].any()


@pytest.mark.parametrize("name", ["fc", "cnn"])
def test_the_weights_of_the_best_validation_accuracy_are_returned(name: str) -> None:
    records = make_problem(name, 3, noise=0.9)
    settings = Settings(epochs=20, patience=None, batch_size=32, learning_rate=1e-2)
    trained = train_stack(fresh(name, 3), records, settings, seed=7, stage="train")
    curves = [[p["validation_accuracy"] for p in points] for points in trained.history]
    assert any(curve[-1] < max(curve) for curve in curves), (
        "the test needs a model that gets worse again"
    )
    reached = accuracy(fresh(name, 3), trained.state, records, records.validation)
    assert reached == pytest.approx([max(curve) for curve in curves])
    assert trained.best_epoch == [1 + curve.index(max(curve)) for curve in curves]


@pytest.mark.parametrize("patience", [1, 3])
def test_a_model_stops_after_its_patience(patience: int) -> None:
    settings = Settings(epochs=40, patience=patience, batch_size=32, learning_rate=5e-3)
    trained = train_stack(
        fresh("fc", 3), make_problem("fc", 3, noise=0.8), settings, seed=7, stage="train"
    )
    for points, best in zip(trained.history, trained.best_epoch, strict=True):
        assert len(points) == best + patience + 1


def test_without_patience_all_epochs_are_run() -> None:
    settings = Settings(epochs=9, patience=None, batch_size=32, learning_rate=5e-3)
    trained = train_stack(
        fresh("fc", 2), make_problem("fc", 2, noise=0.8), settings, seed=7, stage="train"
    )
    assert [len(points) for points in trained.history] == [9, 9]
    assert min(trained.best_epoch) < 9


def test_training_by_heart_ends_at_the_first_epoch_that_reaches_the_goal() -> None:
    records = make_problem("fc", 2, noise=0.8)
    settings = Settings(epochs=200, stop_at_member_accuracy=0.95, batch_size=32, learning_rate=3e-3)
    trained = train_stack(fresh("fc", 2), records, settings, seed=7, stage="train")
    for points, best in zip(trained.history, trained.best_epoch, strict=True):
        assert points[-1]["member_accuracy"] >= 0.95
        assert all(point["member_accuracy"] < 0.95 for point in points[:-1])
        assert best == len(points) < 200
        assert len(points) - points.index(max(points, key=lambda p: p["validation_accuracy"])) > 7
    reached = accuracy(fresh("fc", 2), trained.state, records, records.train)
    assert reached == pytest.approx([points[-1]["member_accuracy"] for points in trained.history])


def test_a_penalty_shrinks_the_scales() -> None:
    records = make_problem("cnn", 1)
    sizes = []
    for penalty in (0.0, 0.05):
        settings = Settings(epochs=6, patience=None, batch_size=32, scale_penalty=penalty)
        trained = train_stack(fresh("cnn", 1), records, settings, seed=7, stage="train")
        sizes.append(sum(float(trained.state[f"norms.{i}.weight"].abs().sum()) for i in range(3)))
    assert sizes[1] < 0.99 * sizes[0]


def test_the_loss_reported_is_the_objectives_alone() -> None:
    records = make_problem("cnn", 1)
    losses = []
    for penalty in (0.0, 1e-9):
        settings = Settings(epochs=1, batch_size=32, scale_penalty=penalty)
        trained = train_stack(fresh("cnn", 1), records, settings, seed=7, stage="train")
        losses.append(trained.history[0][0]["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def run_twice(seed: int, stage: str) -> tuple[TrainedStack, TrainedStack]:
    records, settings = make_problem("fc", 2), Settings(epochs=2, batch_size=32)
    first = train_stack(fresh("fc", 2), records, settings, seed=7, stage="train")
    return first, train_stack(fresh("fc", 2), records, settings, seed=seed, stage=stage)


def test_the_same_seed_and_stage_give_the_same_weights() -> None:
    first, again = run_twice(7, "train")
    assert first.history == again.history
    assert all(torch.equal(value, again.state[name]) for name, value in first.state.items())


@pytest.mark.parametrize(("seed", "stage"), [(8, "train"), (7, "fine_tune")])
def test_another_seed_or_stage_gives_other_weights(seed: int, stage: str) -> None:
    first, other = run_twice(seed, stage)
    assert not torch.equal(first.state["output.weight"], other.state["output.weight"])


def test_training_draws_nothing_from_the_global_generator() -> None:
    before = torch.get_rng_state()
    run_twice(7, "train")
    assert torch.equal(before, torch.get_rng_state())


def test_every_epoch_is_reported_and_a_cancelled_run_stops_there() -> None:
    heard: list[tuple[float, Mapping[str, float]]] = []

    def report(
        fraction: float, message: str = "", point: Mapping[str, float] | None = None
    ) -> None:
        assert point is not None
        heard.append((fraction, point))
        if len(heard) == 3:
            raise Cancelled("enough")

    settings = Settings(epochs=10, batch_size=32)
    with pytest.raises(Cancelled, match="enough"):
        train_stack(
            fresh("fc", 2), make_problem("fc", 2), settings, seed=7, stage="train",
            reports=[report, silent],
        )  # fmt: skip
    assert [fraction for fraction, _ in heard] == pytest.approx([0.1, 0.2, 0.3])
    assert [point["epoch"] for _, point in heard] == [1, 2, 3]
