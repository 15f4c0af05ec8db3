"""The exact interval of a share: Clopper and Pearson's, from the incomplete beta function."""

import math

import numpy as np
from numpy.typing import ArrayLike

from engine.errors import DataError
from engine.metrics.inputs import Floats, confidence_level

_TINY = 1e-300
_MOST_TERMS = 20_000
_MOST_STEPS = 60


def clopper_pearson_interval(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the exact interval of a share, element by element.

    low = B(alpha/2; x, n - x + 1), high = B(1 - alpha/2; x + 1, n - x), B the quantile of the beta distribution

    Parameters
    ----------
    successes : array-like, in [0, n]
    n : array-like, >= 0, same shape as `successes` or broadcast against it
        Trials; need not be whole numbers (an effective sample size is fine).
    level : float, in (0, 1)
        Coverage that is reached at least; Wilson's interval reaches it on average only and is shorter.

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
    Clopper and Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the binomial.

    Examples
    --------
    >>> low, high = clopper_pearson_interval([8, 0], [10, 0])
    >>> low.round(3), high.round(3)
    (array([0.444,   nan]), array([0.975,   nan]))
    """
    won, trials = counts(successes, n)
    tail = (1 - confidence_level(level)) / 2
    lost = trials - won
    inside_low, inside_high = won > 0, lost > 0
    low, high = np.zeros(won.shape), np.ones(won.shape)
    low[inside_low] = _beta_quantile(tail, won[inside_low], lost[inside_low] + 1)
    high[inside_high] = _beta_quantile(1 - tail, won[inside_high] + 1, lost[inside_high])
    return np.where(trials > 0, low, np.nan), np.where(trials > 0, high, np.nan)


def counts(successes: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Broadcast successes and trials, checked: 0 <= successes <= n.

    Raises
    ------
    DataError
        If a count is missing, negative, or there are more successes than trials; names the first bad entry.
    """
    won, trials = np.broadcast_arrays(np.asarray(successes, float), np.asarray(n, float))
    bad = ~(np.isfinite(won) & np.isfinite(trials) & (won >= 0) & (won <= trials))
    if bad.any():
        first = int(np.flatnonzero(bad.ravel())[0])
        raise DataError(
            f"`successes` is {won.ravel()[first]} of n = {trials.ravel()[first]} in entry {first} "
            "(counted from 0); 0 <= successes <= n is needed."
        )
    return won, trials


def _beta_quantile(share: float, a: Floats, b: Floats) -> Floats:
    """Find x with I_x(a, b) = share for arrays of shape (m,): Newton's steps, halving where one leaves its bracket."""
    low, high = np.zeros(a.shape), np.ones(a.shape)
    x = a / (a + b)
    log_beta = _log_beta(a, b)
    for _ in range(_MOST_STEPS):
        excess = regularised_beta(x, a, b) - share
        low, high = np.where(excess < 0, x, low), np.where(excess < 0, high, x)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            slope = np.exp((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - log_beta)
            step = x - excess / slope
        following = np.where((step > low) & (step < high), step, (low + high) / 2)
        if np.all(np.abs(following - x) <= 4e-16 * np.maximum(x, 1e-3)):
            break
        x = following
    return x


def _log_beta(a: Floats, b: Floats) -> Floats:
    """Return the logarithm of the beta function, shape (m,)."""
    return np.array([math.lgamma(u) + math.lgamma(v) - math.lgamma(u + v) for u, v in zip(a, b, strict=True)])


def regularised_beta(x: Floats, a: Floats, b: Floats) -> Floats:
    """Return the regularised incomplete beta function I_x(a, b), the distribution function of Beta(a, b).

    Parameters
    ----------
    x : ndarray of shape (m,), in [0, 1]
    a, b : ndarray of shape (m,), > 0

    Returns
    -------
    ndarray of shape (m,), float64, in [0, 1]

    References
    ----------
    Abramowitz and Stegun (1964), Handbook of mathematical functions, 26.5.8 (continued fraction).

    Examples
    --------
    >>> regularised_beta(np.array([0.5]), np.array([2.0]), np.array([2.0]))
    array([0.5])
    """
    # The fraction converges fast on one side of the mean; the symmetry covers the other.
    turned = x > (a + 1) / (a + b + 2)
    p, q = np.where(turned, b, a), np.where(turned, a, b)
    z = np.where(turned, 1 - x, x)
    with np.errstate(divide="ignore", invalid="ignore"):
        front = np.where(z > 0, np.exp(p * np.log(z) + q * np.log1p(-z) - _log_beta(p, q)) / p, 0.0)
    value = np.where(z > 0, front * _continued_fraction(z, p, q), 0.0)
    return np.clip(np.where(turned, 1 - value, value), 0.0, 1.0)


def _continued_fraction(x: Floats, a: Floats, b: Floats) -> Floats:
    """Evaluate the continued fraction of the incomplete beta function from the top down (Lentz)."""
    c, d = np.ones(x.shape), _inverse(1 - (a + b) * x / (a + 1))
    value = d.copy()
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = np.ones(x.shape)
        for term in (even, odd):
            d = _inverse(1 + term * d)
            c = 1 + term / c
            c = np.where(np.abs(c) < _TINY, _TINY, c)
            change = c * d
            value = value * change
        if np.all(np.abs(change - 1) < 1e-15):
            break
    return value


def _inverse(values: Floats) -> Floats:
    """Return 1 / x without a division by 0."""
    return 1 / np.where(np.abs(values) < _TINY, _TINY, values)
