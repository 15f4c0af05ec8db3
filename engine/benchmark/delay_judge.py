"""Metrics of every method on the rows of one seed, on the sample and on the same draws of units for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LINEAR = ("log_loss", "brier", "calibration")
TRUTH = ("excess_log_loss", "calibration_truth")
"""Against the true probabilities: log loss above that of the truth, and mean predicted / mean true."""
RANKED = ("roc_auc", "pr_auc")
CELL_COLUMNS = ("split", "segment", "method", "metric", "n", "rows", "draws")
_EPS = 1e-7
_CHUNK = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one split that are judged; arrays of shape (n,)."""

    split: str
    label: Floats
    unit: NDArray[np.int64]
    """Column of the unit in the counts."""
    probability: Mapping[str, Floats]
    segments: Mapping[str, NDArray[np.bool_]]
    truth: Floats | None = None
    """P(conversion within the window | x) where it is known."""
    is_ranked: bool = True
    """Whether areas under curves are wanted, too."""


def judge(rows: Rows, counts: Floats) -> pd.DataFrame:
    """Measure every method in every segment.

    Parameters
    ----------
    rows : Rows
    counts : ndarray of shape (n_draws, n_units), float64, >= 0
        How often each unit counts. The first row is the sample, all ones.

    Returns
    -------
    DataFrame
        Columns `CELL_COLUMNS`, one row per segment, method and metric: ``n`` units, ``rows`` exposures, ``draws`` of
        shape (n_draws,), float32; NaN where a draw leaves a metric undefined.
    """
    found = []
    for segment, member in rows.segments.items():
        place = np.flatnonzero(member)
        if place.size == 0:
            continue
        size = {"n": int(np.unique(rows.unit[place]).size), "rows": int(place.size)}
        for method, values in rows.probability.items():
            truth = None if rows.truth is None else rows.truth[place]
            label, unit, p = rows.label[place], rows.unit[place], values[place]
            draws = linear_draws(label, p, unit, counts, truth=truth)
            if rows.is_ranked:
                draws |= ranked_draws(label, p, unit, counts)
            key = {"split": rows.split, "segment": segment, "method": method}
            found += [key | {"metric": name} | size | {"draws": d.astype(np.float32)} for name, d in draws.items()]
    return pd.DataFrame(found, columns=list(CELL_COLUMNS))


def linear_draws(
    label: Floats, p: Floats, unit: NDArray[np.int64], counts: Floats, *, truth: Floats | None = None
) -> dict[str, Floats]:
    """Return the metrics that are ratios of sums over rows.

    log loss = Σ -[y log p + (1-y) log(1-p)] / n,   Brier = Σ (p-y)² / n,   calibration = Σ p / Σ y
    excess log loss = Σ [q log(q/p) + (1-q) log((1-q)/(1-p))] / n,   calibration against the truth = Σ p / Σ q

    Parameters
    ----------
    label, p : ndarrays of shape (n,)
        Labels 0 or 1 and probabilities, which are kept 1e-7 from 0 and 1 in logarithms.
    unit : ndarray of shape (n,), int
    counts : ndarray of shape (n_draws, n_units)
    truth : ndarray of shape (n,), optional
        True probabilities q.

    Returns
    -------
    dict of str to ndarray of shape (n_draws,)
    """
    inside = np.clip(p, _EPS, 1 - _EPS)
    columns = [np.ones_like(p), label, -np.log(np.where(label > 0, inside, 1 - inside)), (p - label) ** 2, p]
    if truth is not None:
        q = np.clip(truth, _EPS, 1 - _EPS)
        excess = q * np.log(q / inside) + (1 - q) * np.log((1 - q) / (1 - inside))
        columns += [excess, truth]
    width = counts.shape[1]
    sums = counts @ np.stack([np.bincount(unit, column, minlength=width) for column in columns], axis=1)
    total, observed = sums[:, 0], sums[:, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = {
            "log_loss": sums[:, 2] / total,
            "brier": sums[:, 3] / total,
            "calibration": np.where(observed > 0, sums[:, 4] / observed, np.nan),
        }
        if truth is not None:
            draws |= {"excess_log_loss": sums[:, 5] / total, "calibration_truth": sums[:, 4] / sums[:, 6]}
    return draws


def ranked_draws(label: Floats, p: Floats, unit: NDArray[np.int64], counts: Floats) -> dict[str, Floats]:
    """Return the areas under the ROC curve and under the precision-recall curve (step-wise: average precision).

    Parameters
    ----------
    label, p : ndarrays of shape (n,)
    unit : ndarray of shape (n,), int
    counts : ndarray of shape (n_draws, n_units)

    Returns
    -------
    dict of str to ndarray of shape (n_draws,)
        NaN where one class has no weight. Equal scores count half, as in `engine.metrics.ordering.SortedScores`, of
        which this is the form for many draws at once.
    """
    order = np.argsort(-p, kind="stable")
    score, is_positive, owner = p[order], label[order] > 0, unit[order]
    # Rows of one score share a level, which ends at `last`.
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True))
    roc, precision = [], []
    for part in np.array_split(counts, -(-counts.shape[0] // _CHUNK)):
        weight = part[:, owner]
        above = np.cumsum(np.where(is_positive, weight, 0.0), axis=1)[:, last]
        below = np.cumsum(np.where(is_positive, 0.0, weight), axis=1)[:, last]
        gain = np.diff(above, axis=1, prepend=0.0)
        loss = np.diff(below, axis=1, prepend=0.0)
        positives, negatives = above[:, -1], below[:, -1]
        with np.errstate(invalid="ignore", divide="ignore"):
            area = ((above - gain / 2) * loss).sum(axis=1) / (positives * negatives)
            share = np.where(above + below > 0, above / (above + below), 0.0)
            mean_precision = np.where(negatives > 0, (gain * share).sum(axis=1) / positives, np.nan)
        roc.append(area)
        precision.append(mean_precision)
    return {"roc_auc": np.concatenate(roc), "pr_auc": np.concatenate(precision)}
