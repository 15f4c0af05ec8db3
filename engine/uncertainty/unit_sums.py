"""Sums per unit, so that a bootstrap over units touches every row once and not once per draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.sparse import coo_matrix

from engine.metrics.resampling import bootstrap, percentile_interval
from engine.uncertainty.grid import Floats, Ints

Binned = Mapping[str, tuple[Ints, Floats]]
"""Name of a quantity to the bin of every row and the value that it adds to the bin."""


def bootstrap_of_sums(
    unit: Ints,
    quantities: Binned,
    n_bins: int,
    statistic: Callable[[Mapping[str, Floats]], Floats],
    *,
    resamples: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Resample units and recompute a statistic that depends on the rows through sums per bin.

    Parameters
    ----------
    unit : ndarray of shape (n,), int64
        Unit of each row.
    quantities : mapping of str to (bin, value)
        Arrays of shape (n,); bins from 0 to ``n_bins`` - 1.
    n_bins : int
    statistic : callable
        Sums per quantity, each of shape (n_bins,), to values of shape (k,).
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    value : ndarray of shape (k,), float64
    draws : ndarray of shape (resamples, k), float64
    """
    _, place = np.unique(unit, return_inverse=True)
    n_units = int(place.max()) + 1
    column = np.concatenate([at + number * n_bins for number, (at, _) in enumerate(quantities.values())])
    entry = np.concatenate([value for _, value in quantities.values()]).astype(float)
    row = np.tile(place, len(quantities))
    shape = (n_units, n_bins * len(quantities))
    # Cells of the same unit and bin are added up here; a draw is then one sparse product.
    by_cell = coo_matrix((entry, (row, column)), shape=shape).tocsr().T.tocsr()

    def weighted(weight: Floats) -> Floats:
        sums = (by_cell @ weight).reshape(len(quantities), n_bins)
        return statistic(dict(zip(quantities, sums, strict=True)))

    draws = bootstrap(weighted, np.arange(n_units), n_resamples=resamples, rng=rng)
    return weighted(np.ones(n_units)), draws


def interval(value: float, draws: Floats) -> dict[str, float]:
    """Return ``value, ci_low, ci_high`` of one statistic and its draws, shape (resamples,)."""
    low, high = percentile_interval(draws)
    return {"value": float(value), "ci_low": float(low[0]), "ci_high": float(high[0])}
