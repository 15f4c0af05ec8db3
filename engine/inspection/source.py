"""Open own data to look at them: text as it is written, everything else with its types."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from engine.delimited import Delimited, check_names, delimited, ending_of, rows_of
from engine.errors import ConfigError, DataError
from engine.raw_text import MAX_LINE, check_bytes, reading

SMALL = 64 * 2**20
"""Bytes of text, or of a Parquet file, up to which a training's own reading is tried out."""
MEMORY_LIMIT = "3GB"
"""Beyond this, DuckDB goes to disk."""
_BATCH = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A table to look at."""

    table: ir.Table
    is_text: bool
    """Whether every column is text as written, of a delimited file; an empty cell is NULL or empty."""
    is_small: bool
    """Whether a training's own reading may be tried out."""
    source: str
    """What messages call the data."""
    notes: tuple[str, ...] = ()


def files_of(path: Path) -> list[Path]:
    """List the files that a path stands for: itself, the Parquet files of a folder, or those of a pattern."""
    if path.is_file():
        return [path]
    return sorted(path.rglob("*.parquet")) if path.is_dir() else [Path(name) for name in _backends().matches(path)]


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes; of several, that of the lines ``hash  name``, as ``sha256sum`` writes them.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str of 64 hexadecimal digits
    """
    files = files_of(path)
    if files == [path]:
        return _digest(path)
    root = path if path.is_dir() else path.parent
    lines = "".join(f"{_digest(file)}  {file.relative_to(root)}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _digest(file: Path) -> str:
    """Hash one file block by block."""
    with open(file, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextlib.contextmanager
def opened(path: Path, *, table: str | None, backend: str) -> Iterator[Opened]:
    """Open data, and give every failure to read them a sentence.

    Parameters
    ----------
    path : Path
    table : str, optional
        Table of a DuckDB file.
    backend : str
        ``duckdb``, or a Spark master.

    Yields
    ------
    Opened

    Raises
    ------
    DataError
        If the data cannot be read.
    ConfigError
        If the backend is unknown.
    """
    if path.is_file() and path.stat().st_size == 0:
        raise DataError(f"File '{path.name}' is empty; a header line and at least one row are needed.")
    with tempfile.TemporaryDirectory(prefix="inspect-") as scratch:
        try:
            if ending_of(path) and path.is_file() and backend == "duckdb":
                yield _text(path, scratch)
            else:
                yield _typed(path, table, backend, scratch)
        except (ConfigError, DataError):
            raise
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in ("duckdb", "_duckdb", "pyspark"):
                raise
            raise _backends().unreadable(f"File '{path.name}'", error) from error


def _typed(path: Path, table: str | None, backend: str, scratch: str) -> Opened:
    """Open what has types, or what another backend reads."""
    found = _backends().open_table(path, backend=backend, name=table)
    if backend == "duckdb":
        _bound(found.get_backend(), scratch)
    check_names(found.columns, path)
    is_text = ending_of(path) is not None
    is_small = backend == "duckdb" and path.is_file() and path.suffix == ".parquet" and path.stat().st_size <= SMALL
    return Opened(table=found, is_text=is_text, is_small=is_small, source=path.name)


def _text(path: Path, scratch: str) -> Opened:
    """Open delimited text: a small file by the rules of a training, a large one by DuckDB's."""
    form = delimited(path)
    size = check_bytes(path)
    connection = ibis.duckdb.connect()
    _bound(connection, scratch)
    is_small = size <= SMALL
    if is_small:  # What Ibis says to make a table, DuckDB no longer understands.
        connection.con.register("data", pa.Table.from_batches(_batches(path, form)))
    # Ibis asks DuckDB for a schema by a call that DuckDB has renamed.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        table = connection.table("data") if is_small else _scanned(connection, path, form)
    notes = (form.note,) if form.note else ()
    return Opened(table=table, is_text=True, is_small=is_small, source=path.name, notes=notes)


def _scanned(connection: Any, path: Path, form: Delimited) -> ir.Table:
    """Let DuckDB read text, every column as it is written."""
    found: ir.Table = connection.read_csv(
        str(path),
        columns=dict.fromkeys(form.names, "VARCHAR"),
        auto_detect=False,
        header=True,
        delim=form.separator,
        quote='"',
        escape='"',
        max_line_size=4 * MAX_LINE,
    )
    return found


def _batches(path: Path, form: Delimited) -> list[pa.RecordBatch]:
    """Read text into columns of text, some rows at a time."""
    schema = pa.schema([(name, pa.string()) for name in form.names])
    found: list[pa.RecordBatch] = []

    def keep(rows: Sequence[Sequence[str]]) -> None:
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        found.append(pa.RecordBatch.from_arrays(columns, schema=schema))

    with reading(path) as handle:
        block: list[list[str]] = []
        for _, row in rows_of(handle, path, form):
            block.append(row)
            if len(block) == _BATCH:
                keep(block)
                block = []
        if block:
            keep(block)
    if not found:
        raise DataError(f"File '{path.name}' has columns but no rows; at least one row is needed.")
    return found


def _bound(connection: Any, scratch: str) -> None:
    """Keep DuckDB's memory small, its overflow where it is removed, its progress bar away, and NaN in sight."""
    connection.con.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    connection.con.execute(f"SET temp_directory = '{scratch}'")
    connection.con.execute("SET enable_progress_bar = false")
    # Else the bytes of a file that is read once or twice would stay in memory.
    connection.con.execute("SET enable_external_file_cache = false")
    # The smallest and largest value noted in a Parquet file leave NaN out, and DuckDB concludes that there is none.
    connection.con.execute("SET disabled_optimizers = 'statistics_propagation'")


def _backends() -> Any:
    """Return the module that opens data, once it is needed."""
    return importlib.import_module("engine.backends")
