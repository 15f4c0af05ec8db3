"""Score a stream: every step on its own, then the mean over steps weighted by their exposures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from engine.delay.config import DelayConfig
from engine.delay.data import Dataset, Prepared
from engine.delay.streaming import Replay, Timeline, replay
from engine.delay.streaming_methods import STREAM_METHODS
from engine.metrics.classification import SortedScores, log_loss_terms
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.result import DIFFERENCE_COLUMNS, METRIC_COLUMNS, OnEpoch, metric_row
from engine.seeding import generator

STREAM_METRICS = ("log_loss", "roc_auc", "pr_auc", "calibration")
STREAM_COLUMNS = ("method", "day", "metric", "value", "ci_low", "ci_high", "n", "exposures")
RELATIVE = ("log_loss", "roc_auc", "pr_auc")
"""Metrics that are also given as a share of the way from `vanilla` to `oracle`."""
PAIRS = (
    *((method, "oracle") for method in STREAM_METHODS if method != "oracle"),
    *((method, "vanilla") for method in STREAM_METHODS if method not in ("oracle", "vanilla")),
    ("dress_style", "wait"),
    ("dress_style", "exact_joint"),
    ("dress_style", "entire_space"),
    *((method, "dress_style") for method in STREAM_METHODS if method != "dress_style"),
)
"""Method and baseline of the differences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamResult:
    """Tables of a stream; all but `facts` have no row where the log is too short for one."""

    stream: pd.DataFrame
    """Columns `STREAM_COLUMNS`: every method in every test step that holds exposures."""
    facts: pd.DataFrame
    """One row: ``pretrain_from, pretrain_to, gap_days, first_test, last_test, steps, step_days, exposures, reason``."""
    metrics: pd.DataFrame
    """Columns `METRIC_COLUMNS`, split ``stream``: the mean over the steps, and ``relative_…``."""
    differences: pd.DataFrame
    """Columns `DIFFERENCE_COLUMNS`, split ``stream``, with paired intervals."""


def stream(
    dataset: Dataset, prepared: Prepared, config: DelayConfig, *, on_epoch: OnEpoch | None = None
) -> StreamResult:
    """Run every method as a stream and score it.

    Parameters
    ----------
    dataset : Dataset
    prepared : Prepared
        Of the same data and settings; its snapshot day plays no part.
    config : DelayConfig
        Uses `stream_step_days`, the windows, the network and the bootstrap.
    on_epoch : callable, optional
        Receives an `EpochRecord` after every step.

    Returns
    -------
    StreamResult
        Empty tables and a reason in `facts` if the log is too short; never an error for that.

    Raises
    ------
    TrainingError
        If a loss is not finite.
    """
    played = replay(dataset, prepared, config, on_epoch=on_epoch)
    if played.timeline.reason:
        return StreamResult(
            stream=pd.DataFrame(columns=list(STREAM_COLUMNS)),
            facts=_facts(played, config),
            metrics=pd.DataFrame(columns=list(METRIC_COLUMNS)),
            differences=pd.DataFrame(columns=list(DIFFERENCE_COLUMNS)),
        )
    scores = StreamScores(played, label=prepared.label[played.exposure], unit=prepared.unit[played.exposure])
    measured = scores.measure(resamples=config.resamples, rng=generator(config.seed, "stream-bootstrap"))
    return StreamResult(
        stream=measured.steps(), facts=_facts(played, config), metrics=measured.metrics(),
        differences=measured.differences(PAIRS),
    )  # fmt: skip


class StreamScores:
    """Labels and predictions of a stream, ready to be scored under row weights.

    Parameters
    ----------
    played : Replay
    label, unit : ndarrays of shape (n_tested,)
        In the order of `played.exposure`.
    """

    def __init__(self, played: Replay, *, label: np.ndarray, unit: np.ndarray) -> None:
        self.methods = tuple(played.probability)
        self.days = np.unique(played.day)
        self.unit, self._label = unit, label
        self.rows = [np.flatnonzero(played.day == day) for day in self.days]
        self._probability = played.probability
        self._terms = {name: log_loss_terms(label, p) for name, p in played.probability.items()}
        self._ranked = [[SortedScores(label[rows], p[rows]) for p in played.probability.values()] for rows in self.rows]

    def values(self, weight: np.ndarray) -> np.ndarray:
        """Return the metrics of every step and, in the last place, of the stream.

        Parameters
        ----------
        weight : ndarray of shape (n_tested,), >= 0

        Returns
        -------
        ndarray of shape (n_steps + 1, n_methods, n_metrics)
            NaN where a step lacks a class. The mean over the steps weighs each by the exposures in it and leaves out
            steps without a value. Calibration of the stream is the ratio of the sums over all its exposures: a mean
            of ratios would be too high, as some steps hold few conversions.
        """
        found = np.full((self.days.size + 1, len(self.methods), len(STREAM_METRICS)), np.nan)
        exposures = np.array([weight[rows].sum() for rows in self.rows])
        for step, rows in enumerate(self.rows):
            if exposures[step] > 0:
                found[step] = self._step(step, rows, weight[rows])
        for k in range(len(STREAM_METRICS)):
            known = np.isfinite(found[:-1, 0, k])
            if exposures[known].sum() > 0:
                found[-1, :, k] = np.average(found[:-1, :, k][known], axis=0, weights=exposures[known])
        observed = float(weight @ self._label)
        if observed > 0:
            found[-1, :, STREAM_METRICS.index("calibration")] = [
                weight @ p / observed for p in self._probability.values()
            ]
        return found

    def measure(self, *, resamples: int, rng: np.random.Generator) -> StreamMeasured:
        """Compute all scores and their draws over units: one draw for all steps and methods."""
        point = self.values(np.ones(self._label.size))
        draws = bootstrap(lambda weight: self.values(weight).ravel(), self.unit, n_resamples=resamples, rng=rng)
        return StreamMeasured(self, point, draws.reshape(-1, *point.shape))

    def _step(self, step: int, rows: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Score one step, shape (n_methods, n_metrics)."""
        total, observed = weight.sum(), weight @ self._label[rows]
        return np.array(
            [
                (
                    weight @ self._terms[name][rows] / total,
                    ranked.roc_auc(weight),
                    ranked.average_precision(weight),
                    weight @ self._probability[name][rows] / observed if observed > 0 else np.nan,
                )
                for name, ranked in zip(self.methods, self._ranked[step], strict=True)
            ]
        )


class StreamMeasured:
    """Scores of a stream with their draws, as tables.

    Parameters
    ----------
    scores : StreamScores
    point : ndarray of shape (n_steps + 1, n_methods, n_metrics)
    draws : ndarray of shape (resamples, n_steps + 1, n_methods, n_metrics)

    Notes
    -----
    The draws are of units, with the networks as they are: what another training would change is not in them.
    """

    def __init__(self, scores: StreamScores, point: np.ndarray, draws: np.ndarray) -> None:
        self._scores, self._point, self._draws = scores, point, draws
        self._units = int(np.unique(scores.unit).size)

    def steps(self) -> pd.DataFrame:
        """Return one row per method, step and metric; see `STREAM_COLUMNS`."""
        parts = []
        for step, (day, rows) in enumerate(zip(self._scores.days, self._scores.rows, strict=True)):
            for m, method in enumerate(self._scores.methods):
                low, high = percentile_interval(self._draws[:, step, m])
                parts.append(
                    pd.DataFrame(
                        {
                            "method": method,
                            "day": day,
                            "metric": STREAM_METRICS,
                            "value": self._point[step, m],
                            "ci_low": low,
                            "ci_high": high,
                            "n": np.unique(self._scores.unit[rows]).size,
                            "exposures": rows.size,
                        }
                    )
                )
        table = pd.concat(parts, ignore_index=True)
        return table.astype(dict.fromkeys(("value", "ci_low", "ci_high"), "float32"))[list(STREAM_COLUMNS)]

    def metrics(self) -> pd.DataFrame:
        """Return the scores of the stream, and the share of the way from vanilla to oracle."""
        rows = []
        for m, method in enumerate(self._scores.methods):
            low, high = percentile_interval(self._draws[:, -1, m])
            found = {name: (self._point[-1, m, k], low[k], high[k]) for k, name in enumerate(STREAM_METRICS)}
            found |= {f"relative_{name}": self._relative(m, STREAM_METRICS.index(name)) for name in RELATIVE}
            rows += [
                metric_row(
                    method=method, split="stream", segment="all", metric=metric, value=value, ci_low=a, ci_high=b,
                    n=self._units,
                )
                for metric, (value, a, b) in found.items()
            ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(METRIC_COLUMNS))

    def differences(self, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
        """Return method minus baseline with paired intervals; calibration as its distance from 1."""
        names = ("log_loss", "roc_auc", "pr_auc", "calibration_error")
        # (metrics, methods) and (draws, metrics, methods) of the stream
        point, draws = self._point[-1].T.copy(), self._draws[:, -1].swapaxes(1, 2).copy()
        point[-1], draws[:, -1] = np.abs(point[-1] - 1.0), np.abs(draws[:, -1] - 1.0)
        rows: list[dict[str, Any]] = []
        for method, baseline in pairs:
            a, b = self._scores.methods.index(method), self._scores.methods.index(baseline)
            low, high = percentile_interval(draws[:, :, a] - draws[:, :, b])
            rows += [
                {"method": method, "baseline": baseline, "split": "stream", "segment": "all", "metric": name,
                 "value": point[k, a] - point[k, b], "ci_low": low[k], "ci_high": high[k], "n": self._units}
                for k, name in enumerate(names)
            ]  # fmt: skip
        return pd.DataFrame(rows, columns=list(DIFFERENCE_COLUMNS))

    def _relative(self, m: int, k: int) -> tuple[float, float, float]:
        """Return (method - vanilla) / (oracle - vanilla); NaN where that gap may be 0: a share of it means nothing."""
        oracle, vanilla = (self._scores.methods.index(name) for name in ("oracle", "vanilla"))
        point, draws = self._point[-1, :, k], self._draws[:, -1, :, k]
        gap = draws[:, oracle] - draws[:, vanilla]
        low, high = percentile_interval(gap)
        if not (low[0] > 0 or high[0] < 0):
            return (float("nan"),) * 3
        ends = percentile_interval((draws[:, m] - draws[:, vanilla]) / gap)
        value = (point[m] - point[vanilla]) / (point[oracle] - point[vanilla])
        return float(value), float(ends[0][0]), float(ends[1][0])


def _facts(played: Replay, config: DelayConfig) -> pd.DataFrame:
    """Say over which days the stream ran, or why it did not."""
    days: Timeline = played.timeline
    tested = np.unique(played.day)
    return pd.DataFrame(
        [
            {
                "pretrain_from": days.pretrain_from,
                "pretrain_to": days.pretrain_to,
                "gap_days": days.gap_days,
                "first_test": tested.min() if tested.size else np.nan,
                "last_test": tested.max() if tested.size else np.nan,
                "steps": tested.size,
                "step_days": config.stream_step_days,
                "exposures": played.exposure.size,
                "reason": days.reason,
            }
        ]
    )
