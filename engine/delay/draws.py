"""Sums by groups of whole units: what intervals and the trade-off of a window need, one Ibis expression per table."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _

from engine.delay.counts import exits_of
from engine.delay.tradeoff_sums import Sums

GROUPS = 256
"""Most groups of units; see `engine.delay.counts.unit_exit_counts`."""
_LINE = ("count", "t", "y", "tt", "ty")
_DAY_SECONDS = 86_400.0


def with_unit(exposures: ibis.Table) -> ibis.Table:
    """Add what is drawn together where the data name no unit: all exposures made at the same moment.

    Parameters
    ----------
    exposures : ibis.Table

    Returns
    -------
    ibis.Table
        With a column ``unit`` (text).

    Notes
    -----
    Rows carry no number that every backend agrees on. What becomes of an exposure has no part in the moment at which
    it was made, so the moments are as good as drawn at random, and exposures of one mailing stay together.
    """
    if "unit" in exposures.columns:
        return exposures
    second = (exposures.exposure_time * _DAY_SECONDS).round().cast("int64")
    return exposures.mutate(unit=second.cast("string"))


def unit_facts(exposures: ibis.Table, *, as_of: float, waiting_days: float) -> ibis.Table:
    """Add up what became of open labels, by groups of units.

    Parameters
    ----------
    exposures : ibis.Table
        As `engine.delay.relation.Log.exposures`, with ``unit``.
    as_of : float
        Day of the snapshot.
    waiting_days : float

    Returns
    -------
    ibis.Table
        One row per ``draw``, at most `GROUPS`: of the exposures immature on the day ``recent`` of ``recent_units``,
        ``open`` without conversion, ``flipped`` of these, with ``youngest, oldest`` age; of all exposures negative at
        the waiting window ``waiting`` of ``waiting_units``, ``engaged`` by then, ``flips`` and ``engaged_flips``; and
        ``units`` in all.
    """
    age = as_of - exposures.exposure_time
    delay = exposures.conversion_time - exposures.exposure_time
    engaged_after = exposures.engagement_time - exposures.exposure_time
    first = ibis.least(ibis.literal(float(waiting_days)), exposures.window_days)
    timed = exposures.mutate(
        age=age,
        recent=(age > 0) & (age < exposures.window_days),
        label=(delay <= exposures.window_days).fill_null(False),
        seen=((delay <= exposures.window_days) & (delay <= age)).fill_null(False),
        early=((delay <= exposures.window_days) & (delay <= first)).fill_null(False),
        engaged=(engaged_after <= first).fill_null(False),
    )
    by_unit = timed.group_by("unit").aggregate(
        recent=_.recent.sum(),
        open=(_.recent & ~_.seen).sum(),
        flipped=(_.recent & ~_.seen & _.label).sum(),
        youngest=_.age.min(where=_.recent),
        oldest=_.age.max(where=_.recent),
        waiting=(~_.early).sum(),
        engaged=(~_.early & _.engaged).sum(),
        flips=(~_.early & _.label).sum(),
        engaged_flips=(~_.early & _.engaged & _.label).sum(),
    )
    sums = {
        name: _[name].sum() for name in ("recent", "open", "flipped", "waiting", "engaged", "flips", "engaged_flips")
    }
    return (
        by_unit.mutate(draw=draw_of(by_unit.unit))
        .group_by("draw")
        .aggregate(
            **sums,
            units=_.count(),
            recent_units=(_.recent > 0).sum(),
            waiting_units=(_.waiting > 0).sum(),
            youngest=_.youngest.min(),
            oldest=_.oldest.max(),
        )
        .order_by("draw")
    )


def read_sums(exposures: ibis.Table, waiting: np.ndarray, *, as_of: float, period: float) -> ibis.Table:
    """Add up the exposures read at every waiting window, and the line of matured labels.

    Parameters
    ----------
    exposures : ibis.Table
        With ``unit``.
    waiting : ndarray of shape (windows,), days
    as_of : float
    period : float, days
        Length of the cohort that is read.

    Returns
    -------
    ibis.Table
        One row per ``segment`` and ``draw``: for each window k ``n_k, seen_k, due_k``, and the sums of
        `engine.delay.tradeoff_sums.Sums.line`.
    """
    timed = exposures.filter(_.exposure_time < as_of).mutate(
        draw=draw_of(exposures.unit),
        age=as_of - _.exposure_time,
        delay=_.conversion_time - _.exposure_time,
    )
    measures: dict[str, Any] = {}
    for place, days in enumerate(waiting):
        due = ibis.least(ibis.literal(float(days)), _.window_days)
        inside = (_.age >= due) & (_.age < due + period)
        measures[f"n_{place}"] = inside.sum()
        measures[f"seen_{place}"] = (inside & (_.delay <= due)).fill_null(False).sum()
        measures[f"due_{place}"] = ibis.ifelse(inside, due, 0.0).sum()
    matured = _.age >= _.window_days
    label = (matured & (_.delay <= _.window_days)).fill_null(False)
    measures |= {
        "count": matured.sum(),
        "t": ibis.ifelse(matured, -_.age, 0.0).sum(),
        "y": label.sum(),
        "tt": ibis.ifelse(matured, _.age * _.age, 0.0).sum(),
        "ty": ibis.ifelse(label, -_.age, 0.0).sum(),
    }
    return timed.group_by(["segment", "draw"]).aggregate(**measures).order_by(["segment", "draw"])


def exit_ages(exposures: ibis.Table, *, as_of: float, step_days: float, horizon_bin: int) -> ibis.Table:
    """Count exposures by the bin in which they leave the risk set, with the sum of their ages.

    Parameters
    ----------
    exposures : ibis.Table
        With ``unit``.
    as_of, step_days, horizon_bin
        As for `engine.delay.counts.exit_counts`.

    Returns
    -------
    ibis.Table
        ``segment, draw, exit_bin, converted, n, aged``.
    """
    exits = exits_of(exposures, as_of=as_of, step_days=step_days, horizon_bin=horizon_bin)
    keys = ["segment", "draw", "exit_bin", "converted"]
    return exits.mutate(draw=draw_of(exits.unit)).group_by(keys).aggregate(n=_.count(), aged=_.age.sum()).order_by(keys)


def sums_of(
    read: pd.DataFrame, exits: pd.DataFrame, waiting: np.ndarray, *, step_days: float, horizon_bin: int
) -> dict[str, Sums]:
    """Put the sums of every segment together for `engine.delay.tradeoff.tradeoff_of`.

    Parameters
    ----------
    read, exits : DataFrame
        `read_sums` and `exit_ages`.
    waiting : ndarray of shape (windows,), days
    step_days : float
    horizon_bin : int

    Returns
    -------
    dict of str to Sums
        Segment to sums; groups in the order of ``draw``, without networks.
    """
    place = {draw: row for row, draw in enumerate(sorted(set(read["draw"])))}
    found = {}
    for segment, part in read.groupby("segment"):
        row = part["draw"].map(place).to_numpy()

        def spread(names: list[str], row: np.ndarray = row, part: pd.DataFrame = part) -> np.ndarray:
            table = np.zeros((len(place), len(names)))
            table[row] = part[names].to_numpy(dtype=np.float64)
            return table

        n, seen, due = (spread([f"{name}_{k}" for k in range(waiting.size)]) for name in ("n", "seen", "due"))
        left = exits[exits["segment"] == segment]
        cell = (left["draw"].map(place).to_numpy(), left["exit_bin"].to_numpy(dtype=np.int64))
        count = left["n"].to_numpy(dtype=np.float64)
        found[str(segment)] = Sums(
            bins=np.minimum((waiting / step_days + 1e-9).astype(int), horizon_bin),
            n=n,
            seen=seen,
            open=n - seen,
            due=due,
            flips={},
            leaving=_added(cell, count, (len(place), horizon_bin + 1)),
            events=_added(cell, count * left["converted"].to_numpy(), (len(place), horizon_bin + 1)),
            aged=_added(cell, left["aged"].to_numpy(dtype=np.float64), (len(place), horizon_bin + 1)),
            line=spread(list(_LINE)),
        )
    return found


def _added(cell: tuple[np.ndarray, np.ndarray], values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Add values up by cell."""
    table = np.zeros(shape)
    np.add.at(table, cell, values)
    return table


def draw_of(unit: ibis.Value) -> ibis.Value:
    """Return the group of a unit, the same as in `engine.delay.counts.unit_exit_counts`, at most `GROUPS`."""
    return unit.hexdigest("md5").left(2)
