"""Count every cell under many bootstrap draws of the units at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from engine.uncertainty.grid import Floats, Ints
from engine.uncertainty.rows import Rows

DRAWS_AT_ONCE = 100


def unit_index(unit: Ints) -> tuple[Ints, int]:
    """Index the units of rows from 0, and count them."""
    distinct, index = np.unique(unit, return_inverse=True)
    return index.astype(np.int64), int(distinct.size)


def unit_draws(n_units: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Draw units with replacement, as `engine.metrics.resampling.bootstrap` does, some draws at a time.

    Yields
    ------
    ndarray of shape (n_units, d), float64
        How often each unit was taken in each of d draws.
    """
    for start in range(0, resamples, DRAWS_AT_ONCE):
        size = min(DRAWS_AT_ONCE, resamples - start)
        taken = [np.bincount(rng.integers(n_units, size=n_units), minlength=n_units) for _ in range(size)]
        yield np.stack(taken, axis=1).astype(np.float64)


class DrawnCounts:
    """Sum rows and positives per cell under weights of the units.

    Parameters
    ----------
    cell : ndarray of shape (n,), int64
        Cell ``bucket * L + bin`` of each row.
    rows : Rows
    shape : (int, int)
        K and L.
    """

    def __init__(self, cell: Ints, rows: Rows, shape: tuple[int, int]) -> None:
        unit, n_units = unit_index(rows.unit)
        size = (shape[0] * shape[1], n_units)
        self._shape = shape
        self._totals = csr_array((rows.weight.astype(np.float64), (cell, unit)), shape=size)
        won = rows.label == 1
        self._positives = csr_array((rows.weight[won].astype(np.float64), (cell[won], unit[won])), shape=size)

    def __call__(self, taken: Floats) -> tuple[Floats, Floats]:
        """Cumulate positives and rows from the top bin.

        Parameters
        ----------
        taken : ndarray of shape (n_units, d), float64

        Returns
        -------
        positives, totals : ndarray of shape (K, L + 1, d), float64
        """
        return self._from_top(self._positives @ taken), self._from_top(self._totals @ taken)

    def _from_top(self, counts: Floats) -> Floats:
        """Cumulate the bins of every bucket from the last one, with a leading zero."""
        n_buckets, n_bins = self._shape
        cumulated: NDArray[np.float64] = np.zeros((n_buckets, n_bins + 1, counts.shape[1]))
        np.cumsum(counts.reshape(n_buckets, n_bins, -1)[:, ::-1], axis=1, out=cumulated[:, 1:])
        return cumulated


def selected_counts(from_top: Floats, cuts: Ints) -> Floats:
    """Sum the buckets of each boundary: counts (K, L + 1, d) and cuts (S, K) give shape (S, d)."""
    total = from_top[0, cuts[:, 0]]
    for bucket in range(1, from_top.shape[0]):
        total = total + from_top[bucket, cuts[:, bucket]]
    return total
