"""The natural competitor of several thresholds: a score recalibrated on (score, uncertainty)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]
SMALLEST = 1e-6
FLOOR_SHARE = 1e-3
"""Added to the uncertainty before its logarithm, as a share of its mean, so that its scale does not matter."""


@dataclass(frozen=True, slots=True)
class Recalibrator:
    """Logistic regression on log-odds of the score, log uncertainty and their product.

    An uncertainty with negative values, such as a differential entropy, enters as its area sine, which is a straight
    line where values are small and a signed logarithm where they are large.
    """

    coefficients: Floats
    """Shape (4,): constant, log-odds, standardised uncertainty, product."""
    is_signed: bool
    """Whether there were negative values."""
    floor: float
    """Added before the logarithm; with negative values what they are divided by."""
    centre: float
    scale: float

    def predict(self, score: Floats, uncertainty: Floats) -> Floats:
        """Return the recalibrated score, shape (n,), in (0, 1)."""
        bent = _bent(uncertainty, self.floor, is_signed=self.is_signed)
        design = _design(score, bent, self.centre, self.scale)
        log_odds: Floats = design @ self.coefficients
        return 1 / (1 + np.exp(-log_odds))


def fit_recalibrator(score: Floats, uncertainty: Floats, label: NDArray[np.int64], weight: Floats) -> Recalibrator:
    """Fit on tuning rows.

    Parameters
    ----------
    score, uncertainty : ndarray of shape (n,), float64, finite
    label : ndarray of shape (n,), 0 or 1, both present
    weight : ndarray of shape (n,), rows

    Returns
    -------
    Recalibrator
    """
    is_signed = bool((uncertainty < 0).any())
    mean = float(np.average(np.abs(uncertainty), weights=weight))
    floor = (mean if is_signed else FLOOR_SHARE * mean) or 1.0
    bent = _bent(uncertainty, floor, is_signed=is_signed)
    centre = float(np.average(bent, weights=weight))
    spread = float(np.sqrt(np.average((bent - centre) ** 2, weights=weight)))
    # A mean of equal values may miss them by their last digit, which is no spread.
    scale = spread if spread > 0 and np.ptp(bent) > 0 else 1.0
    design = _design(score, bent, centre, scale)
    fitted = LogisticRegression(C=1e4, fit_intercept=False, max_iter=200).fit(design, label, sample_weight=weight)
    return Recalibrator(coefficients=fitted.coef_[0], is_signed=is_signed, floor=floor, centre=centre, scale=scale)


def _bent(uncertainty: Floats, floor: float, *, is_signed: bool) -> Floats:
    """Take the logarithm, or the area sine of values of either sign; below 0 where none was, a new row counts as 0."""
    bent: Floats = np.arcsinh(uncertainty / floor) if is_signed else np.log(np.maximum(uncertainty, 0) + floor)
    return bent


def _design(score: Floats, bent: Floats, centre: float, scale: float) -> Floats:
    """Columns of the regression, shape (n, 4)."""
    clipped = np.clip(score, SMALLEST, 1 - SMALLEST)
    log_odds = np.log(clipped / (1 - clipped))
    thin = (bent - centre) / scale
    return np.stack([np.ones_like(score), log_odds, thin, log_odds * thin], axis=1)
