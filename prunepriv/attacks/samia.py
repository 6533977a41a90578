"""SAMIA, the self-attention membership inference attack (Yuan & Zhang 2022, section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prunepriv.attacks.base import Attack, FitSettings, Fitted, PooledShadows, Queries
from prunepriv.attacks.networks import (
    Dropout,
    FastRecipe,
    fit_network,
    margin,
    predict,
    restore,
    sampled,
)
from prunepriv.attacks.neural import one_hot
from prunepriv.progress import Report, silent

WIDTH, HEADS, LAYERS, FEED_FORWARD, RATE = 64, 4, 3, 128, 0.2


def fast_recipe(classes: int) -> FastRecipe:
    """At most a million tokens per epoch: with 100 classes, 10,000 shadow records.

    On a core shared with other processes, a token takes 47 us per epoch with 100 classes and 27 us
    with 30: 94 s with 100 classes. All 440,000 shadow records of Purchase would take more than an
    hour.
    """
    return FastRecipe(epochs=2, batch_size=128, peak=2e-3, most=1_000_000 // classes)


class EncoderLayer(nn.Module):
    """A transformer-encoder layer over the classes, normalised after each half (Vaswani 2017).

    It computes plain products of small matrices: with 30 classes and 16 features per head, fused
    attention takes more time for set-up than for arithmetic.
    """

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(WIDTH, 3 * WIDTH)
        self.combine = nn.Linear(WIDTH, WIDTH)
        self.widen = nn.Linear(WIDTH, FEED_FORWARD)
        self.narrow = nn.Linear(FEED_FORWARD, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.drop = Dropout(RATE)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, 64) -> (B, C, 64)."""
        x = self.norm1(x + self.drop(self.combine(self._attend(x))))
        hidden = self.drop(F.gelu(self.widen(x)))
        y: Tensor = self.norm2(x + self.drop(self.narrow(hidden)))
        return y

    def _attend(self, x: Tensor) -> Tensor:
        batch, tokens, _ = x.shape
        parts = self.project(x).view(batch, tokens, 3, HEADS, WIDTH // HEADS)
        shape = (3, batch * HEADS, tokens, WIDTH // HEADS)
        q, k, v = parts.permute(2, 0, 3, 1, 4).reshape(shape).unbind(0)
        weights = torch.bmm(q * (WIDTH // HEADS) ** -0.5, k.mT).softmax(dim=-1)
        attended = torch.bmm(self.drop(weights), v).view(batch, HEADS, tokens, -1)
        return attended.transpose(1, 2).reshape(batch, tokens, WIDTH)


class SelfAttention(nn.Module):
    """Posteriors, sensitivities and one-hot labels, one token per class -> two outputs."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        # names of layers are names of stored tensors: another one loses fits that exist
        self.normalise = nn.BatchNorm1d(3 * classes)
        self.embed = nn.Linear(3, WIDTH)
        self.layers = nn.ModuleList(EncoderLayer() for _ in range(LAYERS))
        self.hidden = nn.Linear(WIDTH * classes, WIDTH)
        self.output = nn.Linear(WIDTH, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3 C) of all posteriors, then all sensitivities, then the label -> (B, 2)."""
        tokens = self.normalise(x).view(-1, 3, self.classes).mT
        y = F.gelu(self.embed(tokens))
        for layer in self.layers:
            y = layer(y)
        outputs: Tensor = self.output(self.hidden(y.flatten(1)).relu())
        return outputs


class Samia(Attack):
    """Self-attention over classes on (p, s, one-hot y); its score is the log-odds of membership.

    SAMIA of Yuan & Zhang 2022. Needs posteriors, the true label, and 10 further queries
    per record for the sensitivity.
    """

    def fit(self, shadows: PooledShadows, settings: FitSettings, report: Report = silent) -> Fitted:
        classes = shadows.queries.classes
        fast = fast_recipe(classes)
        shadows = sampled(shadows, settings, fast.most)
        x = self._inputs(shadows.queries)
        member = torch.from_numpy(shadows.member.astype(np.int64))
        state = fit_network(SelfAttention(classes), x, member, settings, fast, report)
        return {**state, "thresholds": np.zeros(1)}

    def score(self, fitted: Mapping[str, np.ndarray], queries: Queries) -> np.ndarray:
        network = restore(SelfAttention(queries.classes), fitted)
        # with many classes, small chunks fit the cache: with 100, 1.2 ms per record instead of 2.0
        chunk = 1024 if queries.classes <= 32 else 64
        return margin(predict(network, self._inputs(queries), chunk))

    def _inputs(self, queries: Queries) -> Tensor:
        return torch.from_numpy(queries.in_chunks(_features))


def _features(queries: Queries) -> np.ndarray:
    """(n, 3 C) float32."""
    features = np.hstack([queries.posteriors, queries.sensitivity, one_hot(queries)])
    return features.astype(np.float32)
