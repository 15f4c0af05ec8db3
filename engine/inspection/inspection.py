"""What an inspection found, as tables, and its way into JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import pandas as pd

from engine.result import Kind

Severity = Literal["stops", "drops", "note"]
Stops = Literal["train", "describe", "both", ""]
COLUMN_FIELDS = ("column", "role", "type", "missing", "distinct", "minimum", "maximum", "example")
DROPPED_FIELDS = ("why", "rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know about the data."""

    severity: Severity
    sentence: str
    column: str = ""
    """Name in the file; empty where it is about the whole table."""
    rows: int | None = None
    first_row: int | None = None
    """Data row, from 1."""
    first_value: str | None = None
    """As written."""
    stops: Stops = ""
    """What cannot be done."""


FINDING_FIELDS = tuple(item.name for item in fields(Finding))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The dry run of a description or a training."""

    kind: Kind
    form: str
    source: str
    """What messages call the data."""
    roles: dict[str, str]
    """Role to column, with those that have their role by their name."""
    rows: int
    columns: pd.DataFrame
    """One row per column, `COLUMN_FIELDS`; ``distinct`` is rounded to two digits in large data."""
    findings: pd.DataFrame
    """One row per `Finding`, what stops first."""
    offending: pd.DataFrame
    """First offending rows as written, with ``row`` (from 1) and ``why``."""
    balance: dict[str, Any] | None
    """Counts of the classes, or None."""
    time: dict[str, Any] | None
    """``first, last`` (ISO 8601, or days), ``days``, ``zone``, ``unit``; None without times."""
    duplicates: int | None
    """Rows that repeat an earlier one, in source and target, in user, item and time, or else in every column; None
    beyond 20 million rows, where they are not counted."""
    dropped: pd.DataFrame
    """``why, rows``: what a training leaves out without stopping."""
    content_hash: str
    """SHA-256 of the bytes of the file, or of the names and hashes of several."""
    data_id: str | None
    """What the manifest of a run trained on these data and roles says; None where it was not computed."""
    can_describe: bool
    can_train: bool

    def to_json(self) -> str:
        """Write everything as JSON; tables are lists of rows."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        plain = {name: _records(value) if isinstance(value, pd.DataFrame) else value for name, value in found.items()}
        return json.dumps(plain, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Inspection:
        """Read what `to_json` wrote."""
        found: dict[str, Any] = json.loads(text)
        tables = {"columns": COLUMN_FIELDS, "findings": FINDING_FIELDS, "dropped": DROPPED_FIELDS, "offending": ()}
        for name, names in tables.items():
            found[name] = table_of(found[name], names)
        return cls(**found)


def table_of(rows: Iterable[Finding | Mapping[str, Any]], names: Iterable[str]) -> pd.DataFrame:
    """Lay out rows as a table of Python values that has its columns without any row, too.

    Parameters
    ----------
    rows : iterable of Finding or mapping
    names : iterable of str
        Columns that are there in any case.

    Returns
    -------
    DataFrame of object columns; None is a missing value.
    """
    plain = [asdict(row) if isinstance(row, Finding) else dict(row) for row in rows]
    columns = list(dict.fromkeys([*names, *(name for row in plain for name in row)]))
    return pd.DataFrame([[row.get(name) for name in columns] for row in plain], columns=columns, dtype=object)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain values that JSON knows."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value.item() if hasattr(value, "item") else value
