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
    """Logistic regression on log-odds of the score, log uncertainty and their product."""

    coefficients: Floats
    """Shape (4,): constant, log-odds, standardised log uncertainty, product."""
    floor: float
    centre: float
    scale: float

    def predict(self, score: Floats, uncertainty: Floats) -> Floats:
        """Return the recalibrated score, shape (n,), in (0, 1)."""
        design = _design(score, np.log(uncertainty + self.floor), self.centre, self.scale)
        log_odds: Floats = design @ self.coefficients
        return 1 / (1 + np.exp(-log_odds))


def fit_recalibrator(score: Floats, uncertainty: Floats, label: NDArray[np.int64], weight: Floats) -> Recalibrator:
    """Fit on tuning rows.

    Parameters
    ----------
    score, uncertainty : ndarray of shape (n,), float64
    label : ndarray of shape (n,), 0 or 1, both present
    weight : ndarray of shape (n,), rows

    Returns
    -------
    Recalibrator
    """
    floor = FLOOR_SHARE * float(np.average(uncertainty, weights=weight)) or 1.0
    log_u = np.log(uncertainty + floor)
    centre = float(np.average(log_u, weights=weight))
    scale = float(np.sqrt(np.average((log_u - centre) ** 2, weights=weight))) or 1.0
    design = _design(score, log_u, centre, scale)
    fitted = LogisticRegression(C=1e4, fit_intercept=False, max_iter=200).fit(design, label, sample_weight=weight)
    return Recalibrator(coefficients=fitted.coef_[0], floor=floor, centre=centre, scale=scale)


def _design(score: Floats, log_u: Floats, centre: float, scale: float) -> Floats:
    """Columns of the regression, shape (n, 4)."""
    clipped = np.clip(score, SMALLEST, 1 - SMALLEST)
    log_odds = np.log(clipped / (1 - clipped))
    thin = (log_u - centre) / scale
    return np.stack([np.ones_like(score), log_odds, thin, log_odds * thin], axis=1)
