"""Calibration error without bins: smooth the residuals along the score, with a width that the data set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.metrics.inputs import Floats, labels, probabilities, undefined, weights

GRID = 2000
"""Points on [0, 1] that scores are spread over."""
_HALVINGS = 30


@dataclass(frozen=True, slots=True)
class SmoothError:
    """Hold the smooth calibration error and the bandwidth it was found at (equal, but for rounding)."""

    value: float
    bandwidth: float


def smooth_calibration_error(
    y_true: ArrayLike, y_prob: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> SmoothError:
    """Return the smooth expected calibration error at its automatic bandwidth.

    smECE(s) = integral over t in [0, 1] of | mean K_s(t, p) (y - p) |, K_s the Gaussian kernel of standard deviation
    s reflected at 0 and 1; the bandwidth is the s at which smECE(s) = s.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
    sample_weight : array-like of shape (n_samples,), >= 0, optional

    Returns
    -------
    SmoothError
        Value in [0, 1]; NaN with `UndefinedMetricWarning` if no row carries weight.

    Raises
    ------
    DataError
        If lengths differ or a value is not allowed.

    Notes
    -----
    Like every calibration error it is above 0 for finitely many perfectly calibrated rows. Unlike the binned one it
    moves by no more than the predictions do.

    References
    ----------
    Blasiok and Nakkiran (2024), Smooth ECE: principled reliability diagrams via kernel smoothing (reflected kernel,
    fixed point of the bandwidth).

    Examples
    --------
    >>> round(smooth_calibration_error([0, 1] * 50, [0.5] * 100).value, 6)
    0.0
    """
    truth = labels(y_true)
    prob = probabilities(y_prob, length=truth.size)
    weight = weights(sample_weight, truth.size)
    if not weight.any():
        value = undefined("smooth_calibration_error", "no row carries weight")
        return SmoothError(value, value)
    return fixed_point(spread(prob, weight * (truth - prob)) / weight.sum())


def spread(prob: Floats, mass: Floats, *, size: int = GRID) -> Floats:
    """Spread masses over the midpoints of a grid on [0, 1], each to its two neighbours by distance.

    Parameters
    ----------
    prob, mass : ndarray of shape (n,), float64
    size : int

    Returns
    -------
    ndarray of shape (size,), float64, with the sum of `mass`
    """
    place, share = grid_place(prob, size=size)
    left = np.bincount(place, mass * (1 - share), minlength=size)
    right = np.bincount(np.minimum(place + 1, size - 1), mass * share, minlength=size)
    return (left + right).astype(np.float64)


def grid_place(prob: Floats, *, size: int = GRID) -> tuple[np.ndarray, Floats]:
    """Return the grid point at or below each score, and the share of it that belongs to the next."""
    at = np.clip(prob * size - 0.5, 0.0, size - 1.0)
    place = np.minimum(at.astype(np.int64), size - 2)
    return place, at - place


def fixed_point(mass: Floats) -> SmoothError:
    """Find the bandwidth that equals the smoothed error.

    Smoothing more never raises the error, so there is one such bandwidth and halving finds it.

    Parameters
    ----------
    mass : ndarray of shape (m,), float64
        Residuals on the grid, as shares of all rows.

    Returns
    -------
    SmoothError
    """
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if float(smoothed_error(mass, middle)) > middle:
            low = middle
        else:
            high = middle
    return SmoothError(float(smoothed_error(mass, high)), high)


def smoothed_error(mass: Floats, bandwidth: float) -> Floats:
    """Return the smoothed error at a given bandwidth.

    Parameters
    ----------
    mass : ndarray of shape (..., m), float64
        Residuals on the grid, as shares of all rows; leading axes are kept, for many resamples at once.
    bandwidth : float, >= 0

    Returns
    -------
    ndarray of shape (...), float64
    """
    summed: Floats = np.abs(smooth(mass, bandwidth)).sum(axis=-1)
    return summed


def smooth(mass: Floats, bandwidth: float) -> Floats:
    """Smooth masses on the grid by a Gaussian kernel that is reflected at 0 and 1.

    The mirror image continues the grid, and the Fourier transform of a Gaussian is one: an exact sum over all
    reflections.

    Parameters
    ----------
    mass : ndarray of shape (..., m), float64
    bandwidth : float, >= 0
        Standard deviation of the kernel, in units of the score.

    Returns
    -------
    ndarray of shape (..., m), float64, with the same sums
    """
    size = mass.shape[-1]
    mirrored = np.concatenate([mass, mass[..., ::-1]], axis=-1)
    damping = np.exp(-0.5 * (np.pi * np.arange(size + 1) * bandwidth) ** 2)
    smoothed: Floats = np.fft.irfft(np.fft.rfft(mirrored) * damping, 2 * size)[..., :size]
    return smoothed


def smooth_curve(
    y_true: ArrayLike, y_prob: ArrayLike, *, bandwidth: float, sample_weight: ArrayLike | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return the smoothed rate of positives along the score, and the density of the rows there.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), 0 or 1
    y_prob : array-like of shape (n_samples,), in [0, 1]
    bandwidth : float, > 0
        For example that of `smooth_calibration_error`.
    sample_weight : array-like of shape (n_samples,), >= 0, optional

    Returns
    -------
    score, rate, density : ndarrays of shape (m,), float64
        Density integrates to 1; rate is NaN where it is below a thousandth.
    """
    truth = labels(y_true)
    prob = probabilities(y_prob, length=truth.size)
    weight = weights(sample_weight, truth.size)
    total = smooth(spread(prob, weight), bandwidth)
    won = smooth(spread(prob, weight * truth), bandwidth)
    density = np.clip(total, 0, None) * GRID / weight.sum()
    rate = np.clip(np.divide(won, total, out=np.full(GRID, np.nan), where=density > 1e-3), 0, 1)
    return (np.arange(GRID) + 0.5) / GRID, rate, density
