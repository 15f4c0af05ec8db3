"""Column schemas: one table is validated once, at the door, and trusted from there on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from engine.errors import DataError

ColumnKind = Literal["id", "category", "number", "integer", "binary", "time"]

YES = ("1", "1.0", "true", "t", "yes", "y")
NO = ("0", "0.0", "false", "f", "no", "n")
_DAY = pd.Timedelta(days=1)
_EPOCH = pd.Timestamp("1970-01-01", tz="UTC")
LAST_DAY = 1e6
"""Days beyond this are not days: 20200131, or seconds since 1970."""
TIME_WANTED = "an ISO 8601 date (2020-01-31) or a number of days up to 1,000,000, not 20200131 and not seconds"
_SINCE_1970 = {"seconds": 86_400, "milliseconds": 86_400_000, "microseconds": 86_400_000_000}
"""Units of time and how many make a day."""
_YEARS = (3_650, 40_000)
"""Days since 1970 that data of today may have: from 1980 to 2079."""
_MANY = 0.01
"""Share of the numbers that have to be beyond 1 to look like percent: fewer are mistakes."""
_EXACT = 2.0**53
"""Largest float up to which every whole number has its own float."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column of an input table has to be."""

    name: str
    kind: ColumnKind
    required: bool = True
    """A required column must exist and have no missing value."""
    unit: str = ""
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None


def validate(frame: pd.DataFrame, columns: Sequence[Column], *, source: str) -> pd.DataFrame:
    """Check a table against its schema and return a copy with exact types.

    Parameters
    ----------
    frame : DataFrame
        Columns already carry role names (see `engine.tables.apply_roles`). Columns without a schema stay as
        they are, behind the described ones.
    columns : sequence of Column
        The schema.
    source : str
        What the messages call the table, for example a file name.

    Returns
    -------
    DataFrame
        ``id`` and ``category`` as str (missing category: ``"missing"``), ``number`` and ``time`` as float64
        (times in days; text is read as ISO 8601 and counted from 1970-01-01, UTC where a zone is given),
        ``integer`` and ``binary`` as int64. An ``integer`` column with missing values stays float64.

    Raises
    ------
    DataError
        If the table has no rows or two columns of one name, a required column is absent, or a value is missing,
        of the wrong type, not finite or out of range; the message names the column, the first bad row and its
        value. An id may never be missing: two rows without one are not the same thing.
    """
    frame = frame.reset_index(drop=True)
    if len(frame) == 0:
        raise DataError(f"{source} has no rows; at least one row is needed.")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DataError(f"{source} has more than one column '{twice[0]}'; make the names unique.")
    missing = [column.name for column in columns if column.required and column.name not in frame.columns]
    if missing:
        raise DataError(
            f"Column '{missing[0]}' is missing in {source}; it has {_listing(frame.columns)}. "
            f"Name the column that plays this role with --column {missing[0]}=NAME."
        )
    typed = {
        column.name: _convert(frame[column.name], column, source) for column in columns if column.name in frame.columns
    }
    others = [name for name in frame.columns if name not in typed]
    return pd.DataFrame(typed, index=frame.index).join(frame[others])


def _convert(values: pd.Series, column: Column, source: str) -> pd.Series:
    """Convert one column to the type of its kind."""
    if column.kind in ("id", "category"):
        return _text(values, column, source)
    if column.kind == "binary":
        return _binary(values, column, source)
    numbers = _days(values, column, source) if column.kind == "time" else _number(values, column, source)
    _check_present(numbers.notna().to_numpy(), values, column, source)
    _check_range(numbers, values, column, source)
    if column.kind == "integer":
        present = numbers.to_numpy()
        whole = np.isnan(present) | (present == np.floor(present))
        _reject_first(~whole, values, column, source, "a whole number")
        return numbers.astype("int64") if numbers.notna().all() else numbers
    return numbers


def _text(values: pd.Series, column: Column, source: str) -> pd.Series:
    """Read ids and categories as text; a float id such as 12.0 becomes ``"12"``."""
    present = values.notna()
    if pd.api.types.is_float_dtype(values.dtype):
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        _reject_first(np.isinf(numbers), values, column, source, "text or a whole number")
        known = numbers[present.to_numpy()]
        whole = bool(np.all((known == np.floor(known)) & (np.abs(known) <= _EXACT)))
        text = values.astype("Int64").astype("string") if whole else values.astype("string")
    else:
        text = values.astype("string").str.strip()
    empty = ~present | (text.fillna("") == "")
    if column.kind == "id" or column.required:
        _reject_first(empty.to_numpy(dtype=bool), values, column, source, "a value in every row")
    return text.mask(empty, "missing").astype("object").astype(str)


def _binary(values: pd.Series, column: Column, source: str) -> pd.Series:
    """Read a yes/no column: 0/1, true/false, yes/no."""
    text = values.astype("string").str.strip().str.lower()
    _check_present(values.notna().to_numpy(), values, column, source)
    yes = text.isin(YES).to_numpy(dtype=bool)
    no = text.isin(NO).to_numpy(dtype=bool)
    bad = ~(yes | no)
    if bad.any():
        counts = values.astype("string").str.strip().value_counts()
        hint = label_hint({str(value): int(count) for value, count in counts.items()})
        _reject_first(bad, values, column, source, "0 or 1 (or true/false, yes/no)", hint)
    return pd.Series(yes.astype("int64"), index=values.index, name=column.name)


def _number(values: pd.Series, column: Column, source: str) -> pd.Series:
    """Read a numeric column; infinities are refused, missing values become NaN."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype) or pd.api.types.is_timedelta64_dtype(values.dtype):
        raise DataError(f"Column '{column.name}' of {source} holds dates or durations; allowed are numbers.")
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    unreadable = numbers.isna() & values.notna() & (values.astype("string").str.strip() != "")
    hint = comma_hint(values[unreadable].iloc[0]) if unreadable.any() else ""
    wanted = "a number with a decimal point" if hint else "a number"
    _reject_first(unreadable.to_numpy(dtype=bool), values, column, source, wanted, hint)
    _reject_first(np.isinf(numbers.to_numpy()), values, column, source, "a finite number")
    return numbers


def _days(values: pd.Series, column: Column, source: str) -> pd.Series:
    """Read times as float days and refuse what cannot be days."""
    days = _days_unchecked(values, column, source)
    # NaN compares false, so missing times pass.
    too_far = (days.abs() > LAST_DAY).to_numpy()
    hint = time_hint(values[too_far].iloc[0]) if too_far.any() else ""
    _reject_first(too_far, values, column, source, TIME_WANTED, hint)
    return days


def _days_unchecked(values: pd.Series, column: Column, source: str) -> pd.Series:
    """Read times as float days; text is ISO 8601, numbers are days already."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        stamps = pd.to_datetime(values, utc=True)
    elif pd.api.types.is_numeric_dtype(values.dtype):
        return _number(values, column, source)
    else:
        text = values.astype("string").str.strip().replace("", pd.NA)
        as_number = pd.to_numeric(text, errors="coerce")
        if as_number.notna().sum() == text.notna().sum():
            return _number(text, column, source)
        stamps = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
        unreadable = (stamps.isna() & text.notna()).to_numpy(dtype=bool)
        hint = time_hint(values[unreadable].iloc[0]) if unreadable.any() else ""
        _reject_first(unreadable, values, column, source, "an ISO 8601 date or time, or a number of days", hint)
    return (stamps - _EPOCH) / _DAY


def time_hint(value: Any) -> str:
    """Say how a time that is not allowed may have been meant, and what to do; empty if nothing fits.

    Parameters
    ----------
    value : Any
        The first time beyond `LAST_DAY`, or the first that cannot be read, as given.
    """
    if re.fullmatch(r"\s*\d{1,2}([./-])\d{1,2}\1(\d{4}|\d{2})\b.*", str(value)):
        return "It looks like a date in another order: write 2020-01-31 for 31.01.2020 and for 1/31/2020."
    try:
        number = float(value)
    except (TypeError, ValueError):
        return ""
    if re.fullmatch(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\.0)?", str(value).strip()):
        return "It looks like a compact date: write 2020-01-31 for 20200131."
    for unit, per_day in _SINCE_1970.items():
        if _YEARS[0] <= number / per_day <= _YEARS[1]:
            return f"It looks like {unit} since 1970: divide the column by {per_day:,}, or write dates."
    unit, per_day = next(((unit, n) for unit, n in _SINCE_1970.items() if abs(number) / n <= _YEARS[1]), ("", 0))
    return f"If the column holds {unit}, divide it by {per_day:,}." if abs(number) > LAST_DAY and unit else ""


def mixed_forms(source: str, is_dated: Mapping[str, bool]) -> str:
    """Say which columns hold dates, as told of each that has a time, and which numbers; empty if all are alike."""
    dates, numbers = ([f"'{name}'" for name, dated in is_dated.items() if dated == form] for form in (True, False))
    if not dates or not numbers:
        return ""
    return (
        f"Times of {source} are dates in {' and '.join(dates)} but numbers in {' and '.join(numbers)}; give them one "
        "form: dates in all columns, or numbers of days in all."
    )


def comma_hint(value: Any) -> str:
    """Say what to do about a number such as 3,14; empty for any other value."""
    if not re.fullmatch(r"\s*[-+]?\d+,\d+\s*", str(value)):
        return ""
    return "It has a decimal comma: write the whole column with decimal points, 3.14 for 3,14."


def percent_hint(column: Column, minimum: float, maximum: float, *, share_beyond: float) -> str:
    """Say so if numbers that should lie between 0 and 1 look like percent, as many are beyond 1; else empty."""
    is_share = column.minimum == 0 and column.maximum == 1
    if not is_share or not 0 <= minimum <= maximum <= 100 or maximum <= 1.5 or share_beyond < _MANY:
        return ""
    return f"Its largest is {maximum:g}, so that it looks like percent: divide the column by 100."


def label_hint(counts: Mapping[str, int]) -> str:
    """Name the values of a label that is neither 0/1 nor yes/no, with their counts; empty without any.

    Parameters
    ----------
    counts : mapping of str to int
        Values as written to rows, the most frequent first.
    """
    if not counts:
        return ""
    named = ", ".join(f"'{value[:20]}' ({count:,})" for value, count in list(counts.items())[:6])
    more = ", and more" if len(counts) > 6 else ""
    then = (
        "write 1 for the one that counts as positive and 0 for the other"
        if len(counts) == 2
        else "name a column of two values"
    )
    return f"It holds {named}{more}: {then}."


def _check_present(present: np.ndarray, values: pd.Series, column: Column, source: str) -> None:
    """Refuse missing values in a required column."""
    if column.required:
        _reject_first(~np.asarray(present, dtype=bool), values, column, source, "a value in every row")


def _check_range(numbers: pd.Series, values: pd.Series, column: Column, source: str) -> None:
    """Refuse values outside [minimum, maximum]."""
    array = numbers.to_numpy()
    if column.minimum is not None:
        _reject_first(array < column.minimum, values, column, source, f"at least {column.minimum:g}")
    if column.maximum is not None:
        known = array[np.isfinite(array)]
        share = float((known > column.maximum).mean()) if known.size else 0.0
        hint = percent_hint(column, float(known.min()), float(known.max()), share_beyond=share) if share else ""
        _reject_first(array > column.maximum, values, column, source, f"at most {column.maximum:g}", hint)


def _reject_first(
    bad: np.ndarray, values: pd.Series, column: Column, source: str, allowed: str, hint: str = ""
) -> None:  # the hint says what to do instead of dropping rows
    """Raise for the first bad row, if there is one, and count the rest."""
    rows = np.flatnonzero(bad)
    if len(rows) == 0:
        return
    more = f" ({len(rows):,} rows in all)" if len(rows) > 1 else ""
    raise DataError(
        f"Column '{column.name}' of {source} has {_show(values.iloc[rows[0]])} in data row {rows[0] + 1}{more}; "
        f"allowed is {allowed}{f', in {column.unit}' if column.unit else ''}. {hint or 'Correct or drop the row.'}"
    )


def _show(value: Any) -> str:
    """Quote a value for a message, shortened."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)) or str(value).strip() == "":
        return "no value"
    text = str(value)
    return f"'{text[:40]}…'" if len(text) > 40 else f"'{text}'"


def _listing(names: Sequence[Any] | pd.Index) -> str:
    """List column names for a message, at most twelve."""
    shown = ", ".join(f"'{name}'" for name in list(names)[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")
