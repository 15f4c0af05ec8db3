"""What becomes of the columns that play no role: which are features, and what a training makes of them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Sequence

import ibis.expr.types as ir

from engine.inspection.checks import Check, more
from engine.inspection.inspection import Finding
from engine.inspection.staged import Staged
from engine.stripped import stripped

_COMMA = re.compile(r"^[+-]?\d+,\d+$")
_ID_SHARE = 0.5
"""A text column of exposures with more values than this share of the rows is an id, not a feature."""
_NEARLY_ALL = 0.95
"""A column of whole numbers with more values than this share of the rows numbers them; also the share of the rows whose
values a training should tell apart."""
_COUNTED = 20
"""Columns of categories whose values are counted, one query each."""
_LEAST_ROWS = 100
"""Fewer rows may well have a different whole number each."""


def features_of(staged: Staged, names: Sequence[str]) -> list[str]:
    """Return the columns of some that would be features."""
    playing = set(staged.column_of.values())
    return [name for name in names if name not in playing and not name.startswith("true_")]


def column_notes(staged: Staged, form: str, rows: int) -> Iterator[Check | Finding]:
    """Yield what is read otherwise than it may be meant, and what is not used at all.

    Parameters
    ----------
    staged : Staged
    form : str
    rows : int

    Yields
    ------
    Check or Finding
    """
    if form not in ("rows", "exposures"):
        return
    categories: list[str] = []
    for name in features_of(staged, staged.names):
        left_out, commas = _why_unused(staged, name, form, rows), list(_commas(staged, name))
        if left_out:
            yield _unused(name, left_out, staged)
        elif not commas:
            yield from _meant_otherwise(staged, name, form, rows)
            categories += [name] * (staged.facts[name].type in ("text", "date"))
        yield from commas
    for name in categories[:_COUNTED]:
        yield from _lumped(staged, name, form, rows)
    if rest := categories[_COUNTED:]:
        what = f"and {len(rest):,} columns of text in all were not counted: rare values count as one"
        yield _note(rest[0], what, staged)
    for name in staged.names:
        if name.startswith("true_"):
            yield _unused(name, "is called a truth", staged)


def _why_unused(staged: Staged, name: str, form: str, rows: int) -> str:
    """Say why a training leaves a column out; empty if it does not."""
    facts = staged.facts[name]
    if not facts.present:
        return "is empty"
    if form != "exposures":
        return ""
    if name.endswith("_time"):
        return "is called a time, which may lie after the exposure,"
    if staged.cells[name].is_dated:
        return "holds dates, which may lie after the exposure,"
    if facts.type in ("text", "date") and facts.distinct > _ID_SHARE * rows + 1:
        return f"has about {facts.distinct:,} values, as an id has,"
    return ""


def _meant_otherwise(staged: Staged, name: str, form: str, rows: int) -> Iterator[Check | Finding]:
    """Tell what a training makes of a feature where that may surprise."""
    facts = staged.facts[name]
    if 2 * facts.numbers > facts.present > facts.numbers:
        yield _mixed(staged, name)
    if facts.type == "integer" and rows >= _LEAST_ROWS and facts.distinct > _NEARLY_ALL * rows:
        yield _note(name, "has another whole number in nearly every row, as an id has, and is read as a number", staged)
    if facts.type == "date" and form == "rows" and not staged.cells[name].is_dated:
        what = "holds dates, which are read as names of categories; give it the role 'time', or write numbers of days"
        yield _note(name, what, staged)


def _lumped(staged: Staged, name: str, form: str, rows: int) -> Iterator[Finding]:
    """Tell of categories that a training does not tell apart, where many rows have one."""
    counts = _counts(staged, name)
    distinct, lost = staged.facts[name].distinct, (1 - _NEARLY_ALL) * rows
    if form == "exposures":
        most = int(importlib.import_module("engine.delay.encode").MAX_LEVELS)
        if distinct < most:
            return
        told = counts.order_by([counts.n.desc(), "value"]).limit(most)
        which = f"a training tells the {most} most frequent of its training rows apart, which here"
    else:
        least = int(importlib.import_module("engine.uncertainty.encoding").MIN_CATEGORY_ROWS)
        # So few values cannot hold that many rows in fewer than `least` each; the count may be an estimate.
        if 2 * distinct * least < lost:
            return
        told = counts.filter(counts.n >= least)
        which = f"a training tells those apart that {least} of its training rows have; those in {least} rows at all"
    covered = _rows_of(told)
    if covered < rows - lost:
        values = f"about {staged.facts[name].distinct:,} values; {which} cover {100 * covered / rows:.3g} % of the rows"
        yield _note(name, f"has {values}, and all others count as one", staged)


def _counts(staged: Staged, name: str) -> ir.Table:
    """Count the rows of every value."""
    text = stripped(staged.raw(name).cast("string"))
    return staged.rows.group_by(value=text).aggregate(n=lambda table: table.count())


def _rows_of(counts: ir.Table) -> int:
    """Add up counts."""
    return int(counts.aggregate(n=counts.n.sum()).to_pyarrow()["n"][0].as_py() or 0)


def _commas(staged: Staged, name: str) -> Iterator[Check]:
    """Tell of a column of numbers with a decimal comma."""
    facts = staged.facts[name]
    if facts.type != "text" or not all(_COMMA.match(str(end)) for end in (facts.minimum, facts.maximum)):
        return
    yield Check(
        column=name,
        bad=stripped(staged.raw(name).cast("string")).re_search(_COMMA.pattern),
        severity="note",
        said=lambda shown, row, count: (
            f"Column '{name}' of {staged.source} has a decimal comma in {shown} in data row {row:,}{more(count)}, "
            "so that it is read as text. Write decimal points to have numbers."
        ),
    )


def _mixed(staged: Staged, name: str) -> Check:
    """Tell of a column that is all numbers but for some cells."""
    text = stripped(staged.raw(name).cast("string"))
    looks = text.isin(("NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None", ""))
    bad = staged.number(name).isnull() & ~staged.raw(name).isnull() & ~looks
    return Check(
        column=name,
        bad=bad,
        severity="note",
        said=lambda shown, row, count: (
            f"Column '{name}' of {staged.source} holds numbers but for {shown} in data row {row:,}{more(count)}, "
            "so that all of it is read as names of categories. Empty these cells to have numbers."
        ),
    )


def _note(name: str, what: str, staged: Staged) -> Finding:
    """Tell of a column that is read otherwise than it may be meant."""
    return Finding(severity="note", column=name, sentence=f"Column '{name}' of {staged.source} {what}.")


def _unused(name: str, why: str, staged: Staged) -> Finding:
    """Tell of a column that a training does not use."""
    return Finding(
        severity="drops",
        column=name,
        sentence=f"Column '{name}' of {staged.source} {why} and is not used as a feature.",
    )
