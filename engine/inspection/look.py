"""What one column looks like in the first rows of a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.tables import MISSING

ColumnType = Literal["text", "number", "integer", "boolean", "date", "empty"]
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}(:?\d{2}(:?\d{2}([.,]\d+)?)?)?\s*(Z|[+-]\d{2}(:?\d{2})?)?)?", re.IGNORECASE
)
_MOST = 0.5
_BOOLEANS = frozenset(("true", "false", "yes", "no", "t", "f", "y", "n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnLook:
    """One column as the first rows show it."""

    name: str
    type: ColumnType
    missing_in_preview: int
    distinct_in_preview: int
    """Different values, missing ones not counted."""
    example: str
    """First value that is not missing, at most 60 signs."""
    is_nearly_date: bool = False
    """Whether most values, but not all, are dates."""


def look_at(name: str, values: Sequence[str | None]) -> ColumnLook:
    """Tell the type of a column from values as they are written.

    Parameters
    ----------
    name : str
    values : sequence of str or None
        None, or one of `MISSING`, is a missing value.

    Returns
    -------
    ColumnLook
    """
    present = [value.strip() for value in values if value is not None and value.strip() not in MISSING]
    example = present[0] if present else ""
    return ColumnLook(
        name=name,
        type=_type_of(set(present)),
        is_nearly_date=len(present) > sum(map(_is_date, present)) > _MOST * len(present),
        missing_in_preview=len(values) - len(present),
        distinct_in_preview=len(set(present)),
        example=f"{example[:60]}…" if len(example) > 60 else example,
    )


def _is_date(value: str) -> bool:
    """Tell whether a value is an ISO 8601 date."""
    return _DATE.fullmatch(value) is not None


def _type_of(distinct: set[str]) -> ColumnType:
    """Return the narrowest type that all values have."""
    if not distinct:
        return "empty"
    if all(value.casefold() in _BOOLEANS for value in distinct) or distinct == {"0", "1"}:
        return "boolean"
    if all(_INTEGER.fullmatch(value) for value in distinct):
        return "integer"
    if all(_NUMBER.fullmatch(value) for value in distinct):
        return "number"
    return "date" if all(map(_is_date, distinct)) else "text"
