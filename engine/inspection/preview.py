"""The first rows of a file and what its columns look like, whatever its size."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from engine.delimited import check_names, delimited, ending_of, rows_of
from engine.errors import DataError
from engine.inspection.look import ColumnLook, look_at
from engine.raw_text import reading

LOOKED_AT = 2_000
"""Rows from which types are told."""
MAX_SHOWN = 200
"""Characters of a value that a preview shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The beginning of a table."""

    columns: tuple[ColumnLook, ...]
    """From the first `LOOKED_AT` rows at most."""
    rows: pd.DataFrame
    """First rows as text, as written; a missing value of Parquet is an empty text."""
    total_rows: int | None
    """None for text that was not read to its end."""
    bytes: int
    separator: str | None
    """None unless the file is delimited text."""
    encoding: str | None
    warnings: tuple[str, ...]


def preview(path: str | Path, *, rows: int = 200, table: str | None = None) -> Preview:
    """Read the first rows of a file in bounded time and memory.

    Parameters
    ----------
    path : str or Path
        CSV, TSV (also gzipped), a Parquet file, a folder or pattern of them, or a DuckDB file.
    rows : int, default 200
        Most rows to return.
    table : str, optional
        Table of a DuckDB file.

    Returns
    -------
    Preview

    Raises
    ------
    DataError
        If the file cannot be read; says why.
    """
    path = Path(path)
    if path.is_file() and path.stat().st_size == 0:
        raise DataError(f"File '{path.name}' is empty; a header line and at least one row are needed.")
    if path.is_file() and ending_of(path):
        return _of_text(path, rows)
    return _of_table(path, rows, table)


def _of_text(path: Path, count: int) -> Preview:
    """Read the first lines of delimited text."""
    form = delimited(path)
    with reading(path) as handle:
        body = rows_of(handle, path, form)
        found = [row for _, row in itertools.islice(body, LOOKED_AT)]
        is_whole = next(body, None) is None
    if not found:
        raise DataError(f"File '{path.name}' has columns but no rows; at least one row is needed.")
    return Preview(
        columns=tuple(look_at(name, [row[k] for row in found]) for k, name in enumerate(form.names)),
        rows=pd.DataFrame([[cell[:MAX_SHOWN] for cell in row] for row in found[:count]], columns=list(form.names)),
        total_rows=len(found) if is_whole else None,
        bytes=path.stat().st_size,
        separator=form.separator,
        encoding="UTF-8",
        warnings=tuple(_warnings(form.note, found, form.names)),
    )


def _warnings(note: str, rows: Sequence[Sequence[str]], names: Sequence[str]) -> list[str]:
    """Say what a reader of the preview should know."""
    found = [note] if note else []
    if len(names) == 1 and len(rows[0][0]) > 0:
        found.append(f"There is one column only, '{names[0][:60]}'; is the file separated by another sign?")
    return found


def _of_table(path: Path, count: int, table: str | None) -> Preview:
    """Read the first rows of anything that DuckDB opens."""
    backends = importlib.import_module("engine.backends")
    try:
        opened = backends.open_table(path, name=table)
        check_names(opened.columns, path)
        frame = _as_text(opened.limit(LOOKED_AT))
        total = int(opened.count().to_pyarrow().as_py())
    except DataError as error:  # a library may name the folder, which is nobody's business
        raise DataError(str(error).replace(str(path), path.name)) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("duckdb", "_duckdb"):
            raise
        raise DataError(f"'{path.name}' cannot be read ({_reason(error, path)}); check the file.") from error
    if total == 0:
        raise DataError(f"File '{path.name}' has columns but no rows; at least one row is needed.")
    files = (
        [path] if path.is_file() else path.rglob("*.parquet") if path.is_dir() else map(Path, backends.matches(path))
    )
    return Preview(
        columns=tuple(look_at(name, frame[name].tolist()) for name in frame.columns),
        rows=frame.head(count).map(lambda value: "" if value is None else value[:MAX_SHOWN]),
        total_rows=total,
        bytes=sum(file.stat().st_size for file in files),
        separator=None,
        encoding=None,
        warnings=(),
    )


def _reason(error: Exception, path: Path) -> str:
    """Return the first line of a library's message, without the folder of the file."""
    first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    return first.replace(str(path), path.name)


def _as_text(table: Any) -> pd.DataFrame:
    """Return rows with every value as text, None where it is missing."""
    columns = table.to_pyarrow().to_pydict()
    return pd.DataFrame(
        {
            name: pd.Series([None if v is None or v != v else str(v) for v in vs], dtype=object)
            for name, vs in columns.items()
        }
    )
