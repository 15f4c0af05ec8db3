"""Open data of any size as an Ibis table, on DuckDB or on Spark; no row is read yet."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import ibis
from ibis.util import gen_name

from engine.errors import ConfigError, DataError
from engine.spark_session import session_of

_DELIMITED = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
_DATABASES = (".duckdb", ".db", ".ddb")
MISSING = ("", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None")
"""Words of delimited text that stand for no value."""


def open_table(path: Path | None, *, backend: str = "duckdb", name: str | None = None) -> ibis.Table:
    """Open a file, a folder of Parquet files, a table of a DuckDB file or one of a Spark catalog.

    Parameters
    ----------
    path : Path or None
        ``.csv`` or ``.tsv`` (also ``.gz``; every column as text), ``.parquet``, a folder that holds Parquet files at
        any depth, a pattern of names that end in ``.parquet``, or a DuckDB file (``.duckdb``, ``.db``). None for a
        table that Spark knows by `name`. A cluster reads files by the same path on every machine.
    backend : str, default "duckdb"
        ``duckdb``, or a Spark master, see `engine.spark_session.session_of`.
    name : str, optional
        Table of a DuckDB file that holds several; without a path, ``table``, ``database.table`` or
        ``catalog.database.table`` of Spark.

    Returns
    -------
    ibis.Table
        What is opened here is only one way to come by one: all that describes data takes a table of any connection
        of Ibis.

    Raises
    ------
    DataError
        If there is no such file or table, it cannot be opened, or a table has to be named.
    ConfigError
        If the backend is unknown, what it needs is not installed, or it cannot be reached.
    """
    if path is None:
        return _of_catalog(backend, name)
    if not path.exists() and not matches(path):
        raise DataError(f"'{path}' does not exist; check the spelling.")
    if name is not None and path.suffix not in _DATABASES:
        raise ConfigError(f"'--table {name}' belongs to a DuckDB file; leave it out for '{path.name}'.")
    try:
        # Ibis asks DuckDB for a schema by a call that DuckDB has renamed.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            if path.suffix in _DATABASES and path.is_file():
                return _of_database(path, backend, name)
            return _of_files(path, backend)
    except (ConfigError, DataError):
        raise
    except Exception as error:  # each backend has exceptions of its own
        raise DataError(f"'{path.name}' cannot be opened ({first_line(error)}); check its format.") from error


def matches(path: Path) -> list[str]:
    """List the Parquet files that a pattern such as ``scores/2026-*.parquet`` names; none if it is no pattern."""
    if not any(sign in path.name for sign in "*?[") or not path.name.endswith(".parquet"):
        return []
    return sorted(str(file) for file in path.parent.glob(path.name))


def first_line(error: BaseException) -> str:
    """Return the first line of a library's message, without its full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _of_files(path: Path, backend: str) -> ibis.Table:
    """Open Parquet or delimited text."""
    files = sorted(str(file) for file in path.rglob("*.parquet")) if path.is_dir() else matches(path) or [str(path)]
    if not files:
        raise DataError(f"Folder '{path.name}' holds no .parquet file; name another one, or a file.")
    ending = next((ending for ending in _DELIMITED if path.name.lower().endswith(ending)), None)
    if ending is None and path.is_file() and not path.name.lower().endswith(".parquet"):
        raise DataError(
            f"'{path.name}' has the ending '{path.suffix}'; allowed are .csv, .tsv (also .gz), .parquet, a folder of "
            f"Parquet files, and {', '.join(_DATABASES)}."
        )
    if backend == "duckdb":
        connection = _quiet(ibis.duckdb.connect())
        if ending is None:
            return connection.read_parquet(files)
        # As text: a type guessed from the first rows would fail in a later one, without saying which.
        return connection.read_csv(
            str(path), header=True, sep=_DELIMITED[ending], all_varchar=True, nullstr=list(MISSING)
        )
    from engine import spark_files

    connection = ibis.pyspark.connect(session_of(backend))
    if ending is None:
        return spark_files.read_parquet(connection, path, files)
    return spark_files.read_delimited(connection, path, separator=_DELIMITED[ending], missing=MISSING)


def _of_catalog(backend: str, name: str | None) -> ibis.Table:
    """Open a table that Spark knows by its name."""
    if name is None or backend == "duckdb":
        raise ConfigError("Without a file, give the 'name' of a table that Spark knows, and its master as 'backend'.")
    session = session_of(backend)
    # Spark itself tells names of one, two and three parts apart.
    if not session.catalog.tableExists(name):
        raise DataError(
            f"'{backend}' has no table '{name}'; a name is table, database.table or catalog.database.table."
        )
    view = gen_name("table")
    session.table(name).createOrReplaceTempView(view)
    return ibis.pyspark.connect(session).table(view)


def _of_database(path: Path, backend: str, name: str | None) -> ibis.Table:
    """Open a table of a DuckDB file."""
    if backend != "duckdb":
        raise ConfigError(f"'--backend {backend}' cannot read the DuckDB file '{path.name}'; leave it out.")
    connection = _quiet(ibis.duckdb.connect(str(path), read_only=True))
    # The listing of Ibis uses a call that DuckDB no longer has.
    tables = sorted(row[0] for row in connection.con.sql("SELECT table_name FROM information_schema.tables").fetchall())
    listing = ", ".join(f"'{table}'" for table in tables[:12]) or "none"
    if name is None and len(tables) != 1:
        raise DataError(f"'{path.name}' has the tables {listing}; name one with --table.")
    if name is not None and name not in tables:
        raise DataError(f"'{path.name}' has no table '{name}'; it has {listing}.")
    return connection.table(name or tables[0])


def _quiet(connection: Any) -> Any:
    """Keep DuckDB's progress bar out of what a command prints."""
    connection.con.execute("SET enable_progress_bar = false")
    return connection
