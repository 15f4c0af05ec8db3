"""The statistics of the delay window: every table that follows from counts alone, without a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from engine.delay.arrival import arrival_table
from engine.delay.asof import asof_tables
from engine.delay.cluster import with_unit_bands
from engine.delay.cohorts import cohort_triangle
from engine.delay.counts import collect, exit_counts, unit_exit_counts
from engine.delay.cure_curves import cure_table, with_cure
from engine.delay.data import Prepared
from engine.errors import ConfigError

MAX_BINS = 400
"""Most bins of the longest window."""


def statistics_tables(
    exposures: ibis.Table,
    *,
    as_of: float,
    final_day: float,
    other_days: Sequence[float],
    step_days: float,
    horizon_bin: int,
    waiting_bin: int,
) -> dict[str, pd.DataFrame]:
    """Describe how labels arrive, as known on one day, on several days, and at the end of the log.

    Parameters
    ----------
    exposures : ibis.Table
        Columns ``unit, segment, exposure_time, engagement_time, conversion_time, window_days`` as for
        `engine.delay.counts.exit_counts`, on any backend; raw rows stay there. Without ``unit`` there are no bands
        by household.
    as_of : float
        Day of the snapshot.
    final_day : float
        Day on which the log ends.
    other_days : sequence of float
        Days of the as-of tables; none for no such tables.
    step_days : float
    horizon_bin, waiting_bin : int
        Bins in which the longest window and the waiting window end.

    Returns
    -------
    dict of str to DataFrame
        ``arrival, cure, cohorts`` and, with `other_days`, ``asof, asof_curves, asof_cohorts``; see the functions of
        these names.
    """
    views = (as_of, final_day)
    grid: dict[str, Any] = {"step_days": step_days, "horizon_bin": horizon_bin}
    exits = {day: collect(exit_counts(exposures, as_of=day, **grid)) for day in views}
    snapshot, final = (exits[day] for day in views)
    cure = cure_table(snapshot, final, **grid)
    arrival = arrival_table(snapshot, final, waiting_bin=waiting_bin, **grid)
    if "unit" in exposures.columns:
        by_unit = {day: collect(unit_exit_counts(exposures, as_of=day, **grid)) for day in exits}
        arrival = with_unit_bands(arrival, *(by_unit[day] for day in views))
    tables = {
        "arrival": _narrow(with_cure(arrival, cure)),
        "cure": cure,
        "cohorts": cohort_triangle(snapshot, final, **grid),
    }
    return tables | (asof_tables(exposures, other_days, final_day=final_day, **grid) if other_days else {})


def _narrow(arrival: pd.DataFrame) -> pd.DataFrame:
    """Store shares as float32: seven digits are more than any of them has."""
    wide = arrival.select_dtypes("float64").columns.drop("elapsed_days")
    return arrival.astype(dict.fromkeys(wide, "float32"))


def horizon_bin_of(window_days: float, step_days: float) -> int:
    """Return the bin in which the longest window ends.

    Parameters
    ----------
    window_days : float
        Longest window.
    step_days : float

    Raises
    ------
    ConfigError
        If the grid of elapsed time would have more than `MAX_BINS` bins.
    """
    horizon = int(np.ceil(window_days / step_days - 1e-9))
    if horizon > MAX_BINS:
        raise ConfigError(
            f"'step_days' is {step_days:g}, which makes {horizon:,} bins of the longest window; at most "
            f"{MAX_BINS} are allowed. Choose a longer step."
        )
    return horizon


def exposure_table(prepared: Prepared) -> ibis.Table:
    """Hand the prepared exposures to the aggregates.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    ibis.Table
        Columns as `statistics_tables` reads them; NULL for an event that did not happen.
    """
    return ibis.memtable(
        pa.table(
            {
                "unit": pa.array(prepared.unit.astype(str).tolist(), pa.string()),
                "segment": pa.array(prepared.segment.astype(str).tolist(), pa.string()),
                "exposure_time": prepared.time,
                "engagement_time": _event_time(prepared.time, prepared.engage_delay),
                "conversion_time": _event_time(prepared.time, prepared.delay),
                "window_days": prepared.window,
            }
        )
    )


def _event_time(time: np.ndarray, delay: np.ndarray) -> pa.Array:
    """Return the day of an event, NULL if it did not happen."""
    happened = np.isfinite(delay)
    return pa.array(np.where(happened, time + np.where(happened, delay, 0.0), 0.0), mask=~happened)
