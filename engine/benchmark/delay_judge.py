"""Metrics of every method on the rows of one seed, on the sample and on the same draws of units for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RANKED_DRAWS = 100
"""Draws of the areas under curves, which cost the most and decide no goal."""
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
        shape (n_draws,), float32; NaN where a draw leaves a metric undefined or, for areas under curves, is not
        formed: these take `RANKED_DRAWS` draws, and in segments named ``segment:…`` the sample alone.
    """
    found = []
    for segment, member in rows.segments.items():
        place = np.flatnonzero(member)
        if place.size == 0:
            continue
        label, unit = rows.label[place], rows.unit[place]
        probability = {method: values[place] for method, values in rows.probability.items()}
        truth = None if rows.truth is None else rows.truth[place]
        draws = linear_draws(label, probability, unit, counts, truth=truth)
        if rows.is_ranked:
            taken = counts[: 1 if segment.startswith("segment:") else 1 + RANKED_DRAWS]
            for method, values in probability.items():
                areas = ranked_draws(label, values, unit, taken)
                draws |= {(method, name): _padded(area, counts.shape[0]) for name, area in areas.items()}
        size = {"n": int(np.unique(unit).size), "rows": int(place.size)}
        key = {"split": rows.split, "segment": segment}
        found += [
            key | {"method": method, "metric": metric} | size | {"draws": values.astype(np.float32)}
            for (method, metric), values in draws.items()
        ]
    return pd.DataFrame(found, columns=list(CELL_COLUMNS))


def linear_draws(
    label: Floats,
    probability: Mapping[str, Floats],
    unit: NDArray[np.int64],
    counts: Floats,
    *,
    truth: Floats | None = None,
) -> dict[tuple[str, str], Floats]:
    """Return the metrics that are ratios of sums over rows.

    log loss = Σ -[y log p + (1-y) log(1-p)] / n,   Brier = Σ (p-y)² / n,   calibration = Σ p / Σ y
    excess log loss = Σ [q log(q/p) + (1-q) log((1-q)/(1-p))] / n,   calibration against the truth = Σ p / Σ q

    Parameters
    ----------
    label : ndarray of shape (n,)
        Labels 0 or 1.
    probability : mapping of str to ndarray of shape (n,)
        Method to probabilities, which are kept 1e-7 from 0 and 1 in logarithms.
    unit : ndarray of shape (n,), int
    counts : ndarray of shape (n_draws, n_units)
    truth : ndarray of shape (n,), optional
        True probabilities q.

    Returns
    -------
    dict of (str, str) to ndarray of shape (n_draws,)
        By method and metric.
    """
    columns = {("", "rows"): np.ones_like(label), ("", "observed"): label}
    q = None if truth is None else np.clip(truth, _EPS, 1 - _EPS)
    if q is not None:
        columns["", "true"] = q
    for method, p in probability.items():
        inside = np.clip(p, _EPS, 1 - _EPS)
        columns[method, "log_loss"] = -np.log(np.where(label > 0, inside, 1 - inside))
        columns[method, "brier"] = (p - label) ** 2
        columns[method, "predicted"] = p
        if q is not None:
            columns[method, "excess_log_loss"] = q * np.log(q / inside) + (1 - q) * np.log((1 - q) / (1 - inside))
    by_unit = np.stack([np.bincount(unit, column, minlength=counts.shape[1]) for column in columns.values()], axis=1)
    sums = dict(zip(columns, (counts @ by_unit).T, strict=True))
    draws: dict[tuple[str, str], Floats] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for method in probability:
            for metric in ("log_loss", "brier", *(() if q is None else ("excess_log_loss",))):
                draws[method, metric] = sums[method, metric] / sums["", "rows"]
            for metric, total in (("calibration", "observed"), ("calibration_truth", "true")):
                if ("", total) in sums:
                    ratio = sums[method, "predicted"] / sums["", total]
                    draws[method, metric] = np.where(sums["", total] > 0, ratio, np.nan)
    return draws


def _padded(draws: Floats, length: int) -> Floats:
    """Fill up with NaN, which intervals leave out."""
    return np.concatenate([draws, np.full(length - draws.size, np.nan)])


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
