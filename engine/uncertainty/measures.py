"""How uncertain a predicted rate is, split into what chance leaves open and what is not known.

The label of a row is a coin with an unknown rate r. A scorer states a distribution of r: a Beta
distribution, or samples (the members of an ensemble, the passes of dropout, quadrature nodes).
*Aleatoric* is the uncertainty that would remain if r were known, *epistemic* the part that knowing
r would take away, *total* their sum, the uncertainty of the label under the mean rate.

Sources: variances by the law of total variance; entropies as in Depeweg et al. (2018),
"Decomposition of uncertainty in Bayesian deep learning", equations 2 and 3; integrals of the Beta
distribution derived here and checked by quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, polygamma, xlog1py, xlogy

from engine.errors import ConfigError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Parts:
    """Hold both parts of an uncertainty, each >= 0 and of shape (n,)."""

    aleatoric: Floats
    epistemic: Floats

    @property
    def total(self) -> Floats:
        """Sum of both parts."""
        return self.aleatoric + self.epistemic

    def select(self, part: str) -> Floats:
        """Return ``aleatoric``, ``epistemic`` or ``total``."""
        chosen: Floats = getattr(self, part)
        return chosen


def binary_entropy(rate: Floats) -> Floats:
    """Entropy of a coin in nats: -r ln r - (1 - r) ln(1 - r); 0 at r = 0 and r = 1."""
    entropy: Floats = -xlogy(rate, rate) - xlog1py(1 - rate, -rate)
    return entropy


def variance_of_samples(rate: Floats, weight: Floats) -> Parts:
    """Split the variance of the label: mean r (1 - r) and Var(r).

    Parameters
    ----------
    rate : ndarray of shape (M, n), float64, in [0, 1]
        Samples of the rate.
    weight : ndarray of shape (M,), float64, summing to 1

    Returns
    -------
    Parts
        Their total is s (1 - s) with s the mean rate.
    """
    mean = weight @ rate
    return Parts(aleatoric=weight @ (rate * (1 - rate)), epistemic=weight @ (rate - mean) ** 2)


def entropy_of_samples(rate: Floats, weight: Floats) -> Parts:
    """Split the entropy of the label in nats: mean H(r), and H(mean r) - mean H(r), the mutual information.

    Parameters as in `variance_of_samples`.
    """
    aleatoric = weight @ binary_entropy(rate)
    # Rounding may leave a difference of equal numbers just below 0.
    return Parts(aleatoric=aleatoric, epistemic=np.maximum(binary_entropy(weight @ rate) - aleatoric, 0.0))


def variance_of_beta(a: Floats, b: Floats) -> Parts:
    """Split the variance of the label for r ~ Beta(a, b), S = a + b.

    aleatoric = a b / (S (S + 1)), epistemic = a b / (S^2 (S + 1)); total s (1 - s) with s = a / S.

    Examples
    --------
    >>> parts = variance_of_beta(np.array([1.0]), np.array([1.0]))
    >>> float(parts.aleatoric[0]), float(parts.epistemic[0])
    (0.16666666666666666, 0.08333333333333333)
    """
    strength = a + b
    aleatoric = a * b / (strength * (strength + 1))
    return Parts(aleatoric=aleatoric, epistemic=aleatoric / strength)


def entropy_of_beta(a: Floats, b: Floats) -> Parts:
    """Split the entropy of the label in nats for r ~ Beta(a, b), S = a + b.

    aleatoric E H(r) = psi(S + 1) - (a / S) psi(a + 1) - (b / S) psi(b + 1); total H(a / S).
    """
    strength = a + b
    mean = a / strength
    known = digamma(strength + 1) - mean * digamma(a + 1) - (1 - mean) * digamma(b + 1)
    # For strong evidence both terms agree to rounding.
    aleatoric = np.clip(known, 0.0, binary_entropy(mean))
    return Parts(aleatoric=aleatoric, epistemic=binary_entropy(mean) - aleatoric)


def differential_entropy(a: Floats, b: Floats) -> Floats:
    """Differential entropy of Beta(a, b) in nats, at most 0 and often below.

    ln B(a, b) - (a - 1) psi(a) - (b - 1) psi(b) + (S - 2) psi(S), S = a + b.
    """
    strength = a + b
    entropy: Floats = betaln(a, b) - (a - 1) * digamma(a) - (b - 1) * digamma(b) + (strength - 2) * digamma(strength)
    return entropy


def matched_beta(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Find the Beta distribution of a mean in (0, 1) and a variance: S = s (1 - s) / variance - 1.

    S is kept within [1e-3, 1e8], so that equal samples have a distribution, too.
    """
    spread = mean * (1 - mean)
    strength = np.clip(spread / np.maximum(variance, 1e-9 * spread) - 1, 1e-3, 1e8)
    return mean * strength, (1 - mean) * strength


def uncertainty_of_samples(log_odds: Floats, *, measure: str, part: str, weight: Floats | None = None) -> Floats:
    """Reduce samples of the log-odds to one number per row.

    Parameters
    ----------
    log_odds : ndarray of shape (M, n), float64
    measure : {"variance_of_logit", "variance_of_probability", "entropy", "differential_entropy"}
        The last is exp(h) of a Beta distribution with the samples' mean and variance: the width of
        the range that holds the rate, in (0, 1]; h itself, the measure of Arora et al. (2024), can
        be negative and orders rows in the same way.
    part : {"epistemic", "aleatoric", "total"}
        Variance of the logit and differential entropy are epistemic.
    weight : ndarray of shape (M,), float64, summing to 1, optional
        Equal by default.

    Returns
    -------
    ndarray of shape (n,), float64, >= 0

    Raises
    ------
    ConfigError
        If the measure is unknown.
    """
    share = np.full(log_odds.shape[0], 1 / log_odds.shape[0]) if weight is None else weight
    if measure == "variance_of_logit":
        spread: Floats = share @ (log_odds - share @ log_odds) ** 2
        return spread
    rate = 1 / (1 + np.exp(-log_odds))
    if measure == "variance_of_probability":
        return variance_of_samples(rate, share).select(part)
    if measure == "entropy":
        return entropy_of_samples(rate, share).select(part)
    moments = share @ rate, variance_of_samples(rate, share).epistemic
    return uncertainty_of_beta(*matched_beta(*moments), measure=measure, part=part)


def uncertainty_of_beta(a: Floats, b: Floats, *, measure: str, part: str) -> Floats:
    """Reduce Beta(a, b) to one number per row; options, result and errors as in `uncertainty_of_samples`.

    The variance of the logit is psi'(a) + psi'(b).
    """
    if measure == "variance_of_logit":
        spread: Floats = polygamma(1, a) + polygamma(1, b)
        return spread
    if measure == "variance_of_probability":
        return variance_of_beta(a, b).select(part)
    if measure == "entropy":
        return entropy_of_beta(a, b).select(part)
    if measure == "differential_entropy":
        return np.exp(differential_entropy(a, b))
    raise ConfigError(
        f"'measure' is '{measure}'; allowed are variance_of_logit, variance_of_probability, entropy and "
        "differential_entropy."
    )
