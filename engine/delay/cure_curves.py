"""Mixture cure models fitted to the aggregate of exits, and laid over the curves of label arrival."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from engine.delay.arrival import curve_of, segments_of
from engine.delay.cure import LAWS, CureFit, Law, fit_cure


def cure_of(exits: pd.DataFrame, *, law: Law, step_days: float) -> CureFit:
    """Fit a mixture cure model to a part of the aggregate, in days.

    Parameters
    ----------
    exits : DataFrame
        Columns ``exit_bin, converted, n`` of `engine.delay.counts.exit_counts`.
    law : {"exponential", "weibull"}
    step_days : float

    Returns
    -------
    CureFit
        From the likelihood of intervals: a conversion in bin k lies in (k - 1, k] steps, a censored exposure had
        none by the end of its bin. Conversions at the exposure itself (bin 0) are counted to the first step.

    Notes
    -----
    An exposure whose own window is over leaves at the horizon without a conversion, as in the Kaplan-Meier curve:
    p and the delay are those of conversions inside the window of each exposure, followed up to the longest one.
    """
    cells = exits.groupby(["exit_bin", "converted"])["n"].sum().reset_index()
    bins, event = cells["exit_bin"].to_numpy(dtype=np.float64), cells["converted"].to_numpy() == 1
    lower = np.where(event, np.maximum(bins - 1, 0), bins) * step_days
    upper = np.where(event, np.maximum(bins, 1) * step_days, np.inf)
    return fit_cure(lower, upper, cells["n"], law=law)


def cure_table(snapshot: pd.DataFrame, final: pd.DataFrame, *, step_days: float, horizon_bin: int) -> pd.DataFrame:
    """Fit both laws to all exposures and to every segment, as known on the snapshot day and at the end of the log.

    Parameters
    ----------
    snapshot, final : DataFrame
        `exit_counts` as of the snapshot day, and as of the end of the log.
    step_days : float
    horizon_bin : int

    Returns
    -------
    DataFrame
        One row per ``view, group, key, law``: ``converted`` = P(ever converts) with ``converted_low, converted_high``;
        ``converted_within`` = P(within the longest window); ``mean_delay, scale`` in days, ``shape``;
        ``log_likelihood``; ``n`` exposures; ``km_within``, the Kaplan-Meier counterpart of ``converted_within``;
        ``gap_max``, the largest distance of both curves at the ends of bins; ``reason``, why there is no fit.
    """
    rows = [
        {"view": view, "group": group, "key": key} | _row(part, law, step_days, horizon_bin)
        for view, exits in (("snapshot", snapshot), ("final", final))
        for group, key, part in segments_of(exits)
        for law in LAWS
    ]
    return pd.DataFrame(rows)


def _row(exits: pd.DataFrame, law: Law, step_days: float, horizon_bin: int) -> dict[str, object]:
    """Return one fit beside the Kaplan-Meier curve."""
    fitted = cure_of(exits, law=law, step_days=step_days)
    curve = curve_of(exits, horizon_bin)
    within = gap = np.nan
    if curve is not None:
        within = 1 - float(curve.survival_at(horizon_bin)) if curve.follow_up >= horizon_bin else np.nan
        bins = np.arange(1, int(curve.follow_up) + 1)
        if bins.size and not fitted.reason:
            gap = float(np.abs(fitted.converted_by(bins * step_days) - (1 - curve.survival_at(bins))).max())
    return {
        "law": law,
        "converted": fitted.converted,
        "converted_low": fitted.converted_low,
        "converted_high": fitted.converted_high,
        "converted_within": float(fitted.converted_by(horizon_bin * step_days)),
        "mean_delay": fitted.mean_delay,
        "scale": fitted.scale,
        "shape": fitted.shape,
        "log_likelihood": fitted.log_likelihood,
        "n": fitted.n,
        "km_within": within,
        "gap_max": gap,
        "reason": fitted.reason,
    }


def with_cure(arrival: pd.DataFrame, cure: pd.DataFrame) -> pd.DataFrame:
    """Lay the fitted curves over the snapshot's curves of all exposures and of the segments.

    Parameters
    ----------
    arrival : DataFrame
        From `engine.delay.arrival.arrival_table`.
    cure : DataFrame
        From `cure_table`.

    Returns
    -------
    DataFrame
        `arrival` with ``cure_exponential`` and ``cure_weibull``, the share converted by the elapsed time under the
        fit; float32, NaN elsewhere and without a fit.
    """
    return arrival.assign(**{f"cure_{law}": _overlay(arrival, cure, law) for law in LAWS})


def _overlay(arrival: pd.DataFrame, cure: pd.DataFrame, law: Law) -> np.ndarray:
    """Return the fitted share converted of every row of the curves."""
    column = np.full(len(arrival), np.nan, dtype=np.float32)
    elapsed = arrival["elapsed_days"].to_numpy()
    for place, fitted in _places(arrival, cure[(cure["law"] == law) & (cure["view"] == "snapshot")]):
        column[place] = -fitted["converted"] * np.expm1(-((elapsed[place] / fitted["scale"]) ** fitted["shape"]))
    return column


def _places(arrival: pd.DataFrame, cure: pd.DataFrame) -> Iterator[tuple[np.ndarray, dict[str, float]]]:
    """Yield the rows of the curves that each fit belongs to."""
    for fitted in cure.to_dict("records"):
        same = (arrival["view"] == "snapshot") & (arrival["group"] == fitted["group"])
        yield (same & (arrival["key"] == fitted["key"])).to_numpy(), fitted
