"""Bands of the flip rate that respect households: a jackknife over random groups of whole units."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from engine.delay.arrival import segments_of
from engine.metrics.survival import log_log_interval

_LEVEL = 0.95


def unit_band(exits: pd.DataFrame, horizon_bin: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the band of the flip rate at every elapsed bin, with units, not exposures, as the independent draws.

    log R(e) = log S(W) - log S(e), flip rate = 1 - R;  V = (G - 1) / G · Σ over groups (log R without the group -
    log R)², G groups; the band is the log-log one of R, with Student's t on G - 1 degrees of freedom

    Parameters
    ----------
    exits : DataFrame
        Columns ``unit_group, exit_bin, converted, n`` of `engine.delay.counts.unit_exit_counts`.
    horizon_bin : int

    Returns
    -------
    low, high : ndarrays of shape (horizon_bin + 1,), in [0, 1]
        0 at the horizon. NaN where the flip rate or its variance is not known: nobody was followed up to the horizon,
        no conversion lies in between, or everybody left converts in one of the replicates, or there is one group only.

    Notes
    -----
    Exposures of one household convert together, so Greenwood's variance, which counts them as independent, is too
    small. Units are independent of one another, and so are groups of whole units; one group that holds a large
    share of the exposures makes the band unreliable. With fewer units than groups every unit is a group of its own
    but for those that share one by chance.

    References
    ----------
    Kott (2001), The delete-a-group jackknife, for the variance; here on the logarithm of a ratio.
    """
    group = pd.factorize(exits["unit_group"])[0]
    groups, bins = int(group.max(initial=-1)) + 1, horizon_bin + 1
    unknown = np.full(bins, np.nan)
    if groups < 2:
        return unknown, unknown.copy()
    cell = group * bins + exits["exit_bin"].to_numpy()
    count = exits["n"].to_numpy(dtype=np.float64)
    leaving = np.bincount(cell, count, minlength=groups * bins).reshape(groups, bins)
    events = np.bincount(cell, count * exits["converted"].to_numpy(), minlength=groups * bins).reshape(groups, bins)
    whole = _log_ratio(leaving.sum(0), events.sum(0))
    without = _log_ratio(leaving.sum(0) - leaving, events.sum(0) - events)
    with np.errstate(invalid="ignore"):
        variance = (groups - 1) / groups * ((without - whole) ** 2).sum(0)
    # The log-log band uses the normal quantile; the ratio of quantiles widens it to Student's t.
    tail = 0.5 + _LEVEL / 2
    # Not by `scipy.stats`, whose import alone takes a second of every training.
    widen = (special.stdtrit(groups - 1, tail) / special.ndtri(tail)) ** 2
    ratio = np.exp(whole)
    known = np.isfinite(whole) & np.isfinite(variance)
    low, high = log_log_interval(
        np.where(known, ratio, 1.0), np.where(known, ratio**2 * variance * widen, 0.0), level=_LEVEL
    )
    low, high = 1 - high, 1 - low
    low[-1] = high[-1] = 0.0 if np.isfinite(whole[-1]) else np.nan
    return low, high


def _log_ratio(leaving: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Return log S(W) - log S(e) along the last axis; NaN if nobody was followed up to the horizon."""
    at_risk = np.cumsum(leaving[..., ::-1], axis=-1)[..., ::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_survival = np.cumsum(np.log1p(-np.where(at_risk > 0, events / at_risk, 0.0)), axis=-1)
        ratio = log_survival[..., -1:] - log_survival
    return np.where(at_risk[..., -1:] > 0, ratio, np.nan)


def with_unit_bands(arrival: pd.DataFrame, snapshot: pd.DataFrame, final: pd.DataFrame) -> pd.DataFrame:
    """Add the household band of the flip rate to the curves of all exposures and of the segments.

    Parameters
    ----------
    arrival : DataFrame
        From `engine.delay.arrival.arrival_table`.
    snapshot, final : DataFrame
        `unit_exit_counts` as of the same two days.

    Returns
    -------
    DataFrame
        `arrival` with ``flip_unit_low, flip_unit_high``; float32, NaN for other groups and where not known.
    """
    low, high = np.full((2, len(arrival)), np.nan, dtype=np.float32)
    for view, exits in (("snapshot", snapshot), ("final", final)):
        for group, key, part in segments_of(exits):
            rows = (arrival["view"] == view) & (arrival["group"] == group) & (arrival["key"] == key)
            place = np.flatnonzero(rows)
            if place.size:
                low[place], high[place] = unit_band(part, place.size - 1)
    return arrival.assign(flip_unit_low=low, flip_unit_high=high)
