"""Judge a score as a probability: losses, ranking, and what its calibration is made of, under resampled units."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.metrics.classification import log_loss_terms
from engine.metrics.debiased import debiased_error_of_bins
from engine.metrics.decomposition import isotonic_rates
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.metrics.smooth_calibration import GRID, fixed_point, grid_place, smoothed_error
from engine.uncertainty.grid import Floats, assign_bins
from engine.uncertainty.rows import Rows

METRICS = (
    *("log_loss", "brier", "ece", "roc_auc", "pr_auc", "ece_debiased", "smooth_ece"),
    *("brier_reliability", "brier_resolution", "brier_uncertainty", "brier_within"),
    *("miscalibration", "discrimination"),
)
"""Metrics of a score, in the order of `ScoreCounts.metrics`."""
INFLATED = (
    *("ece", "ece_debiased", "smooth_ece", "brier_reliability", "brier_resolution", "miscalibration"),
    "discrimination",
)
"""Metrics that noise can only raise: a resample adds noise, so its values lie too high as a whole."""


class ScoreCounts:
    """Count rows and positives per different score and unit, and judge the score under any weights of the units.

    Bins, the bandwidth of the smooth error and the level stretches of the isotonic curve are set by the rows as they
    are, and stay when units are resampled.

    Parameters
    ----------
    rows : Rows
        At least one.
    edges : ndarray of shape (m,), float64, ascending
        Inner edges of the bins behind ECE and Murphy's parts; a score on an edge belongs above it.
    """

    def __init__(self, rows: Rows, edges: Floats) -> None:
        # Here, because pages read the tables of this package without the library.
        from scipy.sparse import csr_array

        score, place = np.unique(rows.score, return_inverse=True)
        units, unit = np.unique(rows.unit, return_inverse=True)
        weight, won = rows.weight.astype(np.float64), rows.label == 1
        shape = (score.size, units.size)
        self.n_units = int(units.size)
        self._score = score
        self._totals = csr_array((weight, (place, unit)), shape=shape)
        self._positives = csr_array((weight[won], (place[won], unit[won])), shape=shape)
        self._loss = [log_loss_terms(np.full(score.size, label), score) for label in (0, 1)]
        self._bin, self._n_bins = assign_bins(score, edges), edges.size + 1
        ones = np.ones(self.n_units)
        totals, positives = self._totals @ ones, self._positives @ ones
        self._block = isotonic_rates(positives, totals)[1]
        self._grid = grid_place(score)
        self._bandwidth = fixed_point(self._mass(positives - totals * score) / totals.sum()).bandwidth

    def metrics(self, taken: Floats) -> Floats:
        """Return the values of `METRICS`.

        Parameters
        ----------
        taken : ndarray of shape (n_units,), float64
            How often each unit counts, in the order of their names.

        Returns
        -------
        ndarray of shape (len(METRICS),), float64
            NaN where it cannot be said, as the areas under curves of one class.
        """
        totals, positives = self._totals @ taken, self._positives @ taken
        total, won = float(totals.sum()), float(positives.sum())
        if total == 0:
            return np.full(len(METRICS), np.nan)
        score, lost = self._score, totals - positives
        brier = (_dot(positives, (1 - score) ** 2) + _dot(lost, score**2)) / total
        log_loss = (_dot(positives, self._loss[1]) + _dot(lost, self._loss[0])) / total
        n, rate_sum, score_sum = self._binned(totals), self._binned(positives), self._binned(totals * score)
        ece = float(np.abs(score_sum - rate_sum).sum()) / total
        debiased = debiased_error_of_bins(n, rate_sum, score_sum)
        smooth = float(smoothed_error(self._mass(positives - totals * score), self._bandwidth)) / total
        base = won / total
        spread = base * (1 - base)
        filled = np.where(n > 0, n, 1.0)
        reliability = float(((score_sum - rate_sum) ** 2 / filled).sum()) / total
        resolution = float((n * (rate_sum / filled - base) ** 2).sum()) / total
        isotonic = (won - self._squares_of_blocks(totals, positives)) / total
        return np.array(
            [
                *(log_loss, brier, ece, _roc_auc(positives, lost), _average_precision(positives, totals)),
                *(debiased, smooth, reliability, resolution, spread),
                brier - reliability + resolution - spread,
                *(brier - isotonic, spread - isotonic),
            ]
        )

    def _binned(self, values: Floats) -> Floats:
        """Sum values of scores per bin."""
        return np.bincount(self._bin, values, minlength=self._n_bins).astype(np.float64)

    def _mass(self, residuals: Floats) -> Floats:
        """Spread residuals of scores over the grid of the smooth error."""
        place, share = self._grid
        left = np.bincount(place, residuals * (1 - share), minlength=GRID)
        right = np.bincount(np.minimum(place + 1, GRID - 1), residuals * share, minlength=GRID)
        return (left + right).astype(np.float64)

    def _squares_of_blocks(self, totals: Floats, positives: Floats) -> float:
        """Sum positives² / rows over the level stretches of the isotonic curve."""
        n, won = (np.bincount(self._block, values) for values in (totals, positives))
        return float(np.divide(won**2, n, out=np.zeros(n.size), where=n > 0).sum())


def _dot(left: Floats, right: Floats) -> float:
    """Sum products on one thread: the linear algebra below `@` would wake all of them for a few thousand numbers."""
    return float(np.einsum("i,i->", left, right))


def _roc_auc(positives: Floats, negatives: Floats) -> float:
    """Return the area under the ROC curve from counts by ascending score; ties count half."""
    won, lost = float(positives.sum()), float(negatives.sum())
    if won == 0 or lost == 0:
        return float("nan")
    below = np.cumsum(negatives) - negatives
    return _dot(positives, below + negatives / 2) / (won * lost)


def _average_precision(positives: Floats, totals: Floats) -> float:
    """Return the average precision from counts by ascending score."""
    won = float(positives.sum())
    if won == 0:
        return float("nan")
    found, taken = np.cumsum(positives[::-1]), np.cumsum(totals[::-1])
    precision = np.divide(found, taken, out=np.zeros(taken.size), where=taken > 0)
    return _dot(positives[::-1], precision) / won


def score_metrics(rows: Rows, edges: Floats, *, resamples: int, rng: np.random.Generator) -> pd.DataFrame:
    """Judge the score of some rows as a probability.

    Parameters
    ----------
    rows : Rows
        At least one.
    edges : ndarray of shape (m,), float64, ascending
        Inner edges of the bins.
    resamples : int
        Draws of units behind the intervals.
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        ``metric, value, ci_low, ci_high, n``, one row per name in `METRICS`; n counts units.

    Notes
    -----
    Resampling adds noise of the size of the sampling error, which lifts every metric in `INFLATED`, in places above
    the value itself. Their draws are moved down by what their mean exceeds the value, and cut at 0. The value itself
    keeps its own bias (but for ``ece_debiased``).
    """
    counts = ScoreCounts(rows, edges)
    value = counts.metrics(np.ones(counts.n_units))
    draws = bootstrap(counts.metrics, np.arange(counts.n_units), n_resamples=resamples, rng=rng)
    low, high = percentile_interval(draws)
    for place in (METRICS.index(name) for name in INFLATED):
        lift = float(np.nanmean(draws[:, place])) - value[place] if np.isfinite(value[place]) else 0.0
        low[place], high[place] = max(low[place] - lift, 0.0), max(high[place] - lift, 0.0)
    return pd.DataFrame(
        {"metric": METRICS, "value": value, "ci_low": low, "ci_high": high, "n": counts.n_units},
    )
