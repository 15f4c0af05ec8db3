"""The cheapest uncertainty: how rarely the values of a row were seen in training."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def count_proxy(features: pd.DataFrame, is_train: NDArray[np.bool_], weight: NDArray[np.int64]) -> Floats:
    """Sum 1 / (1 + training rows with this value) over the columns that are no numbers.

    Counts take all training rows, whatever the undersampling: among kept rows all positives are, so
    that their counts would tell the label.

    Parameters
    ----------
    features : DataFrame of shape (n, F)
    is_train : ndarray of shape (n,), bool
    weight : ndarray of shape (n,), int64, rows a line stands for

    Returns
    -------
    ndarray of shape (n,), float64, from 0 to the number of such columns
        0 everywhere if all columns are numbers: there is then nothing to count.

    Examples
    --------
    >>> shelf = pd.DataFrame({"shelf": ["milk", "milk", "tea", "soap"]})
    >>> count_proxy(shelf, np.array([True, True, True, False]), np.ones(4, dtype=np.int64))
    array([0.33333333, 0.33333333, 0.5       , 1.        ])
    """
    proxy = np.zeros(len(features))
    for _, values in features.items():
        if pd.api.types.is_numeric_dtype(values.dtype):
            continue
        code, _ = pd.factorize(values.astype("string").fillna("missing"))
        seen = np.bincount(code[is_train], weight[is_train], minlength=code.max() + 1)
        proxy += 1 / (1 + seen[code])
    return proxy
