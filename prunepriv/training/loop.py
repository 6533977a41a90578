"""The one training loop: a target and its shadows, all models of a stack at once.

Each model has its own records, order, dropout and early stopping; one that has stopped leaves the
stack, so that the rest run on alone. What a model learns depends on its seed and records only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from prunepriv.models import Ensemble, State
from prunepriv.progress import Report, silent
from prunepriv.seeding import derive
from prunepriv.training.objective import Objective, cross_entropy


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to train (METHOD section 3): Adam with coupled weight decay.

    Attributes:
        epochs: at most so many.
        patience: stop when more than so many epochs in a row brought no better validation accuracy
            (counted as in Yuan & Zhang's release); None: never.
        stop_at_member_accuracy: instead of early stopping, train until the members reach it and
            keep the last weights.
        scale_penalty: weight of the L1 penalty on batch-norm scales (network slimming).
    """

    epochs: int
    patience: int | None = 5
    stop_at_member_accuracy: float | None = None
    learning_rate: float = 1e-3
    weight_decay: float = 5e-4
    batch_size: int = 128
    scale_penalty: float = 0.0


@dataclass(frozen=True)
class Records:
    """What the models of a stack train on.

    Attributes:
        x: (n, ...) uint8, or float32 of a table: the whole data set.
        y: (n,) int64.
        train: (M, t) indices of each model's members.
        validation: (M, v) indices of the records that early stopping watches.
    """

    x: Tensor
    y: Tensor
    train: Tensor
    validation: Tensor


@dataclass
class Trained:
    """What training made.

    Attributes:
        state: (M, ...) each, the kept weights.
        history: per model, one point per epoch; member accuracy is measured while training, on
            the batches as they pass.
        best_epoch: per model, the epoch (from 1) whose weights were kept.
    """

    state: State
    history: list[list[dict[str, float]]]
    best_epoch: list[int]


@dataclass
class _Watch:
    """Early stopping of every model, and the weights to keep."""

    settings: Settings
    state: State
    best: list[float] = field(default_factory=list)
    best_epoch: list[int] = field(default_factory=list)

    def look(self, row: int, model: int, point: Mapping[str, float], state: State) -> bool:
        """Note a model's epoch; True if the model should stop."""
        epoch = int(point["epoch"])
        goal = self.settings.stop_at_member_accuracy
        if goal is not None or point["validation_accuracy"] > self.best[model]:
            self.best[model] = point["validation_accuracy"]
            self.best_epoch[model] = epoch
            for name, value in state.items():
                self.state[name][model].copy_(value[row])
        if goal is not None:
            return point["member_accuracy"] >= goal
        patience = self.settings.patience
        return patience is not None and epoch - self.best_epoch[model] > patience


def train(
    ensemble: Ensemble,
    records: Records,
    settings: Settings,
    *,
    seed: int,
    stage: str,
    objective: Objective = cross_entropy,
    masks: Mapping[str, Tensor] | None = None,
    report: Report = silent,
) -> Trained:
    """Train all models of a stack.

    Args:
        ensemble: its weights are where training starts, and are used up.
        seed: of the experiment; model m draws from streams named (stage, m).
        stage: "train" or "fine_tune".
        objective: loss per model.
        masks: parameter name -> bool (M, ...); what is False is zero after every step.
        report: called after every epoch; its points are means over the models.

    Raises:
        Cancelled: from `report`.
    """
    models = ensemble.models
    streams = {
        use: [torch.Generator().manual_seed(derive(seed, stage, m, use)) for m in range(models)]
        for use in ("order", "dropout")
    }
    ensemble.draw_dropout_from(streams["dropout"])
    stack = _Stack(ensemble, records, settings, streams["order"], dict(masks or {}))
    stack.mask()
    watch = _Watch(settings, ensemble.copy_state(), [-1.0] * models, [0] * models)
    history: list[list[dict[str, float]]] = [[] for _ in range(models)]
    for epoch in range(1, settings.epochs + 1):
        points = stack.epoch(epoch, objective)
        state = ensemble.state_dict()
        going = []
        for row, (model, point) in enumerate(zip(stack.models, points, strict=True)):
            history[model].append(point)
            if not watch.look(row, model, point, state):
                going.append(row)
        report(
            epoch / settings.epochs, f"epoch {epoch} of at most {settings.epochs}", _mean(points)
        )
        if not going:
            break
        if len(going) < len(stack.models):
            stack.keep(going)
    return Trained(watch.state, history, watch.best_epoch)


class _Stack:
    """The models that still train, with their optimiser, records and masks."""

    def __init__(
        self,
        ensemble: Ensemble,
        records: Records,
        settings: Settings,
        orders: list[torch.Generator],
        masks: dict[str, Tensor],
    ) -> None:
        self.ensemble = ensemble
        self.records = records
        self.settings = settings
        self.orders = orders
        self.masks = masks
        self.models = list(range(ensemble.models))
        self.optimizer = torch.optim.Adam(
            ensemble.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )

    def mask(self) -> None:
        """Zero what the masks remove."""
        parameters = dict(self.ensemble.named_parameters())
        for name, kept in self.masks.items():
            parameters[name].data.mul_(kept)

    def epoch(self, epoch: int, objective: Objective) -> list[dict[str, float]]:
        """One pass over every model's members, then its validation accuracy."""
        rows = self.records.train[self.models]
        order = torch.stack([torch.randperm(rows.shape[1], generator=g) for g in self.orders])
        rows = rows.gather(1, order)
        loss = torch.zeros(len(self.models))
        correct = torch.zeros(len(self.models))
        self.ensemble.train()
        for batch in rows.split(self.settings.batch_size, dim=1):
            losses, hits = self._step(batch, objective)
            loss += losses * batch.shape[1]
            correct += hits
        accuracies = correct / rows.shape[1]
        if self.settings.stop_at_member_accuracy is not None:
            accuracies = self._accuracy(self.records.train[self.models])
        validation = self._accuracy(self.records.validation[self.models])
        return [
            {"epoch": epoch, "loss": lo, "member_accuracy": ma, "validation_accuracy": va}
            for lo, ma, va in zip(
                (loss / rows.shape[1]).tolist(),
                accuracies.tolist(),
                validation.tolist(),
                strict=True,
            )
        ]

    def _step(self, batch: Tensor, objective: Objective) -> tuple[Tensor, Tensor]:
        """One step of every model on its own batch: (losses, correct answers)."""
        labels = self.records.y[batch]
        logits = self.ensemble(self.ensemble.inputs(self.records.x[batch]))
        losses = objective(logits, labels)
        total = losses.sum()
        if self.settings.scale_penalty:
            total = total + self.settings.scale_penalty * self._scales()
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        self.mask()
        return losses.detach(), (logits.detach().argmax(2) == labels).sum(1)

    def _scales(self) -> Tensor:
        parameters = dict(self.ensemble.named_parameters())
        norms = [parameters[f"{norm}.weight"].abs().sum() for norm in self.ensemble.normalised()]
        return torch.stack(norms).sum()

    def _accuracy(self, rows: Tensor) -> Tensor:
        """Accuracy of each model on its own records, in eval mode."""
        self.ensemble.eval()
        correct = torch.zeros(len(self.models))
        with torch.inference_mode():
            for batch in rows.split(512, dim=1):
                logits = self.ensemble(self.ensemble.inputs(self.records.x[batch]))
                correct += (logits.argmax(2) == self.records.y[batch]).sum(1)
        return correct / rows.shape[1]

    def keep(self, going: list[int]) -> None:
        """Go on with some rows of the stack: weights, Adam's moments, orders and masks."""
        rows = torch.tensor(going)
        self.ensemble.keep(rows)
        for moments in self.optimizer.state.values():
            for name in ("exp_avg", "exp_avg_sq"):
                moments[name] = moments[name][rows]
        self.masks = {name: kept[rows] for name, kept in self.masks.items()}
        self.orders = [self.orders[row] for row in going]
        self.models = [self.models[row] for row in going]


def _mean(points: list[dict[str, float]]) -> dict[str, float]:
    return {name: sum(point[name] for point in points) / len(points) for name in points[0]}
