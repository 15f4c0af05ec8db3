"""What may be wrong with exposures of any size: counted in one scan, and said of the first row."""

from __future__ import annotations

from collections.abc import Mapping

import ibis.expr.types as ir
import numpy as np

from engine.delay.arrival import ALL_SEGMENTS, TAKEN_SEGMENT
from engine.delay.data import LATER
from engine.errors import DataError, NotEnoughDataError
from engine.first_bad import first_bad
from engine.schema import LAST_DAY, TIME_WANTED, time_hint

MAX_SEGMENTS = 200
_CORRECT = "Correct or drop the row."


def checks(table: ir.Table) -> dict[str, ir.Value]:
    """Return every check as one measure of one scan.

    Parameters
    ----------
    table : ibis table
        Columns as in `engine.delay.relation.Log.exposures`, and ``window_unreadable``.

    Returns
    -------
    dict of str to ibis value
    """
    measures: dict[str, ir.Value] = {
        "rows": table.count(),
        "conversions": table.conversion_time.count(),
        "no exposure_time": table.exposure_time.isnull().sum(),
        "first": table.exposure_time.min(),
        "last": table.exposure_time.max(),
        "longest": table.window_days.max(),
        "bad window_days": _is_bad_window(table).sum(),
        "segments": table.segment.nunique(),
        "taken segment": (table.segment == ALL_SEGMENTS).sum(),
        "far exposure_time": _is_far(table.exposure_time).sum(),
    }
    for name in LATER:
        measures |= {
            f"last_{name}": table[name].max(),
            f"early {name}": _is_early(table, name).sum(),
            f"far {name}": _is_far(table[name]).sum(),
        }
    if "unit" in table.columns:
        measures["no unit"] = table.unit.isnull().sum()
    return measures


def refuse(facts: Mapping[str, float | None], table: ir.Table, given: Mapping[str, str], source: str) -> None:
    """Turn a failed check into its sentence.

    Parameters
    ----------
    facts : mapping
        What `checks` measured.
    table : ibis table
        As in `checks`, with every given column as it came as ``raw_ROLE``.
    given : mapping of str to str
        Role to the name of its column.
    source : str
        What the messages call the table.

    Raises
    ------
    DataError, NotEnoughDataError
        If a check failed.
    """
    count = {name: int(value) for name, value in facts.items() if value is not None and np.isfinite(value)}
    if count["rows"] == 0:
        raise NotEnoughDataError(f"{source} has no rows; at least one exposure is needed.")

    def told(role: str, bad: ir.Value, number: int, wanted: str, then: str = "") -> DataError:
        first = first_bad(table, table[f"raw_{role}"], bad)
        hint = time_hint(first.value) if role.endswith("_time") else ""
        return DataError(
            f"Column '{given[role]}' of {source} has {first.shown} in data row {first.row}{more(number)}; allowed is "
            f"{wanted}. {then or hint or _CORRECT}"
        )

    for role in ("exposure_time", "unit"):
        if count.get(f"no {role}", 0):
            raise told(role, table[role].isnull(), count[f"no {role}"], "a value in every row")
    for role in ("exposure_time", *LATER):
        if count.get(f"far {role}", 0):
            raise told(role, _is_far(table[role]), count[f"far {role}"], TIME_WANTED)
    for role in LATER:
        if count.get(f"early {role}", 0):
            raise _early(table, role, count[f"early {role}"], given, source)
    if count.get("bad window_days", 0):
        raise told(
            "window_days",
            _is_bad_window(table),
            count["bad window_days"],
            f"a number of days from 0.01 to {LAST_DAY:,.0f}",
        )
    _refuse_segments(count, given, source)


def _early(table: ir.Table, role: str, number: int, given: Mapping[str, str], source: str) -> DataError:
    """Say of an event before its exposure by how much it is."""
    first = first_bad(table, table.exposure_time - table[role], _is_early(table, role))
    days = float(first.value or 0)
    noun = "day" if days == 1 else "days"
    return DataError(
        f"Column '{given[role]}' of {source} is {days:g} {noun} before '{given['exposure_time']}' in data row "
        f"{first.row}{more(number)}; an event cannot precede its exposure. {_CORRECT}"
    )


def _refuse_segments(count: Mapping[str, int], given: Mapping[str, str], source: str) -> None:
    """Turn too many segments, or one with a name that is taken, into its sentence."""
    if count["segments"] > MAX_SEGMENTS:
        raise DataError(
            f"Column '{given['segment']}' of {source} has {count['segments']:,} values; at most {MAX_SEGMENTS} are "
            "described. Name a coarser column with --column segment=NAME."
        )
    if count.get("taken segment", 0):
        raise DataError(TAKEN_SEGMENT.format(source, ALL_SEGMENTS))


def _is_far(days: ir.Value) -> ir.Value:
    return days.abs() > LAST_DAY


def _is_early(table: ir.Table, role: str) -> ir.Value:
    return table[role] < table.exposure_time


def _is_bad_window(table: ir.Table) -> ir.Value:
    return (table.window_days < 0.01) | _is_far(table.window_days) | table.window_unreadable


def more(number: int) -> str:
    """Say how many rows there are beyond one."""
    return f" ({number:,} rows in all)" if number > 1 else ""
