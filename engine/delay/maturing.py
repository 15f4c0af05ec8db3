"""Performance while labels mature: what is seen so far, what can be estimated by then, and what came true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.delay.auxiliary import FLIP_GROUPS
from engine.delay.config import DelayConfig
from engine.delay.data import Prepared
from engine.delay.train import OURS, Fitted
from engine.metrics.classification import log_loss_terms
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.seeding import generator

KINDS = ("naive", "estimated", "realised")
METRICS = ("log_loss", "calibration", "roc_auc")
FOLLOWED = (OURS, "vanilla")
"""Methods that are followed."""
MAX_DAYS = 12
MAX_ROWS = 10_000
"""Later exposures that are followed; of more, whole units are left out evenly, and `n` counts those that are left."""
_WEEK = 7.0


def maturing_table(fitted: Fitted, prepared: Prepared, config: DelayConfig) -> pd.DataFrame:
    """Judge the models of the snapshot day again and again, as the labels of later exposures come in.

    Parameters
    ----------
    fitted : Fitted
    prepared : Prepared
    config : DelayConfig

    Returns
    -------
    DataFrame
        One row per ``day`` (after the snapshot; every 7 days, or as many weeks as keep to `MAX_DAYS` days), ``method``,
        ``kind`` and ``metric``, about the exposures of the days before: ``value, ci_low, ci_high``, ``n`` units, and
        ``seen_share`` of their final positives that had come in.

    Notes
    -----
    With q the label of an exposure in [0, 1] and f the prediction, on that day

        naive      q = 1 if it has converted so far, else 0
        estimated  q = 1 if it has converted so far, else P(flips | features, engagement, age), 0 after its window
        realised   q = final label, which nobody knows on that day

    log loss = mean of −q log f − (1 − q) log(1 − f);  calibration = Σf / Σq;  ROC-AUC with every exposure as a positive
    of weight q and a negative of weight 1 − q. The flip model was fitted on what had matured by the snapshot day and
    is not updated. Intervals resample units and hold the networks fixed; that of *estimated* therefore leaves out
    that the flip model may be wrong. Estimating performance before the labels are there is NannyML's idea; the
    estimator is ours.
    """
    rows = np.flatnonzero(prepared.test)
    rows = rows[prepared.unit[rows] % -(-rows.size // MAX_ROWS) == 0]
    days = _days(prepared, rows)
    soft, inside = soft_labels(fitted, prepared, rows, days)
    label = prepared.label[rows][:, np.newaxis]
    unit = prepared.unit[rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        seen_share = (soft["naive"] * inside).sum(axis=0) / (label * inside).sum(axis=0)
    units = [np.unique(unit[column]).size for column in inside.T]
    tables = []
    for method in FOLLOWED:
        scored = _Scored.of(fitted.probability[method][rows], soft, inside)

        def statistic(weight: np.ndarray, scored: _Scored = scored) -> np.ndarray:
            return scored.values(weight).ravel()

        rng = generator(config.seed, "maturing")
        low, high = percentile_interval(bootstrap(statistic, unit, n_resamples=config.resamples, rng=rng))
        index = pd.MultiIndex.from_product((METRICS, KINDS, days), names=("metric", "kind", "day"))
        value = scored.values(np.ones(rows.size)).ravel()
        table = pd.DataFrame({"value": value, "ci_low": low, "ci_high": high}, index=index).reset_index()
        place = np.tile(np.arange(days.size), len(METRICS) * len(KINDS))
        tables.append(table.assign(method=method, n=np.array(units)[place], seen_share=seen_share[place]))
    order = ["day", "method", "kind", "metric", "value", "ci_low", "ci_high", "n", "seen_share"]
    found = pd.concat(tables, ignore_index=True)[order].dropna(subset="value", ignore_index=True)
    return found.astype(dict.fromkeys(("value", "ci_low", "ci_high", "seen_share"), np.float32))


def soft_labels(
    fitted: Fitted, prepared: Prepared, rows: np.ndarray, days: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the labels of exposures after the snapshot as they stand on some days.

    Parameters
    ----------
    fitted : Fitted
    prepared : Prepared
    rows : ndarray of shape (n,), int
        Exposures from the snapshot day on.
    days : ndarray of shape (n_days,), days after the snapshot

    Returns
    -------
    soft : dict of str to ndarray of shape (n, n_days), in [0, 1]
        Keys `KINDS`, see `maturing_table`.
    inside : ndarray of shape (n, n_days), bool
        Whether the exposure had happened.
    """
    age = prepared.as_of + days - prepared.time[rows, np.newaxis]
    inside = age > 0
    seen = (prepared.delay[rows, np.newaxis] <= age).astype(np.float64)
    looked_at = np.clip(age, 0.0, prepared.window[rows, np.newaxis])
    flip = fitted.flip_model.flip(np.repeat(rows, days.size), looked_at.ravel())[FLIP_GROUPS[1]]
    estimated = np.where(seen > 0, 1.0, flip.mean(axis=0).reshape(age.shape))
    final = np.broadcast_to(prepared.label[rows, np.newaxis], age.shape)
    return {"naive": seen, "estimated": estimated, "realised": final}, inside


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    """One method's predictions in order of score, with the labels of every kind and day side by side."""

    order: np.ndarray
    first: np.ndarray
    """Where each run of equal scores starts."""
    positive: np.ndarray
    """q of exposures that had happened, shape (n, kinds · days)."""
    negative: np.ndarray
    loss: np.ndarray
    predicted: np.ndarray

    @classmethod
    def of(cls, probability: np.ndarray, soft: dict[str, np.ndarray], inside: np.ndarray) -> _Scored:
        """Sort once and lay out the labels."""
        order = np.argsort(-probability, kind="stable")
        p = probability[order]
        q = np.hstack([soft[kind] for kind in KINDS])[order]
        there = np.tile(inside, len(KINDS))[order].astype(np.float64)
        if_positive, if_negative = (log_loss_terms(np.full(p.size, y), p)[:, np.newaxis] for y in (1, 0))
        return cls(
            order=order,
            first=np.flatnonzero(np.concatenate(([True], p[1:] != p[:-1]))),
            positive=q * there,
            negative=(1.0 - q) * there,
            loss=(q * if_positive + (1.0 - q) * if_negative) * there,
            predicted=p[:, np.newaxis] * there,
        )

    def values(self, weight: np.ndarray) -> np.ndarray:
        """Return the metrics under row weights, shape (metrics, kinds · days); NaN where undefined."""
        weight = weight[self.order]
        positive = np.add.reduceat(weight[:, np.newaxis] * self.positive, self.first, axis=0)
        negative = np.add.reduceat(weight[:, np.newaxis] * self.negative, self.first, axis=0)
        ups, downs = positive.sum(axis=0), negative.sum(axis=0)
        above = np.cumsum(positive, axis=0) - positive / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            loss = weight @ self.loss / (ups + downs)
            calibration = np.where(ups > 0, weight @ self.predicted / ups, np.nan)
            auc = (above * negative).sum(axis=0) / (ups * downs)
        return np.stack((loss, calibration, auc))


def _days(prepared: Prepared, rows: np.ndarray) -> np.ndarray:
    """Return the days after the snapshot that are looked at, up to the end of the last window."""
    last = float((prepared.time[rows] + prepared.window[rows]).max()) - prepared.as_of
    step = _WEEK * max(1, int(np.ceil(last / _WEEK / MAX_DAYS)))
    return step * np.arange(1, max(2, int(np.ceil(last / step)) + 1))
