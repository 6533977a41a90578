"""SAMIA, the self-attention membership inference attack (Yuan & Zhang 2022, section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from prunepriv.attacks.base import Attack, FitSettings, Fitted, PooledShadows, Queries
from prunepriv.attacks.encoder import WIDTH, EncoderLayer
from prunepriv.attacks.halves import Normalizing
from prunepriv.attacks.networks import (
    FastRecipe,
    fit_network,
    margin,
    predict,
    restore,
    sampled,
)
from prunepriv.attacks.neural import one_hot
from prunepriv.attacks.products import Linear
from prunepriv.options import ATTACKS
from prunepriv.progress import Report, silent

LAYERS = 3


def fast_recipe(classes: int) -> FastRecipe:
    """At most as many tokens as its option says: with 100 classes, 10,000 shadow records.

    On one core, a token takes 23 us per epoch with 100 classes and 13 us with 30; on two cores,
    little more than half of that. All 440,000 shadow records of Purchase would take half an hour.
    """
    return FastRecipe(
        epochs=2,
        batch_size=128,
        peak=2e-3,
        most=ATTACKS["samia"].most_records(classes),
        at_once=max(1, 4096 // classes),
    )


class SelfAttention(Normalizing):
    """Posteriors, sensitivities and one-hot labels, one token per class -> two outputs."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        # names of layers are names of stored tensors: another one loses fits that exist
        self.normalise = nn.BatchNorm1d(3 * classes)
        self.embed = Linear(3, WIDTH)
        self.layers = nn.ModuleList(EncoderLayer() for _ in range(LAYERS))
        self.hidden = Linear(WIDTH * classes, WIDTH)
        self.output = Linear(WIDTH, 2)

    def after(self, normalized: Tensor) -> Tensor:
        """(B, 3 C) of all posteriors, then all sensitivities, then the label -> (B, 2)."""
        tokens = normalized.view(-1, 3, self.classes).mT
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
        at_once = fast_recipe(queries.classes).at_once
        return margin(predict(network, self._inputs(queries), at_once))

    def _inputs(self, queries: Queries) -> Tensor:
        return torch.from_numpy(queries.in_chunks(_features))


def _features(queries: Queries) -> np.ndarray:
    """(n, 3 C) float32."""
    if queries.sensitivity is None:
        raise ValueError("SAMIA reads prediction sensitivity, which was not measured: measure it")
    features = np.hstack([queries.posteriors, queries.sensitivity, one_hot(queries)])
    return features.astype(np.float32)
