"""Ratios and areas under the curve for a sample and its bootstrap resamples, all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]

_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Resamples:
    """How often every query node counts: once in row 0, the sample; as drawn with replacement in the others."""

    counts: Floats
    """Shape (1 + n_resamples, n_queries)."""
    query: NDArray[np.int64]
    """Query of every row of the data, shape (n_rows,)."""

    @classmethod
    def draw(cls, query: NDArray[np.int64], n_resamples: int, rng: np.random.Generator) -> Resamples:
        """Draw as many queries as there are, with replacement, `n_resamples` times.

        Parameters
        ----------
        query : ndarray of shape (n_rows,), int64, in [0, n_queries)
        n_resamples : int
        rng : numpy.random.Generator

        Returns
        -------
        Resamples
        """
        size = int(query.max()) + 1
        drawn = rng.multinomial(size, np.full(size, 1 / size), size=n_resamples)
        return cls(np.concatenate([np.ones((1, size)), drawn]), query)

    def ratios(self, numerator: Floats, denominator: Floats) -> Floats:
        """Return sum(numerator) / sum(denominator) under every resample.

        Parameters
        ----------
        numerator, denominator : ndarray of shape (n_rows, k), float64
            Denominators >= 0.

        Returns
        -------
        ndarray of shape (1 + n_resamples, k), float64
            NaN where the denominator is 0: no row of the resample counts.
        """
        rows = np.arange(len(self.query))
        shape = (self.counts.shape[1], len(self.query))
        by_query = sparse.csr_array((np.ones(len(rows)), (self.query, rows)), shape=shape)
        above, below = self.counts @ (by_query @ numerator), self.counts @ (by_query @ denominator)
        return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)

    def areas(self, positive: Floats, negative: Floats, rows: NDArray[np.int64]) -> Floats:
        """Return the area under the ROC curve under every resample, ties counting half.

        Parameters
        ----------
        positive, negative : ndarray of shape (n,), float64
            Score of an edge and of its non-edge; both count as often as the edge's query is drawn.
        rows : ndarray of shape (n,), int64
            Row of the data that an edge belongs to.

        Returns
        -------
        ndarray of shape (1 + n_resamples,), float64
            NaN where no edge counts.
        """
        if len(rows) == 0:
            return np.full(len(self.counts), np.nan)
        order = np.argsort(-positive)
        # Positives above a negative: a prefix of the sorted positives, whose weight is one cumulated sum.
        above = np.searchsorted(-positive[order], -negative, side="left")
        not_below = np.searchsorted(-positive[order], -negative, side="right")
        query = self.query[rows]
        return np.concatenate(
            [
                _areas(self.counts[begin : begin + _CHUNK, query], order, above, not_below)
                for begin in range(0, len(self.counts), _CHUNK)
            ]
        )


def _areas(weight: Floats, order: NDArray[np.int64], above: NDArray[np.int64], not_below: NDArray[np.int64]) -> Floats:
    """Return the weighted areas of some resamples: `weight` has one row per resample, one column per edge."""
    prefix = np.zeros((weight.shape[0], weight.shape[1] + 1))
    np.cumsum(weight[:, order], axis=1, out=prefix[:, 1:])
    won = ((prefix[:, above] + prefix[:, not_below]) / 2 * weight).sum(axis=1)
    total = weight.sum(axis=1) ** 2
    return np.divide(won, total, out=np.full_like(won, np.nan), where=total > 0)
