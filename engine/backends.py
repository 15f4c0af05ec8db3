"""Open data of any size as an Ibis table, on DuckDB or on Spark; no row is read yet."""

from __future__ import annotations

import contextlib
import re
import tempfile
import warnings
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import ibis
from ibis.util import gen_name

from engine.delimited import delimited, ending_of
from engine.errors import ConfigError, DataError
from engine.spark_session import session_of

_CAUSE = re.compile(r"^Caused by: [\w.$]+: (.+)$", re.MULTILINE)
_CODES = re.compile(r"^\[[A-Z_.]+\] |\s*SQLSTATE: \w+.*$")
"""What Spark puts before and behind its messages."""
_LINE = re.compile(r"CSV Error on Line: (\d+)")
_DATABASES = (".duckdb", ".db", ".ddb")
MEMORY_LIMIT = "2GB"
"""Of DuckDB; beyond it the counting goes to disk."""
MISSING = ("", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None")
"""Words of delimited text that stand for no value."""


def open_table(
    path: Path | None, *, backend: str = "duckdb", name: str | None = None, text: Collection[str] = ()
) -> ibis.Table:
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
    text : collection of str, optional
        Columns of delimited text, ids above all, in which a word such as ``NA`` is a value, as in
        `engine.tables.read_table`; elsewhere it is a missing one.

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
            return _of_files(path, backend, text)
    except (ConfigError, DataError):
        raise
    except Exception as error:  # each backend has exceptions of its own
        is_parquet = path.suffix == ".parquet"
        then = "it is cut off or no Parquet; write it again" if is_parquet else "check its format"
        raise DataError(f"'{path.name}' cannot be opened ({first_line(error)}); {then}.") from error


@contextlib.contextmanager
def bounded(table: ibis.Table) -> Iterator[None]:
    """Let DuckDB go to disk beyond `MEMORY_LIMIT` for the body; a Spark cluster has limits of its own.

    Without it DuckDB keeps what it has read for as long as four fifths of the memory last.
    """
    backend: Any = table.get_backend()
    if backend.name != "duckdb":
        yield
        return
    with tempfile.TemporaryDirectory(prefix="recommender-lens-") as scratch:
        backend.raw_sql(f"SET memory_limit = '{MEMORY_LIMIT}'")
        backend.raw_sql(f"SET temp_directory = '{scratch}'")
        yield


def matches(path: Path) -> list[str]:
    """List the Parquet files that a pattern such as ``scores/2026-*.parquet`` names; none if it is no pattern."""
    if not any(sign in path.name for sign in "*?[") or not path.name.endswith(".parquet"):
        return []
    return sorted(str(file) for file in path.parent.glob(path.name))


def check_case(names: Sequence[str], path: Path) -> None:
    """Refuse columns whose names differ in case only, which backends take for one."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise DataError(
                f"File '{path.name}' has the columns '{other}' and '{name}', alike but for case; rename one."
            )


def first_line(error: BaseException) -> str:
    """Return what a library's message begins with, or the last of its causes, without codes and full stop."""
    causes = _CAUSE.findall(str(error))
    lines = causes[-1:] or str(error).strip().splitlines() or [type(error).__name__]
    return _CODES.sub("", lines[0]).strip().rstrip(".")


def unreadable(called: str, error: BaseException) -> DataError:
    """Say what a backend could not read, and in which line if it tells.

    Parameters
    ----------
    called : str
        What the message calls the data.
    error : BaseException
        Of a library.

    Returns
    -------
    DataError
    """
    line = _LINE.search(str(error))
    if line is None:
        return DataError(f"{called} cannot be read ({first_line(error)[:200]}); check the file.")
    what = "the wrong number of values" if "Expected Number of Columns" in str(error) else "what is no row of values"
    what = "a quote that is left open" if "unterminated quote" in str(error) else what
    return DataError(f"{called} has {what} in line {int(line[1]):,}; give every row one value per column.")


def _of_files(path: Path, backend: str, text: Collection[str]) -> ibis.Table:
    """Open Parquet or delimited text."""
    files = sorted(str(file) for file in path.rglob("*.parquet")) if path.is_dir() else matches(path) or [str(path)]
    if not files:
        raise DataError(f"Folder '{path.name}' holds no .parquet file; name another one, or a file.")
    is_text = ending_of(path) is not None
    if not is_text and path.is_file() and not path.name.lower().endswith(".parquet"):
        raise DataError(
            f"'{path.name}' has the ending '{path.suffix}'; allowed are .csv, .tsv (also .gz), .parquet, a folder of "
            f"Parquet files, and {', '.join(_DATABASES)}."
        )
    if backend == "duckdb":
        connection = _prepared(ibis.duckdb.connect())
        return _known(_text(connection, path), text) if is_text else connection.read_parquet(files)
    from engine import spark_files

    session = session_of(backend)  # first: without Spark, Ibis says less
    connection = ibis.pyspark.connect(session)
    if is_text:
        check_case(delimited(path).names, path)
        return _known(spark_files.read_delimited(connection, path), text)
    return spark_files.read_parquet(connection, path, files)


def _text(connection: Any, path: Path) -> ibis.Table:
    """Open delimited text, every column as text: a type guessed from the first rows would fail in a later one."""
    form = delimited(path)
    check_case(form.names, path)
    return connection.read_csv(
        str(path),
        # All said, nothing guessed: a guess passes over a header that does not fit the first rows.
        auto_detect=False,
        columns=dict.fromkeys(form.names, "VARCHAR"),
        header=True,
        delim=form.separator,
        quote='"',
        escape='"',
        nullstr=[MISSING[0]],
    )


def _known(table: ibis.Table, text: Collection[str]) -> ibis.Table:
    """Take words for missing values, except in some columns; there an empty cell is the only one."""
    words = {name: MISSING[:1] if name in text else MISSING for name in table.columns}
    return table.select(**{name: ibis.ifelse(table[name].isin(words[name]), None, table[name]) for name in words})


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
    connection = _prepared(ibis.duckdb.connect(str(path), read_only=True))
    # The listing of Ibis uses a call that DuckDB no longer has.
    found = connection.con.sql("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
    # Those of the schema that DuckDB looks in by itself go by their own name.
    places = {(table if schema == "main" else f"{schema}.{table}"): (schema, table) for schema, table in found}
    tables = sorted(places)
    listing = ", ".join(f"'{table}'" for table in tables[:12]) or "none"
    if name is None and len(tables) != 1:
        raise DataError(f"'{path.name}' has the tables {listing}; name one with --table.")
    if name is not None and name not in tables:
        raise DataError(f"'{path.name}' has no table '{name}'; it has {listing}.")
    schema, table = places[name or tables[0]]
    return connection.table(table, database=schema)


def _prepared(connection: Any) -> Any:
    """Keep DuckDB's progress bar out of what a command prints, and its conclusions to what is true of NaN as well."""
    connection.con.execute("SET enable_progress_bar = false")
    # From the least and the largest value that a Parquet file states, it concludes that a column holds no NaN.
    connection.con.execute("SET disabled_optimizers = 'statistics_propagation'")
    return connection
