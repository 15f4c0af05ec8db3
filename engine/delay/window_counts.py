"""What every waiting window knows, from counts alone: the part of the table of windows that needs no model."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from ibis import _

from engine.delay.counts import NEVER, exits_of

CELL_COLUMNS = ("segment", "read_bin", "late_bin", "n")


def window_cells(exposures: ibis.Table, *, as_of: float, step_days: float, horizon_bin: int) -> ibis.Table:
    """Count exposures by how long they were observed, and by when they convert in the end.

    Parameters
    ----------
    exposures, as_of, step_days, horizon_bin
        As for `engine.delay.counts.exit_counts`.

    Returns
    -------
    ibis.Table
        Columns `CELL_COLUMNS`; ``read_bin`` is the last whole bin lived through by the day, the horizon if the window
        is over; ``late_bin`` that of the conversion within the window, also after the day, `NEVER` without.
    """
    exits = exits_of(exposures, as_of=as_of, step_days=step_days, horizon_bin=horizon_bin)
    binned = exits.mutate(
        read_bin=ibis.ifelse(_.complete, horizon_bin, ibis.least(_.lived_bin, horizon_bin)),
        late_bin=ibis.ifelse((_.delay <= _.window_days).fill_null(False), ibis.least(_.event_bin, horizon_bin), NEVER),
    )
    keys = list(CELL_COLUMNS[:-1])
    return binned.group_by(keys).aggregate(n=_.count()).order_by(keys)


def described_windows(
    arrival: pd.DataFrame, cells: pd.DataFrame, *, step_days: float, horizon_bin: int, has_truth: bool
) -> pd.DataFrame:
    """Describe every waiting window from one step up to the longest attribution window, without a model.

    Parameters
    ----------
    arrival : DataFrame
        See `engine.delay.arrival.arrival_table`.
    cells : DataFrame
        `window_cells` as of the snapshot day.
    step_days : float
    horizon_bin : int
    has_truth : bool
        Whether every final label is known; else ``seen_final, flip_final, flips_final`` are NaN.

    Returns
    -------
    DataFrame
        The columns of `engine.delay.windows.window_table` but those of the weights.
    """
    tables = []
    for segment in ["all", *sorted(arrival.loc[arrival["group"] == "segment", "key"].unique())]:
        part = cells if segment == "all" else cells[cells["segment"] == segment]
        table = pd.concat((known_windows(arrival, segment), _counts(part, horizon_bin)), axis=1)
        for name in ("", "_low", "_high"):
            table[f"flips_expected{name}"] = table[f"flip{name}"] * table["negatives"]
        tables.append(table.assign(segment=segment))
    found = pd.concat(tables, ignore_index=True)
    if not has_truth:
        found = found.assign(seen_final=np.nan, flip_final=np.nan, flips_final=np.nan)
    shares = found.columns[found.dtypes == np.float64].difference(["waiting_days"])
    return found.astype(dict.fromkeys(shares, np.float32))


def known_windows(arrival: pd.DataFrame, segment: str) -> pd.DataFrame:
    """Read shares and flip rates off the curves of the snapshot day.

    Parameters
    ----------
    arrival : DataFrame
        See `engine.delay.arrival.arrival_table`.
    segment : str

    Returns
    -------
    DataFrame
        One row per waiting window from one step on: ``waiting_days, seen, flip`` with their bands, ``late``.
    """
    rows = arrival[(arrival["key"] == segment) & arrival["group"].isin(("all", "segment"))]
    rows = rows[rows["elapsed_days"] > 0]
    names = [f"{name}{end}" for name in ("seen", "flip") for end in ("", "_low", "_high")]
    snapshot = rows[rows["view"] == "snapshot"].set_index("elapsed_days")
    grid = rows[rows["view"] == "final"].set_index("elapsed_days")[[]]
    table = grid.join(snapshot[[*names, "late"]]).reset_index()
    return table.rename(columns={"elapsed_days": "waiting_days"})


def _counts(cells: pd.DataFrame, horizon_bin: int) -> pd.DataFrame:
    """Count exposures read at each window, negatives among them and final flips, one row per bin from 1 on."""
    read_bin, late_bin, n = (cells[name].to_numpy(dtype=np.int64) for name in ("read_bin", "late_bin", "n"))
    never = late_bin == NEVER
    table = np.zeros((horizon_bin + 1, horizon_bin + 2), dtype=np.int64)
    np.add.at(table, (read_bin, np.where(never, horizon_bin + 1, late_bin)), n)
    # Reached bin k or more, and converting in bin k or later.
    reached = np.cumsum(table[::-1], axis=0)[::-1]
    bins = np.arange(1, horizon_bin + 1)
    read = reached.sum(axis=1)[bins]
    flips = np.array([reached[k, k + 1 : horizon_bin + 1].sum() for k in bins])
    negatives = flips + reached[bins, horizon_bin + 1]
    converts = int(n[~never].sum())
    seen = np.array([n[~never & (late_bin <= k)].sum() for k in bins])
    return pd.DataFrame(
        {
            "read": read,
            "negatives": negatives,
            "flips_final": flips,
            "seen_final": seen / converts if converts else np.nan,
            "flip_final": np.divide(flips, negatives, out=np.full(bins.size, np.nan), where=negatives > 0),
        }
    )
