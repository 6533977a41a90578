"""Attack networks on posteriors: NN, Top3-NN and Cls-NN."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from prunepriv.attacks.base import Attack, FitSettings, Fitted, PooledShadows, Queries
from prunepriv.attacks.dropout import Dropout
from prunepriv.attacks.networks import (
    FastRecipe,
    fit_network,
    margin,
    predict,
    restore,
    sampled,
)
from prunepriv.attacks.perceptron import Perceptron
from prunepriv.options import ATTACKS
from prunepriv.progress import Report, silent

# Few steps at high rates, in sum 1.15 times the 100 epochs of the paper, from the same weights: what
# they find differs little. Adam found other networks, by up to 4.5 points on one seed of Location.
# 100,000 records of 200 inputs take 76 s on a core shared with other processes.
FAST = FastRecipe(
    epochs=8,
    batch_size=128,
    peak=0.015,
    most=ATTACKS["nn"].fast_records,
    optimizer="sgd",
    held_out=0.0,
)


def attack_network(inputs: int) -> Perceptron:
    """512-256-128-2, ReLU, dropout 0.2 after the first two hidden layers.

    See assets/method.md#attack-networks.
    """
    return Perceptron(
        nn.Linear(inputs, 512), nn.ReLU(), Dropout(0.2),
        nn.Linear(512, 256), nn.ReLU(), Dropout(0.2),
        nn.Linear(256, 128), nn.ReLU(),
        nn.Linear(128, 2),
    )  # fmt: skip


class NeuralAttack(Attack):
    """A network on features of the posteriors; its score is the log-odds of membership."""

    @abstractmethod
    def features(self, queries: Queries) -> np.ndarray:
        """(n, d) inputs of the network."""

    def fit(self, shadows: PooledShadows, settings: FitSettings, report: Report = silent) -> Fitted:
        shadows = sampled(shadows, settings, FAST.most)
        x = self._inputs(shadows.queries)
        member = torch.from_numpy(shadows.member.astype(np.int64))
        network = attack_network(x.shape[1])
        state = fit_network(network, x, member, settings, FAST, report)
        return {**state, "thresholds": np.zeros(1)}

    def score(self, fitted: Mapping[str, np.ndarray], queries: Queries) -> np.ndarray:
        x = self._inputs(queries)
        return margin(predict(restore(attack_network(x.shape[1]), fitted), x))

    def _inputs(self, queries: Queries) -> Tensor:
        return torch.from_numpy(queries.in_chunks(self._single_precision))

    def _single_precision(self, queries: Queries) -> np.ndarray:
        return self.features(queries).astype(np.float32)


class NN(NeuralAttack):
    """A network on all posteriors, in the order of the classes (Shokri et al. 2017).

    Needs all posteriors, and no label.
    """

    def features(self, queries: Queries) -> np.ndarray:
        return queries.posteriors


class Top3NN(NeuralAttack):
    """A network on the three largest posteriors, in descending order (Salem et al. 2019).

    With fewer than three classes, it uses all posteriors. Needs the three largest posteriors.
    """

    def features(self, queries: Queries) -> np.ndarray:
        return -np.sort(-queries.posteriors, axis=1)[:, :3]


class ClsNN(NeuralAttack):
    """A network on the posteriors and the one-hot true label (Nasr et al. 2018).

    Needs all posteriors and the true label.
    """

    def features(self, queries: Queries) -> np.ndarray:
        return np.hstack([queries.posteriors, one_hot(queries)])


def one_hot(queries: Queries) -> np.ndarray:
    """(n, C): 1 at the true label."""
    return np.asarray(np.eye(queries.classes)[queries.label])
