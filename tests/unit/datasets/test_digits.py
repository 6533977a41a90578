from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from prunepriv.datasets.digits import read


def test_digits_are_scikit_learns_on_the_full_scale():
    x, y = read()
    source = load_digits()
    np.testing.assert_allclose(x[:, 0] / 255, source.images / 16, atol=0.5 / 255)
    np.testing.assert_array_equal(y, source.target)
