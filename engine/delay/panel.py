"""Metrics of several methods on one set of rows, all recomputed in the same bootstrap draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from engine.metrics.classification import log_loss_terms
from engine.metrics.ordering import rank_quality
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.result import metric_row

METRICS = ("log_loss", "roc_auc", "pr_auc", "brier", "calibration")
RELATIVE = ("log_loss", "roc_auc", "pr_auc")
"""Metrics that are also given as a share of the way from vanilla to the oracle, named ``relative_…``."""
CALIBRATION_ERROR = "calibration_error"
"""|mean predicted / observed - 1|: only as a difference, since a distance from 1 has no useful interval alone."""


class Panel:
    """Labels, units and probabilities of one split, with named subsets of its rows.

    Parameters
    ----------
    split : str
    label : ndarray of shape (n,), 0 or 1
    unit : ndarray of shape (n,)
        What the bootstrap resamples.
    members : mapping of str to ndarray of shape (n_members, n), in [0, 1]
        Method to the predictions of its networks, whose mean is the method's; one row where there is no network.
    segments : mapping of str to ndarray of shape (n,), bool
        Name to rows; a subset without rows is left out.
    """

    def __init__(
        self,
        split: str,
        *,
        label: np.ndarray,
        unit: np.ndarray,
        members: Mapping[str, np.ndarray],
        segments: Mapping[str, np.ndarray],
    ) -> None:
        self.split, self.methods = split, tuple(members)
        self.segments = {name: rows for name, rows in segments.items() if rows.any()}
        self._unit, self._label, self._members = unit, label, members
        self._masks = np.stack([rows.astype(np.float64) for rows in self.segments.values()])  # (segments, n)
        self._n_members = max(values.shape[0] for values in members.values())

    def values(self, weight: np.ndarray, picked: np.ndarray) -> np.ndarray:
        """Return every metric under row weights and for a choice of networks, of shape (segments, methods, metrics)."""
        masked = self._masks * weight
        total, observed = masked.sum(axis=1), masked @ self._label
        columns = []
        for values in self._members.values():
            p = values[picked % values.shape[0]].mean(axis=0)
            terms = np.column_stack((log_loss_terms(self._label, p), (p - self._label) ** 2, p))
            ranks = rank_quality(self._label, p, masked)
            with np.errstate(invalid="ignore", divide="ignore"):
                loss, brier, predicted = (masked @ terms).T
                ratio = np.where(observed > 0, predicted / observed, np.nan)
                columns.append(np.column_stack((loss / total, ranks, brier / total, ratio)))
        return np.stack(columns, axis=1)

    def units_in(self, segment: str) -> int:
        """Count the units of a subset."""
        return int(np.unique(self._unit[self.segments[segment]]).size)

    def measure(self, *, resamples: int, rng: np.random.Generator) -> Measured:
        """Compute all metrics and their bootstrap draws, over units and over networks.

        Parameters
        ----------
        resamples : int
        rng : numpy.random.Generator

        Returns
        -------
        Measured

        Notes
        -----
        Networks of all methods are drawn together, as they share starts and batches: a difference is paired in both
        respects. Resampling few networks understates the spread of training, and one network shows none of it.
        """
        every = np.arange(self._n_members)
        point = self.values(np.ones(self._label.size), every)

        def statistic(weight: np.ndarray) -> np.ndarray:
            return self.values(weight, rng_members.choice(every, every.size)).ravel()

        rng_members = rng.spawn(1)[0]
        draws = bootstrap(statistic, self._unit, n_resamples=resamples, rng=rng)
        return Measured(self, point, draws.reshape(-1, *point.shape))


class Measured:
    """Metrics of a panel with their draws, ready to become rows of the tidy tables.

    Parameters
    ----------
    panel : Panel
    point : ndarray of shape (segments, methods, metrics)
    draws : ndarray of shape (resamples, segments, methods, metrics)
    """

    def __init__(self, panel: Panel, point: np.ndarray, draws: np.ndarray) -> None:
        self.panel, self.point, self.draws = panel, point, draws

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per segment, method and metric."""
        found = []
        for s, segment in enumerate(self.panel.segments):
            n = self.panel.units_in(segment)
            for m, method in enumerate(self.panel.methods):
                low, high = percentile_interval(self.draws[:, s, m])
                for k, metric in enumerate(METRICS):
                    found.append(
                        metric_row(
                            method=method,
                            split=self.panel.split,
                            segment=segment,
                            metric=metric,
                            value=self.point[s, m, k],
                            ci_low=low[k],
                            ci_high=high[k],
                            n=n,
                        )
                    )
        return found

    def relative_rows(self) -> list[dict[str, Any]]:
        """Return the `RELATIVE` metrics of every method over all rows of the split, 0 = vanilla and 1 = oracle.

        Value and interval are NaN where the gap between the two may be 0, which the differences say: their interval of
        vanilla minus oracle then holds 0.
        """
        s = list(self.panel.segments).index("all")
        place = {method: m for m, method in enumerate(self.panel.methods)}
        n = self.panel.units_in("all")
        rows = []
        for method, m in place.items():
            for metric in RELATIVE:
                k = METRICS.index(metric)
                columns = [m, place["vanilla"], place["oracle"]]
                value, low, high = share_of_gap(self.point[s, columns, k], self.draws[:, s, columns, k])
                rows.append(
                    metric_row(
                        method=method, split=self.panel.split, segment="all", metric=f"relative_{metric}", value=value,
                        ci_low=low, ci_high=high, n=n,
                    )
                )  # fmt: skip
        return rows

    def difference(self, method: str, baseline: str, metric: str, segment: str = "all") -> dict[str, Any]:
        """Return method minus baseline with its paired interval; see `DIFFERENCE_COLUMNS`."""
        s = list(self.panel.segments).index(segment)
        pair = [self.panel.methods.index(name) for name in (method, baseline)]
        if metric == CALIBRATION_ERROR:
            k = METRICS.index("calibration")
            point, draws = np.abs(self.point[s, :, k] - 1.0), np.abs(self.draws[:, s, :, k] - 1.0)
        else:
            k = METRICS.index(metric)
            point, draws = self.point[s, :, k], self.draws[:, s, :, k]
        low, high = percentile_interval(draws[:, pair[0]] - draws[:, pair[1]])
        return {
            "method": method,
            "baseline": baseline,
            "split": self.panel.split,
            "segment": segment,
            "metric": metric,
            "value": float(point[pair[0]] - point[pair[1]]),
            "ci_low": float(low[0]),
            "ci_high": float(high[0]),
            "n": self.panel.units_in(segment),
        }

    def differences(self, pairs: Sequence[tuple[str, str]], *, segments: Sequence[str] | None = None) -> pd.DataFrame:
        """Return method minus baseline for all pairs, metrics, and given or all segments."""
        metrics = ("log_loss", "roc_auc", "pr_auc", "brier", CALIBRATION_ERROR)
        return pd.DataFrame(
            [
                self.difference(method, baseline, metric, segment)
                for segment in (self.panel.segments if segments is None else segments)
                for method, baseline in pairs
                for metric in metrics
            ]
        )


def share_of_gap(point: np.ndarray, draws: np.ndarray) -> tuple[float, float, float]:
    """Return which share of the way from vanilla to the oracle a method covers, with its paired interval.

    (method - vanilla) / (oracle - vanilla), the same for metrics that fall and that rise with quality

    Parameters
    ----------
    point : ndarray of shape (3,)
        Metric of the method, of vanilla and of the oracle.
    draws : ndarray of shape (resamples, 3)
        The same in every bootstrap draw.

    Returns
    -------
    value, ci_low, ci_high : float
        Not bounded by 0 and 1. All NaN if the 95 % interval of the gap holds 0: a share of it then means nothing.

    Notes
    -----
    ES-DFM and ULC report this; DEFER and DEFUSE put the pre-trained model at 0 instead. Papers with different zeros
    cannot be compared.

    References
    ----------
    Yang et al. (2021), Capturing delayed feedback in conversion rate prediction via elapsed-time sampling.

    Examples
    --------
    >>> round(share_of_gap(np.array([0.4, 0.5, 0.3]), np.array([[0.4, 0.5, 0.3], [0.35, 0.5, 0.3]]))[0], 4)
    0.5
    """
    method, vanilla, oracle = draws.T
    low, high = percentile_interval(oracle - vanilla)
    if not (low[0] > 0 or high[0] < 0):
        return (float("nan"),) * 3
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = percentile_interval((method - vanilla) / (oracle - vanilla))
    value = (point[0] - point[1]) / (point[2] - point[1])
    return float(value), float(ends[0][0]), float(ends[1][0])
