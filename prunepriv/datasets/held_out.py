"""Shadow records that no fit uses: attacks are judged on them before they meet the target.

A tenth of the records, drawn by record and the same in all shadows. Whether a record is among them
depends on the seed and the record alone, not on how many shadows or records there are. See
assets/method.md#choosing-an-attack.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from prunepriv.datasets.splits import split
from prunepriv.seeding import derive

SHARE = 0.1
"""Of the shadow records, that no fit uses."""


def drawn(record: np.ndarray, seed: int) -> np.ndarray:
    """(n,) numbers in [0, 1), one for each record: those below SHARE are held out."""
    rng = np.random.default_rng(derive(seed, "held-out records"))
    return np.asarray(rng.random(int(record.max()) + 1)[record])


@lru_cache(maxsize=64)
def rows_for_fits(n: int, shadows: int, seed: int, limit: int | None = None) -> int:
    """How many members and non-members of all shadows a fit may use.

    A record counts once for each shadow that holds it.

    Args:
        n: records in the data set.
        shadows: how many there are.
        seed: of the experiment.
        limit: only the first `limit` shuffled records are used; None: all.

    Raises:
        ExperimentError: too few records.
    """
    own = (split(n, number, seed, limit).own for number in range(1, shadows + 1))
    return sum(int((drawn(records, seed) >= SHARE).sum()) for records in own)
