"""Open data of any size as an Ibis table, on DuckDB or on Spark; no row is read yet."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import ibis

from engine.errors import ConfigError, DataError

_DELIMITED = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
_DATABASES = (".duckdb", ".db", ".ddb")
_MISSING = ["", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None"]


def open_table(path: Path, *, backend: str = "duckdb", name: str | None = None) -> ibis.Table:
    """Open a file, a folder of Parquet files or a table of a DuckDB file.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.tsv`` (also ``.gz``; every column as text), ``.parquet``, a folder that holds Parquet files at
        any depth, a pattern of names that end in ``.parquet``, or a DuckDB file (``.duckdb``, ``.db``).
    backend : str, default "duckdb"
        ``duckdb``, or a Spark master: ``spark://host:port``, ``local[2]``, ``yarn``.
    name : str, optional
        Table of a DuckDB file that holds several.

    Returns
    -------
    ibis.Table

    Raises
    ------
    DataError
        If there is no such file, it cannot be opened, or a table has to be named.
    ConfigError
        If the backend is unknown, or its package is not installed.
    """
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
            connection = _quiet(ibis.duckdb.connect()) if backend == "duckdb" else _spark(backend)
            return _of_files(connection, path, is_spark=backend != "duckdb")
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


def _of_files(connection: Any, path: Path, *, is_spark: bool) -> ibis.Table:
    """Open Parquet or delimited text."""
    if not path.exists():
        return connection.read_parquet(str(path) if is_spark else matches(path))
    if path.is_dir():
        files = sorted(str(file) for file in path.rglob("*.parquet"))
        if not files:
            raise DataError(f"Folder '{path.name}' holds no .parquet file; name another one, or a file.")
        return connection.read_parquet(str(path) if is_spark else files)
    ending = next((ending for ending in _DELIMITED if path.name.lower().endswith(ending)), None)
    if ending is None and not path.name.lower().endswith(".parquet"):
        raise DataError(
            f"'{path.name}' has the ending '{path.suffix}'; allowed are .csv, .tsv (also .gz), .parquet, a folder of "
            f"Parquet files, and {', '.join(_DATABASES)}."
        )
    if ending is None:
        return connection.read_parquet(str(path))
    separator = _DELIMITED[ending]
    if is_spark:
        return connection.read_csv(str(path), header=True, sep=separator)
    # As text: a type guessed from the first rows would fail in a later one, without saying which.
    return connection.read_csv(str(path), header=True, sep=separator, all_varchar=True, nullstr=_MISSING)


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


def _spark(master: str) -> Any:
    """Start or join a Spark session."""
    if not (master.startswith(("spark://", "local", "yarn", "k8s://"))):
        raise ConfigError(f"'--backend {master}' is unknown; allowed are duckdb, or a Spark master such as local[2].")
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigError(
            f"'--backend {master}' needs Spark; install it with: pip install 'ibis-framework[pyspark]'"
        ) from error
    builder = SparkSession.builder.master(master).appName("recommender-lens")
    session = builder.config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return ibis.pyspark.connect(session)
