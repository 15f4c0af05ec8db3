"""What a schema asks of every cell, counted over the whole table, and the first rows that fall short."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir

from engine.first_bad import frequent_values
from engine.inspection.cells import is_whole
from engine.inspection.columns import SHOWN
from engine.inspection.inspection import Finding, Severity
from engine.inspection.staged import Staged
from engine.schema import LAST_DAY, TIME_WANTED, Column, comma_hint, label_hint, percent_hint, time_hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that no row may be."""

    column: str
    """Name in the file."""
    bad: ir.Value
    said: Callable[[str, int, int], str]
    """The sentence, from the first value as quoted, its row, and the number of rows."""
    severity: Severity = "stops"


def run_checks(staged: Staged, checks: Sequence[Check]) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Count what falls short, and look up the first rows of it.

    Parameters
    ----------
    staged : Staged
    checks : sequence of Check
        In the order in which a training would meet them.

    Returns
    -------
    findings : list of Finding
        In the order of `checks`.
    offending : list of dict
        First rows as written, with ``row`` and ``why``.
    """
    if not checks:
        return [], []
    measures = {f"n{place}": check.bad.sum() for place, check in enumerate(checks)}
    counts = staged.rows.aggregate(**measures).to_pyarrow().to_pylist()[0]
    findings: list[Finding] = []
    offending: list[dict[str, Any]] = []
    for place, check in enumerate(checks):
        count = int(counts[f"n{place}"] or 0)
        if not count:
            continue
        rows = staged.first(check.bad)
        value = rows[0].get(check.column)
        shown = "no value" if value is None or not str(value).strip() else f"'{str(value)[:SHOWN]}'"
        sentence = check.said(shown, int(str(rows[0]["row"])), count)
        findings.append(
            Finding(
                severity=check.severity,
                sentence=sentence,
                column=check.column,
                rows=count,
                first_row=int(str(rows[0]["row"])),
                first_value=None if value is None else str(value),
                stops="train" if check.severity == "stops" else "",
            )
        )
        offending += [{"row": row["row"], "why": sentence} | row for row in rows]
    return findings, offending


def schema_checks(staged: Staged) -> Iterator[Check]:
    """Yield the checks of every role, in the order in which a training makes them.

    Parameters
    ----------
    staged : Staged

    Yields
    ------
    Check
    """
    for role, column in staged.schema.items():
        yield from _of_role(staged, role, column)


def _of_role(staged: Staged, role: str, column: Column) -> Iterator[Check]:
    """Yield the checks of one role."""
    value, missing = staged.value(role), staged.missing(role)
    name = staged.column_of[role]
    empty = _allowed(staged, role, missing, "a value in every row")
    if column.kind in ("id", "category"):
        if staged.cells[name].raw.type().is_floating():
            yield _allowed(staged, role, staged.raw(name).isinf(), "text or a whole number")
        if column.required or column.kind == "id":
            yield empty
        return
    if column.kind == "binary":
        if column.required:
            yield empty
        yield _allowed(staged, role, value.isnull() & ~missing, "0 or 1 (or true/false, yes/no)", _labels(staged, role))
        return
    if column.kind == "time":
        yield from _of_time(staged, role)
    elif staged.cells[name].is_dated:
        sentence = f"Column '{name}' ({role}) of {staged.source} holds dates or durations; allowed are numbers."
        yield Check(column=name, bad=~missing, said=lambda *_: sentence)
    else:
        unread = value.isnull() & ~missing
        yield _allowed(
            staged, role, unread, "a number with a decimal point", lambda shown, _: comma_hint(shown.strip("'"))
        )
        yield _allowed(staged, role, value.isinf(), "a finite number")
    if column.required:
        yield empty
    yield from _of_range(staged, role, column)


def _of_time(staged: Staged, role: str) -> Iterator[Check]:
    """Yield the checks of times: readable, finite, and days rather than seconds."""
    value, missing = staged.value(role), staged.missing(role)
    is_dated = staged.is_dated(role)
    wanted = "an ISO 8601 date or time, or a number of days"
    yield _allowed(staged, role, value.isnull() & ~missing, wanted, lambda shown, _: time_hint(shown.strip("'")))
    if not is_dated:
        yield _allowed(staged, role, value.isinf(), "a finite number")
    yield _allowed(
        staged,
        role,
        (value.abs() > LAST_DAY) & ~value.isinf(),
        TIME_WANTED,
        lambda shown, _: time_hint(shown.strip("'")),
    )


def _of_range(staged: Staged, role: str, column: Column) -> Iterator[Check]:
    """Yield the checks of limits and of whole numbers."""
    value = staged.value(role)
    facts = staged.facts[staged.column_of[role]]

    def percent(_: str, count: int) -> str:
        ends = [end for end in (facts.minimum, facts.maximum) if isinstance(end, int | float)]
        return percent_hint(column, *ends, share_beyond=count / facts.present) if len(ends) == 2 else ""

    if column.minimum is not None:
        yield _allowed(staged, role, value < column.minimum, f"at least {column.minimum:g}", unit=column.unit)
    if column.maximum is not None:
        yield _allowed(
            staged, role, (value > column.maximum) & ~value.isinf(), f"at most {column.maximum:g}", percent, column.unit
        )
    if column.kind == "integer":
        yield _allowed(staged, role, ~is_whole(value) & ~value.isinf(), "a whole number", unit=column.unit)


def _labels(staged: Staged, role: str) -> Callable[[str, int], str]:
    """Return what says which values a label has, looked up only if it is asked."""

    def hint(_: str, __: int) -> str:
        return label_hint(frequent_values(staged.rows, staged.raw(staged.column_of[role])))

    return hint


def _allowed(
    staged: Staged,
    role: str,
    bad: ir.Value,
    wanted: str,
    hint: Callable[[str, int], str] | None = None,
    unit: str = "",
) -> Check:
    """Make a check whose sentence says what is allowed instead."""
    name = staged.column_of[role]
    called = f"Column '{name}'" if name == role else f"Column '{name}' ({role})"

    def said(shown: str, row: int, count: int) -> str:
        then = (hint(shown, count) if hint else "") or "Correct or drop the row."
        return (
            f"{called} of {staged.source} has {shown} in data row {row:,}{more(count)}; allowed is {wanted}"
            f"{f', in {unit}' if unit else ''}. {then}"
        )

    return Check(column=name, bad=bad, said=said)


def more(count: int) -> str:
    """Say how many rows there are beyond one."""
    return f" ({count:,} rows in all)" if count > 1 else ""
