"""One row per candidate waiting window: what is known by then, what will still flip, and what the weights cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.delay.auxiliary import FLIP_GROUPS
from engine.delay.config import DelayConfig
from engine.delay.data import Prepared
from engine.delay.train import Fitted
from engine.delay.window_counts import known_windows
from engine.metrics.resampling import bootstrap, percentile_interval
from engine.seeding import generator

MAX_WEIGHT_ROWS = 4_000
"""Exposures that the weights of a window are worked out for; more are thinned evenly, their number in the table."""
_METHODS = ("exact_joint", "dress_style")


def window_table(
    fitted: Fitted, prepared: Prepared, arrival: pd.DataFrame, config: DelayConfig, *, horizon_bin: int
) -> pd.DataFrame:
    """Describe every waiting window from one step up to the longest attribution window.

    Parameters
    ----------
    fitted : Fitted
    prepared : Prepared
    arrival : DataFrame
        See `engine.delay.arrival.arrival_table`.
    config : DelayConfig
    horizon_bin : int

    Returns
    -------
    DataFrame
        One row per ``segment`` ("all" or a segment) and ``waiting_days``. As known on the snapshot day, with ``…_low``
        and ``…_high``: ``seen``, ``flip``, and ``late``. ``seen_final, flip_final``: the same from the final labels of
        the same exposures.
        ``read`` exposures were old enough on that day, ``negatives`` of them had not converted by the window,
        ``flips_expected`` of these (with interval) convert later, ``flips_final`` did. For the weights of the label
        read at that window, ``ess_share_…, weight_mean_…, weight_max_…`` with (``dress_style``) and without
        (``exact_joint``) signals, the first with interval; ``weight_rows`` exposures stand behind them, of
        ``units`` units.

    Notes
    -----
    The interval of ``flips_expected`` is that of the flip rate times the negatives: the uncertainty of the rate,
    without the chance of each single label.
    """
    tables = []
    for segment in ["all", *sorted(arrival.loc[arrival["group"] == "segment", "key"].unique())]:
        table = known_windows(arrival, segment)
        counts = _counts(prepared, segment, table["waiting_days"].to_numpy())
        table = pd.concat((table, counts), axis=1)
        for name in ("", "_low", "_high"):
            table[f"flips_expected{name}"] = table[f"flip{name}"] * table["negatives"]
        weights = _weights(fitted, prepared, segment, table["waiting_days"].to_numpy(), config)
        tables.append(pd.concat((table, weights), axis=1).assign(segment=segment))
    found = pd.concat(tables, ignore_index=True)
    shares = found.columns[found.dtypes == np.float64].difference(["waiting_days"])
    return found.astype(dict.fromkeys(shares, np.float32))


def _rows_of(prepared: Prepared, segment: str) -> np.ndarray:
    """Return exposures before the snapshot day of a segment."""
    return ~prepared.test & ((prepared.segment == segment) | (segment == "all"))


def _counts(prepared: Prepared, segment: str, waiting: np.ndarray) -> pd.DataFrame:
    """Count exposures read at each window, negatives among them and final flips, (n, windows) at a time."""
    rows = _rows_of(prepared, segment)
    due = np.minimum(waiting, prepared.window[rows, np.newaxis])
    read = prepared.age[rows, np.newaxis] >= due
    delay = prepared.delay[rows, np.newaxis]
    negative = read & (delay > due)
    flips = negative & np.isfinite(delay)
    table = pd.DataFrame(
        {"read": read.sum(axis=0), "negatives": negative.sum(axis=0), "flips_final": flips.sum(axis=0)}
    )
    converts = np.isfinite(delay).sum()
    return table.assign(
        seen_final=(delay <= due).sum(axis=0) / converts if converts else np.nan,
        flip_final=table["flips_final"] / table["negatives"].where(table["negatives"] > 0),
    )


def _weights(
    fitted: Fitted, prepared: Prepared, segment: str, waiting: np.ndarray, config: DelayConfig
) -> pd.DataFrame:
    """Return what the exact weights would look like if the label were read at each window."""
    rows = np.flatnonzero(_rows_of(prepared, segment) & prepared.train)
    rows = rows[:: max(1, -(-rows.size // MAX_WEIGHT_ROWS))]
    names = [f"{name}_{method}" for method in _METHODS for name in ("ess_share", "weight_mean", "weight_max")]
    names += ["ess_share_dress_style_low", "ess_share_dress_style_high", "weight_rows", "units"]
    table = pd.DataFrame(np.nan, index=range(waiting.size), columns=names)
    if not rows.size:
        return table
    due = np.minimum(waiting, prepared.window[rows, np.newaxis])  # (n, windows)
    read = prepared.age[rows, np.newaxis] >= due
    seen = prepared.delay[rows, np.newaxis] <= due
    exposure = np.repeat(rows, waiting.size)
    flip = fitted.flip_model.flip(exposure, due.ravel())
    for method, group in zip(_METHODS, FLIP_GROUPS, strict=True):
        p_rn = 1.0 - flip[group].mean(axis=0).reshape(due.shape)
        weight = np.where(read, np.where(seen, 1.0, np.minimum(p_rn, config.max_weight)), 0.0)
        terms = np.hstack((read, weight, weight**2))
        total, _, _ = np.split(terms.sum(axis=0), 3)
        table[f"ess_share_{method}"] = _effective_share(terms.sum(axis=0))
        with np.errstate(invalid="ignore"):
            table[f"weight_mean_{method}"] = weight.sum(axis=0) / np.where(total > 0, total, np.nan)
        table[f"weight_max_{method}"] = np.where(total > 0, weight.max(axis=0), np.nan)
    draws = bootstrap(
        lambda taken: _effective_share(taken @ terms),
        prepared.unit[rows],
        n_resamples=config.resamples,
        rng=generator(config.seed, "windows", segment),
    )
    table["ess_share_dress_style_low"], table["ess_share_dress_style_high"] = percentile_interval(draws)
    table["weight_rows"] = total
    table["units"] = [np.unique(prepared.unit[rows[column]]).size for column in read.T]
    return table


def _effective_share(sums: np.ndarray) -> np.ndarray:
    """Return (Σw)² / (n Σw²) per window from the sums of 1, w and w², stacked to shape (3 · windows,)."""
    n, total, squares = np.split(sums, 3)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(squares > 0, total**2 / (n * squares), np.nan)
