"""Compare boundaries on rows they were not tuned on: as tuned, and at the same achieved precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from engine.metrics.resampling import bootstrap, percentile_interval
from engine.uncertainty.grid import Floats, Ints, cumulate_from_top
from engine.uncertainty.names import MATCHED
from engine.uncertainty.tuning import Plane, Rows

TUNED_METRICS = ("recall", "precision", "coverage")


def matched_recall(positives: Floats, selected: Floats, target: float, total: float) -> float:
    """Return the recall of a family of boundaries where it achieves a precision on these very rows.

    Setting every method's threshold on the rows it is judged on isolates how well it ranks: all
    methods then have the same precision. Between neighbouring boundaries rows are taken evenly,
    which is what breaking ties at random gives on average; without it, coarse scores overshoot
    the target and look worse than they rank.

    Parameters
    ----------
    positives, selected : ndarray of shape (S,), float64, rows
        Counts along the family, from selecting nothing to everything.
    target : float, in (0, 1)
    total : float, > 0
        Positives in all.

    Returns
    -------
    float in [0, 1]
        0 if no selection reaches the target.

    Examples
    --------
    >>> matched_recall(np.array([0.0, 3.0, 4.0]), np.array([0.0, 4.0, 10.0]), target=0.5, total=4.0)
    0.875
    """
    slack = positives - target * selected
    ends = np.where(slack >= 0, positives, 0.0).max()
    crossing = (slack[:-1] >= 0) & (slack[1:] < 0)
    before, after = slack[:-1][crossing], slack[1:][crossing]
    share = before / (before - after)
    between = positives[:-1][crossing] + share * (positives[1:][crossing] - positives[:-1][crossing])
    return float(max(ends, between.max(initial=0.0)) / total) if total > 0 else float("nan")


class Measurement:
    """Measure every method of one scorer on one split, under any row weights.

    Parameters
    ----------
    planes : sequence of Plane
    rows : Rows
    targets : sequence of float
    matched : bool
        Whether to measure recall at matched precision too.
    """

    def __init__(self, planes: Sequence[Plane], rows: Rows, targets: Sequence[float], *, matched: bool) -> None:
        self._rows, self._targets, self._matched = rows, targets, matched
        self._cells = [(plane, plane.cell(rows)) for plane in planes]
        self.metrics = (*TUNED_METRICS, *((MATCHED,) if matched else ()))
        methods = [method for plane in planes for method in plane.paths]
        self.keys = [(method, target, metric) for method in methods for target in targets for metric in self.metrics]
        """Method, target and metric of every value, in the order of the result."""

    def __call__(self, unit_weight: Floats) -> Floats:
        """Return one value per key; NaN for the precision of an empty selection."""
        rows = self._rows
        weight = rows.weight * unit_weight
        won = weight * rows.label
        values: list[float] = []
        for plane, cell in self._cells:
            size = plane.layout.shape[0] * plane.layout.shape[1]
            positives, totals = (
                cumulate_from_top(np.bincount(cell, w, minlength=size).astype(float).reshape(plane.layout.shape))
                for w in (won, weight)
            )
            for method in plane.paths:
                values += self._method(plane, method, positives, totals)
        return np.array(values)

    def _method(self, plane: Plane, method: str, positives: Floats, totals: Floats) -> list[float]:
        """Measure one method at every target from counts of the top bins, shape (K, L + 1)."""
        everything = float(positives[:, -1].sum()), float(totals[:, -1].sum())
        tp, n = _selected(positives, totals, plane.cuts[method])
        along = _selected(positives, totals, plane.paths[method].cuts) if self._matched else None
        values: list[float] = []
        for place, target in enumerate(self._targets):
            values += [_share(tp[place], everything[0]), _share(tp[place], n[place]), _share(n[place], everything[1])]
            if along is not None:
                values.append(matched_recall(*along, target, everything[0]))
        return values


def _selected(positives: Floats, totals: Floats, cuts: Ints) -> tuple[Floats, Floats]:
    """Positives and rows selected by boundaries of shape (S, K), from counts of the top bins."""
    bucket = np.arange(positives.shape[0])
    return positives[bucket, cuts].sum(axis=1), totals[bucket, cuts].sum(axis=1)


def _share(part: float, whole: float) -> float:
    """Part of a whole; NaN if the whole is empty."""
    return float(part / whole) if whole > 0 else float("nan")


def measure_split(
    measurements: Mapping[str, Measurement], rows: Rows, *, split: str, resamples: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, Floats]:
    """Measure all scorers on one split under shared draws of its units.

    Parameters
    ----------
    measurements : mapping of str to Measurement
        Scorer to its measurement on this split.
    rows : Rows
        Any scorer's rows of the split, for the units.
    split : str
    resamples : int
    rng : numpy.random.Generator

    Returns
    -------
    table : DataFrame
        ``scorer, method, target, metric, split, value, ci_low, ci_high, n``; n counts units.
    draws : ndarray of shape (resamples, len(table)), float64
        The same draw of units in a row, so that differences of columns are paired.
    """

    def statistic(weight: Floats) -> Floats:
        return np.concatenate([measurement(weight) for measurement in measurements.values()])

    value = statistic(np.ones(rows.label.size))
    draws = bootstrap(statistic, rows.unit, n_resamples=resamples, rng=rng)
    low, high = percentile_interval(draws)
    keys = [(scorer, *key) for scorer, measurement in measurements.items() for key in measurement.keys]
    table = pd.DataFrame(keys, columns=["scorer", "method", "target", "metric"])
    table = table.assign(split=split, value=value, ci_low=low, ci_high=high, n=np.unique(rows.unit).size)
    return table, draws


def paired(
    table: pd.DataFrame, draws: Floats, left: Sequence[int], right: Sequence[int], *, relative: bool = False
) -> dict[str, float]:
    """Compare rows of a measured table under the same draws; several rows are averaged first.

    Parameters
    ----------
    table, draws
        As returned by `measure_split`.
    left, right : sequence of int
        Positions of the method and of its baseline.
    relative : bool
        Percent of the baseline instead of a difference.

    Returns
    -------
    dict
        ``value, ci_low, ci_high``; a percentage is NaN where the baseline is 0.
    """
    value = table["value"].to_numpy(float)
    method = np.append(draws[:, left].mean(axis=1), value[left].mean())
    baseline = np.append(draws[:, right].mean(axis=1), value[right].mean())
    if relative:
        effect = 100 * np.divide(method - baseline, baseline, out=np.full_like(method, np.nan), where=baseline > 0)
    else:
        effect = method - baseline
    low, high = percentile_interval(effect[:-1])
    return {"value": float(effect[-1]), "ci_low": float(low[0]), "ci_high": float(high[0])}
