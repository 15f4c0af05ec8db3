"""Judge the score inside every uncertainty bucket: whether it comes true, and how well it ranks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from engine.metrics.calibration import wilson_interval
from engine.metrics.classification import SortedScores, log_loss_terms
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.uncertainty.grid import Floats, Ints, Layout, assign_bins, assign_buckets
from engine.uncertainty.names import ALL, bucket_name
from engine.uncertainty.tuning import Rows


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


def reliability(tune: Rows, splits: dict[str, Rows], layout: Layout, n_bins: int) -> pd.DataFrame:
    """Tabulate the observed rate per score bin, for every uncertainty bucket and for all rows.

    Bins hold equal row counts on the tuning rows of their bucket and are then frozen, so a bin of
    another split may be empty; it stays, with n = 0.

    Parameters
    ----------
    tune : Rows
        Rows that set the edges.
    splits : dict of str to Rows
        Rows to tabulate, by split.
    layout : Layout
        Holds the bucket edges.
    n_bins : int

    Returns
    -------
    DataFrame
        ``split, bucket, bin, bin_low, bin_high, n, positives, mean_predicted, observed_rate,
        ci_low, ci_high``; bucket -1 is all rows, the last four are NaN where n = 0, the interval
        is Wilson's.
    """
    tune_bucket = assign_buckets(tune.uncertainty, layout.uncertainty_edges)
    parts = []
    for bucket in (ALL, *range(layout.shape[0])):
        own = np.ones(tune.score.size, dtype=bool) if bucket == ALL else tune_bucket == bucket
        edges = equal_mass_edges(tune.score[own], tune.weight[own], n_bins)
        for split, rows in splits.items():
            of_bucket = assign_buckets(rows.uncertainty, layout.uncertainty_edges)
            kept = np.ones(rows.score.size, dtype=bool) if bucket == ALL else of_bucket == bucket
            parts.append(_bins(rows, kept, edges).assign(split=split, bucket=bucket))
    table = pd.concat(parts, ignore_index=True)
    return table[["split", "bucket", *(name for name in table.columns if name not in ("split", "bucket"))]]


def _bins(rows: Rows, kept: np.ndarray, edges: Floats) -> pd.DataFrame:
    """Count the kept rows per bin."""
    index = assign_bins(rows.score[kept], edges)
    size = edges.size + 1
    weight, label = rows.weight[kept].astype(float), rows.label[kept]
    n, positives, predicted = (
        np.bincount(index, values, minlength=size) for values in (weight, weight * label, weight * rows.score[kept])
    )
    filled = np.where(n > 0, n, np.nan)
    low, high = wilson_interval(positives, n)
    return pd.DataFrame(
        {
            "bin": np.arange(size),
            "bin_low": np.concatenate([[0.0], edges]),
            "bin_high": np.concatenate([edges, [1.0]]),
            "n": n.astype(np.int64),
            "positives": positives.astype(np.int64),
            "mean_predicted": predicted / filled,
            "observed_rate": positives / filled,
            "ci_low": low,
            "ci_high": high,
        }
    )


def classifier_metrics(
    rows: Rows, layout: Layout, *, n_bins: int, resamples: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Judge the score as a probability, for all rows and bucket by bucket.

    Returns
    -------
    DataFrame
        ``segment, metric, value, ci_low, ci_high, n``; metrics are log_loss, brier, ece, roc_auc
        and pr_auc, NaN where a bucket holds one class only; n counts units.
    """
    bucket = assign_buckets(rows.uncertainty, layout.uncertainty_edges)
    found = []
    # A single bucket is all rows already.
    for number in (ALL, *(range(layout.shape[0]) if layout.shape[0] > 1 else ())):
        kept = np.ones(rows.score.size, dtype=bool) if number == ALL else bucket == number
        if not kept.any():
            continue
        part = Rows(*(getattr(rows, name)[kept] for name in ("score", "uncertainty", "label", "weight", "unit")))
        statistic = _statistic(part, n_bins)
        value = statistic(np.ones(part.label.size))
        low, high = percentile_interval(bootstrap(statistic, part.unit, n_resamples=resamples, rng=rng))
        found.append(
            pd.DataFrame(
                {
                    "segment": bucket_name(number, layout.shape[0]),
                    "metric": ("log_loss", "brier", "ece", "roc_auc", "pr_auc"),
                    "value": value,
                    "ci_low": low,
                    "ci_high": high,
                    "n": np.unique(part.unit).size,
                }
            )
        )
    return pd.concat(found, ignore_index=True)


def _statistic(rows: Rows, n_bins: int) -> Callable[[Floats], Floats]:
    """Prepare the five metrics of some rows for many weightings; the bins of the ECE stay fixed."""
    ranked = SortedScores(rows.label, rows.score)
    loss = log_loss_terms(rows.label, rows.score)
    square = (rows.score - rows.label) ** 2
    index = assign_bins(rows.score, equal_mass_edges(rows.score, rows.weight, n_bins))
    gap = rows.score - rows.label

    def statistic(unit_weight: Floats) -> Floats:
        weight = rows.weight * unit_weight
        total = float(weight.sum())
        if total == 0:
            return np.full(5, np.nan)
        ece = float(np.abs(np.bincount(index, weight * gap)).sum()) / total
        return np.array(
            [
                float((weight * loss).sum()) / total,
                float((weight * square).sum()) / total,
                ece,
                ranked.roc_auc(weight),
                ranked.average_precision(weight),
            ]
        )

    return statistic
