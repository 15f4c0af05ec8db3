"""The roles that columns play, by kind and form of data, and a guess at who plays them."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import ConfigError, DataError
from engine.inspection.words import likeness
from engine.result import Kind
from engine.schema import Column, ColumnKind

if TYPE_CHECKING:
    from engine.inspection.look import ColumnLook

FORMS: dict[Kind, tuple[str, ...]] = {
    "graph": ("edges", "events"),
    "delay": ("exposures",),
    "uncertainty": ("rows", "scores"),
}
"""What data of a kind may look like; the first is taken where nothing speaks for another."""
_NEEDED = {"exposures": ("conversion_time",), "scores": ("score", "uncertainty")}
"""Roles that a form asks for beyond its schema."""
LEFT_OUT = {"rows": ("score", "uncertainty"), "scores": ("time", "week")}
"""Roles of a schema that a form does not have; `describe` knows no time of scored rows."""
_FITTING: dict[ColumnKind, tuple[str, ...]] = {
    "id": ("text", "integer", "number"),
    "category": ("text", "integer", "boolean"),
    "number": ("number", "integer", "boolean", "empty"),
    "integer": ("integer", "boolean", "empty"),
    "binary": ("boolean", "integer", "text", "number"),
    "time": ("date", "integer", "number", "empty"),
}
"""Types of column that may play a role of a kind."""
_YES_OR_NO = 2
_EVIDENCE = re.compile(r"[kn]_\w+")
"""Further roles of labelled rows: positives and rows seen in a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a column can be for one form of data."""

    name: str
    kind: ColumnKind
    required: bool
    unit: str
    description: str


def roles_of(kind: Kind, form: str) -> tuple[Role, ...]:
    """List the roles of a form of data, needed ones and others, in the order of its schema.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}
    form : str
        One of `FORMS` of this kind.

    Returns
    -------
    tuple of Role

    Raises
    ------
    ConfigError
        If this kind of data has no such form.
    """
    needed = _NEEDED.get(form, ())
    return tuple(
        Role(
            name=column.name,
            kind=column.kind,
            required=column.required or column.name in needed,
            unit=column.unit,
            description=column.description,
        )
        for column in schema_of(kind, form)
    )


def schema_of(kind: Kind, form: str) -> tuple[Column, ...]:
    """Return the columns that `roles_of` describes, with the limits of their values.

    A column that a form needs may still have empty cells, as the times of conversions have.
    """
    check_form(kind, form)
    module = "engine.graph.events_config" if form == "events" else f"engine.{kind}.data"
    schema: Sequence[Column] = importlib.import_module(module).SCHEMA
    return tuple(column for column in schema if column.name not in LEFT_OUT.get(form, ()))


def check_form(kind: Kind, form: str) -> None:
    """Refuse a form that a kind of data does not have."""
    if form not in FORMS[kind]:
        raise ConfigError(f"'--form {form}' is no form of {kind} data; it has {', '.join(FORMS[kind])}.")


def check_roles(kind: Kind, roles: Mapping[str, str]) -> None:
    """Refuse a role that no form of a kind of data has."""
    known = list(dict.fromkeys(column.name for form in FORMS[kind] for column in schema_of(kind, form)))
    if kind == "uncertainty":
        known += [column.name for column in importlib.import_module("engine.uncertainty.data").SCHEMA]
    for role, name in roles.items():
        if role not in known and not (kind == "uncertainty" and _EVIDENCE.fullmatch(role)):
            raise DataError(
                f"'--column {role}={name}' names no role of {kind} data; it has {', '.join(dict.fromkeys(known))}."
            )


def guess_form(kind: Kind, columns: Mapping[str, ColumnLook]) -> str:
    """Guess the form of data from their columns.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}
    columns : mapping of str to ColumnLook

    Returns
    -------
    str
        The form of this kind of which most of the needed roles are found, the first of equals.
    """

    def found(form: str) -> tuple[bool, float]:
        needed = [role.name for role in roles_of(kind, form) if role.required]
        guessed = guess_roles(kind, form, columns)
        special = [name for name in needed if name not in ("label", "time")]
        hits = [name for name in special if name in guessed]
        return len(hits) == len(special), len(hits) / max(len(special), 1)

    forms = FORMS[kind]
    if kind == "uncertainty":  # Rows need a label only, so that scores are the stronger sign.
        return "scores" if found("scores")[0] else "rows"
    return max(forms, key=found)


def guess_roles(kind: Kind, form: str, columns: Mapping[str, ColumnLook]) -> dict[str, str]:
    """Guess which column plays which role, from names first and types second.

    A role's own name counts most, then another spelling of it, then what people call it. No column is guessed for
    two roles; a role that fits two columns equally well is left open.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}
    form : str
    columns : mapping of str to ColumnLook

    Returns
    -------
    dict of str to str
        Role to column, in the order of the roles.
    """
    roles = roles_of(kind, form)
    fits = {
        role.name: {name: points for name, look in columns.items() if (points := _points(role, form, name, look))}
        for role in roles
    }
    guessed: dict[str, str] = {}
    closed: set[str] = set()
    for level in sorted({points for found in fits.values() for points in found.values()}, reverse=True):
        for role in roles:
            names = [
                name for name, points in fits[role.name].items() if points == level and name not in guessed.values()
            ]
            if role.name in guessed or role.name in closed or not names:
                continue
            if len(names) == 1:
                guessed[role.name] = names[0]
            else:
                closed.add(role.name)
    guessed |= _by_type(form, columns, guessed, closed)
    return {role.name: guessed[role.name] for role in roles if role.name in guessed}


def _points(role: Role, form: str, name: str, look: ColumnLook) -> int:
    """Return the likeness of a name, 0 if the column's type cannot play the role."""
    points = likeness(name, form, role.name)
    if points == 1000:  # The model takes a column of this very name whatever anyone guesses.
        return points
    fits = look.type in _FITTING[role.kind] or (role.kind == "time" and look.is_nearly_date)
    if not fits and not (look.type == "empty" and not role.required):
        return 0
    if role.kind == "binary" and look.distinct_in_preview > _YES_OR_NO:
        return 0
    return points


def _by_type(
    form: str, columns: Mapping[str, ColumnLook], guessed: Mapping[str, str], closed: set[str]
) -> dict[str, str]:
    """Guess what names left open where a single column has the right type."""
    free = {name: look for name, look in columns.items() if name not in guessed.values()}
    found: dict[str, str] = {}
    answers = [n for n, look in free.items() if look.type == "boolean" and look.distinct_in_preview == _YES_OR_NO]
    if form in ("rows", "scores") and not {"label"} & {*guessed, *closed} and len(answers) == 1:
        found["label"] = answers[0]
    # A column of dates but for some cells may be the one that is meant: its cells are to be mended, not passed over.
    dates = [name for name, look in free.items() if look.type == "date" or look.is_nearly_date]
    role = "time" if form == "events" else "exposure_time" if form == "exposures" else None
    if form == "exposures" and len(dates) == 2 and not {"exposure_time", "conversion_time"} & {*guessed, *closed}:
        whole = [name for name in dates if not free[name].missing_in_preview]
        if len(whole) == 1:
            later = next(name for name in dates if name != whole[0])
            return found | {"exposure_time": whole[0], "conversion_time": later}
    if role and role not in guessed and role not in closed and len(dates) == 1:
        if not free[dates[0]].missing_in_preview:
            found[role] = dates[0]
    return found
