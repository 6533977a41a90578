"""The one training loop: a target and its shadows, all models of a stack at once.

Each model has its own records, order, dropout and early stopping. A model that has stopped leaves
the stack, and the others continue. What a model learns depends only on its seed and its records.
Large models, and those of a defence that requires it, are trained one by one, as stacks of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from prunepriv.models import Ensemble, State
from prunepriv.models.device import arithmetic, best_device
from prunepriv.progress import Report, silent
from prunepriv.seeding import derive
from prunepriv.training.adam import StackAdam
from prunepriv.training.finite import refuse_non_finite
from prunepriv.training.protection import DefenseContext, Protection, ProtectionFactory
from prunepriv.training.settings import Records, Settings

IN_ADVANCE = 2**26
"""The most values of a data set that are converted before training: a quarter of a gigabyte."""


@dataclass
class Trained:
    """One trained model.

    Attributes:
        state: the kept weights by name, without the axis of a stack.
        history: one point per epoch; member accuracy is measured during the epoch, on its batches,
            unless training stops at a member accuracy.
        best_epoch: the epoch (from 1) whose weights were kept.
        protection: the defence's report; None if it has none.
    """

    state: State
    history: list[dict[str, float]]
    best_epoch: int
    protection: dict[str, Any] | None = None


@dataclass
class _EarlyStopping:
    """Early stopping of every model, and the weights to keep."""

    settings: Settings
    state: State
    lengths: Sequence[int] | None = None
    best: list[float] = field(default_factory=list)
    best_epoch: list[int] = field(default_factory=list)

    def update(self, row: int, model: int, point: Mapping[str, float], state: State) -> bool:
        """Store the point of a model's epoch; True if the model should stop."""
        epoch = int(point["epoch"])
        goal = self.settings.stop_at_member_accuracy
        always = goal is not None or self.lengths is not None
        if always or point["validation_accuracy"] > self.best[model]:
            self.best[model] = point["validation_accuracy"]
            self.best_epoch[model] = epoch
            for name, value in state.items():
                self.state[name][model].copy_(value[row])
        if self.lengths is not None:
            return epoch >= self.lengths[model]
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
    numbers: Sequence[int] | None = None,
    lengths: Sequence[int] | None = None,
    protect: ProtectionFactory = Protection,
    masks: Mapping[str, Tensor] | None = None,
    reports: Sequence[Report] = (),
    device: torch.device | None = None,
) -> list[Trained]:
    """Train all models of a stack. What one becomes does not depend on the others.

    Args:
        ensemble: training starts from its weights, and may change them.
        records: are on the device during the whole training.
        seed: of the experiment.
        stage: "train" or "fine_tune".
        numbers: of the models; model m draws from streams named (stage, m). 0, 1, ... if left out.
        lengths: epochs of each model, 1 and up; it then never stops early, and keeps its last
            weights. If left out, the settings say when a model stops.
        protect: makes the defence.
        masks: parameter name -> bool (M, ...); weights that are False are zero after every step.
        reports: one per model, called after every epoch; silent if left out.
        device: to train on; if left out, a GPU if the machine has one.

    Returns:
        The models, on the processor, in the order of the stack.

    Raises:
        Cancelled: from a report.
        TrainingError: a loss, or answers on validation records, are no longer finite numbers; found
            at the end of the epoch.
    """
    device = device or best_device()
    records = records.to(device)
    masks = dict(masks or {})
    numbers = list(numbers or range(ensemble.models))
    reports = list(reports) or [silent] * ensemble.models
    if lengths is not None:  # no epoch is more than the longest model needs
        settings = replace(settings, epochs=max(lengths))
    alone = ensemble.one_by_one or protect().alone
    if not alone or ensemble.models == 1:
        job = _Job(seed, stage, numbers, protect, reports, lengths)
        return _train(ensemble.to(device), records, settings, masks, job)
    trained = []
    for row, (number, report) in enumerate(zip(numbers, reports, strict=True)):
        its_length = None if lengths is None else lengths[row : row + 1]
        job = _Job(seed, stage, [number], protect, [report], its_length)
        its_masks = {name: kept[row : row + 1] for name, kept in masks.items()}
        one = ensemble.single(row).to(device)
        trained += _train(one, records.of(row), settings, its_masks, job)
    return trained


@dataclass(frozen=True)
class _Job:
    """Which models are trained, with which random streams and which progress reports."""

    seed: int
    stage: str
    numbers: Sequence[int]
    protect: ProtectionFactory
    reports: Sequence[Report]
    lengths: Sequence[int] | None = None

    def streams(self, use: str) -> list[torch.Generator]:
        """A stream per model for one use; it does not depend on the models trained with it."""
        return [
            torch.Generator().manual_seed(derive(self.seed, self.stage, number, use))
            for number in self.numbers
        ]

    def tell(self, model: int, epoch: int, most: int, point: Mapping[str, float]) -> None:
        """Report an epoch of a model."""
        if self.lengths is None:
            of = f"of at most {most}"
        else:
            most = self.lengths[model]
            of = f"of {most}"
        self.reports[model](epoch / most, f"epoch {epoch} {of}", point)


def _train(
    ensemble: Ensemble,
    records: Records,
    settings: Settings,
    masks: Mapping[str, Tensor],
    job: _Job,
) -> list[Trained]:
    """Train a stack that is on the device of the records."""
    ensemble.draw_dropout_from(job.streams("dropout"))
    on_device = {name: kept.to(records.x.device) for name, kept in masks.items()}
    protection = job.protect()
    if not protection.writes_gradients:
        ensemble.lay_out_for_training(records.x.shape[1:])
    protection.begin(DefenseContext(ensemble, records, settings, on_device, job.streams))
    stack = _Stack(ensemble, records, settings, job.streams("order"), on_device, protection)
    stack.mask()
    models = len(job.numbers)
    stopping = _EarlyStopping(
        settings, ensemble.copy_state(), job.lengths, [-1.0] * models, [0] * models
    )
    history: list[list[dict[str, float]]] = [[] for _ in range(models)]
    for epoch in range(1, settings.epochs + 1):
        points = stack.epoch(epoch)
        numbers = [job.numbers[model] for model in stack.models]
        refuse_non_finite(points, numbers, job.stage, settings, protection.defends)
        state = ensemble.state_dict()
        going = []
        for row, (model, point) in enumerate(zip(stack.models, points, strict=True)):
            history[model].append(point)
            if not stopping.update(row, model, point, state):
                going.append(row)
            job.tell(model, epoch, settings.epochs, point)
        if not going:
            break
        if len(going) < len(stack.models):
            stack.keep(going)
    return [
        Trained(
            {name: value[model].cpu() for name, value in stopping.state.items()},
            history[model],
            stopping.best_epoch[model],
            protection.report(),
        )
        for model in range(models)
    ]


class _Stack:
    """The models that are still trained, with their optimiser, records and masks."""

    def __init__(
        self,
        ensemble: Ensemble,
        records: Records,
        settings: Settings,
        orders: list[torch.Generator],
        masks: dict[str, Tensor],
        protection: Protection,
    ) -> None:
        self.ensemble = ensemble
        self.records = records
        self.settings = settings
        self.orders = orders
        self.protection = protection
        self.models = list(range(ensemble.models))
        self.parameters = dict(ensemble.named_parameters())
        # as numbers, and laid out as the weights: a product takes a sixth of the time
        self.masks = {
            name: torch.empty_like(self.parameters[name].data).copy_(kept)
            for name, kept in masks.items()
        }
        self.adam = StackAdam(ensemble, settings.learning_rate, settings.weight_decay)
        self.optimizer = protection.optimizer(self.adam)
        self.device = records.x.device
        self.inputs = _inputs_in_advance(ensemble, records.x)
        self.scaled = list(ensemble.normalized()) if settings.scale_penalty else []

    def mask(self) -> None:
        """Set the weights that the masks remove to zero."""
        for name, kept in self.masks.items():
            self.parameters[name].data.mul_(kept)

    def epoch(self, epoch: int) -> list[dict[str, float]]:
        """One pass over every model's members, then its validation accuracy."""
        rows = self.records.train[self.models]
        loss = torch.zeros(len(self.models), device=self.device)
        correct = torch.zeros(len(self.models), device=self.device)
        seen = 0
        self.ensemble.train()
        for batch in self.protection.batches(rows, self.orders, self.settings.batch_size):
            losses, hits = self._step(batch)
            loss += losses * batch.shape[1]
            correct += hits
            seen += batch.shape[1]
        seen = max(seen, 1)  # a defence that draws its batches may draw no record
        accuracies = correct / seen
        if self.settings.stop_at_member_accuracy is not None:
            accuracies = self._accuracy(self.records.train[self.models])
        validation = self._accuracy(self.records.validation[self.models])
        return [
            {"epoch": epoch, "loss": lo, "member_accuracy": ma, "validation_accuracy": va}
            for lo, ma, va in zip(
                (loss / seen).tolist(),
                accuracies.tolist(),
                validation.tolist(),
                strict=True,
            )
        ]

    def _step(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """One step of every model on its own batch: (losses, correct answers)."""
        self.protection.before_step(batch, self._query)
        self.optimizer.zero_grad()
        if batch.shape[1]:
            labels = self.records.y[batch]
            logits = self._logits(batch)
            losses = self.protection.losses(logits, labels)
            total = losses if len(losses) == 1 else losses.sum()
            if self.settings.scale_penalty:
                total = total + self.settings.scale_penalty * self._scales()
            total.backward()
            hits = (logits.detach().argmax(2) == labels).sum(1)
        else:
            losses = hits = torch.zeros(len(self.models), device=self.device)
        self.protection.after_backward()
        self.optimizer.step()
        self.mask()
        return losses.detach(), hits

    def _logits(self, rows: Tensor) -> Tensor:
        """Float32 (M, r, C) of rows (M, r)."""
        if self.inputs is None:
            inputs = self.ensemble.inputs(self.records.x[rows])
        else:
            inputs = self.inputs[rows]
        with arithmetic(self.device):
            logits: Tensor = self.ensemble(inputs)
        return logits.float()

    def _query(self, rows: Tensor) -> Tensor:
        """Logits of rows as any user of the models gets them: in eval mode, without gradient."""
        self.ensemble.eval()
        with torch.no_grad():
            logits = self._logits(rows)
        self.ensemble.train()
        return logits

    def _scales(self) -> Tensor:
        norms = [self.parameters[f"{norm}.weight"].abs().sum() for norm in self.scaled]
        return torch.stack(norms).sum()

    def _accuracy(self, rows: Tensor) -> Tensor:
        """Accuracy of each model on its own records, in eval mode; NaN if a logit is not finite."""
        self.ensemble.eval()
        correct = torch.zeros(len(self.models), device=self.device)
        with torch.inference_mode():
            for batch in rows.split(512, dim=1):
                logits = self._logits(batch)
                hits = (logits.argmax(2) == self.records.y[batch]).sum(1)
                correct += hits.where(logits.isfinite().all(dim=(1, 2)), torch.nan)
        return correct / rows.shape[1]

    def keep(self, going: list[int]) -> None:
        """Keep only some rows of the stack: weights, Adam's moments, orders and masks."""
        rows = torch.tensor(going, device=self.device)
        self.ensemble.keep(rows)
        self.adam.keep(rows)
        self.protection.keep(rows)
        self.masks = {name: kept[rows] for name, kept in self.masks.items()}
        self.orders = [self.orders[row] for row in going]
        self.models = [self.models[row] for row in going]


def _inputs_in_advance(ensemble: Ensemble, x: Tensor) -> Tensor | None:
    """All records as the network reads them, pictures with channels last; None if they are many."""
    if x.numel() > IN_ADVANCE:
        return None
    if x.dim() == 4:  # before the conversion: bytes are moved faster than floats
        x = x.contiguous(memory_format=torch.channels_last)
    return ensemble.inputs(x)
