"""Take a mean squared error apart: what is miscalibrated, what is told apart, what nobody knows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.calibration import Strategy, bin_index, weighted_rows
from engine.metrics.inputs import Floats


@dataclass(frozen=True, slots=True)
class Recalibration:
    """Hold the isotonic recalibration of a score: one row per different score, ascending.

    Arrays of shape (m,): ``score``; ``rate``, the recalibrated probability, never falling; ``weight``, the rows
    behind it; ``block``, the number of the level stretch that the score belongs to, 0, 1, ...
    """

    score: Floats
    rate: Floats
    weight: Floats
    block: np.ndarray


def isotonic_rates(positives: ArrayLike, weight: ArrayLike) -> tuple[Floats, np.ndarray]:
    """Fit rates that never fall along groups in ascending order, by pooling adjacent violators.

    Minimises sum w (positives / w - rate)² over all sequences of rates that never fall.

    Parameters
    ----------
    positives, weight : array-like of shape (m,), >= 0
        Of every group. Groups without weight take the rate of the next higher group that has some, else of the next
        lower one.

    Returns
    -------
    rate : ndarray of shape (m,), float64
    block : ndarray of shape (m,), int64
        Number of the level stretch of each group.

    References
    ----------
    Barlow, Bartholomew, Bremner and Brunk (1972), Statistical inference under order restrictions.

    Examples
    --------
    >>> isotonic_rates([0, 2, 1], [1, 2, 4])[0].round(2)
    array([0. , 0.5, 0.5])
    """
    won, size = np.asarray(positives, float), np.asarray(weight, float)
    filled = np.flatnonzero(size > 0)
    if filled.size == 0:
        return np.full(size.size, np.nan), np.zeros(size.size, dtype=np.int64)
    sums, sizes, ends = _pooled(won[filled].tolist(), size[filled].tolist())
    block = np.repeat(np.arange(len(ends)), np.diff([0, *ends]))
    nearest = np.minimum(np.searchsorted(filled, np.arange(size.size)), filled.size - 1)
    rate = np.array(sums) / np.array(sizes)
    return rate[block][nearest], block[nearest].astype(np.int64)


def _pooled(sums: list[float], sizes: list[float]) -> tuple[list[float], list[float], list[int]]:
    """Pool neighbours until rates rise; return the blocks' sums, sizes and ends."""
    kept_sum: list[float] = []
    kept_size: list[float] = []
    end: list[int] = []
    for place, (p, n) in enumerate(zip(sums, sizes, strict=True), 1):
        while kept_sum and kept_sum[-1] * n >= p * kept_size[-1]:
            p += kept_sum.pop()
            n += kept_size.pop()
            end.pop()
        kept_sum.append(p)
        kept_size.append(n)
        end.append(place)
    return kept_sum, kept_size, end


def recalibrate(y_true: ArrayLike, y_prob: ArrayLike, *, sample_weight: ArrayLike | None = None) -> Recalibration:
    """Fit the isotonic reliability curve (CORP): the best recalibration that keeps the order of the scores.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
    sample_weight : array-like of shape (n_samples,), >= 0, optional

    Returns
    -------
    Recalibration

    Raises
    ------
    DataError
        If lengths differ, a value is not allowed, or no row carries weight.

    References
    ----------
    Dimitriadis, Gneiting and Jordan (2021), Stable reliability diagrams for probabilistic classifiers.

    Examples
    --------
    >>> recalibrate([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.9]).rate
    array([0. , 0.5, 1. ])
    """
    truth, prob, weight = weighted_rows(y_true, y_prob, sample_weight)
    score, index = np.unique(prob, return_inverse=True)
    size = np.bincount(index, weight).astype(np.float64)
    rate, block = isotonic_rates(np.bincount(index, weight * truth), size)
    return Recalibration(score=score, rate=rate, weight=size, block=block)


def corp_decomposition(
    y_true: ArrayLike, y_prob: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> Mapping[str, float]:
    """Take the Brier score apart without a choice of bins.

    S = MCB - DSC + UNC: with r the isotonic recalibration of the score and c the base rate,
    MCB = S(score) - S(r), DSC = S(c) - S(r), UNC = S(c).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
    sample_weight : array-like of shape (n_samples,), >= 0, optional

    Returns
    -------
    mapping of str to float
        ``score`` (the Brier score), ``miscalibration`` and ``discrimination`` (both >= 0), ``uncertainty``.

    Raises
    ------
    DataError
        If lengths differ, a value is not allowed, or no row carries weight.

    Notes
    -----
    The recalibration is fitted to the rows that it is judged on, so miscalibration and discrimination are both too
    large, by about the same amount: their difference is not.

    References
    ----------
    Dimitriadis, Gneiting and Jordan (2021), Stable reliability diagrams for probabilistic classifiers.

    Examples
    --------
    >>> parts = corp_decomposition([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5])
    >>> parts["miscalibration"], parts["discrimination"], parts["uncertainty"]
    (0.0, 0.0, 0.25)
    """
    truth, prob, weight = weighted_rows(y_true, y_prob, sample_weight)
    fitted = recalibrate(truth, prob, sample_weight=weight)
    rate = fitted.rate[np.searchsorted(fitted.score, prob)]
    total = weight.sum()
    base = float(weight @ truth) / float(total)
    score, best, constant = (float(weight @ (q - truth) ** 2) / float(total) for q in (prob, rate, base))
    return {
        "score": score,
        # Rounding must not make a part negative.
        "miscalibration": max(score - best, 0.0),
        "discrimination": max(constant - best, 0.0),
        "uncertainty": constant,
    }


def brier_decomposition(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    n_bins: int = 10,
    strategy: Strategy = "quantile",
    *,
    sample_weight: ArrayLike | None = None,
) -> Mapping[str, float]:
    """Take the Brier score apart over bins, with what is lost inside them.

    BS = reliability - resolution + uncertainty + within: over bins b of weight w, mean score s and rate r, base rate
    c: reliability = sum w (s - r)², resolution = sum w (r - c)², uncertainty = c (1 - c), and
    within = mean (p - s_b)² - 2 mean (p - s_b)(y - r_b), the variance of the score inside the bins minus twice its
    covariance with the label there.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
    n_bins : int, >= 1
    strategy : {"quantile", "uniform"}
    sample_weight : array-like of shape (n_samples,), >= 0, optional

    Returns
    -------
    mapping of str to float
        ``score, reliability, resolution, uncertainty, within``; the four parts give the score exactly. Within is 0
        where every bin holds one score, and negative where the score still tells rows of a bin apart.

    Raises
    ------
    DataError
        If lengths differ, a value is not allowed, or no row carries weight.
    ConfigError
        If n_bins or strategy is not allowed.

    References
    ----------
    Murphy (1973), A new vector partition of the probability score; Stephenson, Coelho and Jolliffe (2008), Two extra
    components in the Brier score decomposition.

    Examples
    --------
    >>> parts = brier_decomposition([0, 1, 1, 1], [0.25, 0.25, 1.0, 1.0], n_bins=2)
    >>> parts["reliability"], parts["resolution"], parts["uncertainty"], parts["within"]
    (0.03125, 0.0625, 0.1875, 0.0)
    """
    truth, prob, weight = weighted_rows(y_true, y_prob, sample_weight)
    index = bin_index(prob, weight, n_bins, strategy)
    total = float(weight.sum())
    mass = np.bincount(index, weight)
    filled = np.where(mass > 0, mass, 1.0)
    mean, rate = (np.bincount(index, weight * values) / filled for values in (prob, truth))
    base = float(weight @ truth) / total
    inside = prob - mean[index]
    return {
        "score": float(weight @ (prob - truth) ** 2) / total,
        "reliability": float(mass @ (mean - rate) ** 2) / total,
        "resolution": float(mass @ (rate - base) ** 2) / total,
        "uncertainty": base * (1 - base),
        "within": float(weight @ (inside**2 - 2 * inside * (truth - rate[index]))) / total,
    }
