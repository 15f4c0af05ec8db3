"""The real part of the uncertainty benchmark: purchases of households, scored by every estimator and by bare rates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from engine.benchmark.uncertainty_judge import PART_COLUMNS, judge, table
from engine.benchmark.uncertainty_methods import bucket_ways, chosen_way, plain_ways
from engine.benchmark.uncertainty_peers import peer_ways
from engine.benchmark.uncertainty_simulated import BUCKETS, CONFIDENCE
from engine.datasets import load
from engine.seeding import generator
from engine.uncertainty.config import Estimator, UncertaintyConfig
from engine.uncertainty.data import prepare
from engine.uncertainty.draws import unit_index
from engine.uncertainty.evaluate import scored_rows
from engine.uncertainty.grid import Floats
from engine.uncertainty.planes import shuffled
from engine.uncertainty.rows import Rows
from engine.uncertainty.train import fit
from engine.uncertainty.trend import residuals
from engine.uncertainty.tuning import default_targets

DATA = "journey-purchases"
SCORERS = ("ensemble", "rate_4_flat", "rate_4_matched")
"""Scorers on which all ways to set thresholds are compared; every other is asked for information alone."""
ESTIMATORS: tuple[Estimator, ...] = ("ensemble", "mc_dropout", "laplace", "natpn_flat", "natpn_matched", "counts")
RESAMPLES = 400
TREND, PLACEBO, UNITS = "positivity_trend", "placebo_trend", "units"
"""Metrics beside those of the judge; units counts the test units behind every draw."""


def unit_counts(unit: np.ndarray) -> Floats:
    """Draw units with replacement, the same draws for every seed and way.

    Parameters
    ----------
    unit : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n_units, 1 + RESAMPLES), float64
        The first column is the sample: every unit once.
    """
    size = unit_index(unit)[1]
    drawn = generator(0, "benchmark", "uncertainty", "units").multinomial(size, np.full(size, 1 / size), size=RESAMPLES)
    return np.concatenate([np.ones((1, size)), drawn]).T


def measure(name: str, seed: int) -> pd.DataFrame:
    """Train every estimator with one seed, and tune and judge every way on the scorers of interest.

    Parameters
    ----------
    name : str
        Name of the bundled data.
    seed : int
        Of the training and of what draws at random; the rows and their split are the same.

    Returns
    -------
    DataFrame
        Columns `engine.benchmark.uncertainty_judge.PART_COLUMNS`; draws are the sample and `RESAMPLES` draws of units.
    """
    config = UncertaintyConfig(seed=seed, estimators=ESTIMATORS)
    prepared = prepare(load("uncertainty", name), config)
    fitted = fit(prepared, config)
    rows = {scorer: scored_rows(fitted, prepared, scorer) for scorer in fitted.scorers}
    first = next(iter(rows.values()))
    targets = default_targets(first["tune"])
    taken = unit_counts(first["test"].unit)
    size = int(first["tune"].weight.sum())
    parts = [_trends(rows, taken, seed).assign(data=name, rows=size)[list(PART_COLUMNS)]]
    for scorer in SCORERS:
        tune, test = rows[scorer]["tune"], rows[scorer]["test"]
        ways = plain_ways(tune, targets)
        for k in BUCKETS:
            ways += bucket_ways(tune, k, targets, seed=seed, confidence=CONFIDENCE)
        ways.append(chosen_way(tune, targets, seed=seed))
        ways += peer_ways(tune, targets, buckets=BUCKETS, confidence=CONFIDENCE)
        found = [row for way in ways for row in judge(way, tune, test, taken)]
        parts.append(table(found, data=name, scorer=scorer, size=size))
    return pd.concat(parts, ignore_index=True)


def _trends(rows: Mapping[str, Mapping[str, Rows]], taken: Floats, seed: int) -> pd.DataFrame:
    """Measure how positivity moves with uncertainty at equal score, and with a shuffled one."""
    found = []
    for scorer, part in rows.items():
        test = part["test"]
        mixed = Rows(test.score, shuffled(test.uncertainty, seed), test.label, test.weight, test.unit)
        for metric, shown in ((TREND, test), (PLACEBO, mixed)):
            draws = trend_draws(shown, taken).tolist()
            found.append({"scorer": scorer, "method": "uncertainty", "metric": metric, "draws": draws})
    found.append({"scorer": "", "method": "units", "metric": UNITS, "draws": [float(taken.shape[0])]})
    return pd.DataFrame(found).assign(buckets=0, target="")


def trend_draws(rows: Rows, taken: Floats) -> Floats:
    """Return the change in positivity from the most to the least certain row at equal score, in percentage points.

    Parameters
    ----------
    rows : Rows
    taken : ndarray of shape (n_units, d), float64

    Returns
    -------
    ndarray of shape (d,), float64
        As `engine.uncertainty.trend.positivity_trend`; NaN if the score determines the uncertainty.
    """
    uncertainty, label = residuals(rows)
    spread = rows.weight * uncertainty**2
    if spread.sum() < 1e-8 * rows.weight.sum():
        return np.full(taken.shape[1], np.nan)
    unit, size = unit_index(rows.unit)
    product, square = (
        np.bincount(unit, values, minlength=size) @ taken for values in (rows.weight * uncertainty * label, spread)
    )
    change: Floats = 100 * product / square
    return change
