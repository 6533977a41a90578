"""Batches in two halves: the same figures on one core and on two, and no thread left behind."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prunepriv.attacks import FitSettings, networks
from prunepriv.attacks.base import Recipe
from prunepriv.attacks.dropout import Dropout, Masks
from prunepriv.attacks.halves import SECOND, Halves, Normalizing, SideBySide
from prunepriv.attacks.networks import FastRecipe, fit_network
from prunepriv.attacks.neural import attack_network
from prunepriv.attacks.samia import SelfAttention
from prunepriv.errors import Cancelled
from prunepriv.progress import Report, silent

torch.set_num_threads(1)

CLASSES = 4
FAST = FastRecipe(epochs=2, batch_size=16, peak=1e-2, most=1000)
KINDS = pytest.mark.parametrize("kind", ["samia", "nn"])


def second_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(SECOND)]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    assert second_threads() == []
    yield
    assert second_threads() == []


def records(count: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    member = torch.arange(count) % 2
    return torch.rand(count, 3 * CLASSES, generator=generator) + member[:, None], member


def make(kind: str) -> nn.Module:
    torch.manual_seed(0)
    return SelfAttention(CLASSES) if kind == "samia" else attack_network(3 * CLASSES)


class Fit:
    """A fit, and what its halves did.

    Attributes:
        state: the network's, by name.
        threads: for every mask drawn, whether that was on the second thread, and how many threads
            PyTorch had there.
        masks: the first mask of each half.
    """

    def __init__(
        self,
        kind: str,
        two_cores: Callable[[], bool],
        *,
        recipe: Recipe = "fast",
        count: int = 75,
        report: Report = silent,
    ) -> None:
        self.state: dict[str, np.ndarray] = {}
        self.threads: list[tuple[bool, int]] = []
        self.masks: dict[int, bytes] = {}
        draw = Masks.draw

        def watched(masks: Masks, *args: Any) -> Tensor:
            second = threading.current_thread().name.startswith(SECOND)
            self.threads.append((second, torch.get_num_threads()))
            mask = draw(masks, *args)
            self.masks.setdefault(id(masks), mask.float().numpy().tobytes())
            return mask

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(networks, "IdleCore", lambda: two_cores)
            patch.setattr(Masks, "POOL", 2**17)
            patch.setattr(Masks, "draw", watched)
            settings = FitSettings(recipe, 3)
            self.state = fit_network(make(kind), *records(count), settings, FAST, report)

    @property
    def used(self) -> set[bool]:
        """Whether the second thread was used, and whether the first one was."""
        return {second for second, _ in self.threads}

    def equals(self, other: Fit) -> bool:
        return self.state.keys() == other.state.keys() and all(
            self.state[name].tobytes() == other.state[name].tobytes() for name in self.state
        )


@pytest.mark.parametrize("recipe", ["fast", "paper"])
def test_a_fit_is_the_same_on_one_core_and_on_two(recipe: Recipe) -> None:
    one = Fit("samia", lambda: False, recipe=recipe)
    two = Fit("samia", lambda: True, recipe=recipe)
    assert (one.used, two.used) == ({False}, {False, True})
    assert two.threads.count((True, 1)) == two.threads.count((False, 1)) == len(one.threads) / 2
    assert one.equals(two)
    assert all(np.isfinite(array).all() for array in one.state.values())


def test_a_core_that_comes_and_goes_changes_no_figure() -> None:
    turns = itertools.count()
    one = Fit("samia", lambda: False)
    assert one.equals(Fit("samia", lambda: next(turns) > 4)), "comes in the middle"
    assert one.equals(Fit("samia", lambda: next(turns) % 3 == 0)), "comes and goes"


def test_each_half_has_a_dropout_of_its_own() -> None:
    first, second = Fit("samia", lambda: False).masks.values()
    assert first != second


def test_a_network_too_small_for_halves_uses_one_core() -> None:
    fit = Fit("nn", lambda: True)
    assert fit.used == {False}
    assert len(fit.masks) == 1


@KINDS
@pytest.mark.parametrize("count", [2, 3, 4, 5, 18, 19])
def test_few_records_and_odd_batches_can_be_fitted(kind: str, count: int) -> None:
    fit = Fit(kind, lambda: True, count=count)
    assert fit.equals(Fit(kind, lambda: False, count=count))
    assert all(np.isfinite(array).all() for array in fit.state.values())


def test_a_fit_uses_one_thread_of_pytorchs_and_restores_their_number() -> None:
    torch.set_num_threads(2)
    try:
        fit = Fit("samia", lambda: True)
        assert set(fit.threads) == {(False, 1), (True, 1)}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def whole_gradient(network: nn.Module, x: Tensor, member: Tensor) -> dict[str, Tensor]:
    """Of the mean cross-entropy of a batch, by PyTorch, from the network as a whole."""
    names, parameters = zip(*network.named_parameters(), strict=True)
    loss = F.cross_entropy(network.train()(x), member)
    return dict(zip(names, torch.autograd.grad(loss, parameters), strict=True))


def without_dropout(network: nn.Module) -> nn.Module:
    for layer in network.modules():
        if isinstance(layer, Dropout):
            layer.rate = 0.0
    return network.double()


def halves_of(network: nn.Module, side_by_side: SideBySide, number: int = 2) -> Halves:
    streams = [torch.Generator().manual_seed(half) for half in range(number)]
    halves = Halves(network, streams, torch.double, side_by_side)
    halves.train()
    return halves


@KINDS
@pytest.mark.parametrize("number", [1, 2], ids=["whole", "halves"])
@pytest.mark.parametrize("count", [2, 3, 129])
def test_gradients_add_up_to_that_of_the_batch(kind: str, number: int, count: int) -> None:
    x, member = records(count)
    x = x.double()
    network, alone = without_dropout(make(kind)), without_dropout(make(kind))
    with SideBySide(lambda: True) as side_by_side:
        halves = halves_of(network, side_by_side, number)
        halves.set_gradient(x, F.one_hot(member, 2).double())
    halves_of(alone, side_by_side)  # gives it masks
    expected = whole_gradient(alone, x, member)
    found = halves.weights.grad
    assert found is not None
    assert found.shape == halves.weights.shape
    start = 0
    for name, gradient in expected.items():
        part = found[start : start + gradient.numel()].view(gradient.shape)
        torch.testing.assert_close(part, gradient, atol=1e-12, rtol=1e-8, msg=name)
        start += gradient.numel()
    assert start == len(found)
    if isinstance(network, Normalizing):
        assert isinstance(alone, Normalizing)
        assert {"normalise.weight", "normalise.bias"} < expected.keys()
        for buffer, other in zip(network.buffers(), alone.buffers(), strict=True):
            torch.testing.assert_close(buffer, other)


def test_a_single_record_is_normalized_by_the_running_statistics() -> None:
    network = without_dropout(make("samia"))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with SideBySide(lambda: False) as side_by_side:
        halves = halves_of(network, side_by_side)
    x, member = records(1)
    halves.set_gradient(x.double(), F.one_hot(member, 2).double())
    found = halves.weights.grad
    assert found is not None
    expected = whole_gradient(network.eval(), x.double(), member)
    torch.testing.assert_close(found, torch.cat([part.ravel() for part in expected.values()]))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_step_of_the_weights_is_a_step_of_both_networks() -> None:
    with SideBySide(lambda: False) as side_by_side:
        halves = halves_of(make("nn"), side_by_side)
    with torch.no_grad():
        halves.weights.zero_()
    for half in halves.halves:
        assert all(not parameter.any() for parameter in half.network.parameters())


def fail() -> None:
    raise ValueError("no")


@pytest.mark.parametrize("two_cores", [False, True], ids=["one-core", "two-cores"])
def test_an_error_of_either_half_reaches_the_caller(two_cores: bool) -> None:
    side_by_side = SideBySide(lambda: two_cores)
    for first, second in ((fail, int), (int, fail), (fail, fail)):
        with pytest.raises(ValueError, match="no"), side_by_side as both:
            both(first, second)
        side_by_side = SideBySide(lambda: two_cores)
    assert second_threads() == []


def test_the_other_half_is_done_when_an_error_is_raised() -> None:
    begun, done = threading.Event(), []

    def slow() -> None:
        begun.set()
        done.append(sum(range(10**6)))

    def fail_then() -> None:
        assert begun.wait(60)
        fail()

    with pytest.raises(ValueError, match="no"), SideBySide(lambda: True) as both:
        both(fail_then, slow)
    assert done, "it would go on with what its caller has left"


def test_both_results_in_their_order_from_two_threads() -> None:
    with SideBySide(lambda: True) as both:
        names = both(*[lambda: threading.current_thread().name] * 2)
        assert [name.startswith(SECOND) for name in names] == [False, True]
        assert len(second_threads()) == 1
        assert both(lambda: 1, lambda: 2) == (1, 2)
        assert len(second_threads()) == 1, "the same thread again"
    assert second_threads() == []


def test_without_a_second_core_there_is_no_second_thread() -> None:
    with SideBySide(lambda: False) as both:
        main = threading.current_thread()
        assert both(threading.current_thread, threading.current_thread) == (main, main)
        assert second_threads() == []


def test_the_second_thread_uses_one_thread_of_pytorchs() -> None:
    torch.set_num_threads(2)
    try:
        with SideBySide(lambda: True) as both:
            assert both(torch.get_num_threads, torch.get_num_threads) == (2, 1)
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("recipe", ["fast", "paper"])
def test_a_cancelled_fit_leaves_no_thread(recipe: Recipe) -> None:
    calls = itertools.count()

    def cancel(
        fraction: float, message: str = "", point: Mapping[str, float] | None = None
    ) -> None:
        if next(calls) == 1:
            assert second_threads()
            raise Cancelled

    with pytest.raises(Cancelled):
        Fit("samia", lambda: True, recipe=recipe, report=cancel)
    assert second_threads() == []


@pytest.mark.parametrize("failing", [False, True], ids=["first", "second"])
def test_a_fit_that_fails_in_a_half_leaves_no_thread(
    failing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = Dropout.mask

    def mask(layer: Dropout, shape: Any, dtype: torch.dtype) -> Tensor:
        if threading.current_thread().name.startswith(SECOND) == failing:
            raise ArithmeticError("broken")
        return dropped(layer, shape, dtype)

    monkeypatch.setattr(Dropout, "mask", mask)
    with pytest.raises(ArithmeticError, match="broken"):
        Fit("samia", lambda: True)
    assert second_threads() == []
