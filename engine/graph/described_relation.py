"""The door for edges and events of any size: columns by role, everything checked by aggregates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from engine.errors import DataError, NotEnoughDataError
from engine.first_bad import first_bad
from engine.graph import events_config
from engine.graph.data import SCHEMA
from engine.schema import Column, comma_hint, time_hint
from engine.stripped import stripped

_DAY_SECONDS = 86_400.0
_LAST_DAY = 1e6
_DATE = r"^\d{4}-\d{2}-\d{2}([T ].*)?$"
_WANTED = {
    "weight": "a weight is a finite number of at least 0",
    "time": "a time is an ISO 8601 date or time such as 2020-01-31, or a number of days, one form in all rows",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Rows that passed the checks, on their backend."""

    rows: ir.Table
    """Edges: ``source, target`` (both int64 or both text, different) and, if given, ``weight``. Events: ``user, item``
    (text), ``time`` (float64, days). Rows without an end, and edges from a node to itself, are left out."""
    is_events: bool
    total: int
    """Rows as given."""
    missing: int
    """Rows without a source or target, or without user or item."""
    self_loops: int
    first_day: float | None
    last_day: float | None
    has_dates: bool
    """Whether days count from 1970-01-01."""


def relation_of(table: ir.Table, roles: Mapping[str, str], *, source: str) -> Relation:
    """Name and check the columns of a table of edges, or of events, without reading its rows.

    Parameters
    ----------
    table : ibis table
    roles : mapping of str to str
        Role to column name; other columns keep theirs. Roles are those of `engine.graph.data.SCHEMA` and of
        `engine.graph.events_config.SCHEMA`: a table with ``user, item`` and no ``target`` holds events.
    source : str
        What the messages call the table.

    Returns
    -------
    Relation

    Raises
    ------
    DataError
        If a role is unknown, a column is missing, or a weight or a time is not allowed; names column, value and row.
    NotEnoughDataError
        If no row has both ends.

    Notes
    -----
    One scan. Only the calendar day of a time counts, on the clock that a text is written in; a column of moments with
    a zone is read in UTC. Ids are text without spaces around it, unless both ends of the edges are whole numbers.
    """
    _check_roles(roles, table, source)
    given = dict(roles.items()) | {name: name for name in _known() if name in table.columns and name not in roles}
    is_events = "target" not in given and {"user", "item"} <= given.keys()
    schema = events_config.SCHEMA if is_events else SCHEMA
    for column in schema:
        if column.required and column.name not in given:
            raise _without(column, table, source)
    names = [column.name for column in schema if column.name in given]
    named = table.select(**{name: table[given[name]] for name in names})
    first, second = ("user", "item") if is_events else ("source", "target")
    ends = _ids([named[first], named[second]], as_text=is_events)
    columns: dict[str, ir.Value] = {first: ends[0], second: ends[1]}
    measures: dict[str, ir.Value] = {"total": named.count(), "missing": (ends[0].isnull() | ends[1].isnull()).sum()}
    if not is_events:
        measures["self_loops"] = (ends[0] == ends[1]).sum()
    if "weight" in names:
        columns["weight"] = _number(named.weight)
        measures["bad weight"] = _is_bad_weight(columns["weight"]).sum()
    if "time" in names:
        measures |= _time_measures(named.time)
    facts = named.aggregate(**measures).to_pyarrow().to_pylist()[0]
    count = {name: int(facts.get(name) or 0) for name in ("total", "missing", "self_loops", "bad weight")}
    if count["bad weight"]:
        raise _complaint(named, "weight", _is_bad_weight(columns["weight"]), count["bad weight"], given, source)
    has_dates = _has_dates(facts)
    if "time" in names:
        columns["time"] = _days(named.time, has_dates)
        _check_time(named, facts, has_dates, is_required=is_events, given=given, source=source)
    if count["total"] - count["missing"] - count["self_loops"] < 1:
        raise NotEnoughDataError(
            f"{source} has no row with a value in both '{given[first]}' and '{given[second]}'"
            f"{'' if is_events else ' that differ'} ({count['total']:,} rows in all); at least one is needed."
        )
    rows = named.select(**columns)
    rows = rows.filter(rows[first].notnull() & rows[second].notnull())
    if not is_events:
        rows = rows.filter(rows.source != rows.target).drop(*(("time",) if "time" in names else ()))
    span = [facts.get(f"{end} {'stamp' if has_dates else 'number'}") for end in ("first", "last")]
    return Relation(
        rows=rows,
        is_events=is_events,
        total=count["total"],
        missing=count["missing"],
        self_loops=count["self_loops"],
        first_day=None if span[0] is None else float(span[0]),
        last_day=None if span[1] is None else float(span[1]),
        has_dates=has_dates,
    )


def _known() -> list[str]:
    """Return every role of edges and of events."""
    return list(dict.fromkeys(column.name for column in (*SCHEMA, *events_config.SCHEMA)))


def _listing(table: ir.Table) -> str:
    """List the columns of a table for a message."""
    shown = ", ".join(f"'{name}'" for name in table.columns[:12])
    return shown + (f" and {len(table.columns) - 12} more" if len(table.columns) > 12 else "")


def _check_roles(roles: Mapping[str, str], table: ir.Table, source: str) -> None:
    """Refuse a role that nothing plays, and a column that is not there."""
    for role, name in roles.items():
        if role not in _known():
            raise DataError(f"'--column {role}={name}' names no role of graph data; it has {', '.join(_known())}.")
        if name not in table.columns:
            raise DataError(f"Column '{name}' (for role '{role}') is not in {source}; it has {_listing(table)}.")


def _without(column: Column, table: ir.Table, source: str) -> DataError:
    """Say which column is missing."""
    return DataError(
        f"Column '{column.name}' is missing in {source}; it has {_listing(table)}. Edges need source and target, "
        f"events need user, item and time; name the column that plays this role with --column {column.name}=NAME."
    )


def _ids(ends: Sequence[ir.Value], *, as_text: bool) -> list[ir.Value]:
    """Return ids of one type, NULL where there is none."""
    if not as_text and all(end.type().is_integer() for end in ends):
        return [end.cast("int64") for end in ends]
    return [id_text(end) for end in ends]


def id_text(column: ir.Value) -> ir.Value:
    """Write an id as a training reads it: a whole number without a decimal point, text without spaces around it."""
    kind = column.type()
    if kind.is_null():
        return ibis.null("string")
    if kind.is_floating():
        number = column.cast("float64").nullif(float("nan"))
        is_whole = (number == _floor(number, 2.0**53)) & (number.abs() < 2**53)
        return ibis.ifelse(is_whole, number.try_cast("int64").cast("string"), number.cast("string"))
    text = column.cast("string")
    return (text if kind.is_numeric() or kind.is_boolean() or kind.is_temporal() else stripped(text)).nullif("")


def _floor(number: ir.Value, most: float) -> ir.Value:
    """Return the whole part of a float, of one beyond `most` that of the bound: DuckDB fails beyond 64 bits."""
    return number.clip(-most, most).floor()


def _number(column: ir.Value) -> ir.Value:
    """Return float64, NULL for NaN and for text that is no number."""
    if column.type().is_string():
        return stripped(column).nullif("").try_cast("float64").nullif(float("nan"))
    return column.cast("float64").nullif(float("nan"))


def _is_bad_weight(weight: ir.Value) -> ir.Value:
    """Tell where a weight is not allowed; a missing one is, too: it would vanish in a sum."""
    return weight.isnull() | (weight < 0) | weight.isinf()


def _stamp(column: ir.Value) -> ir.Value:
    """Return days since 1970-01-01 of the calendar day, NULL where there is no date."""
    if column.type().is_string():
        text = stripped(column)
        date = ibis.ifelse(text.re_search(_DATE), text.substr(0, 10), ibis.null("string")).try_cast("date")
    else:
        date = column.cast("date")
    return date.cast("timestamp").epoch_seconds().cast("float64") / _DAY_SECONDS


def _time_measures(column: ir.Value) -> dict[str, ir.Value]:
    """Return what tells how times are written, and their span."""
    kind = column.type()
    present = stripped(column).nullif("") if kind.is_string() else column
    forms: dict[str, ir.Value] = {}
    if kind.is_string() or kind.is_numeric():
        forms["number"] = _number(column).nullif(float("inf")).nullif(-float("inf"))
    if kind.is_string() or kind.is_temporal():
        forms["stamp"] = _stamp(column)
    measures: dict[str, ir.Value] = {"times": present.count()}
    for name, value in forms.items():
        measures |= {f"n {name}": value.count(), f"first {name}": value.min(), f"last {name}": value.max()}
    return measures


def _has_dates(facts: Mapping[str, float | None]) -> bool:
    """Tell whether times are dates: where more of them can be read as such."""
    return (facts.get("n stamp") or 0) > (facts.get("n number") or 0)


def _days(column: ir.Value, has_dates: bool) -> ir.Value:
    """Return the day of a time as float64, NULL where it cannot be read."""
    if column.type().is_null():
        return ibis.null("float64")
    return _stamp(column) if has_dates else _floor(_number(column), 2 * _LAST_DAY)


def _check_time(
    named: ir.Table,
    facts: Mapping[str, float | None],
    has_dates: bool,
    *,
    is_required: bool,
    given: Mapping[str, str],
    source: str,
) -> None:
    """Refuse times that cannot be read, that are no days, or that are missing where events need them."""
    days = _days(named.time, has_dates)
    far = days.abs() > _LAST_DAY
    bad = (days.isnull() | far) if is_required else (far | (days.isnull() & named.time.cast("string").notnull()))
    form = "stamp" if has_dates else "number"
    read = int(facts.get(f"n {form}") or 0)
    wanted = int(facts["total"] or 0) if is_required else int(facts["times"] or 0)
    ends = [abs(facts[name] or 0.0) for name in (f"first {form}", f"last {form}") if facts.get(name) is not None]
    if read < wanted or any(end > _LAST_DAY for end in ends):
        count = int(named.aggregate(n=bad.sum()).to_pyarrow().to_pylist()[0]["n"] or 0)
        if count:
            raise _complaint(named, "time", bad, count, given, source)


def _complaint(
    named: ir.Table, name: str, bad: ir.Value, count: int, given: Mapping[str, str], source: str
) -> DataError:
    """Look up the first bad value of a column and say what it is."""
    first = first_bad(named, named[name], bad.fill_null(True))
    more = f" ({count:,} such rows)" if count > 1 else ""
    hint = time_hint(first.value) if name == "time" else comma_hint(first.value)
    return DataError(
        f"Column '{given[name]}' of {source} has {first.shown} in data row {first.row}{more}; {_WANTED[name]}. "
        f"{hint or 'Correct or drop the rows.'}"
    )
