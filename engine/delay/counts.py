"""The aggregates that every curve of labels over time comes from, one Ibis expression per table."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import pandas as pd
import pyarrow as pa
from ibis import Deferred, _

EXIT_COLUMNS = ("segment", "cohort", "engage_bin", "exit_bin", "converted", "n")
UNIT_COLUMNS = ("segment", "unit_group", "exit_bin", "converted", "n")
DAY_COLUMNS = ("as_of", "segment", "exposures", "matured", "positives_final")
NEVER = -1
"""Bin of an engagement that did not happen by the day looked at."""
_HEX_DIGITS = 2
"""Digits of a unit's digest that name its group: 256 groups."""


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
    exits = exits_of(exposures, as_of=as_of, step_days=step_days, horizon_bin=horizon_bin)
    return _counted(_with_cohort(exits, step_days), EXIT_COLUMNS)


def unit_exit_counts(exposures: ibis.Table, *, as_of: float, step_days: float, horizon_bin: int) -> ibis.Table:
    """Count exposures as `exit_counts` does, by groups of whole units in place of cohort and engagement.

    Parameters
    ----------
    exposures : ibis.Table
        As for `exit_counts`, with a column ``unit`` (text).
    as_of, step_days, horizon_bin
        As for `exit_counts`.

    Returns
    -------
    ibis.Table
        Columns `UNIT_COLUMNS`. ``unit_group`` is the start of the unit's MD5 digest: 256 groups that are as good as
        drawn at random, and the same ones on every backend. Their number bounds the size of the table.
    """
    exits = exits_of(exposures, as_of=as_of, step_days=step_days, horizon_bin=horizon_bin)
    return _counted(exits.mutate(unit_group=_.unit.hexdigest("md5").left(_HEX_DIGITS)), UNIT_COLUMNS)


def exit_counts_by_day(
    exposures: ibis.Table, days: Sequence[float], *, step_days: float, horizon_bin: int
) -> ibis.Table:
    """Count exposures as `exit_counts` does, as of several days in one scan.

    Parameters
    ----------
    exposures : ibis.Table
        As for `exit_counts`.
    days : sequence of float
    step_days, horizon_bin
        As for `exit_counts`.

    Returns
    -------
    ibis.Table
        Column ``as_of`` and `EXIT_COLUMNS`; a day before the first exposure has no row.
    """
    looked = exposures.cross_join(ibis.memtable(pa.table({"as_of": [float(day) for day in days]})))
    exits = exits_of(looked, as_of=_.as_of, step_days=step_days, horizon_bin=horizon_bin)
    return _counted(_with_cohort(exits, step_days), ("as_of", *EXIT_COLUMNS))


def day_counts(exposures: ibis.Table, days: Sequence[float], *, final_day: float) -> ibis.Table:
    """Count, for several days at once, the exposures so far, those with their window over, and the final positives.

    Parameters
    ----------
    exposures : ibis.Table
        As for `exit_counts`.
    days : sequence of float
    final_day : float
        Day on which final labels are read.

    Returns
    -------
    ibis.Table
        One row per ``segment`` with columns ``exposures_0, matured_0, positives_0, exposures_1 …``, numbered as
        `days`: one scan whatever their number. `collect_days` makes rows of them.
    """
    delay = _.conversion_time - _.exposure_time
    final = ((delay <= _.window_days) & (delay <= final_day - _.exposure_time)).fill_null(False)
    measures = {}
    for place, day in enumerate(days):
        there = _.exposure_time < day
        measures[f"exposures_{place}"] = there.sum()
        measures[f"matured_{place}"] = (there & (day - _.exposure_time >= _.window_days)).sum()
        measures[f"positives_{place}"] = (there & final).sum()
    return exposures.group_by("segment").aggregate(**measures).order_by("segment")


def exits_of(exposures: ibis.Table, *, as_of: float | Deferred, step_days: float, horizon_bin: int) -> ibis.Table:
    """Add when every exposure made before a day leaves the risk set, and whether by converting.

    Parameters
    ----------
    exposures, as_of, step_days, horizon_bin
        As for `exit_counts`.

    Returns
    -------
    ibis.Table
        One row per exposure made before the day, with ``age``, ``complete`` (its window is over), ``lived_bin`` and
        ``event_bin`` (last whole bin lived through, bin of the conversion), ``exit_bin`` and ``converted``.
    """
    timed = exposures.filter(_.exposure_time < as_of).mutate(
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
    return flagged.mutate(
        exit_bin=ibis.ifelse(
            _.converted,
            ibis.least(_.event_bin, horizon_bin),
            ibis.ifelse(_.complete, horizon_bin, ibis.least(_.lived_bin, horizon_bin)),
        ),
        converted=_.converted.cast("int64"),
    )


def _with_cohort(exits: ibis.Table, step_days: float) -> ibis.Table:
    """Add the week of the exposure and the bin of the engagement."""
    return exits.mutate(
        cohort=(_.exposure_time / 7.0).floor() * 7.0,
        engage_bin=ibis.ifelse(
            _.engaged.fill_null(False), (_.engage_delay / step_days - 1e-9).ceil().cast("int64"), NEVER
        ),
    )


def _counted(exits: ibis.Table, columns: tuple[str, ...]) -> ibis.Table:
    """Count rows by all columns but the last, which is their number."""
    keys = list(columns[:-1])
    return exits.group_by(keys).aggregate(n=_.count()).order_by(keys)


def collect(expression: ibis.Table) -> pd.DataFrame:
    """Run an aggregate of exits and return it as a small frame with whole-number bins."""
    table = expression.to_pyarrow().to_pandas()
    types = {name: "int64" for name in ("engage_bin", "exit_bin", "converted", "n")}
    types |= {"cohort": "float64", "segment": "object", "unit_group": "object"}
    return table.astype({name: kind for name, kind in types.items() if name in table.columns})


def collect_days(expression: ibis.Table, days: Sequence[float]) -> pd.DataFrame:
    """Run `day_counts` and return one row per day and segment, columns `DAY_COLUMNS`."""
    wide = expression.to_pyarrow().to_pandas()
    parts = [
        pd.DataFrame(
            {
                "as_of": float(day),
                "segment": wide["segment"].astype(object),
                "exposures": wide[f"exposures_{place}"].astype("int64"),
                "matured": wide[f"matured_{place}"].astype("int64"),
                "positives_final": wide[f"positives_{place}"].astype("int64"),
            }
        )
        for place, day in enumerate(days)
    ]
    return pd.concat(parts, ignore_index=True)
