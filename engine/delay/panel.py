"""Metrics of several methods on one set of rows, all recomputed in the same bootstrap draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from engine.metrics.classification import SortedScores, log_loss_terms
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.result import metric_row

METRICS = ("log_loss", "roc_auc", "pr_auc", "brier", "calibration")
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
    probability : mapping of str to ndarray of shape (n,), in [0, 1]
        Method to prediction.
    segments : mapping of str to ndarray of shape (n,), bool
        Name to rows; a subset without rows is left out.
    """

    def __init__(
        self,
        split: str,
        *,
        label: np.ndarray,
        unit: np.ndarray,
        probability: Mapping[str, np.ndarray],
        segments: Mapping[str, np.ndarray],
    ) -> None:
        self.split, self.methods = split, tuple(probability)
        self.segments = {name: rows for name, rows in segments.items() if rows.any()}
        self._unit = unit
        self._label = label
        self._sorted: list[list[tuple[np.ndarray, SortedScores]]] = []
        columns: list[np.ndarray] = []
        for rows in self.segments.values():
            mask = rows.astype(np.float64)
            columns += [mask, mask * label]
            place = np.flatnonzero(rows)
            self._sorted.append([(place, SortedScores(label[place], p[place])) for p in probability.values()])
            for p in probability.values():
                columns += [mask * log_loss_terms(label, p), mask * (p - label) ** 2, mask * p]
        self._terms = np.column_stack(columns)  # (n, segments · (2 + 3 methods))

    def values(self, weight: np.ndarray) -> np.ndarray:
        """Return every metric under row weights, flattened from (segments, methods, metrics)."""
        sums = (weight @ self._terms).reshape(len(self.segments), 2 + 3 * len(self.methods))
        total, observed = sums[:, :1], sums[:, 1:2]
        parts = sums[:, 2:].reshape(len(self.segments), len(self.methods), 3)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = parts[:, :, :2] / total[:, :, None]
            calibration = np.where(observed > 0, parts[:, :, 2] / observed, np.nan)
        ranks = np.array(
            [
                [(s.roc_auc(weight[rows]), s.average_precision(weight[rows])) for rows, s in line]
                for line in self._sorted
            ]
        )
        return np.concatenate((mean[:, :, :1], ranks, mean[:, :, 1:], calibration[:, :, None]), axis=2).ravel()

    def shaped(self, flat: np.ndarray) -> np.ndarray:
        """Return values as (..., segments, methods, metrics)."""
        return flat.reshape(*flat.shape[:-1], len(self.segments), len(self.methods), len(METRICS))

    def units_in(self, segment: str) -> int:
        """Count the units of a subset."""
        return int(np.unique(self._unit[self.segments[segment]]).size)

    def measure(self, *, resamples: int, rng: np.random.Generator) -> Measured:
        """Compute all metrics and their bootstrap draws.

        Parameters
        ----------
        resamples : int
        rng : numpy.random.Generator

        Returns
        -------
        Measured
        """
        draws = bootstrap(self.values, self._unit, n_resamples=resamples, rng=rng)
        return Measured(self, self.shaped(self.values(np.ones(self._label.size))), self.shaped(draws))


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

    def differences(self, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
        """Return method minus baseline for all pairs, segments and metrics."""
        metrics = ("log_loss", "roc_auc", "pr_auc", "brier", CALIBRATION_ERROR)
        return pd.DataFrame(
            [
                self.difference(method, baseline, metric, segment)
                for segment in self.panel.segments
                for method, baseline in pairs
                for metric in metrics
            ]
        )
