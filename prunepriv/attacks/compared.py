"""What reference attacks see: a model's confidence in records, and that of other models in them.

All are scaled confidences phi = log p_y / (1 - p_y) (Carlini et al. 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Self

import numpy as np

from prunepriv.attacks.means import (
    log_mean_p,
    log_mean_p_of_others,
    mean_phi,
    mean_phi_of_others,
)

TRAINED_ON = 1
VALIDATED_ON = 2


@dataclass(frozen=True)
class Compared:
    """The confidence of one model in records, and means over reference models of the same records.

    A reference model that was trained on a record is left out of its means. An attack reads one
    mean of the two: each is worked out when it is called.

    Attributes:
        phi: (n,) under the attacked model.
        mean_phi: gives (n,) float64, the mean phi.
        log_mean_p: gives (n,) float64, the log of the mean p_y = sigmoid(phi), 0 or less.
    """

    phi: np.ndarray
    mean_phi: Callable[[], np.ndarray]
    log_mean_p: Callable[[], np.ndarray]

    @classmethod
    def with_references(cls, phi: np.ndarray, reference: np.ndarray, usable: np.ndarray) -> Self:
        """From the confidences of the reference models.

        Args:
            phi: (n,) under the attacked model.
            reference: (S, n) under the reference models.
            usable: (S, n) bool, whether a reference model was not trained on the record; if it was,
                its value is not read. Each record has at least one that was not.
        """
        return cls(
            phi, partial(mean_phi, reference, usable), partial(log_mean_p, reference, usable)
        )


@dataclass(frozen=True)
class ReferenceQueries:
    """What the adversary of a reference attack sees of one model.

    Attributes:
        records: the records to attack; each is outside the training of at least one reference.
        population: other records, known to be non-members, that RMIA compares with.
    """

    records: Compared
    population: Compared

    @classmethod
    def from_arrays(
        cls,
        phi: np.ndarray,
        population_phi: np.ndarray,
        confidences: Sequence[Mapping[str, np.ndarray]],
        populations: Sequence[Mapping[str, np.ndarray]],
    ) -> Self:
        """From the target's confidences, and the tables of its shadows in the same records.

        No shadow was trained on a record of the target: all shadows are references for all records.

        Args:
            phi: (n,) of the target in its own records.
            population_phi: (P,) of the target in the records of the shadow half.
            confidences: of each shadow, the tables of its `confidences` step.
            populations: of each shadow, the tables of its `population` step.
        """
        shadows = ReferenceShadows.from_arrays(populations)
        known = shadows.references > 0
        reference = np.stack([tables["phi"] for tables in confidences])
        everywhere = np.ones(reference.shape, dtype=bool)
        return cls(
            records=Compared.with_references(phi, reference, everywhere),
            population=Compared.with_references(
                population_phi[known], shadows.phi[:, known], shadows.usable[:, known]
            ),
        )


@dataclass(frozen=True)
class ReferenceShadows:
    """The confidence of every shadow model in every record of the shadow half.

    Attributes:
        phi: (S, P) scaled confidences.
        seen: (S, P) uint8: 0 if the shadow did not use the record, 1 if it was trained on it, 2 if
            it used the record for early stopping.
    """

    phi: np.ndarray
    seen: np.ndarray

    @classmethod
    def from_arrays(cls, populations: Sequence[Mapping[str, np.ndarray]]) -> Self:
        """From the tables of each shadow's `population` step."""
        return cls(
            np.stack([tables["phi"] for tables in populations]),
            np.stack([tables["seen"] for tables in populations]),
        )

    @cached_property
    def usable(self) -> np.ndarray:
        """(S, P) bool, whether a shadow was not trained on the record."""
        return np.asarray(self.seen != TRAINED_ON)

    @cached_property
    def references(self) -> np.ndarray:
        """(P,) how many shadows were not trained on the record."""
        return np.asarray(self.usable.sum(axis=0))

    @cached_property
    def mean_phi_of_others(self) -> np.ndarray:
        """(S, P) float64: for each shadow, the mean phi of its references, the other shadows."""
        return mean_phi_of_others(self.phi, self.usable)

    @cached_property
    def log_mean_p_of_others(self) -> np.ndarray:
        """(S, P) float64: for each shadow, the log of the mean p_y of the other shadows."""
        return log_mean_p_of_others(self.phi, self.usable)

    def take(self, records: np.ndarray) -> ReferenceShadows:
        """The same shadows in some of the records, (P,) bool."""
        return ReferenceShadows(self.phi[:, records], self.seen[:, records])

    def judged(self, shadow: int) -> np.ndarray:
        """(P,) bool, the records on which a shadow can be judged as a target.

        Validation records are neither members nor non-members: they are left out. Records that all
        others were trained on are left out as well.
        """
        return np.asarray(self._known(shadow) & (self.seen[shadow] != VALIDATED_ON))

    def as_target(
        self, shadow: int, among: np.ndarray | None = None
    ) -> tuple[ReferenceQueries, np.ndarray]:
        """One shadow as the target and the others as its references, and its members (n,) bool.

        The population is the remaining records that this shadow was not trained on, with its
        validation records. The means of all shadows are worked out together, once, so that the work
        for every shadow in turn grows with their number and not with its square.

        Args:
            shadow: which one.
            among: (P,) bool, the records to attack are among these; all if left out.
        """
        seen = self.seen[shadow]
        records = self.judged(shadow) if among is None else self.judged(shadow) & among

        def compared(rows: np.ndarray) -> Compared:
            return Compared(
                self.phi[shadow, rows],
                lambda: self.mean_phi_of_others[shadow, rows],
                lambda: self.log_mean_p_of_others[shadow, rows],
            )

        population = self._known(shadow) & (seen != TRAINED_ON)
        queries = ReferenceQueries(compared(records), compared(population))
        return queries, seen[records] == TRAINED_ON

    def _known(self, shadow: int) -> np.ndarray:
        """(P,) bool, whether another shadow was not trained on the record."""
        return np.asarray(self.references > self.usable[shadow])
