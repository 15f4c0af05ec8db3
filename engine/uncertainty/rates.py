"""Score rows by their own history alone: a rate with a prior, uncertain where evidence is thin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln

from engine.errors import NotEnoughDataError

Floats = NDArray[np.float64]
FLAT_PRIOR = (1.0, 1.0)


def rate_score(k: Floats, n: Floats, *, prior: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return the posterior mean rate and its thinness of evidence.

    score = (k + a) / (n + a + b), uncertainty = 1 / (n + a + b); (k + 1) / (n + 2) for the flat prior.

    Parameters
    ----------
    k, n : ndarray of shape (m,), float64, 0 <= k <= n
        Positives and rows seen before.
    prior : (float, float)
        Beta parameters a, b > 0.

    Returns
    -------
    score, uncertainty : ndarray of shape (m,), float64, in (0, 1) and > 0

    Examples
    --------
    >>> score, uncertainty = rate_score(np.array([1.0]), np.array([2.0]), prior=FLAT_PRIOR)
    >>> float(score[0]), float(uncertainty[0])
    (0.5, 0.25)
    """
    a, b = prior
    return (k + a) / (n + a + b), 1 / (n + a + b)


def fit_matched_prior(k: Floats, n: Floats, weight: Floats) -> tuple[float, float]:
    """Fit a Beta prior to histories alone; no label is used.

    Maximises the beta-binomial likelihood: sum of ln B(k + a, n - k + b) - ln B(a, b).

    Parameters
    ----------
    k, n : ndarray of shape (m,), float64, 0 <= k <= n
    weight : ndarray of shape (m,), float64, rows

    Returns
    -------
    (float, float)
        a and b, each in [1e-3, 1e4].

    Raises
    ------
    NotEnoughDataError
        If no row has any history.
    """
    pairs, index = np.unique(np.stack([k, n], axis=1)[n > 0], axis=0, return_inverse=True)
    if pairs.shape[0] == 0:
        raise NotEnoughDataError("Evidence columns 'n_...' are 0 in every tuning row; some history is needed.")
    count = np.bincount(index.ravel(), weights=weight[n > 0])
    k_seen, n_seen = pairs.T

    def loss(logs: Floats) -> float:
        a, b = np.exp(logs)
        return -float(count @ (betaln(k_seen + a, n_seen - k_seen + b) - betaln(a, b))) / float(count.sum())

    bound = (np.log(1e-3), np.log(1e4))
    found = minimize(loss, x0=np.log([0.5, 3.0]), method="L-BFGS-B", bounds=[bound, bound])
    a, b = np.exp(found.x)
    return float(a), float(b)
