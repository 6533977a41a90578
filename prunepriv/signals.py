"""What a model reveals about a record: logits, and how its posteriors react to small changes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import torch
from torch import Tensor

from prunepriv.errors import TrainingError
from prunepriv.models import Ensemble
from prunepriv.models.device import best_device, full_precision

DRAWS = 10
STEP = 1e-3


def signals(
    ensemble: Ensemble, x: Tensor, rows: Tensor, *, seed: int, exact: bool = False, chunk: int = 512
) -> tuple[Tensor, Tensor]:
    """Logits and prediction sensitivity of records, scored by every model of a stack.

    The sensitivity of class k is mean over 10 draws u ~ N(0, I) of |p_k(x + eps u) - p_k(x)| / eps
    with eps = 1e-3. If `exact`, it is the limit as eps -> 0: mean |J u|_k, where J is the Jacobian
    of the posteriors (assets/method.md#prediction-sensitivity).

    Products are in float32 on a GPU too: with fewer bits, rounding would hide a change of 1e-3.
    The draws come from the processor, and are the same on every device.

    Args:
        ensemble: M models; put into eval mode and onto the device.
        x: (n, ...) uint8, or float32 of a table: the whole data set.
        rows: (M, r) indices of the records that each model scores.
        seed: of the draws. Column j of `rows` gets the same draws under every model.
        exact: Jacobian-vector products (forward mode) instead of small steps.
        chunk: records per pass.

    Returns:
        (logits, sensitivity), each (M, r, classes) float32 on the processor; sensitivity is 0 or
        more.

    Raises:
        TrainingError: an answer is not a finite number.
    """
    logits, sensitivity = [], []
    for stack, models in _stacks(ensemble):
        parts = list(_signals(stack, x, rows[models], seed, exact, chunk))
        logits.append(torch.cat([z for z, _ in parts], dim=1))
        sensitivity.append(torch.cat([s for _, s in parts], dim=1))
    return _finite(_joined(logits)), _finite(_joined(sensitivity))


def answers(ensemble: Ensemble, x: Tensor, rows: Tensor, *, chunk: int = 512) -> Tensor:
    """Logits only: one query for each record, where :func:`signals` makes eleven.

    Args:
        ensemble: M models; put into eval mode and onto the device.
        x: (n, ...) uint8, or float32 of a table: the whole data set.
        rows: (M, r) indices of the records that each model scores.
        chunk: records per pass.

    Returns:
        (M, r, classes) float32 on the processor, those of :func:`signals`.

    Raises:
        TrainingError: an answer is not a finite number.
    """
    found = []
    for stack, models in _stacks(ensemble):
        with torch.inference_mode(), full_precision():
            parts = [
                stack(stack.inputs(_to_device(x[batch]))).cpu()
                for batch in rows[models].split(chunk, dim=1)
            ]
        found.append(torch.cat(parts, dim=1))
    return _finite(_joined(found))


def confidences(
    ensemble: Ensemble, x: Tensor, y: Tensor, rows: Tensor, *, chunk: int = 512
) -> Tensor:
    """Scaled confidence of every model in the true labels of the same records.

    Args:
        ensemble: M models; put into eval mode and onto the device.
        x: (n, ...) uint8, the whole data set.
        y: (n,) int64 labels.
        rows: (r,) indices of the records.
        chunk: records per pass; only their logits are in memory at once.

    Returns:
        (M, r) float32 on the processor.

    Raises:
        TrainingError: an answer is not a finite number.
    """
    found = []
    for stack, _ in _stacks(ensemble):
        parts = []
        with torch.inference_mode(), full_precision():
            for batch in rows.split(chunk):
                inputs = stack.inputs(_to_device(x[batch])).expand(stack.models, -1, *x.shape[1:])
                labels = _to_device(y[batch]).expand(stack.models, -1)
                parts.append(scaled_confidence(stack(inputs), labels).float().cpu())
        found.append(torch.cat(parts, dim=1))
    return _finite(_joined(found))


def scaled_confidence(logits: Tensor, label: Tensor) -> Tensor:
    """Carlini et al. 2022: phi = z_y - log sum_{k != y} exp z_k = log p_y / (1 - p_y).

    Args:
        logits: (..., C), at least two classes.
        label: (...) int64.

    Returns:
        (...) float64; it keeps its digits also if p_y is near 0 or 1.
    """
    z, at = logits.double(), label.unsqueeze(-1)
    others = z.scatter(-1, at, -torch.inf).logsumexp(dim=-1)
    return z.gather(-1, at).squeeze(-1) - others


def _stacks(ensemble: Ensemble) -> Iterator[tuple[Ensemble, slice]]:
    """The models on the device, all at once or one by one, and which ones they are."""
    ensemble.eval()
    if not ensemble.one_by_one:
        yield ensemble.to(best_device()), slice(None)
        return
    for row in range(ensemble.models):
        yield ensemble.single(row).to(best_device()), slice(row, row + 1)


def _signals(
    ensemble: Ensemble, x: Tensor, rows: Tensor, seed: int, exact: bool, chunk: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Logits and sensitivity chunk by chunk."""
    generator = torch.Generator().manual_seed(seed)
    change, step = (_exact, 1.0) if exact else (_sampled, STEP)
    # forward-mode derivatives do not work on tensors of inference mode
    quiet = torch.no_grad() if exact else torch.inference_mode()
    with quiet, full_precision():
        for batch in rows.split(chunk, dim=1):
            inputs = ensemble.inputs(_to_device(x[batch]))
            z = ensemble(inputs)
            total = torch.zeros_like(z)
            for _ in range(DRAWS):
                noise = torch.empty(inputs.shape[1:]).normal_(generator=generator)
                total += change(ensemble, inputs, z, _to_device(noise)).abs()
            yield z.cpu(), (total / (DRAWS * step)).cpu()


def _sampled(ensemble: Ensemble, inputs: Tensor, z: Tensor, noise: Tensor) -> Tensor:
    """p(x + eps u) - p(x).

    The difference is computed for the logits and exactly converted to the posteriors, because the
    difference of two float32 posteriors near 1 would lose its digits.
    """
    shifted = ensemble(torch.add(inputs, noise, alpha=STEP))
    return posterior_change(z, shifted - z)


def _exact(ensemble: Ensemble, inputs: Tensor, z: Tensor, noise: Tensor) -> Tensor:
    """J u."""
    with warnings.catch_warnings():
        # the first call loads torch's own code for forward mode, which uses a deprecated function
        warnings.filterwarnings("ignore", ".*torch.jit.script", FutureWarning)
        slope: Tensor = torch.func.jvp(ensemble, (inputs,), (noise.expand_as(inputs),))[1]
    return posterior_slope(z, slope)


def _to_device(values: Tensor) -> Tensor:
    return values.to(best_device())


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _finite(answers: Tensor) -> Tensor:
    """The same answers, if all are finite numbers."""
    if not answers.isfinite().all():
        raise TrainingError(
            "a model's answers are not finite numbers, because its weights are too large: lower the "
            "learning rate"
        )
    return answers


def posterior_change(logits: Tensor, change: Tensor) -> Tensor:
    """softmax(logits + change) - softmax(logits) along the last axis, without cancellation.

    The change of the largest logit is first subtracted from all changes, which changes no
    posterior. With p = softmax(logits), the k-th difference is p_k (exp(change_k - c) - 1), where
    c = log sum_j p_j exp(change_j). Near p_k = 1, c is as small as the sum of the other
    posteriors, and so is every term of its sum.

    A change whose exponential overflows needs no such care: there the posteriors are subtracted.
    """
    p = logits.softmax(dim=-1)
    change = change - change.gather(-1, logits.argmax(dim=-1, keepdim=True))
    c = (p * change.expm1()).sum(dim=-1, keepdim=True).log1p()
    careful = p * (change - c).expm1()
    fits = careful.isfinite().all(dim=-1, keepdim=True)
    if fits.all():
        return careful
    return careful.where(fits, (logits + change).softmax(dim=-1) - p)


def posterior_slope(logits: Tensor, slope: Tensor) -> Tensor:
    """Derivative of softmax(logits) if that of the logits is `slope`, without cancellation.

    p_k (slope_k - sum_j p_j slope_j), where the slope of the largest logit is first subtracted from
    all slopes: the limit of :func:`posterior_change`.
    """
    p = logits.softmax(dim=-1)
    slope = slope - slope.gather(-1, logits.argmax(dim=-1, keepdim=True))
    return p * (slope - (p * slope).sum(dim=-1, keepdim=True))
