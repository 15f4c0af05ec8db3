"""The one aggregate that every curve of labels over time comes from, as an Ibis expression."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
from ibis import _

EXIT_COLUMNS = ("segment", "cohort", "engage_bin", "exit_bin", "converted", "n")
NEVER = -1
"""Bin of an engagement that did not happen by the day looked at."""


def exit_counts(exposures: ibis.Table, *, as_of: float, step_days: float, horizon_bin: int) -> ibis.Table:
    """Count exposures by segment, cohort week, and the elapsed bins of engagement and of leaving the risk set.

    An exposure leaves at its conversion, or without one: at the horizon if its window is over (it will never
    convert), else at the last whole bin that it has lived through (it is censored there).

    Parameters
    ----------
    exposures : ibis.Table
        Columns ``segment, exposure_time, engagement_time, conversion_time, window_days``; times in days, NULL for
        events that have not happened. Any Ibis backend.
    as_of : float
        Day looked at; later exposures and events do not count.
    step_days : float, > 0
        Width of an elapsed bin; bin k ends at k steps after the exposure, and an event in it was there by then.
    horizon_bin : int, >= 1
        Bin in which the longest window ends.

    Returns
    -------
    ibis.Table
        Columns `EXIT_COLUMNS`; ``cohort`` is the first day of a 7-day week of exposures, ``engage_bin`` is
        `NEVER` without engagement, ``converted`` is 0 or 1, ``n`` counts exposures.
    """
    by_then = exposures.filter(_.exposure_time < as_of)
    timed = by_then.mutate(
        age=as_of - _.exposure_time,
        delay=_.conversion_time - _.exposure_time,
        engage_delay=_.engagement_time - _.exposure_time,
    )
    lived = (ibis.least(_.age, _.window_days) / step_days + 1e-9).floor()
    binned = timed.mutate(
        complete=_.age >= _.window_days,
        lived_bin=lived.cast("int64"),
        event_bin=(_.delay / step_days - 1e-9).ceil().cast("int64"),
        engaged=(_.engage_delay <= _.age) & (_.engage_delay <= _.window_days),
    )
    flagged = binned.mutate(
        converted=(
            (_.delay <= _.window_days) & (_.delay <= _.age) & (_.complete | (_.event_bin <= _.lived_bin))
        ).fill_null(False)
    )
    exits = flagged.mutate(
        cohort=(_.exposure_time / 7.0).floor() * 7.0,
        engage_bin=ibis.ifelse(
            _.engaged.fill_null(False), (_.engage_delay / step_days - 1e-9).ceil().cast("int64"), NEVER
        ),
        exit_bin=ibis.ifelse(
            _.converted,
            ibis.least(_.event_bin, horizon_bin),
            ibis.ifelse(_.complete, horizon_bin, ibis.least(_.lived_bin, horizon_bin)),
        ),
        converted=_.converted.cast("int64"),
    )
    keys = list(EXIT_COLUMNS[:-1])
    return exits.group_by(keys).aggregate(n=_.count()).order_by(keys)


def collect(expression: ibis.Table) -> pd.DataFrame:
    """Run the aggregate and return it as a small frame with whole-number bins."""
    table = expression.to_pyarrow().to_pandas()
    whole = ["engage_bin", "exit_bin", "converted", "n"]
    return table.astype(dict.fromkeys(whole, "int64")).astype({"cohort": np.float64, "segment": object})
