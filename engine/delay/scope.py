"""Which exposures a description looks at, and as of which day, from aggregates of a log of any size."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from ibis import _

from engine.delay.config import DelayConfig
from engine.delay.relation import Log
from engine.delay.snapshot import MAX_DAYS
from engine.errors import NotEnoughDataError

_SECOND = 1 / 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is described: exposures, day and end of the log."""

    exposures: ibis.Table
    """Those looked at, as in `engine.delay.relation.Log`."""
    as_of: float
    """Day of the snapshot."""
    end: float
    """Day up to which the log was observed."""
    is_past: bool
    """Whether the day lies before the end. Then only exposures with a final label are looked at, as in a training;
    at the end all are, and what becomes of the open ones is not known."""
    dropped: int
    """Exposures that are left out for want of a final label."""


def scope_of(log: Log, config: DelayConfig, day: float | None) -> Scope:
    """Choose the day, and the exposures that go with it.

    Parameters
    ----------
    log : Log
    config : DelayConfig
    day : float, optional
        Day of the snapshot. None: the day that a training would choose, or the last of the log where there is none
        with matured, immature and later exposures.

    Returns
    -------
    Scope

    Raises
    ------
    NotEnoughDataError
        If all times are the same moment, or no exposure that is looked at comes before the day.
    """
    end = log.last_day if day is None else max(log.last_day, day)
    if end - log.first_day < _SECOND:
        raise NotEnoughDataError(
            "All times of the log are the same moment, so that nobody was watched for any time. Bring a log that goes "
            "on, or look at a later day with --as-of."
        )
    settled = log.exposures.filter(_.exposure_time + _.window_days <= end)
    if day is None:
        day = balanced_day(day_sums(settled, waiting_days=config.waiting_days).to_pyarrow().to_pandas())
    if day is None or day >= end:
        return Scope(exposures=log.exposures, as_of=end, end=end, is_past=False, dropped=0)
    counted = settled.aggregate(all=_.count(), before=(_.exposure_time < day).sum()).to_pyarrow().to_pylist()[0]
    if not counted["before"]:
        raise NotEnoughDataError(
            f"No exposure before day {day:g} has a complete window by the end of the log on day {end:g}, so nothing "
            "can be compared with what came. Look at a later day with --as-of, or at the end with --as-of last."
        )
    dropped = log.rows - int(counted["all"])
    return Scope(exposures=settled, as_of=float(day), end=end, is_past=True, dropped=dropped)


def day_sums(exposures: ibis.Table, *, waiting_days: float) -> ibis.Table:
    """Add up what the choice of a day needs.

    Parameters
    ----------
    exposures : ibis.Table
        Those with a final label.
    waiting_days : float

    Returns
    -------
    ibis.Table
        ``made``, the last whole day that is not after the exposure; ``read, over``, the first whole days on which its
        label is read first and its window is over; ``n`` exposures with the sums ``level`` of 1 + t / W and ``slope``
        of 1 / W, t the exposure and W its window.
    """
    first = ibis.least(ibis.literal(float(waiting_days)), _.window_days)
    timed = exposures.mutate(
        made=_.exposure_time.floor().cast("int64"),
        read=(_.exposure_time + first).ceil().cast("int64"),
        over=(_.exposure_time + _.window_days).ceil().cast("int64"),
    )
    return (
        timed.group_by(["made", "read", "over"])
        .aggregate(n=_.count(), level=(1.0 + _.exposure_time / _.window_days).sum(), slope=(1.0 / _.window_days).sum())
        .order_by(["made", "read", "over"])
    )


def balanced_day(sums: pd.DataFrame) -> float | None:
    """Choose the day as `engine.delay.snapshot.choose_day` does, from sums over all exposures.

    Parameters
    ----------
    sums : DataFrame
        `day_sums`.

    Returns
    -------
    float or None
        None if on no day there are matured, immature and later exposures.
    """
    if sums.empty:
        return None
    made, read, over, n, level, slope = (
        sums[name].to_numpy() for name in ("made", "read", "over", "n", "level", "slope")
    )
    days = np.arange(made.min() + 1, made.max() + 2)
    days = days[:: -(-days.size // MAX_DAYS)]
    best: tuple[list[float], float] | None = None
    for day in days:
        young = (read <= day) & (day < over)
        immature = (level[young] - day * slope[young]).sum()
        shares = sorted(
            round(float(part) / n.sum(), 4) for part in (n[over <= day].sum(), immature, n[made >= day].sum())
        )
        if best is None or (shares, -float(day)) > best:
            best = (shares, -float(day))
    return -best[1] if best is not None and best[0][0] > 0 else None
