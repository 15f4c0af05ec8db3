"""Turn feature columns into standardised numbers and category indices, from the training rows alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.errors import DataError

MIN_CATEGORY_ROWS = 5
"""Categories seen in fewer training rows share index 0 with unseen ones."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Hold network inputs: ``numeric`` (n, D) float32, ``category`` (n, C) int64, sizes per category column."""

    numeric: NDArray[np.float32]
    category: NDArray[np.int64]
    cardinality: tuple[int, ...]
    numeric_names: tuple[str, ...]
    category_names: tuple[str, ...]


def encode(features: pd.DataFrame, is_train: NDArray[np.bool_]) -> Encoded:
    """Standardise numbers and index categories.

    Numbers get mean 0 and standard deviation 1 on the training rows; a missing number becomes 0
    and sets an extra 0/1 column, if the training rows have missing ones. Categories are indexed
    by training frequency; index 0 holds rare, unseen and missing ones.

    Parameters
    ----------
    features : DataFrame of shape (n, F)
    is_train : ndarray of shape (n,), bool

    Returns
    -------
    Encoded

    Raises
    ------
    DataError
        If a column holds dates, or infinite numbers.
    """
    numbers: dict[str, NDArray[np.float32]] = {}
    categories: dict[str, tuple[NDArray[np.int64], int]] = {}
    for name, values in features.items():
        if pd.api.types.is_datetime64_any_dtype(values.dtype):
            raise DataError(f"Column '{name}' holds dates; give it the role 'time' or turn it into numbers of days.")
        if pd.api.types.is_numeric_dtype(values.dtype):
            numbers |= _numeric(str(name), values.to_numpy(dtype=float, na_value=np.nan), is_train)
        else:
            categories[str(name)] = _categorical(values, is_train)
    n = len(features)
    return Encoded(
        numeric=np.stack(list(numbers.values()), axis=1) if numbers else np.zeros((n, 0), dtype=np.float32),
        category=np.stack([c for c, _ in categories.values()], axis=1) if categories else np.zeros((n, 0), np.int64),
        cardinality=tuple(size for _, size in categories.values()),
        numeric_names=tuple(numbers),
        category_names=tuple(categories),
    )


def _numeric(name: str, values: NDArray[np.float64], is_train: NDArray[np.bool_]) -> dict[str, NDArray[np.float32]]:
    """Standardise one column; constant columns on the training rows are left out."""
    if np.isinf(values).any():
        row = int(np.flatnonzero(np.isinf(values))[0])
        raise DataError(f"Column '{name}' is infinite in data row {row + 1}; a finite number or no value is allowed.")
    missing = np.isnan(values)
    seen = values[is_train & ~missing]
    columns = {}
    if seen.size and seen.std() > 0:
        scaled = np.where(missing, 0.0, (values - seen.mean()) / seen.std())
        # A value far outside the training range must not drive the network.
        columns[name] = np.clip(scaled, -8, 8).astype(np.float32)
    if missing[is_train].any() and not missing[is_train].all():
        columns[f"{name} is missing"] = missing.astype(np.float32)
    return columns


def _categorical(values: pd.Series, is_train: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
    """Index one column."""
    text = values.astype("string").fillna("missing")
    counts = text[is_train].value_counts()
    known = counts[counts >= MIN_CATEGORY_ROWS].index
    index = pd.Index(known).get_indexer(text) + 1
    return index.astype(np.int64), len(known) + 1
