"""What the table is like as a whole: classes, span of time, repeated rows, what is left out without stopping."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import ibis
import ibis.expr.types as ir

from engine.inspection.cells import DAY_SECONDS
from engine.inspection.columns import day_text
from engine.inspection.inspection import Finding
from engine.inspection.kinds import LATER
from engine.inspection.staged import Staged
from engine.schema import LAST_DAY

COUNTED = 20_000_000
"""Rows up to which repeated ones, and edges in both directions, are counted."""
WINDOW = 30.0
"""Attribution window of exposures without one, in days."""
_LONG = 36_525
"""Days that no data of recommenders span: 100 years."""
_CLOCK = {"edges": "time", "events": "time", "exposures": "exposure_time", "rows": "time", "scores": "time"}


@dataclass(slots=True, kw_only=True)
class Shape:
    """Measures of a whole table."""

    balance: dict[str, Any] | None = None
    time: dict[str, Any] | None = None
    duplicates: int | None = None
    """None where they were not counted."""
    dropped: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """What `engine.inspection.kinds.whole_table` reads: ``one user, one item`` (whether there is only one), ``days,
    yes, no, edges`` (different ones)."""


def shape_of(staged: Staged, form: str, rows: int, *, merge_repeats: bool = False) -> Shape:
    """Measure a table as a whole.

    Parameters
    ----------
    staged : Staged
    form : str
    rows : int
    merge_repeats : bool, default False
        Whether a training merges repeated edges, so that they stop nothing.

    Returns
    -------
    Shape
    """
    shape = Shape()
    measures = _measures(staged, form)
    found = staged.rows.aggregate(**measures).to_pyarrow().to_pylist()[0] if measures else {}
    shape.facts |= {name: found.get(name) for name in ("one user", "one item", "yes", "no")}
    clock = _CLOCK[form]
    ends = [found.get("first"), found.get("last")]
    if staged.has(clock) and all(end is not None and math.isfinite(end) for end in ends):
        shape.time, notes = _time(staged, clock, found)
        shape.findings += notes
        shape.facts["days"] = int(found["last"] // 1) - int(found["first"] // 1)
    if form in ("rows", "scores") and staged.has("label"):
        shape.balance = {"0": int(found["no"] or 0), "1": int(found["yes"] or 0)}
    if rows <= COUNTED:
        shape.duplicates = _duplicates(staged, form, rows)
    if form == "edges" and staged.has("source", "target"):
        _edges(staged, rows, found, shape, merge_repeats=merge_repeats)
    if form == "exposures" and staged.has("exposure_time"):
        _exposures(staged, rows, found, shape)
    if form == "events" and shape.duplicates:
        shape.dropped.append({"why": "repeats an earlier row and counts once", "rows": shape.duplicates})
    if form == "scores" and found.get("train rows"):
        shape.dropped.append(
            {"why": "is of the split 'train', which given scores do not need", "rows": int(found["train rows"])}
        )
    return shape


def _measures(staged: Staged, form: str) -> dict[str, ir.Value]:
    """Return everything that one scan can tell."""
    measures: dict[str, ir.Value] = {}
    clock = _CLOCK[form]
    if staged.has(clock):
        value, cells = staged.value(clock), staged.cells[staged.column_of[clock]]
        raw = type(cells)(raw=staged.raw(staged.column_of[clock]), is_text=cells.is_text, keeps_words=False)
        zone = raw.zone()
        measures |= {"first": value.min(), "last": value.max()}
        has_clock = value % 1.0 != 0
        if not isinstance(zone, ir.Value):
            measures |= {"zones": ibis.literal(int(zone is not None)), "zone": ibis.literal(zone or "")}
            measures["without zone"] = has_clock.sum() if zone is None else ibis.literal(0)
        else:
            measures |= {"zones": zone.nunique(), "zone": zone.min(), "without zone": (zone.isnull() & has_clock).sum()}
    if staged.has("label"):
        measures |= {"yes": (staged.value("label") == 1).sum(), "no": (staged.value("label") == 0).sum()}
    for role in ("user", "item"):
        if form == "events" and staged.has(role):
            measures[f"one {role}"] = staged.value(role).min() == staged.value(role).max()
    if form == "scores" and staged.has("split"):
        measures["train rows"] = (staged.value("split").lower() == "train").sum()
    if form == "edges" and staged.has("source", "target"):
        source, target = staged.value("source"), staged.value("target")
        measures |= {"no end": (source.isnull() | target.isnull()).sum(), "loops": (source == target).sum()}
    for role in LATER:
        if form == "exposures" and staged.has(role):
            measures[f"last {role}"] = staged.value(role).max()
    return measures


def _time(staged: Staged, role: str, found: dict[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    """Return the span of a time, and what is to be said about it."""
    name, is_dated = staged.column_of[role], staged.is_dated(role)
    first, last, zones = float(found["first"]), float(found["last"]), int(found["zones"] or 0)
    zone = None if not is_dated or not zones else str(found["zone"]) if zones == 1 else f"{zones} zones"
    span = {
        "first": day_text(first) if is_dated else first,
        "last": day_text(last) if is_dated else last,
        "days": last - first,
        "zone": "UTC" if zone == "Z" else zone,
        "unit": "dates" if is_dated else "days",
    }
    notes = []
    if is_dated and zone is None and found["without zone"]:
        notes.append(_note(name, f"Column '{name}' of {staged.source} has clock times without a zone; read as UTC."))
    elif is_dated and zones and found["without zone"]:
        notes.append(_note(name, f"Column '{name}' of {staged.source} names a zone in some rows only; others are UTC."))
    # Beyond the last day a check of the times says that they are none, and what they look like.
    if last - first > _LONG and max(abs(first), abs(last)) <= LAST_DAY:
        unit = "" if is_dated else " Are they hours or seconds? Divide them into days."
        sentence = (
            f"Column '{name}' of {staged.source} spans {last - first:,.0f} days, more than a hundred years.{unit}"
        )
        notes.append(_note(name, sentence))
    return span, notes


def _note(column: str, sentence: str) -> Finding:
    """Return something to know."""
    return Finding(severity="note", column=column, sentence=sentence)


def _duplicates(staged: Staged, form: str, rows: int) -> int:
    """Count the rows that repeat an earlier one: in what makes an edge or an event, else in every column."""
    keys = {"edges": ("source", "target"), "events": ("user", "item", "time")}.get(form, ())
    if keys and not staged.has(*keys):
        return 0
    names = [f"v_{role}" for role in keys] or [f"c{place}" for place in range(len(staged.names))]
    different = staged.rows.select(*names).distinct().count()
    return rows - int(different.to_pyarrow().as_py())


def _edges(staged: Staged, rows: int, found: dict[str, Any], shape: Shape, *, merge_repeats: bool) -> None:
    """Count repeated edges, those in both directions, and those that a description leaves out."""
    for measure, why in (("no end", "lacks a source or a target"), ("loops", "leads from a node to itself")):
        if found[measure]:
            shape.dropped.append({"why": f"{why}; a description leaves it out", "rows": int(found[measure])})
    if rows > COUNTED:
        return
    edges = staged.rows.select(source=staged.value("source"), target=staged.value("target"))
    edges = edges.filter(edges.source.notnull() & edges.target.notnull())
    single = edges.distinct()
    back = single.select(target="source", source="target")
    both = int(single.semi_join(back, ["source", "target"]).count().to_pyarrow().as_py())
    different = int(single.count().to_pyarrow().as_py())
    shape.balance = {"one-way": different - both, "mutual": both}
    repeated = int(edges.count().to_pyarrow().as_py()) - different
    shape.facts["edges"] = different
    ends = single.select(node="source").distinct().semi_join(single.select(node="target"), "node").count()
    if different and not int(ends.to_pyarrow().as_py()):
        shape.findings.append(_sided(staged))
    if repeated:
        shape.findings.append(_repeated(staged, repeated, are_merged=merge_repeats))


def _sided(staged: Staged) -> Finding:
    """Tell that sources and targets have no node in common, so that no link could be answered."""
    names = [staged.column_of[role] for role in ("source", "target")]
    return _note(
        names[0],
        f"No value of '{names[0]}' in {staged.source} is one of '{names[1]}', too, so that no link could ever be "
        "answered. If a row says who took what and when, give it as events: what follows what becomes a link.",
    )


def _repeated(staged: Staged, count: int, *, are_merged: bool) -> Finding:
    """Tell of repeated edges and of the first one."""
    ends = [staged.value("source"), staged.value("target")]
    numbered = staged.rows.select(source=ends[0], target=ends[1], row=ibis.row_number())
    numbered = numbered.filter(numbered.source.notnull() & numbered.target.notnull())
    firsts = numbered.group_by(["source", "target"]).aggregate(first=numbered.row.min(), n=numbered.count())
    many = numbered.inner_join(firsts.filter(firsts.n > 1), ["source", "target"])
    line = many.filter(many.row > many.first).order_by("row").limit(1).to_pyarrow().to_pylist()[0]
    more = f" ({count:,} rows in all)" if count > 1 else ""
    name = staged.column_of["source"]
    value = f"{line['source']} to {line['target']}"
    then = (
        "they are merged: weights are added (1 for each row without them), of times the latest counts, of other "
        "columns the first value."
        if are_merged
        else "every pair may occur once. Merge repeated edges with --merge-repeats, which adds their weights, or "
        "describe them: a description merges them, too."
    )
    return Finding(
        severity="note" if are_merged else "stops",
        column=name,
        sentence=f"Columns '{name}' and '{staged.column_of['target']}' of {staged.source} repeat the edge "
        f"'{value[:80]}' in data row {line['row'] + 1:,}{more}; {then}",
        rows=count,
        first_row=int(line["row"]) + 1,
        first_value=value,
        stops="" if are_merged else "train",
    )


def _exposures(staged: Staged, rows: int, found: dict[str, Any], shape: Shape) -> None:
    """Count conversions, late ones, and exposures whose window is still open."""
    start = staged.value("exposure_time")
    ends = [found.get(f"last {role}") for role in LATER] + [found.get("last")]
    end = max((float(value) for value in ends if value is not None and math.isfinite(value)), default=0.0)
    none = start * ibis.null("float64")
    window = (staged.value("window_days") if staged.has("window_days") else none).fill_null(WINDOW)
    converted = staged.value("conversion_time") if staged.has("conversion_time") else none
    late = converted - start > window
    facts = staged.rows.aggregate(conversions=converted.count(), late=late.sum(), open=(start + window > end).sum())
    line = facts.to_pyarrow().to_pylist()[0]
    conversions = int(line["conversions"] or 0)
    shape.balance = {"conversions": conversions, "no conversion": rows - conversions}
    written = day_text(end) if staged.is_dated("exposure_time") else f"day {end:g}"
    if line["open"]:
        why = f"has a window that is still open at the end of the log ({written}); a training leaves it out"
        shape.dropped.append({"why": why, "rows": int(line["open"])})
    late_rows = int(line["late"] or 0)
    if late_rows and end <= LAST_DAY:
        name = staged.column_of["conversion_time"]
        told = (
            "1 row converts after its window and counts"
            if late_rows == 1
            else (f"{late_rows:,} rows convert after their window and count")
        )
        every = " That is every conversion: is another column the time of the exposure?" * (late_rows == conversions)
        shape.findings.append(_note(name, f"Column '{name}' of {staged.source}: {told} as no conversion.{every}"))
    if shape.time is not None and end - float(found["first"]) < 1 / DAY_SECONDS:
        name = staged.column_of["exposure_time"]
        told = (
            f"All times of {staged.source} are the same moment, so that nobody was watched for any time; bring a log "
            "that goes on."
        )
        shape.findings.append(Finding(severity="stops", column=name, sentence=told, stops="both"))
