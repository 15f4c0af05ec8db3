"""Tabulate how often a score comes true: per score bin and by uncertainty bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from engine.claims import MINIMUM_UNITS
from engine.metrics.binomial import clopper_pearson_interval
from engine.metrics.calibration import wilson_interval
from engine.uncertainty.classifier import score_metrics
from engine.uncertainty.grid import Floats, Ints, Layout, assign_bins, assign_buckets
from engine.uncertainty.names import ALL, bucket_name
from engine.uncertainty.rows import Rows

Binning = Literal["equal_mass", "equal_width"]
BINNINGS: tuple[Binning, ...] = ("equal_mass", "equal_width")
_RATES = ("mean_predicted", "observed_rate", "ci_low", "ci_high", "exact_low", "exact_high")
BIN_COLUMNS = ("binning", "bin", "bin_low", "bin_high", "n", "positives", *_RATES)


def equal_mass_edges(score: Floats, weight: Ints, n_bins: int) -> Floats:
    """Cut scores into bins of equal row count, ties unsplit; the lower edge belongs to a bin.

    Returns
    -------
    ndarray of shape (m,), float64, ascending, distinct, m < n_bins
    """
    if score.size == 0:
        return np.empty(0)
    order = np.argsort(score, kind="stable")
    reached = np.cumsum(weight[order]) - weight[order]
    place = np.searchsorted(reached, np.arange(1, n_bins) / n_bins * weight.sum(), side="left")
    edges = score[order][np.minimum(place, score.size - 1)]
    return np.setdiff1d(edges, score.min())


def equal_width_edges(n_bins: int) -> Floats:
    """Cut [0, 1] into bins of equal width: their inner edges, shape (n_bins - 1,)."""
    edges: Floats = np.arange(1, n_bins) / n_bins
    return edges


def reliability(tune: Rows, splits: Mapping[str, Rows], layout: Layout, n_bins: int) -> pd.DataFrame:
    """Tabulate the observed rate per score bin, for every uncertainty bucket and for all rows.

    Bins of equal mass hold equal row counts on the tuning rows of their bucket and are then frozen, so a bin of
    another split may be empty, as may a bin of equal width; it stays, with n = 0.

    Parameters
    ----------
    tune : Rows
        Rows that set the edges.
    splits : mapping of str to Rows
        Rows to tabulate, by split.
    layout : Layout
        Holds the bucket edges.
    n_bins : int

    Returns
    -------
    DataFrame
        ``split, bucket`` and `BIN_COLUMNS`; bucket -1 is all rows. ``ci_…`` is Wilson's interval, ``exact_…`` Clopper
        and Pearson's; all rates are NaN where n = 0.
    """
    bucket = {name: assign_buckets(rows.uncertainty, layout.uncertainty_edges) for name, rows in splits.items()}
    tune_bucket = assign_buckets(tune.uncertainty, layout.uncertainty_edges)
    parts = []
    for number in (ALL, *range(layout.shape[0])):
        own = slice(None) if number == ALL else tune_bucket == number
        edges = {
            "equal_mass": equal_mass_edges(tune.score[own], tune.weight[own], n_bins),
            "equal_width": equal_width_edges(n_bins),
        }
        for split, rows in splits.items():
            kept = slice(None) if number == ALL else bucket[split] == number
            for binning in BINNINGS:
                table = _count_bins(rows.score[kept], rows.label[kept], rows.weight[kept], edges[binning])
                parts.append(table.assign(binning=binning, split=split, bucket=number))
    # One call for all intervals: each costs as much as hundreds of them.
    return with_rates(pd.concat(parts, ignore_index=True))[["split", "bucket", *BIN_COLUMNS]]


def _count_bins(score: Floats, label: Ints, weight: Ints, edges: Floats) -> pd.DataFrame:
    """Count rows per bin."""
    index = assign_bins(score, edges)
    rows = weight.astype(float)
    n, positives, predicted = (
        np.bincount(index, values, minlength=edges.size + 1).astype(np.float64)
        for values in (rows, rows * label, rows * score)
    )
    return count_table(edges, n, positives, predicted)


def count_table(edges: Floats, n: Floats, positives: Floats, score_sum: Floats) -> pd.DataFrame:
    """List counts per bin.

    Parameters
    ----------
    edges : ndarray of shape (m - 1,), float64, ascending
        Inner edges of the bins.
    n, positives, score_sum : ndarray of shape (m,)
        Rows, positive rows, and sums of the scores.

    Returns
    -------
    DataFrame
        ``bin, bin_low, bin_high, n, positives, score_sum``, m rows.
    """
    return pd.DataFrame(
        {
            "bin": np.arange(edges.size + 1),
            "bin_low": np.concatenate([[0.0], edges]),
            "bin_high": np.concatenate([edges, [1.0]]),
            "n": np.rint(n).astype(np.int64),
            "positives": np.rint(positives).astype(np.int64),
            "score_sum": score_sum,
        }
    )


def with_rates(table: pd.DataFrame) -> pd.DataFrame:
    """Add rates and their intervals to counts per bin.

    Parameters
    ----------
    table : DataFrame
        Columns ``n, positives, score_sum``, others are kept.

    Returns
    -------
    DataFrame
        With ``mean_predicted, observed_rate, ci_low, ci_high, exact_low, exact_high``, NaN where n = 0.
    """
    filled = table["n"].where(table["n"] > 0)
    low, high = wilson_interval(table["positives"], table["n"])
    exact_low, exact_high = clopper_pearson_interval(table["positives"], table["n"])
    return table.assign(
        mean_predicted=table["score_sum"] / filled,
        observed_rate=table["positives"] / filled,
        ci_low=low,
        ci_high=high,
        exact_low=exact_low,
        exact_high=exact_high,
    )


def classifier_metrics(
    rows: Rows, layout: Layout, *, n_bins: int, resamples: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Judge the score as a probability, for all rows and bucket by bucket.

    Returns
    -------
    DataFrame
        ``segment, metric, value, ci_low, ci_high, n``; see `engine.uncertainty.classifier.score_metrics`. NaN
        where a bucket holds one class only and the metric needs two, and with n = 0 where it holds no row. A bucket
        of a handful (see `is_handful`) has no intervals.
    """
    bucket = assign_buckets(rows.uncertainty, layout.uncertainty_edges)
    found: list[pd.DataFrame] = []
    # A single bucket is all rows already.
    for number in (ALL, *(range(layout.shape[0]) if layout.shape[0] > 1 else ())):
        kept = np.ones(rows.score.size, dtype=bool) if number == ALL else bucket == number
        if not kept.any():  # All rows come first and are there.
            found.append(unjudged(found[0]).assign(segment=bucket_name(number, layout.shape[0])))
            continue
        part = rows.take(kept)
        edges = equal_mass_edges(part.score, part.weight, n_bins)
        table = score_metrics(part, edges, resamples=resamples, rng=rng)
        if number != ALL and is_handful(part):
            table = table.assign(ci_low=np.nan, ci_high=np.nan)
        found.append(table.assign(segment=bucket_name(number, layout.shape[0])))
    return pd.concat(found, ignore_index=True)[["segment", "metric", "value", "ci_low", "ci_high", "n"]]


def is_handful(rows: Rows) -> bool:
    """Tell whether resampling some rows says little: fewer than `MINIMUM_UNITS` units, or one class only."""
    return np.unique(rows.unit).size < MINIMUM_UNITS or rows.label.min() == rows.label.max()


def unjudged(table: pd.DataFrame) -> pd.DataFrame:
    """Turn the metrics of some rows into those of no rows: every value NaN, n 0."""
    return table.assign(value=np.nan, ci_low=np.nan, ci_high=np.nan, n=0)


def pick(table: pd.DataFrame, *, binning: Binning = "equal_mass", **keys: object) -> pd.DataFrame:
    """Pick the bins of one binning and one selection from a stored table.

    Parameters
    ----------
    table : DataFrame
        From `reliability`, or of a run that was written before there were two binnings: its bins are of equal mass.
    binning : {"equal_mass", "equal_width"}
    **keys
        Column to value, for example ``split="test", scorer="given"``.

    Returns
    -------
    DataFrame
        Empty if the table does not hold this binning.
    """
    found = table if "binning" in table.columns else table.assign(binning="equal_mass")
    kept = found["binning"] == binning
    for column, value in keys.items():
        kept &= found[column] == value
    return found[kept].reset_index(drop=True)


def base_rates(table: pd.DataFrame) -> pd.DataFrame:
    """Add up the bins of every bucket (or slice) into its base rate.

    Parameters
    ----------
    table : DataFrame
        Bins of one split and one binning, with a column ``bucket`` or ``value``.

    Returns
    -------
    DataFrame
        That column and ``n, positives, base_rate, ci_low, ci_high`` (Wilson), in the order of the table.
    """
    key = "bucket" if "bucket" in table.columns else "value"
    sums = table.groupby(key, sort=False)[["n", "positives"]].sum().reset_index()
    low, high = wilson_interval(sums["positives"], sums["n"])
    rate = sums["positives"] / sums["n"].where(sums["n"] > 0)
    return sums.assign(base_rate=rate, ci_low=low, ci_high=high)


def smooth_errors(metrics: pd.DataFrame, *, scorer: str, split: str, n_buckets: int) -> pd.DataFrame:
    """Pick the smooth calibration error of every bucket from the metrics of a run.

    Parameters
    ----------
    metrics : DataFrame
        Of a run.
    scorer, split : str
    n_buckets : int

    Returns
    -------
    DataFrame
        ``bucket, value, ci_low, ci_high``; empty if the run has none on this split, as those of before they were
        measured.
    """
    own = metrics[(metrics["metric"] == "smooth_ece") & (metrics["method"] == scorer) & (metrics["split"] == split)]
    number = {bucket_name(k, n_buckets): k for k in range(n_buckets)} if n_buckets > 1 else {"all": 0}
    found = own.assign(bucket=own["segment"].map(number))
    kept = found[found["bucket"].notna()]
    return kept.astype({"bucket": "int64"})[["bucket", "value", "ci_low", "ci_high"]].reset_index(drop=True)
