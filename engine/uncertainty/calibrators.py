"""Recalibrate a score on the tuning rows and show, bucket by bucket, what it repairs on the test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from sklearn.isotonic import IsotonicRegression

from engine.metrics.classification import log_loss_terms
from engine.uncertainty.grid import Floats, Ints, Layout, assign_bins, assign_buckets
from engine.uncertainty.names import ALL, bucket_name
from engine.uncertainty.reliability import equal_mass_edges, is_handful, unjudged
from engine.uncertainty.rows import Rows
from engine.uncertainty.unit_sums import bootstrap_of_sums, interval

SMALLEST = 1e-6
METRICS = ("log_loss", "brier", "ece", "bias")
HOTTEST = 20.0


@dataclass(frozen=True, slots=True)
class Temperature:
    """Divide the log-odds by one number: above 1 it takes confidence back.

    References
    ----------
    Guo et al. (2017), "On calibration of modern neural networks", section 4.2, for one logit.
    """

    temperature: float

    def predict(self, score: Floats) -> Floats:
        """Return the recalibrated score, shape (n,), in (0, 1); its order is unchanged."""
        cooled: Floats = 1 / (1 + np.exp(-_log_odds(score) / self.temperature))
        return cooled


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Replace the score by a non-decreasing step function of it, linear between the steps."""

    knots: Floats
    heights: Floats

    def predict(self, score: Floats) -> Floats:
        """Return the recalibrated score, shape (n,), in (0, 1)."""
        return np.clip(np.interp(score, self.knots, self.heights), SMALLEST, 1 - SMALLEST)


def fit_temperature(rows: Rows) -> Temperature:
    """Choose the temperature, from 1/20 to 20, with the least log loss on tuning rows."""
    log_odds = _log_odds(rows.score)
    sign = 2.0 * rows.label - 1

    def loss(log_temperature: float) -> float:
        # -ln sigmoid(x) = ln(1 + exp(-x)) with x towards the label.
        return float(rows.weight @ np.logaddexp(0.0, -sign * log_odds / np.exp(log_temperature)))

    found = minimize_scalar(loss, bounds=(-np.log(HOTTEST), np.log(HOTTEST)), method="bounded")
    return Temperature(float(np.exp(found.x)))


def fit_isotonic(rows: Rows) -> Isotonic:
    """Pool adjacent violators on tuning rows."""
    fitted = IsotonicRegression(out_of_bounds="clip").fit(rows.score, rows.label, sample_weight=rows.weight)
    return Isotonic(knots=fitted.X_thresholds_, heights=fitted.y_thresholds_)


def recalibration_table(
    tune: Rows, test: Rows, layout: Layout, *, n_bins: int, resamples: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Compare the score as it is with two recalibrations, on test rows, for all rows and by bucket.

    Both are fitted to all tuning rows at once, as is usual, so a bias that depends on uncertainty
    is left in the buckets.

    Parameters
    ----------
    tune, test : Rows
    layout : Layout
        Holds the bucket edges.
    n_bins : int
        Bins of equal row count behind the calibration error, of each score for itself.
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        ``method, baseline, segment, metric, value, ci_low, ci_high, n``; method is ``raw``,
        ``temperature`` or ``isotonic``; without a baseline the value itself, with baseline ``raw``
        the change, paired. Metrics are log_loss, brier, ece and bias (mean score minus observed
        rate); n counts units. A bucket without test rows has n = 0 and NaN, one of a
        handful has no intervals.
    """
    scores = {
        "raw": test.score,
        "temperature": fit_temperature(tune).predict(test.score),
        "isotonic": fit_isotonic(tune).predict(test.score),
    }
    n_buckets = layout.shape[0]
    bucket = assign_buckets(test.uncertainty, layout.uncertainty_edges)
    found: list[pd.DataFrame] = []
    # A single bucket is all rows already.
    for number in (ALL, *(range(n_buckets) if n_buckets > 1 else ())):
        kept = np.ones(test.label.size, dtype=bool) if number == ALL else bucket == number
        if kept.any():
            parts = {name: _part(test, score, kept) for name, score in scores.items()}
            table = _compare(parts, n_bins=n_bins, resamples=resamples, rng=rng)
            if number != ALL and is_handful(parts["raw"]):
                table = table.assign(ci_low=np.nan, ci_high=np.nan)
        else:  # All rows come first and are there.
            table = unjudged(found[0])
        found.append(table.assign(segment=bucket_name(number, n_buckets)))
    columns = ["method", "baseline", "segment", "metric", "value", "ci_low", "ci_high", "n"]
    return pd.concat(found, ignore_index=True)[columns]


def _part(rows: Rows, score: Floats, kept: np.ndarray) -> Rows:
    """Cut rows and give them another score."""
    changed = replace(rows, score=score)
    return Rows(*(getattr(changed, name)[kept] for name in ("score", "uncertainty", "label", "weight", "unit")))


def _compare(parts: Mapping[str, Rows], *, n_bins: int, resamples: int, rng: np.random.Generator) -> pd.DataFrame:
    """Measure all scores of some rows under shared draws of their units."""
    quantities: dict[str, tuple[Ints, Floats]] = {}
    for name, rows in parts.items():
        weight = rows.weight.astype(float)
        one = np.zeros(rows.label.size, dtype=np.int64)
        index = assign_bins(rows.score, equal_mass_edges(rows.score, rows.weight, n_bins))
        quantities[f"{name} weight"] = one, weight
        quantities[f"{name} log_loss"] = one, weight * log_loss_terms(rows.label, rows.score)
        quantities[f"{name} brier"] = one, weight * (rows.score - rows.label) ** 2
        quantities[f"{name} gap"] = index, weight * (rows.score - rows.label)

    def statistic(sums: Mapping[str, Floats]) -> Floats:
        values: list[float] = []
        for name in parts:
            total = sums[f"{name} weight"].sum() or np.nan
            gap = sums[f"{name} gap"]
            own = [sums[f"{name} {metric}"].sum() for metric in ("log_loss", "brier")]
            values += [v / total for v in (*own, np.abs(gap).sum(), gap.sum())]
        return np.array(values)

    unit = next(iter(parts.values())).unit
    value, draws = bootstrap_of_sums(unit, quantities, n_bins, statistic, resamples=resamples, rng=rng)
    n = int(np.unique(unit).size)
    found = []
    for place, (method, metric) in enumerate((method, metric) for method in parts for metric in METRICS):
        own = {"method": method, "baseline": "", "metric": metric, "n": n}
        found.append(own | interval(value[place], draws[:, place]))
        if method != "raw":
            base = place % len(METRICS)
            change = interval(value[place] - value[base], draws[:, place] - draws[:, base])
            found.append(own | {"baseline": "raw"} | change)
    return pd.DataFrame(found)


def _log_odds(score: Floats) -> Floats:
    """Log-odds of a score kept away from 0 and 1."""
    inside = np.clip(score, SMALLEST, 1 - SMALLEST)
    odds: Floats = np.log(inside / (1 - inside))
    return odds
