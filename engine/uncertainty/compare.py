"""Compare boundaries on rows they were not tuned on: as tuned, and at the same achieved precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from engine.metrics.resampling import percentile_interval
from engine.uncertainty.draws import DrawnCounts, selected_counts, unit_draws, unit_index
from engine.uncertainty.grid import Floats
from engine.uncertainty.names import MATCHED
from engine.uncertainty.planes import Plane
from engine.uncertainty.rows import Rows

TUNED_METRICS = ("recall", "precision", "coverage")


def matched_recall(positives: Floats, selected: Floats, target: float, total: Floats) -> Floats:
    """Return the recall of a family of boundaries where it achieves a precision on these very rows.

    Setting every method's threshold on the rows it is judged on isolates how well it ranks: all
    methods then have the same precision. Between neighbouring boundaries rows are taken evenly,
    which is what breaking ties at random gives on average; without it, coarse scores overshoot
    the target and look worse than they rank.

    Parameters
    ----------
    positives, selected : ndarray of shape (S, d), float64, rows
        Counts along the family, from selecting nothing to everything, in d draws.
    target : float, in (0, 1)
    total : ndarray of shape (d,), float64, >= 0
        Positives in all.

    Returns
    -------
    ndarray of shape (d,), float64, in [0, 1]
        0 if no selection reaches the target, NaN without positives.

    Examples
    --------
    >>> won, taken = np.array([[0.0], [3.0], [4.0]]), np.array([[0.0], [4.0], [10.0]])
    >>> matched_recall(won, taken, target=0.5, total=np.array([4.0]))
    array([0.875])
    """
    slack = positives - target * selected
    inside = slack >= 0
    best = np.where(inside, positives, 0.0).max(axis=0)
    crossing = inside[:-1] & ~inside[1:]
    step, draw = np.nonzero(crossing)
    before, after = slack[step, draw], slack[step + 1, draw]
    won = positives[step, draw]
    between = won + before / (before - after) * (positives[step + 1, draw] - won)
    np.maximum.at(best, draw, between)
    return np.divide(best, total, out=np.full(best.shape, np.nan), where=total > 0)


class Measurement:
    """Measure every method of one scorer on one split, under many draws of its units.

    Parameters
    ----------
    planes : sequence of Plane
        Planes that hold the same method (the shuffles of the placebo) are averaged.
    rows : Rows
    targets : sequence of float
    matched : bool
        Whether to measure recall at matched precision too.
    """

    def __init__(self, planes: Sequence[Plane], rows: Rows, targets: Sequence[float], *, matched: bool) -> None:
        self._targets, self._matched = targets, matched
        self._counts = [(plane, DrawnCounts(plane.cell(rows), rows, plane.layout.shape)) for plane in planes]
        self.metrics = (*TUNED_METRICS, *((MATCHED,) if matched else ()))
        methods = list(dict.fromkeys(method for plane in planes for method in plane.cuts))
        self.keys = [(method, target, metric) for method in methods for target in targets for metric in self.metrics]
        """Method, target and metric of every value, in the order of the result."""

    def __call__(self, taken: Floats) -> Floats:
        """Measure under weights of the units.

        Parameters
        ----------
        taken : ndarray of shape (n_units, d), float64
            Units in the order of `engine.uncertainty.draws.unit_index`.

        Returns
        -------
        ndarray of shape (d, len(keys)), float64
            NaN for the precision of an empty selection.
        """
        found: dict[str, list[Floats]] = {}
        for plane, counts in self._counts:
            positives, totals = counts(taken)
            for method in plane.cuts:
                found.setdefault(method, []).append(self._method(plane, method, positives, totals))
        return np.concatenate([_mean(values) for values in found.values()]).T

    def _method(self, plane: Plane, method: str, positives: Floats, totals: Floats) -> Floats:
        """Measure one method at every target, shape (T * metrics, d), from counts of shape (K, L + 1, d)."""
        all_positives, everything = positives[:, -1].sum(axis=0), totals[:, -1].sum(axis=0)
        tp, n = (selected_counts(counts, plane.cuts[method]) for counts in (positives, totals))
        values = [_share(tp, all_positives), _share(tp, n), _share(n, everything)]
        if self._matched:
            path = plane.paths[method].cuts
            won, taken = (selected_counts(counts, path) for counts in (positives, totals))
            matched = [matched_recall(won, taken, target, all_positives) for target in self._targets]
            values.append(np.stack(matched))
        return np.stack(values, axis=1).reshape(-1, tp.shape[1])


def _mean(values: Sequence[Floats]) -> Floats:
    """Average the same measurement on several planes; one undefined leaves all undefined."""
    return values[0] if len(values) == 1 else np.mean(values, axis=0)


def _share(part: Floats, whole: Floats) -> Floats:
    """Part of a whole; NaN where the whole is empty."""
    whole = np.broadcast_to(whole, part.shape)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


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
    _, n_units = unit_index(rows.unit)

    def statistic(taken: Floats) -> Floats:
        return np.concatenate([measurement(taken) for measurement in measurements.values()], axis=1)

    value = statistic(np.ones((n_units, 1)))[0]
    draws = np.concatenate([statistic(taken) for taken in unit_draws(n_units, resamples, rng)])
    low, high = percentile_interval(draws)
    keys = [(scorer, *key) for scorer, measurement in measurements.items() for key in measurement.keys]
    table = pd.DataFrame(keys, columns=["scorer", "method", "target", "metric"])
    return table.assign(split=split, value=value, ci_low=low, ci_high=high, n=n_units), draws


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
