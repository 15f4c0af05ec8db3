"""The dry run: what a description or a training of own data would meet, before it starts."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from pathlib import Path

from engine.errors import DataError
from engine.inspection.inspection import (
    COLUMN_FIELDS,
    DROPPED_FIELDS,
    FINDING_FIELDS,
    Finding,
    Inspection,
    table_of,
)
from engine.inspection.preview import preview
from engine.inspection.roles import check_form, guess_form, guess_roles, roles_of
from engine.result import Kind


def inspect(
    path: str | Path,
    kind: Kind,
    *,
    form: str | None = None,
    roles: Mapping[str, str] | None = None,
    table: str | None = None,
    backend: str = "duckdb",
) -> Inspection:
    """Look at own data as a description or a training would, and say what either would meet.

    Parameters
    ----------
    path : str or Path
    kind : {"graph", "delay", "uncertainty"}
    form : str, optional
        One of `engine.inspection.roles.FORMS`; guessed if absent.
    roles : mapping of str to str, optional
        Role to column; guessed if absent. A column with the very name of a role plays it in any case.
    table : str, optional
        Table of a DuckDB file.
    backend : str, default "duckdb"

    Returns
    -------
    Inspection

    Raises
    ------
    DataError
        If the file cannot be read.
    ConfigError
        If `form` is none of this kind.
    """
    path = Path(path)
    found = preview(path, table=table)
    looks = {look.name: look for look in found.columns}
    form = guess_form(kind, looks) if form is None else form
    check_form(kind, form)
    chosen = dict(guess_roles(kind, form, looks) if roles is None else roles)
    known = [role.name for role in roles_of(kind, form)]
    playing = {name: name for name in known if name in looks and name not in chosen.values()} | chosen
    findings: list[Finding] = []
    data_id = None
    try:
        data_id = importlib.import_module("engine.datasets").load(kind, str(path), roles=chosen).info.data_id
    except DataError as error:
        findings.append(Finding(severity="stops", sentence=str(error), stops="train"))
    of_column = {column: role for role, column in playing.items()}
    return Inspection(
        kind=kind,
        form=form,
        source=path.name,
        roles=playing,
        rows=found.total_rows or 0,
        columns=table_of(
            [
                {
                    "column": look.name,
                    "role": of_column.get(look.name, ""),
                    "type": look.type,
                    "missing": look.missing_in_preview,
                    "distinct": look.distinct_in_preview,
                    "example": look.example,
                }
                for look in found.columns
            ],
            COLUMN_FIELDS,
        ),
        findings=table_of(findings, FINDING_FIELDS),
        offending=table_of([], ("row", "why")),
        balance=None,
        time=None,
        duplicates=0,
        dropped=table_of([], DROPPED_FIELDS),
        content_hash=hashlib.sha256(path.read_bytes()).hexdigest(),
        data_id=data_id,
        can_describe=data_id is not None,
        can_train=data_id is not None,
    )


def card(inspection: Inspection) -> str:
    """Write a data card in Markdown.

    Parameters
    ----------
    inspection : Inspection

    Returns
    -------
    str
    """
    lines = [f"# Data card: {inspection.source}", "", f"Content hash (SHA-256 of the file): {inspection.content_hash}"]
    return "\n".join(lines) + "\n"
