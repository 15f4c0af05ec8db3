"""The cohort triangle: conversions by week of exposure and age, seen, projected and final."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.delay.arrival import curve_of
from engine.metrics.calibration import wilson_interval
from engine.metrics.survival import KaplanMeier, log_log_interval

STAGES = ("seen", "projected", "final")
AGE_STEP_DAYS = 7.0


def cohort_triangle(snapshot: pd.DataFrame, final: pd.DataFrame, *, step_days: float, horizon_bin: int) -> pd.DataFrame:
    """Follow every week of exposures over its age.

    Parameters
    ----------
    snapshot, final : DataFrame
        `exit_counts` as of the snapshot day, and as of the end of the log.
    step_days : float
    horizon_bin : int

    Returns
    -------
    DataFrame
        One row per ``cohort`` (first day of the week), ``age_days`` and ``stage``: *seen* on the snapshot day, where
        the whole week was old enough; *projected* from that day for the other ages; *final* in the log. ``rate`` is
        the share converted by that age, with ``ci_low, ci_high`` and ``n`` exposures.

    Notes
    -----
    Projected: S(a) = Σ over segments of share · S_week(a0) · S_pool(a) / S_pool(a0), with a0 the last age that was
    seen and S_pool the curve of the segment over all weeks as of the snapshot day: what chain-ladder does with loss
    triangles. The interval adds the binomial variance of S_week(a0) and Greenwood's of the ratio; it knows nothing
    of a change in how fast labels arrive. Seen and final rates have Wilson intervals.
    """
    stride = max(1, round(AGE_STEP_DAYS / step_days))
    bins = np.unique(np.append(np.arange(stride, horizon_bin, stride), horizon_bin))
    pools = {key: curve_of(part, horizon_bin) for key, part in snapshot.groupby("segment")}
    parts = []
    for cohort, week in final.groupby("cohort"):
        start = float(cohort)
        past = snapshot[snapshot["cohort"] == cohort]
        known = _lived(past, horizon_bin)
        parts.append(_stage("seen", start, bins[bins <= known], past, step_days, horizon_bin))
        parts.append(_projection(start, bins[bins > known], (week, past), pools, known, (step_days, horizon_bin)))
        parts.append(_stage("final", start, bins, week, step_days, horizon_bin))
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _lived(past: pd.DataFrame, horizon_bin: int) -> int:
    """Return the age in bins that every exposure of a week has reached: that of the youngest still waiting."""
    young = past[(past["converted"] == 0) & (past["exit_bin"] < horizon_bin)]
    if len(young):
        return int(young["exit_bin"].min())
    return horizon_bin if len(past) else 0


def _stage(
    stage: str, cohort: float, bins: np.ndarray, exits: pd.DataFrame, step_days: float, horizon_bin: int
) -> pd.DataFrame:
    """Return counted rates of one week."""
    if not len(exits) or not bins.size:
        return pd.DataFrame()
    n = int(exits["n"].sum())
    events = np.cumsum(np.bincount(exits["exit_bin"], exits["n"] * exits["converted"], minlength=horizon_bin + 1))
    low, high = wilson_interval(events[bins], np.full(bins.size, n))
    return _frame(stage, cohort, bins * step_days, (events[bins] / n, low, high), n)


def _projection(
    cohort: float,
    bins: np.ndarray,
    exits: tuple[pd.DataFrame, pd.DataFrame],
    pools: dict[object, KaplanMeier | None],
    known: int,
    grid: tuple[float, int],
) -> pd.DataFrame:
    """Return projected rates of one week from its last seen age, segment by segment."""
    week, past = exits
    step_days, horizon_bin = grid
    total = int(week["n"].sum())
    survival, variance = np.zeros(bins.size), np.zeros(bins.size)
    for segment, part in week.groupby("segment"):
        pool = pools.get(segment)
        if pool is None or pool.follow_up < horizon_bin or not bins.size:
            return pd.DataFrame()
        share = part["n"].sum() / total
        own = past[past["segment"] == segment]
        start, spread = _survival_seen(own, known)
        ratio = pool.survival_at(bins) / pool.survival_at(known)
        growth = pool.greenwood_at(bins) - pool.greenwood_at(known)
        survival += share * start * ratio
        variance += share**2 * ((ratio * spread) ** 2 + (start * ratio) ** 2 * growth)
    low, high = log_log_interval(np.clip(survival, 0.0, 1.0), variance)
    return _frame("projected", cohort, bins * step_days, (1 - survival, 1 - high, 1 - low), total)


def _survival_seen(own: pd.DataFrame, known: int) -> tuple[float, float]:
    """Return the share without conversion at the last seen age and its binomial standard error."""
    n = float(own["n"].sum())
    if n == 0 or known == 0:
        return 1.0, 0.0
    share = 1.0 - float((own["n"] * own["converted"])[own["exit_bin"] <= known].sum()) / n
    return share, float(np.sqrt(share * (1 - share) / n))


def _frame(
    stage: str, cohort: float, age_days: np.ndarray, rates: tuple[np.ndarray, np.ndarray, np.ndarray], n: int
) -> pd.DataFrame:
    """Return the rows of one week and stage."""
    rate, low, high = rates
    return pd.DataFrame(
        {
            "cohort": cohort,
            "age_days": age_days,
            "stage": stage,
            "rate": rate,
            "ci_low": low,
            "ci_high": high,
            "n": n,
        }
    )
