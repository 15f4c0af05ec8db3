"""Last-layer Laplace approximation: what the training rows leave open of the last layer's weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

Floats = NDArray[np.float64]
NODES = 32
"""Gauss-Hermite nodes for a Gaussian log-odds: mean probabilities are within 1e-5 for variances up to 10."""


@dataclass(frozen=True, slots=True)
class LastLayer:
    """Hold the posterior of the last layer's weights around a trained network.

    The log-odds of a row with hidden units phi are Gaussian with the network's own as their mean and
    phi' H^-1 phi as their variance.
    """

    covariance: Floats
    """H^-1, shape (P, P), P = hidden units + 1 for the constant."""

    def variance(self, features: Floats) -> Floats:
        """Variance of the log-odds, shape (n,), of features of shape (n, P)."""
        spread: Floats = np.einsum("np,pq,nq->n", features, self.covariance, features, optimize=True)
        return np.maximum(spread, 0.0)


def fit_last_layer(features: Floats, rate: Floats, weight: Floats, *, prior_precision: float) -> LastLayer:
    """Invert H = Phi' diag(w p (1 - p)) Phi + prior I.

    Parameters
    ----------
    features : ndarray of shape (n, P), float64
        Last hidden layer of the training rows and a column of ones.
    rate : ndarray of shape (n,), float64, in (0, 1)
        The network's probability.
    weight : ndarray of shape (n,), rows
    prior_precision : float, > 0

    Returns
    -------
    LastLayer

    References
    ----------
    MacKay (1992), "The evidence framework applied to classification networks", section 2; last layer
    only as in Daxberger et al. (2021), "Laplace redux", section 3. Deviation: the network was trained
    with decoupled weight decay, so its weights are close to, not at, the mode under this prior.
    """
    curvature = (features * (weight * rate * (1 - rate))[:, None]).T @ features
    hessian = curvature + prior_precision * np.eye(features.shape[1])
    return LastLayer(covariance=cho_solve(cho_factor(hessian), np.eye(features.shape[1])))


def with_constant(hidden: Floats) -> Floats:
    """Append a column of ones to hidden units of shape (n, H)."""
    return np.concatenate([hidden, np.ones((hidden.shape[0], 1))], axis=1)


def probit_score(log_odds: Floats, variance: Floats) -> Floats:
    """Mean probability of Gaussian log-odds: sigmoid(f / sqrt(1 + pi v / 8)), MacKay (1992), equation 10.

    Examples
    --------
    >>> probit_score(np.array([2.0]), np.array([0.0])).round(3)
    array([0.881])
    """
    squeezed = log_odds / np.sqrt(1 + np.pi * variance / 8)
    score: Floats = 1 / (1 + np.exp(-squeezed))
    return score


def gaussian_samples(log_odds: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Place quadrature nodes on Gaussian log-odds.

    Returns
    -------
    samples : ndarray of shape (32, n), float64
        Log-odds.
    weight : ndarray of shape (32,), float64
        Summing to 1.
    """
    node, weight = np.polynomial.hermite_e.hermegauss(NODES)
    return log_odds + np.sqrt(variance) * node[:, None], weight / weight.sum()
