"""What was known on each of several days: rates, curves and the cohort triangle as of then, beside what came true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import ibis
import numpy as np
import pandas as pd

from engine.delay.arrival import curve_of, describe_part, segments_of
from engine.delay.cohorts import cohort_triangle
from engine.delay.counts import collect, collect_days, day_counts, exit_counts_by_day
from engine.metrics.survival import KaplanMeier, log_log_interval

MAX_POINTS = 24
"""Elapsed times per day in the stored curves."""
CURVE_COLUMNS = (
    "at_risk",
    *("seen", "seen_low", "seen_high", "seen_naive"),
    *("converted", "converted_low", "converted_high", "converted_naive"),
    *("flip", "flip_low", "flip_high"),
)
_Z = 1.959963984540054


def asof_days(first_matured: float, end: float, own: float, count: int) -> tuple[float, ...]:
    """Spread days evenly from the first matured label to the end of the log, the snapshot day among them.

    Parameters
    ----------
    first_matured, end : float
        Days.
    own : float
        Day of the snapshot; takes the place of the day nearest to it.
    count : int, >= 1

    Returns
    -------
    tuple of float
        At most `count` increasing days, whole ones but for `own`.
    """
    days = np.ceil(np.linspace(first_matured, max(end, first_matured), count))
    days[np.argmin(np.abs(days - own))] = own
    return tuple(float(day) for day in np.unique(days))


def asof_tables(
    exposures: ibis.Table, days: Sequence[float], *, final_day: float, step_days: float, horizon_bin: int
) -> dict[str, pd.DataFrame]:
    """Look at the same exposures on several days.

    Parameters
    ----------
    exposures : ibis.Table
        As for `engine.delay.counts.exit_counts`.
    days : sequence of float
        Days to look at, increasing.
    final_day : float
        Day on which final labels are read.
    step_days : float
    horizon_bin : int
        Bin in which the longest window ends.

    Returns
    -------
    dict of str to DataFrame
        ``asof``: one row per ``as_of`` and ``segment`` (all or its name): ``exposures`` so far, ``matured`` of them,
        ``positives`` = conversions so far, ``rate_seen`` = positives / exposures, ``rate_estimated`` with
        ``rate_estimated_low, rate_estimated_high`` = P(conversion within the window) by Kaplan-Meier as of then,
        ``rate_final`` of the same exposures; ``pending`` = unconverted with an open window, ``flips_expected`` with
        ``flips_expected_low, flips_expected_high`` among them, and ``flips_final``.
        ``asof_curves``: per ``as_of`` and at most `MAX_POINTS` ``elapsed_days`` the `CURVE_COLUMNS` of
        `engine.delay.arrival.arrival_table`, all exposures. ``asof_cohorts``: `engine.delay.cohorts.cohort_triangle`
        as of then, seen and projected. Measured values are float32.

    Notes
    -----
    As in every curve from the aggregate, a conversion counts as seen once the whole elapsed bin that it falls in has
    been lived through; with times in whole days and bins of a day this changes nothing. The final columns use what
    came later and belong beside the others, never into them.
    """
    snapshots = collect(exit_counts_by_day(exposures, days, step_days=step_days, horizon_bin=horizon_bin))
    facts = collect_days(day_counts(exposures, days, final_day=final_day), days)
    states, curves, cohorts = [], [], []
    for day, exits in snapshots.groupby("as_of"):
        states += list(_states(exits, facts[facts["as_of"] == day], horizon_bin))
        curves.append(_curves(exits, step_days, horizon_bin).assign(as_of=day))
        triangle = cohort_triangle(exits, exits, step_days=step_days, horizon_bin=horizon_bin)
        cohorts.append(triangle[triangle["stage"] != "final"].assign(as_of=day))
    return {
        "asof": _small(pd.DataFrame(states)),
        "asof_curves": _small(pd.concat(curves, ignore_index=True)),
        "asof_cohorts": _small(pd.concat(cohorts, ignore_index=True)),
    }


def _states(exits: pd.DataFrame, facts: pd.DataFrame, horizon_bin: int) -> Iterator[dict[str, object]]:
    """Yield the row of one day for all exposures and for every segment."""
    for group, key, part in segments_of(exits):
        known = facts if group == "all" else facts[facts["segment"] == key]
        n, matured, final = (int(known[name].sum()) for name in ("exposures", "matured", "positives_final"))
        positives = int((part["n"] * part["converted"]).sum())
        open_ = part[(part["converted"] == 0) & (part["exit_bin"] < horizon_bin)]
        curve = curve_of(part, horizon_bin)
        rate, rate_low, rate_high = _rate_within(curve, horizon_bin)
        waiting = np.bincount(open_["exit_bin"], open_["n"], minlength=horizon_bin + 1)
        flips, flips_low, flips_high = expected_flips(curve, waiting, horizon_bin)
        yield {
            "as_of": float(known["as_of"].iloc[0]),
            "segment": key,
            "exposures": n,
            "matured": matured,
            "positives": positives,
            "rate_seen": positives / n,
            "rate_estimated": rate,
            "rate_estimated_low": rate_low,
            "rate_estimated_high": rate_high,
            "rate_final": final / n,
            "pending": int(waiting.sum()),
            "flips_expected": flips,
            "flips_expected_low": flips_low,
            "flips_expected_high": flips_high,
            "flips_final": final - positives,
        }


def _rate_within(curve: KaplanMeier | None, horizon_bin: int) -> tuple[float, float, float]:
    """Return 1 - S(W) with its log-log interval; NaN if nobody was followed up to the window."""
    if curve is None or curve.follow_up < horizon_bin:
        return np.nan, np.nan, np.nan
    survival = np.array([curve.survival_at(horizon_bin)])
    low, high = log_log_interval(survival, survival**2 * curve.greenwood_at([horizon_bin]))
    return 1 - float(survival[0]), 1 - float(high[0]), 1 - float(low[0])


def expected_flips(curve: KaplanMeier | None, waiting: np.ndarray, horizon_bin: int) -> tuple[float, float, float]:
    """Return how many of the exposures still waiting will convert, with a 95 % prediction interval.

    Σ_k n_k φ(k),   φ(k) = 1 - R(k),   R(k) = S(W) / S(k)

    Parameters
    ----------
    curve : KaplanMeier or None
        With bins as times.
    waiting : ndarray of shape (horizon_bin + 1,)
        Exposures by the bin up to which they are unconverted.
    horizon_bin : int

    Returns
    -------
    value, low, high : float, in [0, sum of waiting]
        NaN if some wait and nobody was followed up to the window.

    Notes
    -----
    The interval covers the estimate and the chance of each exposure: variance Σ_j g_j (Σ_{k<j} n_k R(k))² +
    Σ_k n_k φ(k) R(k), g_j Greenwood's increment in bin j, by the delta method on log R(k), a sum of independent
    increments over j > k. Normal; exposures of one household count as independent.
    """
    total = float(waiting.sum())
    if total == 0:
        return 0.0, 0.0, 0.0
    if curve is None or curve.follow_up < horizon_bin or curve.survival_at(horizon_bin) == 0:
        return np.nan, np.nan, np.nan
    bins = np.arange(horizon_bin + 1)
    ratio = curve.survival_at(horizon_bin) / curve.survival_at(bins)
    staying = np.cumsum(waiting * ratio) - waiting * ratio
    increments = np.diff(curve.greenwood_at(bins), prepend=0.0)
    variance = float((increments * staying**2).sum() + (waiting * ratio * (1 - ratio)).sum())
    value, reach = float((waiting * (1 - ratio)).sum()), _Z * variance**0.5
    return value, max(value - reach, 0.0), min(value + reach, total)


def _curves(exits: pd.DataFrame, step_days: float, horizon_bin: int) -> pd.DataFrame:
    """Return the curves of all exposures on a thinned grid that keeps both ends."""
    table = describe_part(exits, horizon_bin, step_days)
    if table is None:
        return pd.DataFrame()
    kept = np.unique(np.linspace(0, horizon_bin, min(MAX_POINTS, horizon_bin + 1)).round().astype(int))
    return table.loc[kept, ["elapsed_days", *CURVE_COLUMNS]].reset_index(drop=True)


def _small(table: pd.DataFrame) -> pd.DataFrame:
    """Put the day first and measured values into float32."""
    kept = {"as_of", "elapsed_days", "cohort", "age_days"}
    floats = [name for name in table.select_dtypes("float64").columns if name not in kept]
    return table[["as_of", *table.columns.drop("as_of")]].astype(dict.fromkeys(floats, "float32"))
