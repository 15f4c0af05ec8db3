"""Scored rows whose true rate and best possible score are known, to see when several thresholds can help."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.errors import ConfigError
from engine.seeding import generator
from engine.uncertainty.theory import kept_rate, posterior_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationConfig:
    """Knobs of the simulated scores."""

    seed: int = 0
    """Seed of the rows."""
    prior: tuple[float, ...] = (1.0, 9.0)
    """Beta parameters of the true rate; their share is the base rate."""
    model_prior: tuple[float, ...] = (1.0, 1.0)
    """Beta prior that the model assumes; equal to `prior`, uncertainty has nothing to add (tau = 1)."""
    tau: float = 1.0
    """One in tau negatives was kept when the evidence was gathered."""
    evidence_median: float = 12.0
    """Median number of kept rows behind a score; log-normal."""
    evidence_spread: float = 1.3
    """Standard deviation of the logarithm of the evidence; 0 gives every score the same evidence."""
    tune_share: float = 0.4
    """Share of the rows marked for tuning; the others are for the test."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name in ("prior", "model_prior"):
            beta = getattr(self, name)
            if len(beta) != 2 or not all(np.isfinite(v) and v > 0 for v in beta):
                raise ConfigError(f"'{name}' is {beta}; it must be two numbers above 0, for example 1,9.")
        limits = {
            "tau": (self.tau, 1, 1000),
            "evidence_median": (self.evidence_median, 0.5, 1e5),
            "evidence_spread": (self.evidence_spread, 0, 3),
            "tune_share": (self.tune_share, 0.05, 0.95),
        }
        for name, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise ConfigError(f"'{name}' is {value!r}; allowed is a number from {low:g} to {high:g}.")


def simulate(rows: int, config: SimulationConfig | None = None) -> pd.DataFrame:
    """Draw rows with an oracle posterior score, its evidence, the label and the truth.

    r ~ Beta(prior); N ~ log-normal; N1 ~ Binomial(N, g(r)); score = (N1 + a0) / (N + a0 + b0) with
    (a0, b0) the model's prior; uncertainty = 1 / (N + a0 + b0); label ~ Bernoulli(r). See `theory`.

    Parameters
    ----------
    rows : int, >= 1
    config : SimulationConfig, optional

    Returns
    -------
    DataFrame with ``rows`` rows
        ``label, score, uncertainty, split, k_all, n_all`` and the truth: ``true_rate`` and
        ``true_best_score``, the posterior mean under the true prior and tau, which no ranking
        made from the same evidence can beat on average.

    Raises
    ------
    ConfigError
        If ``rows`` is below 1.

    Examples
    --------
    >>> simulate(1000)["label"].mean().round(1)
    np.float64(0.1)
    """
    config = config or SimulationConfig()
    if rows < 1:
        raise ConfigError(f"'rows' is {rows}; at least 1 is needed.")
    rng = generator(config.seed, "uncertainty", "simulate")
    a, b = config.prior
    a0, b0 = config.model_prior
    rate = rng.beta(a, b, rows)
    evidence = np.floor(rng.lognormal(np.log(config.evidence_median), config.evidence_spread, rows)).astype(np.int64)
    positives = rng.binomial(evidence, kept_rate(rate, config.tau))
    strength = evidence + a0 + b0
    best = posterior_mean(evidence.astype(float), positives.astype(float), prior=(a, b), tau=config.tau)
    return pd.DataFrame(
        {
            "label": (rng.random(rows) < rate).astype(np.int64),
            "score": (positives + a0) / strength,
            "uncertainty": 1 / strength,
            "split": np.where(rng.random(rows) < config.tune_share, "tune", "test"),
            "k_all": positives,
            "n_all": evidence,
            "true_rate": rate,
            "true_best_score": best,
        }
    )
