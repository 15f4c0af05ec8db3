"""The beta distribution: its distribution function and its quantiles, exact for counts of millions as well."""

import math

import numpy as np

from engine.metrics.inputs import Floats

_TINY = 1e-300
_MOST_TERMS = 20_000
_MOST_STEPS = 60
_ENOUGH = 1e-12
"""Relative length of the last of Newton's steps: the error behind it is this number squared, or that of rounding."""
_LARGE = 500.0
"""Parameters above this make a bell, which few points integrate; the fraction would take thousands of terms."""
_FALL = 50.0
"""Integrals end where the density has fallen by about the exponential of this."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)
_SERIES_FROM = 16.0


def beta_quantile(share: float, a: Floats, b: Floats) -> Floats:
    """Find x with I_x(a, b) = share: Newton's steps, halving where one leaves its bracket.

    Parameters
    ----------
    share : float, in (0, 1)
    a, b : ndarray of shape (m,), > 0

    Returns
    -------
    ndarray of shape (m,), float64, in (0, 1)

    Examples
    --------
    >>> beta_quantile(0.25, np.array([1.0]), np.array([1.0]))
    array([0.25])
    """
    found = a / (a + b)
    low, high = np.zeros(a.shape), np.ones(a.shape)
    left = np.arange(a.size)
    for _ in range(_MOST_STEPS):
        x, p, q = found[left], a[left], b[left]
        excess = regularised_beta(x, p, q) - share
        low[left], high[left] = np.where(excess < 0, x, low[left]), np.where(excess < 0, high[left], x)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            step = x - excess * x * (1 - x) / np.exp(_log_power(x, 1 - x, p, q))
        is_inside = (step >= low[left]) & (step <= high[left])
        found[left] = np.where(is_inside, step, (low[left] + high[left]) / 2)
        left = left[np.abs(found[left] - x) > _ENOUGH * x]
        if left.size == 0:
            break
    return found


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
    # Both ways converge fast on one side of the mean; the symmetry covers the other.
    turned = x > (a + 1) / (a + b + 2)
    p, q = np.where(turned, b, a), np.where(turned, a, b)
    z, rest = np.where(turned, 1 - x, x), np.where(turned, x, 1 - x)
    value = np.zeros(x.shape)
    is_large = np.minimum(p, q) > _LARGE
    for chosen, work in ((is_large & (z > 0), _integral), (~is_large & (z > 0), _fraction)):
        value[chosen] = work(z[chosen], rest[chosen], p[chosen], q[chosen])
    return np.clip(np.where(turned, 1 - value, value), 0.0, 1.0)


def _log_power(x: Floats, rest: Floats, a: Floats, b: Floats) -> Floats:
    """Return log(x^a rest^b / B(a, b)), rest = 1 - x, by Loader's way: no large numbers cancel one another."""
    n = a + b
    bell = 0.5 * np.log(a * b / (2 * np.pi * n)) + _stirling_rest(n) - _stirling_rest(a) - _stirling_rest(b)
    above = b * x - a * rest
    fall: Floats = a * _gap_less_log(above / a, n * x / a) + b * _gap_less_log(-above / b, n * rest / b)
    return bell - fall


def _gap_less_log(gap: Floats, ratio: Floats) -> Floats:
    """Return ratio - 1 - log(ratio), where gap = ratio - 1 is told beside it for ratios about 1."""
    near = np.abs(gap) < 0.5
    return gap - np.where(near, np.log1p(np.where(near, gap, 0.0)), np.log(ratio))


def _stirling_rest(x: Floats) -> Floats:
    """Return what Stirling's formula lacks of log(x!)."""
    large = np.maximum(x, _SERIES_FROM)
    found = np.zeros(x.shape)
    for place, factor in enumerate(_STIRLING):
        found += factor / large ** (2 * place + 1)
    small = x < _SERIES_FROM
    found[small] = [math.lgamma(v + 1) - (v + 0.5) * math.log(v) + v - 0.5 * math.log(2 * math.pi) for v in x[small]]
    return found


def _integral(x: Floats, rest: Floats, a: Floats, b: Floats) -> Floats:
    """Integrate the density up to x, at most about the mean, by Gauss and Legendre's points."""
    n = a + b
    deviation = np.sqrt(a * b / n / n / (n + 1))
    away = np.maximum(a / n - x, 0) / deviation
    start = np.maximum(x - deviation * (np.sqrt(away**2 + 2 * _FALL) - away), 0)
    half = (x - start) / 2
    value = np.zeros(x.shape)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        back = half * (1 - node)
        at, beyond = x - back, rest + back
        value += weight * np.exp(_log_power(at, beyond, a, b)) / (at * beyond)
    return value * half


def _fraction(x: Floats, rest: Floats, a: Floats, b: Floats) -> Floats:
    """Evaluate the continued fraction of the incomplete beta function from the top down (Lentz)."""
    front = np.exp(_log_power(x, rest, a, b)) / a
    c, d = np.ones(x.shape), _inverse(1 - (a + b) * x / (a + 1))
    value, found = d.copy(), d.copy()
    left = np.arange(x.size)
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
        going = np.abs(change - 1) >= 1e-15
        if not going.all():
            found[left] = value
            x, a, b, c, d, value = (v[going] for v in (x, a, b, c, d, value))
            left = left[going]
        if left.size == 0:
            break
    found[left] = value
    return front * found


def _inverse(values: Floats) -> Floats:
    """Return 1 / x without a division by 0."""
    return 1 / np.where(np.abs(values) < _TINY, _TINY, values)
