"""Look at every column of a table in one pass: its type, what is missing, how many values, from where to where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from engine.inspection.cells import DAY_SECONDS, Cells, is_whole, number_of, stamp_of
from engine.schema import NO, YES

AT_ONCE = 100
"""Columns of one pass."""
SHOWN = 60
"""Signs of a value that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """What one column holds, over all rows."""

    name: str
    type: str
    """``text, number, integer, boolean, date`` or ``empty``."""
    present: int
    missing: int
    distinct: int
    """Exact in small data of at most `AT_ONCE` columns, else about so many, to two digits."""
    numbers: int
    """Cells that can be read as numbers."""
    dates: int
    """Cells that can be read as dates."""
    minimum: float | str | None
    maximum: float | str | None
    example: str


def column_facts(cells: Mapping[str, Cells], table: ir.Table, *, is_small: bool = False) -> dict[str, ColumnFacts]:
    """Measure every column.

    Parameters
    ----------
    cells : mapping of str to Cells
        By the name of the column.
    table : ibis table
        What the cells belong to.
    is_small : bool, default False
        Whether there is memory for the distinct values of every column.

    Returns
    -------
    dict of str to ColumnFacts
    """
    names = list(cells)
    is_exact = is_small and len(names) <= AT_ONCE
    facts: dict[str, ColumnFacts] = {}
    for start in range(0, len(names), AT_ONCE):
        chosen = names[start : start + AT_ONCE]
        found = _measured(table, [cells[name] for name in chosen], is_exact)
        for place, name in enumerate(chosen):
            own = {key.partition(" ")[2]: value for key, value in found.items() if key.startswith(f"{place} ")}
            facts[name] = _facts(name, int(found["rows"]), own, cells[name])
    return facts


def _measured(table: ir.Table, cells: Sequence[Cells], is_exact: bool) -> dict[str, Any]:
    """Run the measures of some columns; step by step, so that no expression holds another many times."""
    columns = {f"t{k}": c.text() if c.is_string else _typed(c) for k, c in enumerate(cells)}
    texts = [f"t{k}" for k, c in enumerate(cells) if c.is_string]
    clean = table.select(**columns)
    read = clean.mutate(**{f"n{name}": number_of(clean[name]) for name in texts})
    dated = read.mutate(**{f"d{name}": stamp_of(read[name], read[f"n{name}"]) for name in texts})
    measures: dict[str, ir.Value] = {"rows": dated.count()}
    for place in range(len(cells)):
        measures |= {f"{place} {what}": measure for what, measure in _measures(dated, f"t{place}", is_exact).items()}
    return dict(dated.aggregate(**measures).to_pyarrow().to_pylist()[0])


def _typed(cells: Cells) -> ir.Value:
    """Return cells that are no text as numbers, as days, or else as text."""
    if cells.is_numeric:
        return cells.number()
    return cells.stamp() if cells.is_dated else cells.text()


def _measures(table: ir.Table, name: str, is_exact: bool) -> dict[str, ir.Value]:
    """Return the measures of one column."""
    column = table[name]
    measures = {"present": column.count(), "exact" if is_exact else "about": _distinct(column, is_exact)}
    measures |= {"least": column.min(), "most": column.max()}
    if f"n{name}" in table.columns:
        number, stamp = table[f"n{name}"], table[f"d{name}"]
        measures |= {"low": number.min(), "high": number.max(), "numbers": number.count(), "dates": stamp.count()}
        measures |= {"whole": is_whole(number).sum(), "first": stamp.min(), "last": stamp.max()}
        measures["answers"] = column.lower().isin(YES + NO).sum()
    elif column.type().is_numeric():
        measures["whole"] = is_whole(column).sum()
    return measures


def _distinct(column: ir.Value, is_exact: bool) -> ir.Value:
    """Count the values, or estimate how many there are."""
    return column.nunique() if is_exact else column.approx_nunique()


def _facts(name: str, rows: int, found: Mapping[str, Any], cells: Cells) -> ColumnFacts:
    """Turn measures into facts."""
    parts = ("present", "exact", "numbers", "whole", "dates", "answers")
    count = {what: int(found.get(what) or 0) for what in parts}
    low, high, present = found.get("low"), found.get("high"), count["present"]
    # Two digits, because the estimate is off by some per cent.
    distinct = count["exact"] or int(float(f"{found.get('about') or 0:.2g}"))
    if cells.is_numeric:
        low, high, count["numbers"] = found.get("least"), found.get("most"), present
    if cells.is_dated:
        count["dates"], found = present, {**found, "first": found.get("least"), "last": found.get("most")}
    kind = "boolean" if cells.raw.type().is_boolean() and present else _type_of(count)
    example = _short(None if found.get("least") is None else str(found["least"]))
    if kind == "date":
        low, high = (day_text(found[end]) for end in ("first", "last"))
        example = low if cells.is_dated else example
    elif kind == "text":
        low, high = _short(found.get("least")), _short(found.get("most"))
    elif kind in ("integer", "boolean") and low is not None and high is not None:
        low, high = int(low), int(high)
        example = str(low) if cells.is_numeric else example
    return ColumnFacts(
        name=name,
        type=kind,
        present=present,
        missing=rows - present,
        distinct=min(distinct, present) if present > 1 else present,
        numbers=count["numbers"],
        dates=count["dates"],
        minimum=low,
        maximum=high,
        example=example or "",
    )


def _type_of(count: Mapping[str, int]) -> str:
    """Return the narrowest type that all present values have."""
    present = count["present"]
    if not present:
        return "empty"
    if count["numbers"] == present:
        return "integer" if count["whole"] == present else "number"
    if count["dates"] == present:
        return "date"
    return "boolean" if count["answers"] == present else "text"


def day_text(days: float | None) -> str | None:
    """Write days since 1970 as ISO 8601, without a clock at midnight; a day that no calendar has, as a number."""
    if days is None:
        return None
    try:
        moment = pd.Timestamp(0) + pd.Timedelta(seconds=round(days * DAY_SECONDS))
    except (OverflowError, ValueError):
        return f"day {days:g}"
    return moment.isoformat(sep=" ").removesuffix(" 00:00:00")


def _short(text: str | None) -> str | None:
    """Shorten a text for showing."""
    return f"{text[:SHOWN]}…" if text is not None and len(text) > SHOWN else text
