"""Measure whether positivity changes with uncertainty when the score stays the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from engine.metrics.resampling import bootstrap, percentile_interval
from engine.uncertainty.grid import Floats, Ints
from engine.uncertainty.planes import shuffled
from engine.uncertainty.rows import Rows

MOST_KNOTS = 100
FEWEST_KNOTS = 4
SCORES_PER_KNOT = 3
SEGMENTS = {"all": 0.0, "top tenth of scores": 0.9}
"""Segment to the quantile of the score from which on rows belong to it."""


def mid_rank(values: Floats, weight: Ints | None = None) -> Floats:
    """Rank values from 0 (smallest) to 1 (largest); ties, and the rows a line stands for, share their mean rank.

    Parameters
    ----------
    values : ndarray of shape (n,), float64
    weight : ndarray of shape (n,), int64, optional
        How many rows each line stands for; 1 if absent.

    Returns
    -------
    ndarray of shape (n,), float64, in [0, 1]

    Examples
    --------
    >>> mid_rank(np.array([3.0, 1.0, 3.0]))
    array([0.75, 0.  , 0.75])
    """
    distinct, index = np.unique(values, return_inverse=True)
    if distinct.size == 1:
        return np.full(values.size, 0.5)
    count = np.bincount(index, weight)
    middle = np.cumsum(count) - (count + 1) / 2
    return middle[index] / (count.sum() - 1)


def score_knots(score: Floats) -> Floats:
    """Choose knots at quantiles of the distinct scores, up to 100.

    Ten coarse bins would leave room for uncertainty to move with the score inside a bin and pass
    that off as an effect of its own. A coarse score gets a third as many knots as it has values,
    so that values with different evidence share pieces.

    Returns
    -------
    ndarray of shape (J,), float64, ascending, distinct
    """
    distinct = np.unique(score)
    size = min(MOST_KNOTS, distinct.size, max(FEWEST_KNOTS, distinct.size // SCORES_PER_KNOT))
    return np.unique(np.quantile(distinct, np.linspace(0, 1, size), method="nearest"))


def smooth_by_score(score: Floats, outcome: Floats, weight: Floats) -> Floats:
    """Fit a continuous piecewise linear function of the score by weighted least squares.

    Parameters
    ----------
    score, outcome, weight : ndarray of shape (n,), float64

    Returns
    -------
    ndarray of shape (n,), float64
        Fitted values.
    """
    knots = score_knots(score)
    if knots.size == 1:
        return np.full(score.size, np.average(outcome, weights=weight))
    left = np.clip(np.searchsorted(knots, score, side="right") - 1, 0, knots.size - 2)
    share = (score - knots[left]) / (knots[left + 1] - knots[left])
    # Hat functions overlap with their neighbours only, so the normal equations are tridiagonal.
    own = _sums(left, weight * (1 - share) ** 2, knots.size) + _sums(left + 1, weight * share**2, knots.size)
    mixed = _sums(left + 1, weight * share * (1 - share), knots.size)
    right = _sums(left, weight * (1 - share) * outcome, knots.size)
    right += _sums(left + 1, weight * share * outcome, knots.size)
    height = solveh_banded(np.stack([mixed, own]), right)
    return height[left] * (1 - share) + height[left + 1] * share


def _sums(index: Ints, values: Floats, size: int) -> Floats:
    """Sum values per knot."""
    return np.bincount(index, values, minlength=size).astype(np.float64)


def residuals(rows: Rows) -> tuple[Floats, Floats]:
    """Take what the score explains out of the uncertainty's rank and out of the label.

    Returns
    -------
    uncertainty, label : ndarray of shape (n,), float64
    """
    weight = rows.weight.astype(float)
    rank, label = mid_rank(rows.uncertainty, rows.weight), rows.label.astype(float)
    return rank - smooth_by_score(rows.score, rank, weight), label - smooth_by_score(rows.score, label, weight)


def positivity_trend(rows: Rows, *, resamples: int, rng: np.random.Generator) -> dict[str, float]:
    """Estimate the change in positivity from the most to the least certain row at equal score.

    Slope of the label on the rank of the uncertainty (0 to 1), both cleared of a piecewise linear
    function of the score.

    Parameters
    ----------
    rows : Rows
    resamples : int
        Draws of units behind the interval; the function of the score is held fixed.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``value, ci_low, ci_high`` in percentage points, NaN if the score determines the
        uncertainty; ``n`` units.
    """
    uncertainty, label = residuals(rows)
    n = int(np.unique(rows.unit).size)
    spread = rows.weight * uncertainty**2
    if spread.sum() < 1e-8 * rows.weight.sum():
        return {"value": np.nan, "ci_low": np.nan, "ci_high": np.nan, "n": n}
    product = rows.weight * uncertainty * label
    _, index = np.unique(rows.unit, return_inverse=True)
    by_unit = [np.bincount(index, values) for values in (product, spread)]

    def slope(weight: Floats) -> float:
        return 100 * float((weight * by_unit[0]).sum() / (weight * by_unit[1]).sum())

    draws = bootstrap(slope, np.arange(n), n_resamples=resamples, rng=rng)
    low, high = percentile_interval(draws)
    return {"value": slope(np.ones(n)), "ci_low": float(low[0]), "ci_high": float(high[0]), "n": n}


def top_scores(score: Floats, weight: Ints, quantile: float) -> NDArray[np.bool_]:
    """Tell which rows have a score from a quantile on, shape (n,)."""
    least = np.quantile(score, quantile, method="inverted_cdf", weights=weight)
    return np.asarray(score >= least)


def trend_table(rows: Rows, *, seed: int, resamples: int, rng: np.random.Generator) -> pd.DataFrame:
    """Measure the trend for all rows and for the highest scores, each beside a shuffled uncertainty.

    Returns
    -------
    DataFrame
        ``method, segment, value, ci_low, ci_high, n``; method is ``uncertainty`` or ``placebo``.
    """
    found = []
    for segment, quantile in SEGMENTS.items():
        part = rows.take(top_scores(rows.score, rows.weight, quantile))
        for method in ("uncertainty", "placebo"):
            u = part.uncertainty if method == "uncertainty" else shuffled(part.uncertainty, seed)
            shown = Rows(part.score, u, part.label, part.weight, part.unit)
            found.append({"method": method, "segment": segment} | positivity_trend(shown, resamples=resamples, rng=rng))
    return pd.DataFrame(found)
