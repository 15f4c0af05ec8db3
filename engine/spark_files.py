"""Read files on Spark as DuckDB reads them: the same rows, the same missing values, the same moments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ibis
from ibis.util import gen_name

_NANOSECONDS = "spark.sql.legacy.parquet.nanosAsLong"


def read_delimited(connection: Any, path: Path, *, separator: str, missing: Sequence[str]) -> ibis.Table:
    """Open delimited text, every column as text.

    Parameters
    ----------
    connection : ibis Spark backend
    path : Path
    separator : str
    missing : sequence of str
        What stands for a missing value.

    Returns
    -------
    ibis.Table

    Notes
    -----
    One task reads a file, so that a quoted value may hold a line break; large data are better kept as Parquet. Rows
    with too many or too few values are refused when they are read; for that every column of a row has to be looked at.
    """
    reader = connection._session.read.option("columnPruning", "false").option("mode", "FAILFAST")
    frame = reader.csv(_address(path), header=True, sep=separator, quote='"', escape='"', multiLine=True)
    table = _table(connection, frame)
    # Spark knows one word for a missing value.
    given = {name: table[name] for name in table.columns}
    return table.select(**{name: ibis.ifelse(text.isin(missing), None, text) for name, text in given.items()})


def read_parquet(connection: Any, path: Path, files: Sequence[str]) -> ibis.Table:
    """Open one or several Parquet files, with the columns that folders called ``name=value`` stand for.

    Parameters
    ----------
    connection : ibis Spark backend
    path : Path
        File, folder, or pattern.
    files : sequence of str
        The files that are meant.

    Returns
    -------
    ibis.Table
    """
    session = connection._session
    # Spark has no nanoseconds, in which pandas writes moments by default; as whole numbers it takes them.
    session.conf.set(_NANOSECONDS, "true")
    reader = session.read
    if path.is_dir():
        parts = [Path(file).relative_to(path).parts[:-1] for file in files]
        is_partitioned = any("=" in part for folders in parts for part in folders)
        reader = reader.option("pathGlobFilter", "*.parquet").option("recursiveFileLookup", not is_partitioned)
        frame = reader.parquet(_address(path))
    else:
        frame = reader.parquet(*(_address(Path(file)) for file in files))
    return _table(connection, _with_moments(frame, files[0]))


def _with_moments(frame: Any, file: str) -> Any:
    """Turn nanoseconds into moments."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyspark.sql import functions

    for field in pq.read_schema(file):
        if not (pa.types.is_timestamp(field.type) and field.type.unit == "ns"):
            continue
        name = field.name
        quoted = "`" + name.replace("`", "``") + "`"
        frame = frame.withColumn(name, functions.expr(f"timestamp_micros({quoted} div 1000)"))
    return frame


def _table(connection: Any, frame: Any) -> ibis.Table:
    """Name a Spark frame and hand it to Ibis."""
    name = gen_name("data")
    frame.createOrReplaceTempView(name)
    return connection.table(name)


def _address(path: Path) -> str:
    """Return a path that Spark looks for on this machine, whatever file system is its default, and as it is written."""
    return "file:" + re.sub(r"([\\*?\[\]{}])", r"\\\1", str(path.resolve()))
