"""Scored rows whose true rate and best possible score are known, to see when several thresholds can help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.errors import ConfigError
from engine.seeding import generator
from engine.uncertainty.config import UncertaintyMeasure
from engine.uncertainty.measures import uncertainty_of_beta
from engine.uncertainty.theory import drifted_rate, kept_rate, posterior_mean

Floats = NDArray[np.float64]


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
    measure: UncertaintyMeasure | None = None
    """Uncertainty of the model's Beta distribution; none: 1 / (evidence + prior strength)."""
    drift_share: float = 0.0
    """Share of the test rows whose true rate is drawn anew, after the evidence was gathered."""
    drift_prior: tuple[float, ...] = (1.0, 9.0)
    """Beta parameters of the rates drawn anew."""
    tune_share: float = 0.4
    """Share of the rows marked for tuning; the others are for the test."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name in ("prior", "model_prior", "drift_prior"):
            beta = getattr(self, name)
            if len(beta) != 2 or not all(np.isfinite(v) and v > 0 for v in beta):
                raise ConfigError(f"'{name}' is {beta}; it must be two numbers above 0, for example 1,9.")
        limits = {
            "tau": (self.tau, 1, 1000),
            "evidence_median": (self.evidence_median, 0.5, 1e5),
            "evidence_spread": (self.evidence_spread, 0, 3),
            "drift_share": (self.drift_share, 0, 1),
            "tune_share": (self.tune_share, 0.05, 0.95),
        }
        for name, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise ConfigError(f"'{name}' is {value!r}; allowed is a number from {low:g} to {high:g}.")
        if self.measure is not None and self.measure not in get_args(UncertaintyMeasure):
            raise ConfigError(f"'measure' is '{self.measure}'; allowed are {', '.join(get_args(UncertaintyMeasure))}.")


def simulate(rows: int, config: SimulationConfig | None = None) -> pd.DataFrame:
    """Draw rows with the score of an oracle posterior network, its evidence, the label and the truth.

    r ~ Beta(prior); N ~ log-normal; N1 ~ Binomial(N, g(r)); the network says Beta(N1 + a0, N - N1 + b0)
    with (a0, b0) the model's prior: score = (N1 + a0) / (N + a0 + b0), uncertainty = 1 / (N + a0 + b0)
    or the chosen measure; label ~ Bernoulli(r). A share of the test rows drifts: r is drawn anew. See
    `theory`.

    Parameters
    ----------
    rows : int, >= 1
    config : SimulationConfig, optional

    Returns
    -------
    DataFrame with ``rows`` rows
        ``label, score, uncertainty, split, k_all, n_all`` and the truth: ``true_rate`` and
        ``true_best_score``, the posterior mean under the true prior, tau and the drift, which no
        ranking made from the same evidence can beat on average.

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
    chance, split = rng.random(rows), np.where(rng.random(rows) < config.tune_share, "tune", "test")
    best = posterior_mean(evidence.astype(float), positives.astype(float), prior=(a, b), tau=config.tau)
    rate, best = _drift(rate, best, split == "test", config)
    strength: Floats = evidence + np.float64(a0 + b0)
    uncertainty: Floats = 1 / strength
    if config.measure is not None:
        won: Floats = positives + np.float64(a0)
        uncertainty = uncertainty_of_beta(won, strength - won, measure=config.measure, part="epistemic")
    return pd.DataFrame(
        {
            "label": (chance < rate).astype(np.int64),
            "score": (positives + a0) / strength,
            "uncertainty": uncertainty,
            "split": split,
            "k_all": positives,
            "n_all": evidence,
            "true_rate": rate,
            "true_best_score": best,
        }
    )


def _drift(rate: Floats, best: Floats, is_test: NDArray[np.bool_], config: SimulationConfig) -> tuple[Floats, Floats]:
    """Draw the rates of some test rows anew and lower the best score to what is still known of all of them."""
    rng = generator(config.seed, "uncertainty", "simulate", "drift")
    a, b = config.drift_prior
    drifts = is_test & (rng.random(rate.size) < config.drift_share)
    drawn = np.where(drifts, rng.beta(a, b, rate.size), rate)
    known = drifted_rate(best, share=config.drift_share, drift_mean=a / (a + b))
    return drawn, np.where(is_test, known, best)
