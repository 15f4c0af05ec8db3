"""What a refusal shows of a table on any backend: the first row that is not allowed, and the values there are."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from engine.stripped import stripped


@dataclass(frozen=True, slots=True)
class FirstBad:
    """What stands in the first bad row."""

    value: str | None
    """As text; None if there is no value."""
    row: int
    """Number of the row of data, from 1."""

    @property
    def shown(self) -> str:
        """The value quoted, shortened, or that there is none."""
        return "no value" if self.value is None else f"'{self.value[:40]}'"


def first_bad(table: ir.Table, value: ir.Value, bad: ir.Value) -> FirstBad:
    """Look up the first row in which something is not allowed.

    Parameters
    ----------
    table : ibis table
    value : ibis value
        Of this table: what to show.
    bad : ibis value
        Of this table, true in at least one row. NULL is not true.

    Returns
    -------
    FirstBad
    """
    numbered = table.select(value=value.cast("string"), bad=bad, place=ibis.row_number())
    found = numbered.filter(numbered.bad).order_by("place").limit(1).to_pyarrow().to_pylist()[0]
    return FirstBad(found["value"], int(found["place"]) + 1)


def frequent_values(table: ir.Table, value: ir.Value, limit: int = 7) -> dict[str, int]:
    """Count the most frequent values.

    Parameters
    ----------
    table : ibis table
    value : ibis value
        Of this table.
    limit : int, default 7
        Most values that are returned; `engine.schema.label_hint` names six, and says if there are more.

    Returns
    -------
    dict of str to int
        Value as text, without spaces around it, to its rows, the most frequent first; nothing of missing values.
    """
    rows = table.select(text=stripped(value.cast("string")))
    counts = rows.filter(rows.text.notnull() & (rows.text != "")).group_by("text").aggregate(n=lambda t: t.count())
    found = counts.order_by([ibis.desc("n"), "text"]).limit(limit).to_pyarrow().to_pylist()
    return {line["text"]: int(line["n"]) for line in found}
