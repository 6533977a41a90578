"""Real handwritten digits that come with scikit-learn, so no download is needed.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI repository, 1998.
"""

from __future__ import annotations

import numpy as np

from prunepriv.datasets.base import Records

INK_LEVELS = 16
"""Each pixel is the number of inked dots in a 4x4 block: 0 to 16."""


def read() -> Records:
    """All 1,797 digits: x uint8 (1797, 1, 8, 8) of 0 to 255, y int64 (1797,)."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - slow to import, rarely needed

    ink, label = load_digits(return_X_y=True)
    x = np.rint(ink * (255 / INK_LEVELS)).astype(np.uint8)
    return x.reshape(-1, 1, 8, 8), label.astype(np.int64)
