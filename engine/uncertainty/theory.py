"""State what evidence and priors imply for the positive rate at a given score.

A region has true rate r ~ Beta(a, b). Training keeps all positives and one in ``tau`` negatives,
so a kept row is positive with probability g(r) = tau r / (1 + (tau - 1) r). From N kept rows with
N1 positives a model with prior Beta(a0, b0) gives the score s = (N1 + a0) / (N + a0 + b0). With
p0 = a0 + b0, omega = a0 / p0, xi = a / (a + b), lam = (a + b) / p0 and gamma = p0 / N (large when
evidence is thin), the true rate at a fixed score still depends on gamma.

Derived here and checked by simulation; the structure follows Arora et al. (2024), arXiv
2311.11723, whose theorem texts were not at hand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Beta = tuple[float, float]


def kept_rate(rate: Floats, tau: float) -> Floats:
    """Positive rate among kept rows: g(r) = tau r / (1 + (tau - 1) r), tau >= 1."""
    return tau * rate / (1 + (tau - 1) * rate)


def true_rate(kept: Floats, tau: float) -> Floats:
    """Invert `kept_rate`: r = m / (tau - (tau - 1) m)."""
    return kept / (tau - (tau - 1) * kept)


def posterior_mean(
    kept_rows: Floats, kept_positives: Floats, *, prior: Beta, tau: float = 1.0, points: int = 2_000
) -> Floats:
    """Mean true rate given the kept evidence: the best score that evidence allows.

    Posterior Q(r) proportional to r^(a + N1 - 1) (1 - r)^(b + N - N1 - 1) / (1 + (tau - 1) r)^N;
    in closed form (N1 + a) / (N + a + b) for tau = 1, else by quadrature on ``points`` nodes in
    log-odds, computed once per distinct (N, N1).

    Parameters
    ----------
    kept_rows, kept_positives : ndarray of shape (n,), float64, rows, 0 <= N1 <= N
    prior : (float, float)
        Beta parameters of the true rate, > 0.
    tau : float
        One in tau negatives was kept, >= 1.
    points : int
        Quadrature nodes.

    Returns
    -------
    ndarray of shape (n,), float64, in (0, 1)

    Examples
    --------
    >>> float(posterior_mean(np.array([8.0]), np.array([2.0]), prior=(1.0, 9.0))[0])
    0.16666666666666666
    """
    a, b = prior
    if tau == 1:
        return (kept_positives + a) / (kept_rows + a + b)
    pairs = np.stack([kept_rows, kept_positives], axis=1)
    distinct, inverse = np.unique(pairs, axis=0, return_inverse=True)
    log_odds = np.linspace(-25, 25, points)
    rate = 1 / (1 + np.exp(-log_odds))
    means = np.empty(distinct.shape[0])
    for start in range(0, distinct.shape[0], 256):  # bounded memory: 256 x points
        n, n1 = distinct[start : start + 256].T[:, :, None]
        # dr = r (1 - r) d(log-odds) raises both exponents by one.
        log_density = (
            (a + n1) * np.log(rate) + (b + n - n1) * -np.logaddexp(0, log_odds) - n * np.log1p((tau - 1) * rate)
        )
        density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
        means[start : start + 256] = (density * rate).sum(axis=1) / density.sum(axis=1)
    return means[inverse.ravel()]


def rate_at_score(score: Floats, gamma: Floats, *, prior: Beta, model_prior: Beta) -> Floats:
    """Return the expected true rate at a score and an evidence ratio, all negatives kept (tau = 1).

    E = (s - (omega - s) gamma + lam gamma xi) / (1 + lam gamma).

    Returns
    -------
    ndarray, float64; equals ``score`` when the model's prior is the true one
    """
    xi, omega, lam = _prior_terms(prior, model_prior)
    expected: Floats = (score - (omega - score) * gamma + lam * gamma * xi) / (1 + lam * gamma)
    return expected


def slope_sign(score: Floats, *, prior: Beta, model_prior: Beta) -> Floats:
    """Sign of d E / d gamma: -1 where the rate falls as evidence thins, +1 where it rises.

    sign((1 - lam) s - omega + lam xi): it does not depend on gamma, and neither sign is universal.
    """
    xi, omega, lam = _prior_terms(prior, model_prior)
    return np.sign((1 - lam) * score - omega + lam * xi)


def score_bias(score: Floats, gamma: Floats, *, prior: Beta, model_prior: Beta) -> Floats:
    """Score minus the expected true rate, all negatives kept: gamma (lam (s - xi) + omega - s) / (1 + lam gamma)."""
    xi, omega, lam = _prior_terms(prior, model_prior)
    bias: Floats = gamma * (lam * (score - xi) + omega - score) / (1 + lam * gamma)
    return bias


def drifted_rate(rate: Floats, *, share: float, drift_mean: float) -> Floats:
    """Return the expected rate at test time if a share of the regions is drawn anew: (1 - d) E + d xi_d.

    Drift is the same for every evidence here, so it lowers all rates towards one value and keeps
    their order: alone it gives several thresholds nothing.
    """
    drifted: Floats = (1 - share) * rate + share * drift_mean
    return drifted


def shifted_odds(rate: Floats, kappa: float) -> Floats:
    """Rate after the odds of a positive changed by a factor: kappa r / (1 + (kappa - 1) r)."""
    shifted: Floats = kappa * rate / (1 + (kappa - 1) * rate)
    return shifted


def _prior_terms(prior: Beta, model_prior: Beta) -> tuple[float, float, float]:
    """Xi, omega and lam of the module docstring."""
    strength, model_strength = sum(prior), sum(model_prior)
    return prior[0] / strength, model_prior[0] / model_strength, strength / model_strength
