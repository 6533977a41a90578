"""How all attack networks are trained.

Two recipes. `paper`: 100 epochs of SGD with momentum 0.9, rate 1e-3 divided by ten at epochs 50
and 75, weight decay 5e-4, batch 128. `fast`: few epochs under a one-cycle rate, see
:class:`FastRecipe`. assets/method.md#attack-recipes tells how much they differ on Location.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prunepriv.attacks.base import FitSettings, PooledShadows
from prunepriv.attacks.finite import check_finite
from prunepriv.attacks.halves import Halves, Normalizing, SideBySide
from prunepriv.attacks.idle import IdleCore
from prunepriv.attacks.one_cycle import OneCycleAdam, OneCycleSgd
from prunepriv.attacks.products import fast_products
from prunepriv.options import records_of_fit
from prunepriv.progress import Report
from prunepriv.seeding import derive

WEIGHT_DECAY = 5e-4


@dataclass(frozen=True)
class FastRecipe:
    """Settings of the `fast` recipe for one kind of network.

    Attributes:
        epochs: passes over the records.
        batch_size: records per step.
        peak: largest rate of the one-cycle schedule.
        most: largest number of shadow records; of more, a sample is used.
        optimizer: what changes the weights.
        held_out: fraction of the shadow records that are not trained on: the epoch with the lowest
            loss on them is kept. With 0, the last one is.
        at_once: records whose outputs are predicted at once, so that they fit the cache.
    """

    epochs: int
    batch_size: int
    peak: float
    most: int
    optimizer: Literal["adam", "sgd"] = "adam"
    held_out: float = 0.1
    at_once: int = 1024

    def held(self, count: int) -> int:
        """How many of `count` records are not trained on."""
        return max(1, round(self.held_out * count)) if self.held_out else 0


def sampled(shadows: PooledShadows, settings: FitSettings, most: int) -> PooledShadows:
    """The shadow records that the recipe uses: for `fast`, a random sample of `most` of them.

    The sample does not balance members and non-members. How many there are is told by
    :func:`prunepriv.options.records_of_fit`.
    """
    count = len(shadows.member)
    used = records_of_fit(count, most, settings.recipe)
    if used == count:
        return shadows
    rng = np.random.default_rng(derive(settings.seed, "attack network", "sample"))
    rows = np.sort(rng.choice(count, used, replace=False))
    return PooledShadows(shadows.queries.take(rows), shadows.member[rows])


def initialize(network: nn.Module, generator: torch.Generator) -> None:
    """Draw new weights of linear layers: Xavier normal, biases 0. Norms keep their scales of 1."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_normal_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)


def fit_network(
    network: nn.Module,
    x: Tensor,
    member: Tensor,
    settings: FitSettings,
    fast: FastRecipe,
    report: Report,
) -> dict[str, np.ndarray]:
    """Train a two-output network to separate members (class 1) from non-members (class 0).

    Args:
        network: (B, ...) -> (B, 2).
        x: (n, ...) float32 inputs of the shadow records.
        member: (n,) int64, 1 for members.

    Returns:
        The network's state by name.

    Raises:
        Cancelled: from `report`.
        TrainingError: a loss is no longer a finite number.
    """
    streams = {
        use: torch.Generator().manual_seed(derive(settings.seed, "attack network", use))
        for use in ("weights", "order", "held out", "dropout", "dropout of the second half")
    }
    initialize(network, streams["weights"])
    dropout = [streams["dropout"]]
    if isinstance(network, Normalizing):  # others are too small to be faster in two halves
        dropout.append(streams["dropout of the second half"])
    paper = settings.recipe == "paper"
    products = torch.float32 if paper else fast_products()
    with one_thread(), SideBySide(IdleCore()) as side_by_side:
        halves = Halves(network, dropout, products, side_by_side)
        if paper:
            _paper(halves, x, member, streams, report)
        else:
            _fast(halves, x, member, streams, fast, report)
    network.eval()
    return {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}


def _paper(
    halves: Halves,
    x: Tensor,
    member: Tensor,
    streams: Mapping[str, torch.Generator],
    report: Report,
) -> None:
    epochs, truth = 100, _truth(member)
    optimizer = torch.optim.SGD(
        [halves.weights], lr=1e-3, momentum=0.9, weight_decay=WEIGHT_DECAY, fused=True
    )
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [epochs // 2, epochs * 3 // 4])
    for epoch in range(epochs):
        halves.train()
        for batch in batches(torch.randperm(len(x), generator=streams["order"]), 128):
            halves.set_gradient(x[batch], truth[batch])
            optimizer.step()
        schedule.step()
        check_finite(float(halves.weights.detach().sum()), epoch + 1)
        report((epoch + 1) / epochs, f"epoch {epoch + 1} of {epochs}")


def _fast(
    halves: Halves,
    x: Tensor,
    member: Tensor,
    streams: Mapping[str, torch.Generator],
    fast: FastRecipe,
    report: Report,
) -> None:
    """Keep the epoch with the lowest loss on held-out shadow records; without any, the last."""
    shuffled = torch.randperm(len(x), generator=streams["held out"])
    held = shuffled[: fast.held(len(x))]
    train = shuffled[len(held) :]
    steps = len(batches(train, fast.batch_size))
    one_cycle = OneCycleSgd if fast.optimizer == "sgd" else OneCycleAdam
    optimizer = one_cycle(halves.weights, fast.peak, steps * fast.epochs, WEIGHT_DECAY)
    truth = _truth(member)
    best, kept = float("inf"), _state(halves.network)
    for epoch in range(fast.epochs):
        halves.train()
        order = train[torch.randperm(len(train), generator=streams["order"])]
        for number, batch in enumerate(batches(order, fast.batch_size)):
            halves.set_gradient(x[batch], truth[batch])
            optimizer.step()
            if number % 16 == 0:
                report((epoch + number / steps) / fast.epochs, f"epoch {epoch + 1}")
        if not fast.held_out:
            check_finite(float(halves.weights.detach().sum()), epoch + 1)
            continue
        loss = float(F.cross_entropy(_outputs(halves, x[held], fast.at_once), member[held]))
        check_finite(loss, epoch + 1)
        if loss < best:
            best, kept = loss, _state(halves.network)
    if fast.held_out:
        halves.network.load_state_dict(kept)


def _truth(member: Tensor) -> Tensor:
    """(n, 2) float32: 1 in the column of the record's class."""
    return F.one_hot(member, 2).float()


def _state(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def _outputs(halves: Halves, x: Tensor, at_once: int) -> Tensor:
    """(n, 2) outputs in eval mode; a network trained in two halves computes them in two as well."""
    network = halves.network
    if len(x) == 1 or len(halves.halves) == 1:
        return predict(network, x, at_once)
    x1, x2 = x.tensor_split(2)
    both = halves.side_by_side(
        lambda: predict(network, x1, at_once), lambda: predict(network, x2, at_once)
    )
    return torch.cat(both)


def batches(order: Tensor, size: int) -> list[Tensor]:
    """Split into batches; a single last record joins the batch before: batch norm needs two."""
    parts = list(order.split(size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch uses one thread, whatever it used before."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def predict(network: nn.Module, x: Tensor, at_once: int = 1024) -> Tensor:
    """(n, 2) outputs in eval mode."""
    network.eval()
    with torch.inference_mode():
        return torch.cat([network(part) for part in x.split(at_once)])


def restore(network: nn.Module, fitted: Mapping[str, np.ndarray]) -> nn.Module:
    """Load a state that :func:`fit_network` returned, ignoring other arrays."""
    names = network.state_dict().keys()
    network.load_state_dict({name: torch.tensor(fitted[name]) for name in names})
    return network


def margin(outputs: Tensor) -> np.ndarray:
    """(n,) float64 log-odds of membership from (n, 2) outputs: 0 is undecided."""
    return np.asarray((outputs[:, 1] - outputs[:, 0]).double().numpy())
