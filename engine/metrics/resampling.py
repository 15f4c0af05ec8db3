"""Intervals by resampling whole units (households, query nodes), not rows."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import DataError
from engine.metrics.inputs import Floats, confidence_level, positive_integer


def bootstrap(
    statistic: Callable[[Floats], ArrayLike],
    units: ArrayLike,
    *,
    n_resamples: int,
    rng: np.random.Generator,
) -> Floats:
    """Recompute a statistic under resampled units, for intervals that respect their dependence.

    Every draw takes as many units as there are, with replacement, and hands each row the number of
    times that its unit was taken.

    Parameters
    ----------
    statistic : callable
        Maps row weights of shape (n_samples,), float64, whole numbers >= 0, to one number or k
        numbers. Compute every method, and their differences, in the same call: they then share the
        draw, and the interval of a difference is paired. NaN is allowed.
    units : array-like of shape (n_samples,)
        Unit of each row, any labels; the row numbers if rows are independent.
    n_resamples : int, >= 1
        Number of draws; 1,000 is enough for a 95 % interval.
    rng : numpy.random.Generator
        Source of randomness; the same state gives the same draws.

    Returns
    -------
    ndarray of shape (n_resamples, k), float64
        k = 1 if the statistic is one number.

    Raises
    ------
    DataError
        If there is no unit, one is missing, or the statistic changes its number of values.
    ConfigError
        If n_resamples is not a whole number of at least 1.

    Notes
    -----
    Covers the sampling of units only: fitted models, thresholds and bins are held fixed, so it
    leaves out the variation of training. With fewer than about 20 units intervals are too narrow.

    References
    ----------
    Efron and Tibshirani (1993), An introduction to the bootstrap, chapter 8 (whole units).

    Examples
    --------
    >>> y = np.array([0.0, 1.0, 1.0])
    >>> draws = bootstrap(lambda w: w @ y / w.sum(), [0, 1, 2], n_resamples=2000,
    ...                   rng=np.random.default_rng(0))
    >>> draws.shape, round(float(draws.mean()), 1)
    ((2000, 1), 0.7)
    """
    index, n_units = _unit_index(units)
    draws: list[Floats] = []
    for _ in range(positive_integer("n_resamples", n_resamples)):
        taken = np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)
        value = np.atleast_1d(np.asarray(statistic(taken[index].astype(np.float64)), dtype=float))
        if value.ndim != 1 or (draws and value.shape != draws[0].shape):
            raise DataError(
                f"`statistic` returned shape {value.shape} in draw {len(draws)}; one number or "
                "always the same number of values is expected."
            )
        draws.append(value)
    return np.stack(draws)


def percentile_interval(draws: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the percentile interval of bootstrap draws, column by column.

    Parameters
    ----------
    draws : array-like of shape (n_resamples, k) or (n_resamples,)
        NaN draws (a replicate in which the statistic was undefined) are left out.
    level : float, in (0, 1)

    Returns
    -------
    low, high : ndarrays of shape (k,), float64
        NaN for a column without any defined draw. For one-dimensional draws, of shape (1,).

    Raises
    ------
    DataError
        If there is no draw, or the draws have more than two dimensions.
    ConfigError
        If level is not between 0 and 1.

    Examples
    --------
    >>> percentile_interval([[0.0], [1.0], [2.0], [3.0], [4.0]], level=0.5)
    (array([1.]), array([3.]))
    """
    table = np.asarray(draws, dtype=np.float64)
    table = table[:, np.newaxis] if table.ndim == 1 else table
    if table.ndim != 2 or table.shape[0] == 0:
        raise DataError(f"`draws` has shape {table.shape}; (n_resamples, k) is expected.")
    tail = (1 - confidence_level(level)) / 2
    low, high = np.full((2, table.shape[1]), np.nan)
    defined = ~np.isnan(table).all(axis=0)
    if defined.any():
        low[defined], high[defined] = np.nanquantile(table[:, defined], [tail, 1 - tail], axis=0)
    return low, high


def _unit_index(units: ArrayLike) -> tuple[NDArray[np.intp], int]:
    """Position of each row's unit among the distinct units, and how many there are."""
    array = np.asarray(units)
    if array.ndim != 1 or array.size == 0:
        raise DataError(f"`units` has shape {array.shape}; one unit per row, at least one, is needed.")
    missing = np.array([unit is None or unit != unit for unit in array.tolist()])
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise DataError(f"`units` is missing in row {row} (counted from 0); every row needs a unit.")
    _, index = np.unique(array, return_inverse=True)
    return index, int(index.max()) + 1
