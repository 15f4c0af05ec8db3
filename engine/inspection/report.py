"""The dry run: what a description or a training of own data would meet, before it starts."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import ConfigError, DataError
from engine.inspection import doors
from engine.inspection.card import card as card
from engine.inspection.cells import Cells
from engine.inspection.checks import Check, run_checks, schema_checks
from engine.inspection.columns import ColumnFacts, column_facts
from engine.inspection.features import column_notes
from engine.inspection.inspection import COLUMN_FIELDS, DROPPED_FIELDS, FINDING_FIELDS, Finding, table_of
from engine.inspection.inspection import Inspection as Inspection
from engine.inspection.kinds import kind_checks, later_checks, whole_table
from engine.inspection.preview import preview
from engine.inspection.roles import check_form, check_roles, guess_form, guess_roles, roles_of, schema_of
from engine.inspection.shape import Shape, shape_of
from engine.inspection.source import Opened, hash_of, opened
from engine.inspection.staged import Staged, staged
from engine.result import Kind
from engine.schema import Column

_QUOTED = re.compile(r"'([^']+)'")
"""Names and values in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What is asked: a form of data and who plays which role."""

    kind: Kind
    form: str
    given: Mapping[str, str]
    """Roles as guessed or named."""
    playing: Mapping[str, str]
    """These, and columns with the very name of a role."""
    schema: Sequence[Column]
    examples: Mapping[str, str]
    """Column to its first value."""
    merge_repeats: bool = False
    """Whether a training merges repeated edges."""


def inspect(
    path: str | Path,
    kind: Kind,
    *,
    form: str | None = None,
    roles: Mapping[str, str] | None = None,
    table: str | None = None,
    backend: str = "duckdb",
    merge_repeats: bool = False,
) -> Inspection:
    """Look at own data as a description or a training would, and say what either would meet.

    Everything is counted over all rows by aggregates, in bounded memory. Text or Parquet of up to
    `engine.inspection.source.SMALL` bytes is also read and split as a training does, whose word then decides.

    Parameters
    ----------
    path : str or Path
        CSV, TSV (also gzipped), Parquet file, folder or pattern, or DuckDB file.
    kind : {"graph", "delay", "uncertainty"}
    form : str, optional
        One of `engine.inspection.roles.FORMS`; guessed if absent.
    roles : mapping of str to str, optional
        Role to column; guessed if absent. A column with the very name of a role plays it in any case.
    table : str, optional
        Table of a DuckDB file.
    backend : str, default "duckdb"
        Or a Spark master.
    merge_repeats : bool, default False
        Look at edges as a training does that merges repeated ones; graphs only.

    Returns
    -------
    Inspection

    Raises
    ------
    DataError
        If the file cannot be read, or a role or a named column does not exist.
    ConfigError
        If `form` is none of this kind, the backend is unknown, or data that are no graph are to be merged.
    """
    path = Path(path)
    if merge_repeats and kind != "graph":
        raise ConfigError(f"'--merge-repeats' belongs to graph data; leave it out for {kind}.")
    task = replace(_task(path, kind, form, roles, table), merge_repeats=merge_repeats)
    with opened(path, table=table, backend=backend) as data:
        rows, stage = _staged(data, task)
        shape = shape_of(stage, task.form, rows, merge_repeats=task.merge_repeats)
        findings, offending = _findings(stage, task, rows, shape)
    notes = [Finding(severity="note", sentence=note) for note in data.notes]
    findings, data_id = _judged(
        path, task, [*findings, *notes], rows, table=table, backend=backend, small=data.is_small
    )
    stops = {finding.stops for finding in findings}
    return Inspection(
        kind=kind,
        form=task.form,
        source=path.name,
        roles=dict(task.playing),
        rows=rows,
        columns=table_of(_columns(stage, task), COLUMN_FIELDS),
        findings=table_of(findings, FINDING_FIELDS),
        offending=table_of(offending, ("row", "why")),
        balance=shape.balance,
        time=shape.time,
        duplicates=shape.duplicates,
        dropped=table_of(shape.dropped, DROPPED_FIELDS),
        content_hash=hash_of(path),
        data_id=data_id,
        can_describe=not stops & {"describe", "both"},
        can_train=not stops & {"train", "both"},
    )


def _task(path: Path, kind: Kind, form: str | None, roles: Mapping[str, str] | None, table: str | None) -> _Task:
    """Guess what is not given, and refuse what does not exist."""
    looks = {look.name: look for look in preview(path, table=table).columns}
    form = guess_form(kind, looks) if form is None else form
    check_form(kind, form)
    given = dict(guess_roles(kind, form, looks) if roles is None else roles)
    schema: dict[str, Column] = {column.name: column for column in schema_of(kind, form)}
    if kind == "uncertainty":  # A column called score is one, whatever the form.
        full = importlib.import_module("engine.uncertainty.data").SCHEMA
        schema = {column.name: schema.get(column.name, column) for column in full}
    check_roles(kind, given)
    for role, name in given.items():
        if name not in looks:
            known = ", ".join(f"'{column}'" for column in list(looks)[:12])
            raise DataError(f"Column '{name}' (for role '{role}') is not in {path.name}; it has {known}.")
    taken = set(given.values())
    playing = {name: name for name in schema if name in looks and name not in taken} | given
    if kind == "uncertainty" and {"score", "uncertainty"} <= playing.keys():
        form = "scores"
    # A training of labelled rows asks for a value in every cell of every role.
    schema = {n: replace(c, required=c.required or (kind == "uncertainty" and n in playing)) for n, c in schema.items()}
    examples = {name: look.example for name, look in looks.items()}
    ordered = {name: playing[name] for name in schema if name in playing} | playing
    return _Task(kind=kind, form=form, given=given, playing=ordered, schema=tuple(schema.values()), examples=examples)


def _staged(data: Opened, task: _Task) -> tuple[int, Staged]:
    """Measure the columns and put the values of the roles beside them."""
    kinds = {task.playing[column.name]: column.kind for column in task.schema if column.name in task.playing}
    cells = {
        name: Cells(raw=data.table[name], is_text=data.is_text, keeps_words=kinds.get(name) in ("id", "category"))
        for name in data.table.columns
    }
    facts = column_facts(cells, data.table, is_small=data.is_small)
    first = next(iter(facts.values()))
    rows = first.present + first.missing
    if rows == 0:
        raise DataError(f"{data.source} has columns but no rows; at least one row is needed.")
    stage = staged(
        data.table, is_text=data.is_text, schema=task.schema, roles=task.playing, facts=facts, source=data.source
    )
    return rows, stage


def _findings(stage: Staged, task: _Task, rows: int, shape: Shape) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Run every check in the order in which a training makes it, and note the rest."""
    missing = list(_unplayed(stage, task))
    early, offending = run_checks(stage, [*schema_checks(stage), *kind_checks(stage, task.form)])
    late, more = run_checks(stage, list(later_checks(stage, task.form)))
    notes = list(column_notes(stage, task.form, rows))
    noted, _ = run_checks(stage, [note for note in notes if isinstance(note, Check)])
    repeated = [finding for finding in shape.findings if finding.severity == "stops"]
    others = [finding for finding in shape.findings if finding.severity != "stops"]
    whole = list(whole_table(stage, task.form, rows, shape.facts))
    said = [note for note in notes if isinstance(note, Finding)]
    return [*missing, *early, *_unpaired(stage, task), *repeated, *whole, *late, *others, *noted, *said], [
        *offending,
        *more,
    ]


def _unplayed(stage: Staged, task: _Task) -> Iterator[Finding]:
    """Yield the roles that need a column and have none, and names that stand in the way."""
    listing = ", ".join(f"'{name}'" for name in stage.names[:12])
    listing += f" and {len(stage.names) - 12} more" if len(stage.names) > 12 else ""
    for role, name in task.given.items():
        if role != name and role in stage.names and role not in task.given.values():
            sentence = (
                f"{stage.source} has a column '{role}' and '{name}' is to play this role too; rename or drop one."
            )
            yield Finding(severity="stops", sentence=sentence, column=role, stops="both")
    forms = "Edges need source and target, events need user, item and time. " if task.kind == "graph" else ""
    for needed in roles_of(task.kind, task.form):
        if needed.required and needed.name not in task.playing:
            sentence = (
                f"Column '{needed.name}' is missing in {stage.source}; it has {listing}. "
                f"{forms}Name the column that plays this role with --column {needed.name}=NAME."
            )
            yield Finding(severity="stops", sentence=sentence, column=needed.name, stops="train")
    if task.form == "events" and "target" in stage.names:
        sentence = f"{stage.source} has a column 'target', so that it would be read as edges; rename or drop it."
        yield Finding(severity="stops", sentence=sentence, column="target", stops="both")


def _unpaired(stage: Staged, task: _Task) -> Iterator[Finding]:
    """Yield a score without an uncertainty, and the other way round."""
    for one, other in (("score", "uncertainty"), ("uncertainty", "score")):
        if task.kind == "uncertainty" and one in task.playing and other not in task.playing and task.form == "rows":
            sentence = (
                f"{stage.source} has a column '{task.playing[one]}' ({one}) but no '{other}'; give both or neither."
            )
            yield Finding(severity="stops", sentence=sentence, column=task.playing[one], stops="train")


def _judged(
    path: Path, task: _Task, findings: list[Finding], rows: int, *, table: str | None, backend: str, small: bool
) -> tuple[list[Finding], str | None]:
    """Ask the doors, whose word decides, and put what stops first."""
    data_id = None
    described = _description(path, task, table=table, backend=backend)
    if small and (task.form != "events" or rows <= doors.MAX_EVENTS):
        door = doors.training_of(path, task.kind, task.given, merge_repeats=task.merge_repeats)
        data_id = door.data_id
        if door.refusal is None:
            findings = [_demoted(finding) for finding in findings]
        elif not any(finding.stops for finding in findings):
            findings.insert(0, Finding(severity="stops", sentence=door.refusal, stops=door.stops))
    if described is not None:
        _join(findings, described)
    order = {"stops": 0, "drops": 1, "note": 2}
    return sorted(findings, key=lambda finding: order[finding.severity]), data_id


def _join(findings: list[Finding], described: Finding) -> None:
    """Add why a description would stop; the same fault keeps one sentence, whichever way it is met."""
    stopping = [finding for finding in findings if finding.stops]
    if described.severity != "stops" or not stopping:
        findings.append(described)
    elif all(finding.stops != "both" for finding in stopping):
        quoted = _QUOTED.findall(described.sentence)
        same = next((finding for finding in stopping if {*_QUOTED.findall(finding.sentence)} & {*quoted}), None)
        if same is None:
            findings.append(described)
        else:
            findings[findings.index(same)] = replace(same, stops="both")


def _description(path: Path, task: _Task, *, table: str | None, backend: str) -> Finding | None:
    """Return why a description would stop."""
    if task.form == "rows":
        sentence = "Rows without a score cannot be described; train on them, or add 'score' and 'uncertainty'."
        return Finding(severity="note", sentence=sentence, stops="describe")
    refusal = doors.description_of(path, task.kind, task.given, table=table, backend=backend)
    return None if refusal is None else Finding(severity="stops", sentence=refusal, stops="describe")


def _demoted(finding: Finding) -> Finding:
    """Turn what stops a training into a note, because a training was tried and let the data in."""
    return replace(finding, severity="note", stops="") if finding.stops == "train" else finding


def _columns(stage: Staged, task: _Task) -> Iterator[dict[str, Any]]:
    """Lay out what every column holds."""
    roles = {column: role for role, column in task.playing.items()}
    # An id such as 0042 is a text, whose place among numbers says nothing.
    ids = {task.playing[column.name] for column in task.schema if column.kind == "id" and column.name in task.playing}
    for name in stage.names:
        facts: ColumnFacts = stage.facts[name]
        yield {
            "column": name,
            "role": roles.get(name, ""),
            "type": facts.type,
            "missing": facts.missing,
            "distinct": facts.distinct,
            "minimum": None if name in ids else facts.minimum,
            "maximum": None if name in ids else facts.maximum,
            "example": task.examples.get(name) or facts.example,
        }
