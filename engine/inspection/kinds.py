"""What each kind of data asks beyond its schema: order of times, pairs of columns, enough of everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from engine.inspection.checks import Check
from engine.inspection.inspection import Finding
from engine.inspection.staged import Staged, is_numbers

LATER = ("engagement_time", "visit_time", "conversion_time")
SPLITS = ("train", "tune", "test")
MINIMUM_EDGES = 100
WINDOW_DAYS = 30
"""Of the counting of events, before and after."""
_COMMA = re.compile(r"^[+-]?\d+,\d+$")
_ID_SHARE = 0.5
"""A text column of exposures with more values than this share of the rows is an id, not a feature."""


def kind_checks(staged: Staged, form: str) -> Iterator[Check]:
    """Yield what rows of a form may not be beyond the schema, in the order in which a training looks.

    Parameters
    ----------
    staged : Staged
    form : str

    Yields
    ------
    Check
    """
    if form == "edges" and staged.has("source", "target"):
        yield _self_loops(staged)
    if form == "exposures" and staged.has("exposure_time"):
        for role in LATER:
            if staged.has(role):
                yield _early(staged, role)
        yield from _infinities(staged, [n for n in staged.names if not n.endswith("_time")])
    if form in ("rows", "scores"):
        yield from _windows(staged)


def later_checks(staged: Staged, form: str) -> Iterator[Check]:
    """Yield what a training of labelled rows looks at last, when it splits them and encodes their features.

    Parameters
    ----------
    staged : Staged
    form : str

    Yields
    ------
    Check
    """
    if form in ("rows", "scores") and staged.has("split"):
        yield _splits(staged)
    if form == "rows":
        yield from _infinities(staged, staged.names)
        yield from _dates(staged)


def _self_loops(staged: Staged) -> Check:
    """Refuse edges from a node to itself."""
    return Check(
        column=staged.column_of["source"],
        bad=staged.value("source") == staged.value("target"),
        said=lambda shown, row, count: (
            f"Columns '{staged.column_of['source']}' and '{staged.column_of['target']}' of {staged.source} are equal "
            f"({shown}) in data row {row:,}{_more(count)}; a node cannot be recommended after itself. Drop these rows."
        ),
    )


def _early(staged: Staged, role: str) -> Check:
    """Refuse an event before its exposure."""
    name, start = staged.column_of[role], staged.column_of["exposure_time"]
    return Check(
        column=name,
        bad=staged.value(role) < staged.value("exposure_time"),
        said=lambda shown, row, count: (
            f"Column '{name}' ({role}) of {staged.source} has {shown} in data row {row:,}{_more(count)}, before "
            f"'{start}' of the same row; an event cannot precede its exposure. Correct or drop the rows, or swap the "
            "two columns."
        ),
    )


def _infinities(staged: Staged, names: Any) -> Iterator[Check]:
    """Refuse infinite features."""
    for name in _features(staged, names):
        facts = staged.facts[name]
        ends = [end for end in (facts.minimum, facts.maximum) if isinstance(end, float)]
        if is_numbers(facts) and any(abs(end) == float("inf") for end in ends):
            yield _infinity(staged, name)


def _infinity(staged: Staged, name: str) -> Check:
    """Refuse the infinite cells of one feature."""
    return Check(
        column=name,
        bad=staged.number(name).isinf(),
        said=lambda shown, row, count: (
            f"Column '{name}' of {staged.source} is infinite in data row {row:,}{_more(count)}; a finite number or no "
            "value is allowed. Correct the rows, or leave the column out."
        ),
    )


def _dates(staged: Staged) -> Iterator[Check]:
    """Refuse features of a date type."""
    for name in _features(staged, staged.names):
        if staged.cells[name].is_dated:
            yield Check(
                column=name,
                bad=~staged.raw(name).isnull(),
                said=lambda *_, name=name: (
                    f"Column '{name}' of {staged.source} holds dates, which are no feature; give it the role 'time', "
                    "or turn it into numbers of days."
                ),
            )


def _features(staged: Staged, names: Any) -> list[str]:
    """Return the columns of some that would be features."""
    playing = set(staged.column_of.values())
    return [name for name in names if name not in playing and not name.startswith("true_")]


def _windows(staged: Staged) -> Iterator[Check]:
    """Refuse evidence columns k_w and n_w that do not fit: 0 <= k <= n."""
    for name in staged.names:
        window = name[2:]
        if not name.startswith("k_") or f"n_{window}" not in staged.names:
            continue
        yield _window(staged, name, f"n_{window}")


def _window(staged: Staged, positives: str, rows: str) -> Check:
    """Refuse positives beyond the rows that they are of."""
    k, n = staged.number(positives), staged.number(rows)
    fits = (k >= 0) & (k <= n) & ~n.isinf()
    return Check(
        column=positives,
        bad=~fits.fill_null(False),
        said=lambda shown, row, count: (
            f"Columns '{positives}' and '{rows}' of {staged.source} do not fit in data row {row:,}{_more(count)}, "
            f"where the first has {shown}; needed are numbers with 0 <= {positives} <= {rows}."
        ),
    )


def _splits(staged: Staged) -> Check:
    """Refuse other names of a split."""
    name = staged.column_of["split"]
    return Check(
        column=name,
        bad=~staged.value("split").lower().isin(SPLITS),
        said=lambda shown, row, count: (
            f"Column '{name}' (split) of {staged.source} has {shown} in data row {row:,}{_more(count)}; allowed are "
            f"{', '.join(SPLITS)}."
        ),
    )


def whole_table(staged: Staged, form: str, rows: int, facts: dict[str, Any]) -> Iterator[Finding]:
    """Yield what the table as a whole falls short of, given what `engine.inspection.shape` measured.

    Parameters
    ----------
    staged : Staged
    form : str
    rows : int
    facts : dict of str to Any

    Yields
    ------
    Finding
    """
    edges = facts.get("edges", rows)
    if form == "edges" and edges < MINIMUM_EDGES:
        yield _short(
            f"{staged.source} has {edges:,} edges; at least {MINIMUM_EDGES} are needed to train and test. Add edges.",
        )
    if form == "events":
        for role in ("user", "item"):
            if facts.get(f"{role}s") == 1:
                name = staged.column_of[role]
                yield _short(f"Column '{name}' ({role}) of {staged.source} has one value only; 2 are needed.", name)
        span = facts.get("days")
        if span is not None and span < 2 * WINDOW_DAYS:
            name = staged.column_of["time"]
            yield _short(
                f"Column '{name}' (time) of {staged.source} spans {int(span) + 1:,} days; a window of {WINDOW_DAYS} "
                f"days before and after needs at least {2 * WINDOW_DAYS + 1}. Add events.",
                name,
            )
    if form in ("rows", "scores") and staged.has("label") and {facts.get("yes"), facts.get("no")} & {0}:
        name, only = staged.column_of["label"], int(not facts["no"])
        if facts["yes"] or facts["no"]:
            sentence = f"Column '{name}' (label) of {staged.source} is always {only}; both 0 and 1 are needed."
            yield _short(sentence, name)
    if form == "rows" and not _features(staged, staged.names):
        yield _short(
            f"{staged.source} has neither features nor 'score' and 'uncertainty'; add one or the other.",
        )


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
    for name in _features(staged, staged.names):
        facts = staged.facts[name]
        if not facts.present:
            yield _unused(name, "is empty", staged)
        elif form == "exposures" and name.endswith("_time"):
            yield _unused(name, "is called a time, which may lie after the exposure,", staged)
        elif form == "exposures" and staged.cells[name].is_dated:
            yield _unused(name, "holds dates, which may lie after the exposure,", staged)
        elif form == "exposures" and facts.type in ("text", "date") and facts.distinct > _ID_SHARE * rows + 1:
            yield _unused(name, f"has about {facts.distinct:,} values, as an id has,", staged)
        elif 2 * facts.numbers > facts.present > facts.numbers:
            yield _mixed(staged, name)
        yield from _commas(staged, name)
    for name in staged.names:
        if name.startswith("true_"):
            yield _unused(name, "is called a truth", staged)


def _commas(staged: Staged, name: str) -> Iterator[Check]:
    """Tell of a column of numbers with a decimal comma."""
    facts = staged.facts[name]
    if facts.type != "text" or not all(_COMMA.match(str(end)) for end in (facts.minimum, facts.maximum)):
        return
    yield Check(
        column=name,
        bad=staged.raw(name).cast("string").strip().re_search(_COMMA.pattern),
        severity="note",
        said=lambda shown, row, count: (
            f"Column '{name}' of {staged.source} has a decimal comma in {shown} in data row {row:,}{_more(count)}, so "
            "that it is read as text. Write decimal points to have numbers."
        ),
    )


def _mixed(staged: Staged, name: str) -> Check:
    """Tell of a column that is all numbers but for some cells."""
    text = staged.raw(name).cast("string").strip()
    looks = text.isin(("NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None", ""))
    bad = staged.number(name).isnull() & ~staged.raw(name).isnull() & ~looks
    return Check(
        column=name,
        bad=bad,
        severity="note",
        said=lambda shown, row, count: (
            f"Column '{name}' of {staged.source} holds numbers but for {shown} in data row {row:,}{_more(count)}, so "
            "that all of it is read as names of categories. Empty these cells to have numbers."
        ),
    )


def _unused(name: str, why: str, staged: Staged) -> Finding:
    """Tell of a column that a training does not use."""
    return Finding(
        severity="drops",
        column=name,
        sentence=f"Column '{name}' of {staged.source} {why} and is not used as a feature.",
    )


def _short(sentence: str, column: str = "") -> Finding:
    """Return a finding that stops a training."""
    return Finding(severity="stops", sentence=sentence, column=column, stops="train")


def _more(count: int) -> str:
    """Say how many rows there are beyond one."""
    return f" ({count:,} rows in all)" if count > 1 else ""
