"""Leave the doubtful rows to someone else: what uncertainty says about errors, next to the score itself.

Rows are kept in the order of their confidence. A risk-coverage curve shows the mean loss of what is
kept at every share kept (El-Yaniv and Wiener, 2010, "On the foundations of noise-free selective
classification", section 2); its mean height is the area under it, smaller being better.
An ambiguous score already says that an error is likely, so uncertainty has to beat it, not only chance.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from engine.metrics.classification import log_loss_terms
from engine.uncertainty.findings import AREA_PREFIX
from engine.uncertainty.grid import Floats, Ints
from engine.uncertainty.rows import Rows
from engine.uncertainty.unit_sums import bootstrap_of_sums, interval

STEPS = 20
COVERAGE = np.arange(1, STEPS + 1) / STEPS
"""Shares of rows kept: 0.05, 0.10, ..., 1."""
PROBABILITY_METRICS = ("log_loss", "brier")
DECISION_METRICS = ("error", "precision")
METRICS = (*PROBABILITY_METRICS, *DECISION_METRICS)
MAX_LOG_ODDS = 15.0


def risk_coverage(
    rows: Rows, *, threshold: float, seed: int, resamples: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tabulate what remains when the least certain rows are left out.

    Three orders: ``uncertainty``; ``score_ambiguity``, which is closeness of the score to 1/2 for
    log loss and Brier score and closeness of its log-odds to the threshold for decisions; and
    ``random``, whose expectation is the value of all rows at any coverage. Ties are broken at random.

    Parameters
    ----------
    rows : Rows
        Test rows.
    threshold : float
        Scores from here on count as predicted positives; infinite if none do.
    seed : int
        Of the order among ties.
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    curve : DataFrame
        ``method, metric, coverage, value, ci_low, ci_high, n``; metrics are log_loss, brier, error
        (share of wrong decisions) and precision (NaN where no kept row is selected); n counts units.
    areas : DataFrame
        ``method, baseline, metric, value, ci_low, ci_high, n``; metric is ``area_log_loss`` and so
        on, the mean over coverages. Without a baseline the area itself, else the difference, paired.
    """
    n = int(np.unique(rows.unit).size)
    keys = [(method, metric) for method in ("uncertainty", "score_ambiguity") for metric in METRICS]
    value, draws = bootstrap_of_sums(
        rows.unit, _quantities(rows, threshold, seed), STEPS, _curves, resamples=resamples, rng=rng
    )
    heights = value.reshape(len(keys), STEPS)
    drawn = draws.reshape(resamples, len(keys), STEPS)
    curves = {key: (heights[place], drawn[:, place]) for place, key in enumerate(keys)}
    for metric in METRICS:
        all_rows, all_drawn = (part[..., -1:] for part in curves["uncertainty", metric])
        curves["random", metric] = np.repeat(all_rows, STEPS), np.repeat(all_drawn, STEPS, axis=1)
    return _curve_table(curves, n), _area_table(curves, n)


def _quantities(rows: Rows, threshold: float, seed: int) -> Mapping[str, tuple[Ints, Floats]]:
    """Put every row into its step of each order, with what it adds there."""
    weight = rows.weight.astype(float)
    selected = rows.score >= threshold
    added = {
        "weight": weight,
        "log_loss": weight * log_loss_terms(rows.label, rows.score),
        "brier": weight * (rows.score - rows.label) ** 2,
        "error": weight * (selected != (rows.label == 1)),
        "selected": weight * selected,
        "hits": weight * selected * rows.label,
    }
    orders = {
        "uncertainty": (rows.uncertainty, tuple(added)),
        "half": (-np.abs(rows.score - 0.5), ("weight", *PROBABILITY_METRICS)),
        "threshold": (-np.abs(_log_odds(rows.score) - _log_odds(threshold)), ("weight", "error", "selected", "hits")),
    }
    tie = np.random.default_rng(seed).permutation(rows.label.size)
    found: dict[str, tuple[Ints, Floats]] = {}
    for name, (doubt, wanted) in orders.items():
        step = _steps(doubt, tie, weight)
        found |= {f"{name} {quantity}": (step, added[quantity]) for quantity in wanted}
    return found


def _log_odds(score: Floats | float) -> Floats:
    """Log-odds within +-15, so that certain scores and an unreachable threshold stay finite."""
    inside = np.clip(score, 1 / (1 + np.exp(MAX_LOG_ODDS)), 1 / (1 + np.exp(-MAX_LOG_ODDS)))
    odds: Floats = np.log(inside / (1 - inside))
    return odds


def _steps(doubt: Floats, tie: Ints, weight: Floats) -> Ints:
    """Find the step of coverage at which each row is first kept, from the least doubtful."""
    order = np.lexsort((tie, doubt))
    reached = np.cumsum(weight[order])
    step = np.empty(doubt.size, dtype=np.int64)
    # The middle of a row decides, so that a heavy row falls to neither end.
    share = (reached - weight[order] / 2) / reached[-1]
    step[order] = np.minimum((share * STEPS).astype(np.int64), STEPS - 1)
    return step


def _curves(sums: Mapping[str, Floats]) -> Floats:
    """Turn sums per step into all curves, one after the other."""
    kept = {name: np.cumsum(values) for name, values in sums.items()}
    found = []
    for half, cut in (("uncertainty", "uncertainty"), ("half", "threshold")):
        found += [_ratio(kept[f"{half} {metric}"], kept[f"{half} weight"]) for metric in PROBABILITY_METRICS]
        found.append(_ratio(kept[f"{cut} error"], kept[f"{cut} weight"]))
        found.append(_ratio(kept[f"{cut} hits"], kept[f"{cut} selected"]))
    return np.concatenate(found)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Divide; NaN where the whole is 0."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _curve_table(curves: Mapping[tuple[str, str], tuple[Floats, Floats]], n: int) -> pd.DataFrame:
    """List the points of all curves."""
    found = [
        {"method": method, "metric": metric, "coverage": float(share)} | interval(height[at], draws[:, at]) | {"n": n}
        for (method, metric), (height, draws) in curves.items()
        for at, share in enumerate(COVERAGE)
    ]
    return pd.DataFrame(found)


def _area_table(curves: Mapping[tuple[str, str], tuple[Floats, Floats]], n: int) -> pd.DataFrame:
    """List the mean heights of all curves and how uncertainty differs from its rivals."""
    area = {key: (_mean(height), _mean(draws)) for key, (height, draws) in curves.items()}
    found = []
    for (method, metric), (value, draws) in area.items():
        key = {"method": method, "baseline": "", "metric": AREA_PREFIX + metric}
        found.append(key | interval(float(value), draws) | {"n": n})
        if method != "uncertainty":
            own = area["uncertainty", metric]
            key = {"method": "uncertainty", "baseline": method, "metric": AREA_PREFIX + metric}
            found.append(key | interval(float(own[0] - value), own[1] - draws) | {"n": n})
    return pd.DataFrame(found)


def _mean(heights: Floats) -> Floats:
    """Mean over the coverages at which the curve is defined."""
    defined = ~np.isnan(heights)
    total = np.where(defined, heights, 0.0).sum(axis=-1)
    return _ratio(np.asarray(total), np.asarray(defined.sum(axis=-1), dtype=float))
