"""Whether predicted probabilities come true: bin tables with intervals, and one summary number."""

from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import DataError
from engine.metrics.binomial import counts
from engine.metrics.inputs import (
    Floats,
    confidence_level,
    labels,
    positive_integer,
    probabilities,
    require,
    undefined,
    weights,
)

Strategy = Literal["quantile", "uniform"]


def wilson_interval(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the Wilson score interval of a share, element by element.

    (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)   with p = successes / n

    Parameters
    ----------
    successes : array-like, in [0, n]
    n : array-like, >= 0, same shape as `successes` or broadcast against it
        Trials; need not be whole numbers (an effective sample size is fine).
    level : float, in (0, 1)
        Coverage aimed at.

    Returns
    -------
    low, high : ndarrays of the broadcast shape, float64, in [0, 1]
        NaN where n = 0.

    Raises
    ------
    DataError
        If a count is missing, negative, or there are more successes than trials.
    ConfigError
        If level is not between 0 and 1.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.
    Without continuity correction.

    Examples
    --------
    >>> low, high = wilson_interval([8, 0], [10, 0])
    >>> low.round(3), high.round(3)
    (array([0.49,  nan]), array([0.943,   nan]))
    """
    won, trials = counts(successes, n)
    z = NormalDist().inv_cdf(0.5 + confidence_level(level) / 2)
    size = np.where(trials > 0, trials, np.nan)
    share = won / size
    centre = share + z**2 / (2 * size)
    half = z * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    scale = 1 + z**2 / size
    # The formula gives exactly 0 and 1 at the edges; rounding would miss them by an ulp.
    low = np.where(won == 0, 0.0, (centre - half) / scale)
    high = np.where(won == trials, 1.0, (centre + half) / scale)
    return np.where(trials > 0, low, np.nan), np.where(trials > 0, high, np.nan)


def reliability_table(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    n_bins: int = 10,
    strategy: Strategy = "quantile",
    *,
    sample_weight: ArrayLike | None = None,
    level: float = 0.95,
) -> dict[str, NDArray[Any]]:
    """Group predictions into bins and compare what was promised with what happened.

    Bins are (low, high], the first includes its lower edge. Equal predictions always share a bin.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
    n_bins : int, >= 1
        "quantile" may return fewer bins if predictions are tied, never empty ones.
    strategy : {"quantile", "uniform"}
        Equal weight per bin, or equal width over [0, 1]; the latter keeps empty bins.
    sample_weight : array-like of shape (n_samples,), >= 0, optional
    level : float, in (0, 1)
        Coverage of the interval.

    Returns
    -------
    dict of ndarrays of shape (n_rows,)
        `bin` (0, 1, ...), `bin_low`, `bin_high` (edges), `n` (rows with positive weight), `weight`
        (their weight), `mean_predicted`, `observed_rate`, `ci_low`, `ci_high` (Wilson interval of
        the observed rate). Where n = 0 the last four are NaN.

    Raises
    ------
    DataError
        If lengths differ, a value is not allowed, or no row carries weight.
    ConfigError
        If n_bins, strategy or level is not allowed.

    Notes
    -----
    With unequal weights the interval uses Kish's effective size (sum w)² / sum w², which ignores
    that rows of one unit resemble each other: bootstrap over units if they do.

    Examples
    --------
    >>> table = reliability_table([0, 1, 1, 1], [0.2, 0.2, 0.6, 0.8], n_bins=2)
    >>> table["n"], table["mean_predicted"], table["observed_rate"]
    (array([2, 2]), array([0.2, 0.7]), array([0.5, 1. ]))
    """
    positive_integer("n_bins", n_bins)
    truth, prob, weight = weighted_rows(y_true, y_prob, sample_weight)
    low_edge, high_edge = _bin_edges(prob, weight, n_bins, strategy)
    index = np.searchsorted(high_edge, prob, side="left")
    size = high_edge.size

    def total(values: Floats) -> Floats:
        return np.bincount(index, values, minlength=size).astype(np.float64)

    mass, mass_of_squares = total(weight), total(weight**2)
    filled = mass > 0
    mass_or_nan = np.where(filled, mass, np.nan)
    rate = total(weight * truth) / mass_or_nan
    effective = np.where(filled, mass**2 / np.where(filled, mass_of_squares, 1.0), 0.0)
    # A rate of one can round to an ulp above it.
    rate = np.minimum(rate, 1.0)
    low, high = wilson_interval(np.where(filled, rate * effective, 0.0), effective, level)
    return {
        "bin": np.arange(size),
        "bin_low": low_edge,
        "bin_high": high_edge,
        "n": np.bincount(index, minlength=size),
        "weight": mass,
        "mean_predicted": total(weight * prob) / mass_or_nan,
        "observed_rate": rate,
        "ci_low": low,
        "ci_high": high,
    }


def expected_calibration_error(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    n_bins: int = 10,
    strategy: Strategy = "quantile",
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the mean distance between promised and observed rate over the reliability bins.

    ECE = sum over bins of (bin weight / total weight) * |mean predicted - observed rate|

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
    n_bins : int, >= 1
    strategy : {"quantile", "uniform"}
    sample_weight : array-like of shape (n_samples,), >= 0, optional

    Returns
    -------
    float in [0, 1]
        NaN with `UndefinedMetricWarning` if no row carries weight.

    Raises
    ------
    DataError
        If lengths differ or a value is not allowed.
    ConfigError
        If n_bins or strategy is not allowed.

    Notes
    -----
    Biased upwards: even perfectly calibrated predictions score above zero, the more so with many
    bins and few rows. Compare methods on the same rows and bins only. The mean prediction of a bin
    is used, not its mid-point.

    References
    ----------
    Roelofs et al. (2022), Mitigating bias in calibration error estimation, for the bias and for
    equal-mass bins.

    Examples
    --------
    >>> expected_calibration_error([0, 1, 1, 1], [0.25, 0.25, 1.0, 1.0], n_bins=2)
    0.125
    """
    truth, prob = labels(y_true), probabilities(y_prob)
    weight = weights(sample_weight, truth.size)
    if not weight.any():
        return undefined("expected_calibration_error", "no row carries weight")
    table = reliability_table(truth, prob, n_bins, strategy, sample_weight=weight)
    gap = np.abs(table["mean_predicted"] - table["observed_rate"])
    return float(np.nansum(gap * table["weight"]) / table["weight"].sum())


def weighted_rows(
    y_true: ArrayLike, y_prob: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Check labels, probabilities and weights, and keep the rows that carry weight.

    Raises
    ------
    DataError
        If lengths differ, a value is not allowed, or no row carries weight.
    """
    truth = labels(y_true)
    prob = probabilities(y_prob, length=truth.size)
    weight = weights(sample_weight, truth.size)
    kept = weight > 0
    if not kept.any():
        raise DataError("`sample_weight` leaves no row; at least one row must carry weight.")
    return truth[kept], prob[kept], weight[kept]


def bin_index(prob: Floats, weight: Floats, n_bins: int, strategy: Strategy) -> NDArray[np.intp]:
    """Return the reliability bin of each row, 0, 1, ..., as in `reliability_table`.

    Raises
    ------
    ConfigError
        If n_bins or strategy is not allowed.
    """
    positive_integer("n_bins", n_bins)
    return np.searchsorted(_bin_edges(prob, weight, n_bins, strategy)[1], prob, side="left")


def _bin_edges(prob: Floats, weight: Floats, n_bins: int, strategy: Strategy) -> tuple[Floats, Floats]:
    """Lower and upper edge of each bin."""
    known = strategy in ("quantile", "uniform")
    require("strategy", strategy, ok=known, allowed='choose "quantile" or "uniform"')
    shares = np.linspace(0.0, 1.0, n_bins + 1)
    if strategy == "uniform":
        return shares[:-1], shares[1:]
    # Edges are observed values, the smallest whose cumulative weight reaches the share, so that a row
    # of weight 2 and the same row twice give the same bins. The slack absorbs rounding of the sums.
    order = np.argsort(prob, kind="stable")
    cumulative = np.cumsum(weight[order])
    reached = np.searchsorted(cumulative, shares[1:] * cumulative[-1] * (1 - 1e-12), side="left")
    high = np.unique(prob[order][reached])
    return np.concatenate((prob[order][:1], high[:-1])), high
