"""The door for exposures of any size: columns by role, times as days, everything checked by aggregates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ibis

from engine.delay.data import LATER, SCHEMA
from engine.delay.relation_checks import checks, more, refuse
from engine.errors import DataError
from engine.first_bad import first_bad
from engine.schema import mixed_forms, time_hint
from engine.stripped import stripped

_DAY_SECONDS = 86_400.0
_WRITTEN_OUT = 1e15
"""Whole numbers below are written without an exponent."""
_INSTANT = "timestamp('UTC')"
"""A moment: an offset in the text counts, and text without one is UTC. A plain timestamp would drop the offset."""
_REQUIRED = ("exposure_time", "conversion_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Exposures that passed the checks, on their backend."""

    exposures: ibis.Table
    """Columns ``segment, exposure_time, engagement_time, conversion_time, window_days`` and, if given, ``unit``."""
    rows: int
    conversions: int
    """Rows with a conversion, also after the window."""
    first_day: float
    last_day: float
    """Last day in any time column: up to then a missing conversion means none."""
    longest_window: float
    has_dates: bool
    """Whether days count from 1970-01-01."""


def exposures_of(table: ibis.Table, roles: Mapping[str, str], *, source: str, attribution_days: float) -> Log:
    """Name and check the columns of a table of exposures without reading its rows.

    Parameters
    ----------
    table : ibis.Table
    roles : mapping of str to str
        Role to column name; other columns keep theirs. Roles are those of `engine.delay.data.SCHEMA`.
    source : str
        What the messages call the table.
    attribution_days : float
        Window of rows without ``window_days``.

    Returns
    -------
    Log

    Raises
    ------
    DataError
        If a role is unknown, a column is missing, a time cannot be read (ISO 8601, or a number of days), an event
        comes before its exposure, a window is not positive, a unit or an exposure time is missing, there are more
        than 200 segments, or one has the name that stands for all.
    NotEnoughDataError
        If there is no row.

    Notes
    -----
    Times with a clock are read to the second at least, as moments: an offset counts, without one they are UTC. At most
    two scans: one that tells how times given as text are written, and one for all checks.
    """
    given = _given(table, roles, source)
    named = table.select(**{role: table[name] for role, name in given.items()})
    times, has_dates = _times_as_days(named, given, source)
    columns = {name: times.get(name, ibis.null("float64")) for name in ("exposure_time", *LATER)}
    window = _number(named["window_days"]) if "window_days" in given else ibis.null("float64")
    is_text = "window_days" in given and named["window_days"].type().is_string()
    unreadable = _text(named["window_days"]).notnull() & window.isnull() if is_text else ibis.literal(False)
    segment = _name(named["segment"]).fill_null("missing") if "segment" in given else "all exposures"
    columns |= {
        "segment": segment if isinstance(segment, ibis.Value) else ibis.literal(segment),
        "window_days": window.fill_null(attribution_days),
        "window_unreadable": unreadable,
    }
    if "unit" in given:
        columns["unit"] = _name(named["unit"])
    exposures = named.select(**columns)
    facts = exposures.aggregate(**checks(exposures)).to_pyarrow().to_pylist()[0]
    refuse(facts, named.select(**columns, **{f"raw_{role}": named[role] for role in given}), given, source)
    return Log(
        exposures=exposures.drop("window_unreadable", "visit_time"),
        rows=int(facts["rows"]),
        conversions=int(facts["conversions"]),
        first_day=float(facts["first"]),
        last_day=float(max(facts[name] for name in ("last", *(f"last_{n}" for n in LATER)) if facts[name] is not None)),
        longest_window=float(facts["longest"]),
        has_dates=has_dates,
    )


def _given(table: ibis.Table, roles: Mapping[str, str], source: str) -> dict[str, str]:
    """Return the column that plays each role, and say which is missing."""
    known = [column.name for column in SCHEMA]
    listing = ", ".join(f"'{name}'" for name in table.columns[:12])
    for role, name in roles.items():
        if role not in known:
            raise DataError(f"'--column {role}={name}' names no role of delay data; it has {', '.join(known)}.")
        if name not in table.columns:
            raise DataError(f"Column '{name}' (for role '{role}') is not in {source}; it has {listing}.")
    taken = {name: name for name in known if name in table.columns} | dict(roles)
    for role in _REQUIRED:
        if role not in taken:
            raise DataError(
                f"Column '{role}' is missing in {source}; it has {listing}. "
                f"Name the column that plays this role with --column {role}=NAME."
            )
    return taken


def _times_as_days(table: ibis.Table, given: Mapping[str, str], source: str) -> tuple[dict[str, ibis.Value], bool]:
    """Return the time columns as float days, and whether they came as dates."""
    names = [name for name in ("exposure_time", *LATER) if name in table.columns]
    written = _written(table, [name for name in names if table[name].type().is_string()], given, source)
    days: dict[str, ibis.Value] = {}
    dated: dict[str, bool | None] = {}
    for name in names:
        column, kind = table[name], table[name].type()
        if kind.is_null() or (kind.is_unknown() and '"NULL"' in str(kind)):  # as DuckDB has it from Parquet
            days[name], dated[name] = ibis.null("float64"), None
        elif kind.is_numeric():
            days[name], dated[name] = _number(column), False
        elif kind.is_string():
            dated[name] = written[name]
            text = _text(column)
            days[name] = _days(_as_moment(text)) if dated[name] else _number(text)
        elif kind.is_timestamp() or kind.is_date():
            days[name], dated[name] = _days(column.cast("timestamp")), True
        elif kind.is_unknown() and "TIMESTAMPTZ" in str(kind):  # nanoseconds with a zone, which Ibis cannot name
            days[name], dated[name] = _days(column.cast(_INSTANT)), True
        else:
            raise DataError(
                f"Column '{given[name]}' of {source} is of type {kind}; allowed are dates, or numbers of days."
            )
    forms = {name: form for name, form in dated.items() if form is not None}
    if len({*forms.values()}) > 1:  # a column of either type without a time has no form
        present = table.aggregate(**{name: days[name].count() for name in forms}).to_pyarrow().to_pylist()[0]
        forms = {name: form for name, form in forms.items() if present[name]}
    if mixed := mixed_forms(source, {given[name]: form for name, form in forms.items()}):
        raise DataError(mixed)
    return days, {*forms.values()} == {True}


def _written(table: ibis.Table, names: list[str], given: Mapping[str, str], source: str) -> dict[str, bool | None]:
    """Tell for times given as text whether they are dates (True) or numbers; None for an empty column."""
    if not names:
        return {}
    measures: dict[str, ibis.Value] = {}
    for name in names:
        text = _text(table[name])
        number, stamp = _as_number(text).notnull(), _as_moment(text).notnull()
        measures |= {
            f"{name} all": text.count(),
            f"{name} number": number.sum(),
            f"{name} stamp": stamp.sum(),
        }
    found = table.aggregate(**measures).to_pyarrow().to_pylist()[0]
    kinds: dict[str, bool | None] = {}
    for name in names:
        total, numbers, stamps = (int(found[f"{name} {part}"] or 0) for part in ("all", "number", "stamp"))
        if total not in (numbers, stamps):
            raise _unreadable(table, name, total - max(numbers, stamps), numbers > stamps, given, source)
        kinds[name] = None if total == 0 else numbers < total
    return kinds


def _unreadable(
    table: ibis.Table, name: str, count: int, as_numbers: bool, given: Mapping[str, str], source: str
) -> DataError:
    """Say which time is not written as most of its column are."""
    text = _text(table[name])
    read = _as_number(text) if as_numbers else _as_moment(text)
    first = first_bad(table, table[name], text.notnull() & read.isnull())
    return DataError(
        f"Column '{given[name]}' of {source} has {first.shown} in data row {first.row}{more(count)}; allowed is an ISO "
        f"8601 date or time, or a number of days. {time_hint(first.value) or 'Correct or drop the row.'}"
    )


def _text(column: ibis.Value) -> ibis.Value:
    """Return text without spaces around it, NULL if nothing is left or it says that there is no number."""
    text = stripped(column)
    return ibis.ifelse(text.lower().isin(["", "nan"]), None, text)


def _as_number(text: ibis.Value) -> ibis.Value:
    """Read text as float64; Java reads "1d" and "1f" as numbers, too."""
    return ibis.ifelse(text.re_search(r"[\d.][dDfF]$"), None, text).try_cast("float64")


def _as_moment(text: ibis.Value) -> ibis.Value:
    """Read text as a moment; Spark reads a year, a month, or a time of this very day as one, too."""
    return ibis.ifelse(text.re_search(r"\d[-/]\d+[-/]\d"), text, None).try_cast(_INSTANT)


def _number(column: ibis.Value) -> ibis.Value:
    """Return float64, NULL for NaN and for text that is no number."""
    number = _as_number(_text(column)) if column.type().is_string() else column.cast("float64")
    return number.nullif(float("nan"))


def _name(column: ibis.Value) -> ibis.Value:
    """Return text; whole numbers as every engine writes them, which they do not from ten million on."""
    if not column.type().is_floating():
        return column.cast("string")
    number = column.cast("float64")
    is_whole = (number % 1 == 0) & (number.abs() < _WRITTEN_OUT)
    whole = ibis.ifelse(is_whole, number, 0.0).try_cast("int64").cast("string").concat(".0")
    return ibis.ifelse(number.isnan(), None, ibis.ifelse(is_whole, whole, number.cast("string")))


def _days(stamp: ibis.Value) -> ibis.Value:
    """Return days since 1970-01-01, with parts of a second, which Spark leaves out of the seconds it counts."""
    if stamp.get_backend().name == "pyspark":
        seconds = stamp.cast(_INSTANT).cast("float64")
    else:
        seconds = stamp.epoch_seconds().cast("float64")
    return seconds / _DAY_SECONDS
