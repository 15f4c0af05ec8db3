"""Calibration error over bins, less what chance alone would show."""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import DataError
from engine.metrics.calibration import Strategy, bin_index
from engine.metrics.inputs import Floats, labels, probabilities, require, undefined, weights

Norm = Literal["absolute", "root_mean_square"]


def debiased_calibration_error(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    n_bins: int = 10,
    strategy: Strategy = "quantile",
    *,
    norm: Norm = "absolute",
    sample_weight: ArrayLike | None = None,
) -> float:
    """Return the calibration error over bins less its expectation under chance.

    root_mean_square: sqrt(max(0, sum_b w_b ((s_b - r_b)² - r_b (1 - r_b) / (n_b - 1)))), s mean score, r rate
    absolute: ECE - (sum_b w_b E|g_b + e_b| - ECE), g_b = |s_b - r_b|, e_b ~ N(0, r_b (1 - r_b) / n_b)

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
    n_bins : int, >= 1
    strategy : {"quantile", "uniform"}
    norm : {"absolute", "root_mean_square"}
        Of the gaps of the bins.
    sample_weight : array-like of shape (n_samples,), >= 0, optional
        A weight of w counts as w rows, so the weights are to be numbers of rows.

    Returns
    -------
    float
        NaN with `UndefinedMetricWarning` if no row carries weight. Neither norm is negative.

    Raises
    ------
    DataError
        If lengths differ or a value is not allowed.
    ConfigError
        If n_bins, strategy or norm is not allowed.

    Notes
    -----
    A bin of a single row has no variance estimate; its gap is left out of the root mean square. For the absolute
    norm the expectation has a closed form (the mean of a folded normal), where the reference draws at random.

    References
    ----------
    Kumar, Liang and Ma (2019), Verified uncertainty calibration (debiased estimator; the absolute norm as in the
    code that comes with it).

    Examples
    --------
    >>> round(debiased_calibration_error([0, 1] * 5, [0.5] * 10, n_bins=1), 6)
    0.0
    """
    known = norm in ("absolute", "root_mean_square")
    require("norm", norm, ok=known, allowed='choose "absolute" or "root_mean_square"')
    truth, prob = labels(y_true), probabilities(y_prob)
    if truth.size != prob.size:
        raise DataError(f"`y_prob` has {prob.size} rows where {truth.size} are expected.")
    weight = weights(sample_weight, truth.size)
    if not weight.any():
        return undefined("debiased_calibration_error", "no row carries weight")
    kept = weight > 0
    truth, prob, weight = truth[kept], prob[kept], weight[kept]
    index = bin_index(prob, weight, n_bins, strategy)
    n, positives, predicted = (
        np.bincount(index, v).astype(np.float64) for v in (weight, weight * truth, weight * prob)
    )
    return debiased_error_of_bins(n, positives, predicted, norm=norm)


def debiased_error_of_bins(n: Floats, positives: Floats, score_sum: Floats, *, norm: Norm = "absolute") -> float:
    """Return the debiased calibration error of bins that are counted already.

    Parameters
    ----------
    n, positives, score_sum : ndarray of shape (m,), float64
        Rows, positive rows and sums of scores per bin; empty bins are passed over.
    norm : {"absolute", "root_mean_square"}

    Returns
    -------
    float
    """
    filled = n > 0
    n, positives, score_sum = n[filled], positives[filled], score_sum[filled]
    share = n / n.sum()
    rate = np.clip(positives / n, 0.0, 1.0)
    gap = np.abs(score_sum / n - rate)
    if norm == "root_mean_square":
        several = n > 1
        noise = rate * (1 - rate) / np.where(several, n - 1, 1.0)
        return math.sqrt(max(0.0, float(share @ np.where(several, gap**2 - noise, 0.0))))
    spread = np.sqrt(rate * (1 - rate) / n)
    expected = np.array([_folded_mean(g, s) for g, s in zip(gap.tolist(), spread.tolist(), strict=True)])
    plain = float(share @ gap)
    return max(0.0, plain - (float(share @ expected) - plain))


def _folded_mean(mean: float, deviation: float) -> float:
    """Return E|X| of a normal X."""
    if deviation == 0:
        return abs(mean)
    ratio = mean / deviation
    return deviation * math.sqrt(2 / math.pi) * math.exp(-(ratio**2) / 2) + mean * math.erf(ratio / math.sqrt(2))
