"""The reliability curve without bins: isotonic regression, with a band from resampled units."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from engine.metrics.decomposition import isotonic_rates, recalibrate
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.uncertainty.grid import Layout, assign_bins, assign_buckets
from engine.uncertainty.names import ALL
from engine.uncertainty.reliability import equal_mass_edges
from engine.uncertainty.rows import Rows

BAND_DRAWS = 100
BAND_GROUPS = 400
"""Most groups of neighbouring scores that a resample is fitted on."""
COLUMNS = ("split", "bucket", "step", "score_low", "score_high", "n", "positives", "rate", "ci_low", "ci_high")


def corp_table(splits: Mapping[str, Rows], layout: Layout, *, rng: np.random.Generator) -> pd.DataFrame:
    """Fit the isotonic reliability curve (CORP) of every uncertainty bucket and of all rows, split by split.

    Parameters
    ----------
    splits : mapping of str to Rows
    layout : Layout
        Holds the bucket edges.
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        `COLUMNS`, one row per level stretch of a curve: the scores from ``score_low`` to ``score_high`` share the
        ``rate``; ``ci_…`` spans 95 % of the curves of `BAND_DRAWS` resamples of whole units at the middle of the
        stretch. Bucket -1 is all rows; a bucket without rows has none.

    Notes
    -----
    Resamples are fitted on at most `BAND_GROUPS` groups of equal row count, which no eye can tell from single scores.

    References
    ----------
    Dimitriadis, Gneiting and Jordan (2021), Stable reliability diagrams for probabilistic classifiers; the band there
    resamples rows.
    """
    parts = []
    for split, rows in splits.items():
        bucket = assign_buckets(rows.uncertainty, layout.uncertainty_edges)
        for number in (ALL, *range(layout.shape[0])):
            kept = np.ones(bucket.size, dtype=bool) if number == ALL else bucket == number
            if kept.any():
                table = _curve(rows.take(kept), rng)
                parts.append(table.assign(split=split, bucket=number, step=np.arange(len(table))))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _curve(rows: Rows, rng: np.random.Generator) -> pd.DataFrame:
    """Fit the curve of some rows and its band."""
    weight = rows.weight.astype(float)
    fitted = recalibrate(rows.label, rows.score, sample_weight=weight)
    first = np.flatnonzero(np.diff(fitted.block, prepend=-1))
    last = np.append(first[1:], fitted.score.size) - 1
    n = np.bincount(fitted.block, fitted.weight)
    middle = (fitted.score[first] + fitted.score[last]) / 2
    low, high = _band(rows, weight, middle, rng)
    rate = fitted.rate[first]
    return pd.DataFrame(
        {
            "score_low": fitted.score[first],
            "score_high": fitted.score[last],
            "n": np.rint(n).astype(np.int64),
            "positives": np.rint(n * rate).astype(np.int64),
            "rate": rate,
            # A fit to resampled rows pulls the ends outwards; the band still holds the curve it belongs to.
            "ci_low": np.minimum(low, rate),
            "ci_high": np.maximum(high, rate),
        }
    )


def _band(
    rows: Rows, weight: np.ndarray, middle: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the band at some scores."""
    edges = equal_mass_edges(rows.score, rows.weight, BAND_GROUPS)
    group = assign_bins(rows.score, edges)
    size = edges.size + 1
    place = assign_bins(middle, edges)
    won = weight * rows.label

    def curve(taken: np.ndarray) -> np.ndarray:
        positives, totals = (np.bincount(group, values * taken, minlength=size) for values in (won, weight))
        return isotonic_rates(positives, totals)[0][place]

    return percentile_interval(bootstrap(curve, rows.unit, n_resamples=BAND_DRAWS, rng=rng))
