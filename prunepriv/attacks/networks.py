"""How all attack networks are trained.

Two recipes. `paper`: 100 epochs of SGD with momentum 0.9, rate 1e-3 divided by ten at epochs 50
and 75, weight decay 5e-4, batch 128. `fast`: few epochs of Adam under a one-cycle rate with early
stopping on held-out shadow records. On Location both are equal within noise (see benchmarks).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prunepriv.attacks.base import FitSettings, PooledShadows
from prunepriv.models.layers import keep_mask
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
        held_out: fraction of the shadow records that early stopping uses.
    """

    epochs: int
    batch_size: int
    peak: float
    most: int
    held_out: float = 0.1


class Dropout(nn.Module):
    """Dropout whose masks are slices, at random positions, of one long mask drawn beforehand.

    Drawing a number per element took 29 % of SAMIA's training time; a slice takes almost no time,
    and with four million positions to start from, two steps rarely have the same mask.
    """

    POOL = 2**22

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.generator = torch.Generator()
        self.pool = torch.empty(0)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        count = x.numel()
        if 2 * count > len(self.pool):
            size = max(self.POOL, 2 * count)
            self.pool = keep_mask((size,), self.rate, self.generator)
        last = len(self.pool) - count
        start = int(torch.randint(last + 1, (), generator=self.generator))
        return x * self.pool[start : start + count].view(x.shape)


def sampled(shadows: PooledShadows, settings: FitSettings, most: int) -> PooledShadows:
    """The shadow records that the recipe uses: for `fast`, a random sample of `most` of them.

    The sample does not balance members and non-members. The `paper` recipe uses all records, and so
    does `fast` if there are not more than `most`.
    """
    count = len(shadows.member)
    if settings.recipe == "paper" or count <= most:
        return shadows
    rng = np.random.default_rng(derive(settings.seed, "attack network", "sample"))
    rows = np.sort(rng.choice(count, most, replace=False))
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
    """
    streams = {
        use: torch.Generator().manual_seed(derive(settings.seed, "attack network", use))
        for use in ("weights", "order", "dropout", "held out")
    }
    initialize(network, streams["weights"])
    for layer in network.modules():
        if isinstance(layer, Dropout):
            layer.generator = streams["dropout"]
    if settings.recipe == "paper":
        _paper(network, x, member, streams, report)
    else:
        with _half_products():
            _fast(network, x, member, streams, fast, report)
    network.eval()
    return {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}


def _paper(
    network: nn.Module,
    x: Tensor,
    member: Tensor,
    streams: Mapping[str, torch.Generator],
    report: Report,
) -> None:
    epochs = 100
    optimizer = torch.optim.SGD(
        network.parameters(), lr=1e-3, momentum=0.9, weight_decay=WEIGHT_DECAY, fused=True
    )
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [epochs // 2, epochs * 3 // 4])
    for epoch in range(epochs):
        network.train()
        for batch in batches(torch.randperm(len(x), generator=streams["order"]), 128):
            _step(network, optimizer, x[batch], member[batch])
        schedule.step()
        report((epoch + 1) / epochs, f"epoch {epoch + 1} of {epochs}")


def _fast(
    network: nn.Module,
    x: Tensor,
    member: Tensor,
    streams: Mapping[str, torch.Generator],
    fast: FastRecipe,
    report: Report,
) -> None:
    """Keep the epoch with the lowest loss on held-out shadow records."""
    shuffled = torch.randperm(len(x), generator=streams["held out"])
    held = shuffled[: max(1, round(fast.held_out * len(x)))]
    train = shuffled[len(held) :]
    steps = len(batches(train, fast.batch_size))
    optimizer = torch.optim.Adam(
        network.parameters(), lr=fast.peak, weight_decay=WEIGHT_DECAY, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, fast.peak, total_steps=steps * fast.epochs, pct_start=0.3
    )
    best, kept = float("inf"), {k: v.clone() for k, v in network.state_dict().items()}
    for epoch in range(fast.epochs):
        network.train()
        order = train[torch.randperm(len(train), generator=streams["order"])]
        for number, batch in enumerate(batches(order, fast.batch_size)):
            _step(network, optimizer, x[batch], member[batch])
            schedule.step()
            if number % 16 == 0:
                report((epoch + number / steps) / fast.epochs, f"epoch {epoch + 1}")
        loss = float(F.cross_entropy(predict(network, x[held]), member[held]))
        if loss < best:
            best, kept = loss, {k: v.clone() for k, v in network.state_dict().items()}
    network.load_state_dict(kept)


def batches(order: Tensor, size: int) -> list[Tensor]:
    """Split into batches; a single last record joins the batch before: batch norm needs two."""
    parts = list(order.split(size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


@contextmanager
def _half_products() -> Iterator[None]:
    """Matrix products round their factors to bfloat16 on processors where that is faster.

    Sums stay in float32, and so does everything else. On a processor with AMX a step of SAMIA
    takes 0.8 of the time; on others nothing changes.
    """
    products = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = products.fp32_precision
    products.fp32_precision = "bf16"
    try:
        yield
    finally:
        products.fp32_precision = before


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, member: Tensor) -> None:
    optimizer.zero_grad()
    loss = F.cross_entropy(network(x), member)
    loss.backward()
    optimizer.step()


def predict(network: nn.Module, x: Tensor, chunk: int = 1024) -> Tensor:
    """(n, 2) outputs in eval mode."""
    network.eval()
    with torch.inference_mode():
        return torch.cat([network(part) for part in x.split(chunk)])


def restore(network: nn.Module, fitted: Mapping[str, np.ndarray]) -> nn.Module:
    """Load a state that :func:`fit_network` returned, ignoring other arrays."""
    names = network.state_dict().keys()
    network.load_state_dict({name: torch.tensor(fitted[name]) for name in names})
    return network


def margin(outputs: Tensor) -> np.ndarray:
    """(n,) float64 log-odds of membership from (n, 2) outputs: 0 is undecided."""
    return np.asarray((outputs[:, 1] - outputs[:, 0]).double().numpy())
