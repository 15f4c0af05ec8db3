"""One relation to check: the columns as they came, and beside them what each role's cells say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from engine.inspection.cells import Cells, is_whole
from engine.inspection.columns import ColumnFacts
from engine.schema import Column

_EXACT = 2**53
SHOWN_COLUMNS = 30
"""Columns of an offending row that are shown, those with a role first."""
SHOWN_ROWS = 5
"""Offending rows that are shown for each reason."""
_CUT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Rows with the values of their roles."""

    rows: ir.Table
    """``c0, c1, …`` as they came; ``v_ROLE``, NULL where a cell cannot be read, and ``m_ROLE``, whether it is empty."""
    names: tuple[str, ...]
    """Of the columns ``c0, c1, …`` in the file."""
    column_of: Mapping[str, str]
    """Role to column."""
    schema: Mapping[str, Column]
    """Of the roles that a column plays."""
    cells: Mapping[str, Cells]
    """By the name of the column."""
    facts: Mapping[str, ColumnFacts]
    """By the name of the column."""
    source: str

    def has(self, *roles: str) -> bool:
        """Tell whether all of some roles are played."""
        return all(role in self.schema for role in roles)

    def value(self, role: str) -> ir.Value:
        """Return the values of a role, NULL where there is none or it cannot be read."""
        return self.rows[f"v_{role}"]

    def missing(self, role: str) -> ir.Value:
        """Tell where the cells of a role are empty."""
        return self.rows[f"m_{role}"]

    def is_dated(self, role: str) -> bool:
        """Tell whether the times of a role are dates, rather than numbers of days."""
        return not is_numbers(self.facts[self.column_of[role]])

    def raw(self, column: str) -> ir.Value:
        """Return a column as it came."""
        return self.rows[f"c{self.names.index(column)}"]

    def number(self, column: str) -> ir.Value:
        """Return a column as numbers."""
        return Cells(raw=self.raw(column), is_text=self.cells[column].is_text, keeps_words=False).number()

    def first(self, bad: ir.Value) -> list[dict[str, object]]:
        """Return the first rows for which something holds, as written, with their number in ``row``, from 1."""
        playing = [name for name in self.names if name in self.column_of.values()]
        shown = [*playing, *(name for name in self.names if name not in playing)][:SHOWN_COLUMNS]
        place = {name: f"c{self.names.index(name)}" for name in shown}
        texts = {key: self.rows[key].cast("string") for key in place.values() if not self.rows[key].type().is_null()}
        numbered = self.rows.select(is_bad=bad.fill_null(False), row_number=ibis.row_number(), **texts)
        found = numbered.filter(numbered.is_bad).order_by("row_number").limit(SHOWN_ROWS).drop("is_bad")
        return [
            {"row": int(line["row_number"]) + 1} | {name: _cut(line.get(key)) for name, key in place.items()}
            for line in found.to_pyarrow().to_pylist()
        ]


def staged(
    table: ir.Table,
    *,
    is_text: bool,
    schema: Sequence[Column],
    roles: Mapping[str, str],
    facts: Mapping[str, ColumnFacts],
    source: str,
) -> Staged:
    """Put the values of every role beside the columns.

    Parameters
    ----------
    table : ibis table
    is_text : bool
        Whether it holds text of a delimited file.
    schema : sequence of Column
        Of the form of the data.
    roles : mapping of str to str
        Role to column.
    facts : mapping of str to ColumnFacts
    source : str
        What messages call the table.

    Returns
    -------
    Staged
    """
    played = {column.name: column for column in schema if column.name in roles}
    kinds = {roles[role]: column.kind for role, column in played.items()}
    cells = {
        name: Cells(raw=table[name], is_text=is_text, keeps_words=kinds.get(name) in ("id", "category"))
        for name in table.columns
    }
    columns: dict[str, ir.Value] = {f"c{place}": table[name] for place, name in enumerate(table.columns)}
    for role, column in played.items():
        columns[f"v_{role}"] = _value(cells[roles[role]], column, facts[roles[role]])
        columns[f"m_{role}"] = cells[roles[role]].missing()
    return Staged(
        rows=table.select(**columns),
        names=tuple(table.columns),
        column_of={role: roles[role] for role in played},
        schema=played,
        cells=cells,
        facts=facts,
        source=source,
    )


def is_numbers(facts: ColumnFacts) -> bool:
    """Tell whether all values of a column are numbers."""
    return facts.numbers == facts.present


def _value(cells: Cells, column: Column, facts: ColumnFacts) -> ir.Value:
    """Return the cells of a role as what they are."""
    if column.kind in ("id", "category"):
        return _name(cells)
    if column.kind == "binary":
        return cells.answer()
    if column.kind == "time" and not is_numbers(facts):
        return cells.stamp()
    return cells.number()


def _name(cells: Cells) -> ir.Value:
    """Return an id as text; a whole float loses its point."""
    if not cells.raw.type().is_floating():
        return cells.text()
    number = cells.number()
    whole = is_whole(number) & (number.abs() <= _EXACT)
    return ibis.ifelse(whole, number.try_cast("int64").cast("string"), number.cast("string"))


def _cut(value: object) -> str | None:
    """Shorten a cell for showing."""
    if value is None:
        return None
    return f"{str(value)[:_CUT]}…" if len(str(value)) > _CUT else str(value)
