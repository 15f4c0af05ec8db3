"""How labels arrive: curves by elapsed time, worked out from the aggregate of exits alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from engine.metrics.calibration import wilson_interval
from engine.metrics.survival import (
    KaplanMeier,
    conditional_flip_rate,
    kaplan_meier_from_counts,
    log_log_interval,
)

ALL_SEGMENTS = "all"
TAKEN_SEGMENT = "Column 'segment' of {} holds '{}', which is what the tables call all exposures; name it otherwise."
MAX_PERIODS = 4
"""Periods of exposures that the cohorts are gathered into for curves."""
_Z = 1.959963984540054
_HAZARD = ("hazard", "hazard_low", "hazard_high")


def curve_of(exits: pd.DataFrame, horizon_bin: int, *, after: int = -1) -> KaplanMeier | None:
    """Return the Kaplan-Meier curve of a part of the aggregate, with bins as times.

    Parameters
    ----------
    exits : DataFrame
        Columns ``exit_bin, converted, n`` of `engine.delay.counts.exit_counts`.
    horizon_bin : int
    after : int, default -1
        Look only at exposures still at risk after this bin (a landmark).

    Returns
    -------
    KaplanMeier or None
        None if nobody is at risk.
    """
    bins = horizon_bin + 1
    exit_bin = exits["exit_bin"].to_numpy()
    n = exits["n"].to_numpy(dtype=np.float64)
    late = exit_bin > after
    if not n[late].sum() > 0:
        return None
    leaving = np.bincount(exit_bin[late], n[late], minlength=bins)
    events = np.bincount(exit_bin[late], n[late] * exits["converted"].to_numpy()[late], minlength=bins)
    at_risk = np.cumsum(leaving[::-1])[::-1]
    rows = np.flatnonzero(at_risk > 0)
    rows = rows[rows > after]
    return kaplan_meier_from_counts(rows, at_risk[rows], events[rows])


def arrival_table(
    snapshot: pd.DataFrame, final: pd.DataFrame, *, step_days: float, horizon_bin: int, waiting_bin: int
) -> pd.DataFrame:
    """Describe label arrival by elapsed time, as known on the snapshot day and as it turned out.

    Parameters
    ----------
    snapshot, final : DataFrame
        `exit_counts` as of the snapshot day, and as of the end of the log.
    step_days : float
    horizon_bin : int
        Bin in which the longest window ends.
    waiting_bin : int
        Bin of the waiting window: later engagement is not looked at.

    Returns
    -------
    DataFrame
        One row per ``view`` (snapshot, final), ``group`` (all, segment, cohort, engagement), ``key`` and
        ``elapsed_days``: ``n`` exposures; ``at_risk`` still negative and observed; ``flip`` = 1 - S(W)/S(e) with its
        Greenwood band; ``hazard`` = P(converts in the bin that ends at e | negative and observed until then) with its
        Wilson interval (float32); ``converted`` = 1 - S(e) with its band and ``converted_naive`` = conversions so far
        over all exposures, young ones included; ``seen`` = (1 - S(e)) / (1 - S(W)) with its band and ``seen_naive``
        among the conversions so far; ``late`` = S(e) - S(W); ``observed_share``: exposures old enough, in the view, to
        be looked at; ``visible_share``: the same on the snapshot day.

    Notes
    -----
    For ``engagement`` every row is a landmark of its own: exposures negative at e, by their state at min(e, waiting
    window). The flip rate of a state therefore need not fall with e. The hazard takes the state at the start of the
    bin. Nor need any hazard fall with e: an expiry date often pulls conversions towards the end of the window.
    """
    views = {"snapshot": snapshot, "final": final}
    periods = period_labels(final)
    tables = []
    for view, exits in views.items():
        for group, key, part in _groups(exits, periods):
            table = describe_part(part, horizon_bin, step_days)
            if table is not None:
                tables.append(table.assign(view=view, group=group, key=key))
        for key, table in _by_engagement(exits, horizon_bin, waiting_bin, step_days):
            tables.append(table.assign(view=view, group="engagement", key=key))
    return _with_visible_share(pd.concat(tables, ignore_index=True))


def period_labels(final: pd.DataFrame) -> dict[float, str]:
    """Gather cohort weeks into at most `MAX_PERIODS` periods of about equal numbers of exposures.

    Returns
    -------
    dict of float to str
        First day of a cohort week to ``"first–last"``, the first days of the period's first and last week.
    """
    sizes = final.groupby("cohort")["n"].sum().sort_index()
    middle = (sizes.cumsum() - sizes / 2) / sizes.sum()
    place = np.minimum((middle * MAX_PERIODS).astype(int), MAX_PERIODS - 1)
    labels: dict[float, str] = {}
    for number in sorted(set(place)):
        weeks = sizes.index[(place == number).to_numpy()]
        labels |= {float(week): f"{weeks.min():g}–{weeks.max() + 6:g}" for week in weeks}
    return labels


def segments_of(exits: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield group, key and rows of all exposures and, if there are several, of every segment."""
    yield "all", ALL_SEGMENTS, exits
    segments = list(exits.groupby("segment"))
    if len(segments) > 1:
        for key, part in segments:
            yield "segment", str(key), part


def _groups(exits: pd.DataFrame, periods: dict[float, str]) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Cut the aggregate into all exposures, segments and periods."""
    yield from segments_of(exits)
    period = exits["cohort"].map(periods)
    if len(set(periods.values())) > 1:
        for key in dict.fromkeys(periods.values()):
            if (period == key).any():
                yield "cohort", key, exits[period == key]


def describe_part(exits: pd.DataFrame, horizon_bin: int, step_days: float) -> pd.DataFrame | None:
    """Return the columns of `arrival_table` for a part of the aggregate, one row per bin; None if it is empty."""
    curve = curve_of(exits, horizon_bin)
    if curve is None:
        return None
    bins = np.arange(horizon_bin + 1)
    survival, end = curve.survival_at(bins), float(curve.survival_at(horizon_bin))
    known = bins <= curve.follow_up
    flip, flip_low, flip_high = conditional_flip_rate(curve, bins, horizon_bin)
    low, high = log_log_interval(survival, survival**2 * np.where(survival > 0, curve.greenwood_at(bins), 0.0))
    seen, seen_low, seen_high = seen_share(curve, bins, horizon_bin)
    events = np.cumsum(_events(exits, horizon_bin))
    n = float(exits["n"].sum())
    hazard = hazard_of(curve, bins)
    table = pd.DataFrame(
        {
            "elapsed_days": bins * step_days,
            "n": int(n),
            "at_risk": curve.at_risk_after(bins),
            "flip": flip,
            "flip_low": flip_low,
            "flip_high": flip_high,
            "converted": 1 - survival,
            "converted_low": 1 - high,
            "converted_high": 1 - low,
            "converted_naive": events / n,
            "seen": seen,
            "seen_low": seen_low,
            "seen_high": seen_high,
            "seen_naive": events / events[-1] if events[-1] > 0 else np.nan,
            "late": survival - end if curve.follow_up >= horizon_bin else np.nan,
            "observed_share": 1 - _censored_before(exits, horizon_bin) / n,
            "hazard": hazard[0],
            "hazard_low": hazard[1],
            "hazard_high": hazard[2],
        }
    )
    unknown = [name for name in table.columns if name.startswith("converted") and name != "converted_naive"]
    table.loc[~known, unknown] = np.nan
    return table


def _by_engagement(
    exits: pd.DataFrame, horizon_bin: int, waiting_bin: int, step_days: float
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the flip rate by engagement state, with a landmark at every elapsed bin."""
    engage_bin = exits["engage_bin"].to_numpy()
    for key, wanted in (("engaged", True), ("not engaged", False)):
        rows: list[tuple[float, ...]] = []
        hazard: tuple[float, ...] = (np.nan, np.nan, np.nan)
        for elapsed in range(horizon_bin):
            state = (engage_bin >= 0) & (engage_bin <= min(elapsed, waiting_bin))
            curve = curve_of(exits[state == wanted], horizon_bin, after=elapsed)
            if curve is None:
                hazard = (np.nan, np.nan, np.nan)
                continue
            flip, low, high = conditional_flip_rate(curve, elapsed, horizon_bin)
            at_risk = float(curve.at_risk[0])
            rows.append((elapsed * step_days, int(at_risk), at_risk, float(flip), float(low), float(high), *hazard))
            # What the exposures at risk here do in the next bin belongs to the row of that bin.
            hazard = tuple(float(part[0]) for part in hazard_of(curve, np.array([elapsed + 1])))
        if rows:
            names = ["elapsed_days", "n", "at_risk", "flip", "flip_low", "flip_high", *_HAZARD]
            yield key, pd.DataFrame(rows, columns=names)


def hazard_of(curve: KaplanMeier, bins: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the discrete hazard of conversion in bins.

    h(k) = d_k / n_k, d_k conversions in bin k, n_k exposures still negative and observed through it

    Parameters
    ----------
    curve : KaplanMeier
        With bins as times.
    bins : ndarray of shape (n,), int

    Returns
    -------
    value, low, high : ndarrays of shape (n,), float32, in [0, 1]
        With Wilson's 95 % interval; NaN where nobody is at risk.
    """
    row = np.clip(np.searchsorted(curve.time, bins), 0, curve.time.size - 1)
    listed = curve.time[row] == bins
    events = np.where(listed, curve.events[row], 0.0)
    at_risk = np.where(listed, curve.at_risk[row], 0.0)
    low, high = wilson_interval(events, at_risk)
    value = np.divide(events, at_risk, out=np.full(len(bins), np.nan), where=at_risk > 0)
    return value.astype(np.float32), low.astype(np.float32), high.astype(np.float32)


def seen_share(curve: KaplanMeier, elapsed: np.ndarray, horizon: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which share of the final positives has converted by a time.

    F(e) / F(W) = (1 - S(e)) / (1 - S(W))

    Parameters
    ----------
    curve : KaplanMeier
    elapsed : ndarray of shape (n,), in the unit of the curve
    horizon : float
        The attribution window W.

    Returns
    -------
    value, low, high : ndarrays of shape (n,), in [0, 1]
        1 without width from the horizon on. NaN without a conversion, or if nobody was followed up to the horizon.

    Notes
    -----
    The numerator is part of the denominator. log S(W) = log S(e) + an increment that is independent of it in
    Greenwood's sense, so the delta method gives, with A = 1 - S(e), B = 1 - S(W), the variance of the log ratio
    (S(e)/A - S(W)/B)² G(e) + (S(W)/B)² (G(W) - G(e)); the interval is normal on the logit scale.
    """
    start, end = curve.survival_at(elapsed), curve.survival_at(horizon)
    known = horizon <= curve.follow_up and end < 1
    first = curve.greenwood_at(elapsed)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = curve.greenwood_at(horizon) - first  # both are infinite once everybody has converted
        value = np.where(known, (1 - start) / (1 - end), np.nan)
        odds_end = end / (1 - end)
        variance = (start / (1 - start) - odds_end) ** 2 * first + odds_end**2 * rest
        logit = np.log(value) - np.log1p(-value)
        # d logit(R) = d log(R) / (1 - R)
        reach = _Z * np.sqrt(variance) / (1 - value)
        low, high = 1 / (1 + np.exp(-(logit - reach))), 1 / (1 + np.exp(-(logit + reach)))
    over = (np.asarray(elapsed) >= horizon) & known
    inside = (value > 0) & (value < 1)
    return (
        np.where(over, 1.0, value),
        np.where(over, 1.0, np.where(inside, low, np.nan)),
        np.where(over, 1.0, np.where(inside, high, np.nan)),
    )


def _events(exits: pd.DataFrame, horizon_bin: int) -> np.ndarray:
    """Count conversions per bin."""
    return np.bincount(exits["exit_bin"], exits["n"] * exits["converted"], minlength=horizon_bin + 1)


def _censored_before(exits: pd.DataFrame, horizon_bin: int) -> np.ndarray:
    """Count exposures that were too young to be looked at in each bin."""
    young = (exits["converted"] == 0) & (exits["exit_bin"] < horizon_bin)
    count = np.bincount(exits["exit_bin"][young], exits["n"][young], minlength=horizon_bin + 1)
    return np.cumsum(count) - count


def _with_visible_share(table: pd.DataFrame) -> pd.DataFrame:
    """Add how many of the exposures of a row the snapshot day could look at, at that age."""
    keys = ["group", "key", "elapsed_days"]
    snapshot = table[table["view"] == "snapshot"].set_index(keys)
    final = table[table["view"] == "final"].set_index(keys)
    share = (snapshot["observed_share"] * snapshot["n"]).reindex(final.index).fillna(0.0) / final["n"]
    merged = table.join(share.rename("visible_share"), on=keys)
    order = ["view", "group", "key", "elapsed_days"]
    return merged[[*order, *(name for name in merged.columns if name not in order)]]
