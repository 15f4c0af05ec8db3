"""Read files on Spark as DuckDB reads them: the same rows, the same missing values, the same moments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.util import gen_name

from engine.delimited import delimited
from engine.errors import DataError
from engine.raw_text import check_bytes

_PATTERN = re.compile(r"[\\*?\[\]{}]")
_NANOSECONDS = "spark.sql.legacy.parquet.nanosAsLong"


def read_delimited(connection: Any, path: Path) -> ibis.Table:
    """Open delimited text, every column as text.

    Parameters
    ----------
    connection : ibis Spark backend
    path : Path

    Returns
    -------
    ibis.Table

    Raises
    ------
    DataError
        If the file is not UTF-8 text, which Spark would not notice, or its name is one that Spark takes for a pattern.

    Notes
    -----
    One task reads a file, so that a quoted value may hold a line break; large data are better kept as Parquet. Rows
    with too many or too few values are refused when they are read; for that every column of a row has to be looked at.
    """
    if _PATTERN.search(str(path.resolve())):
        raise DataError(f"'{path}' has one of * ? [ ] {{ }} in it, which Spark takes for a pattern; rename it.")
    form = delimited(path)
    check_bytes(path)
    reader = connection._session.read.option("columnPruning", "false").option("mode", "FAILFAST")
    frame = reader.csv(_address(path), header=True, sep=form.separator, quote='"', escape='"', multiLine=True)
    return _table(connection, frame.toDF(*form.names))


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
    if not path.is_dir():
        frame = reader.parquet(*(_address(Path(file)) for file in files))
        return _table(connection, _with_moments(frame, files[0]))
    folders = [part for file in files for part in Path(file).relative_to(path).parts[:-1] if "=" in part]
    reader = reader.option("pathGlobFilter", "*.parquet").option("recursiveFileLookup", not folders)
    frame = _with_moments(reader.parquet(_address(path)), files[0])
    return _table(connection, _with_names(frame, folders))


def _with_moments(frame: Any, file: str) -> Any:
    """Turn nanoseconds into moments."""
    for field in pq.read_schema(file):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            frame = _replaced(frame, field.name, "timestamp_micros({} div 1000)")
    return frame


def _with_names(frame: Any, folders: Sequence[str]) -> Any:
    """Read letters beyond ASCII in the names of folders, which Arrow escapes byte by byte, as Spark does not expect."""
    names = {folder.partition("=")[0] for folder in folders if re.search("%[89A-Fa-f]", folder)}
    for name in names:
        frame = _replaced(frame, name, "decode(encode({}, 'ISO-8859-1'), 'UTF-8')")
    return frame


def _replaced(frame: Any, name: str, expression: str) -> Any:
    """Replace a column of a Spark frame by an expression of it."""
    from pyspark.sql import functions

    return frame.withColumn(name, functions.expr(expression.format("`" + name.replace("`", "``") + "`")))


def _table(connection: Any, frame: Any) -> ibis.Table:
    """Name a Spark frame and hand it to Ibis."""
    name = gen_name("data")
    frame.createOrReplaceTempView(name)
    return connection.table(name)


def _address(path: Path) -> str:
    """Return a path that Spark looks for on this machine, whatever file system is its default, and as it is written."""
    return "file:" + _PATTERN.sub(r"\\\g<0>", str(path.resolve()))
