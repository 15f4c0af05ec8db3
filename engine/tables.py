"""Open tables: CSV and Parquet in, frames with role names out."""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.delimited import check_names, check_rows, delimited, ending_of
from engine.errors import DataError

WRITTEN_ENDINGS = (".csv", ".csv.gz", ".parquet")
"""What `write_table` writes."""
MISSING = ("", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None")
"""Written for a missing value in text, except in ids and categories, where only an empty cell is."""
MAX_VALUES = 2_000_000_000
"""Most values of a Parquet file that are read into memory: a small file can hold any number of equal ones."""


def read_table(path: str | Path, *, text: Collection[str] = ()) -> pd.DataFrame:
    """Read a CSV, TSV (also gzipped) or Parquet file into a frame.

    Parameters
    ----------
    path : str or Path
        The ending decides the format: ``.csv``, ``.tsv``, either with ``.gz``, or ``.parquet``; text that is certainly
        separated by semicolons, tabs or bars instead is read so.
    text : collection of str, optional
        Columns of a delimited file to be read as they are written: ``007`` keeps its zeros, and ``NA`` is a name.
        In every other column ``NA``, ``null``, ``NaN``, ``None`` and their like mean that a value is missing.

    Returns
    -------
    DataFrame
        Columns keep the names of the file, without spaces around them; no row is dropped.

    Raises
    ------
    DataError
        If the file is missing, a folder, empty, of an unknown ending, too large once unpacked, has too many columns,
        one without a name or two of one name, ragged rows, or is not readable as its ending says; or if a column of
        Parquet holds lists, records or bytes.
    """
    path = Path(path)
    try:
        size = None if path.is_dir() else path.stat().st_size
    except FileNotFoundError:
        raise DataError(
            f"File '{path}' does not exist; check the spelling, or list bundled data with `datasets`."
        ) from None
    except OSError as error:
        raise DataError(f"File '{path}' cannot be read ({error.strerror}); name another file.") from error
    if size is None:
        raise DataError(f"'{path}' is a folder; name one CSV or Parquet file.")
    if size == 0:
        raise DataError(f"File '{path.name}' is empty; a header line and at least one row are needed.")
    is_text = ending_of(path) is not None
    if not is_text and not path.name.lower().endswith(".parquet"):
        raise DataError(
            f"File '{path.name}' has the ending '{path.suffix}'; allowed are .csv, .tsv (also .gz) and .parquet."
        )
    frame = _read_delimited(path, text) if is_text else _read_parquet(path, text)
    if len(frame) == 0:
        raise DataError(f"File '{path.name}' has columns but no rows; at least one row is needed.")
    return frame


def _read_parquet(path: Path, text: Collection[str]) -> pd.DataFrame:
    """Read one Parquet file; what pandas stored as an index becomes columns again."""
    try:
        # The file alone: a folder above it that is called a=1 is no column.
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
        check_names(names, path)
        values = file.metadata.num_rows * len(names)
        if values > MAX_VALUES:
            raise DataError(
                f"File '{path.name}' has {file.metadata.num_rows:,} rows of {len(names):,} columns, more than the "
                f"{MAX_VALUES:,} values that are read into memory; describe it, which reads data of any size, or keep "
                "the columns and rows that matter."
            )
        kept = [name for name in names if not name.startswith("__index_level_")]
        for field in file.schema_arrow:
            _check_type(field, path)
        table = file.read(columns=kept)
        columns = [_simple(table.column(name), keeps_digits=name in text) for name in kept]
        return pa.Table.from_arrays(columns, names=kept).to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"File '{path.name}' is not a readable Parquet file ({_first_line(error)}).") from error


def _check_type(field: pa.Field, path: Path) -> None:
    """Refuse a column whose cells are no single values."""
    kind = field.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise DataError(
            f"Column '{field.name}' of '{path.name}' holds values of type {str(kind)[:60]}; allowed are numbers, text, "
            "dates and booleans. Leave it out, or write it as one of them."
        )


def _simple(column: pa.ChunkedArray, *, keeps_digits: bool) -> pa.ChunkedArray:
    """Turn types that pandas holds as objects into plain ones: decimals, times of day, categories of a dictionary."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_decimal(column.type):
        return column.cast(pa.string() if keeps_digits else pa.float64())
    if pa.types.is_float16(column.type):
        return column.cast(pa.float32())
    return column.cast(pa.string()) if pa.types.is_time(column.type) else column


def _read_delimited(path: Path, text: Collection[str]) -> pd.DataFrame:
    """Read one delimited text file after checking its header and the length of its rows."""
    form = delimited(path)
    check_rows(path, form)
    try:
        return pd.read_csv(
            path,
            sep=form.separator,
            header=0,
            names=list(form.names),
            index_col=False,
            encoding="utf-8-sig",
            skipinitialspace=True,
            low_memory=False,
            dtype={name: "str" for name in form.names if name in text},
            keep_default_na=False,
            na_values={name: [""] if name in text else list(MISSING) for name in form.names},
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OverflowError) as error:
        raise DataError(
            f"File '{path.name}' is not a table of separated values ({_first_line(error)}); check its quotes."
        ) from error


def _first_line(error: BaseException) -> str:
    """Return the first line of a library's message, without its full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table beside its place and move it there, so that no half of it can be left behind.

    Parameters
    ----------
    frame : DataFrame
        Its index is left out.
    path : Path
        Ends in one of `WRITTEN_ENDINGS`; its folder is made. Gzipped files have equal bytes for equal tables.

    Raises
    ------
    OSError
        If the place cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}-", dir=path.parent) as scratch:
        partial = Path(scratch) / path.name
        if path.name.endswith(".parquet"):
            frame.to_parquet(partial, index=False)
        elif path.name.endswith(".gz"):
            # A gzip header holds the time of writing; 0 keeps the bytes the same.
            partial.write_bytes(gzip.compress(frame.to_csv(index=False, lineterminator="\n").encode(), 9, mtime=0))
        else:
            frame.to_csv(partial, index=False)
        os.replace(partial, path)


def apply_roles(frame: pd.DataFrame, roles: Mapping[str, str], *, source: str) -> pd.DataFrame:
    """Rename columns to the roles they play.

    Parameters
    ----------
    frame : DataFrame
    roles : mapping of str to str
        Role to column name, as given by ``--column role=name``. Other columns keep their names.
    source : str
        What the messages call the table.

    Returns
    -------
    DataFrame

    Raises
    ------
    DataError
        If a named column does not exist, one column plays two roles, or a role's name is already taken by
        another column.
    """
    for role, name in roles.items():
        if name not in frame.columns:
            known = ", ".join(f"'{column}'" for column in frame.columns[:12])
            raise DataError(f"Column '{name}' (for role '{role}') is not in {source}; it has {known}.")
        if role != name and role in frame.columns and role not in roles.values():
            raise DataError(
                f"{source} has a column '{role}' and '{name}' is to play this role too; rename or drop one of them."
            )
    names = list(roles.values())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"Column '{twice[0]}' is given two roles in --column; a column plays one role.")
    return frame.rename(columns={name: role for role, name in roles.items()})


def content_hash(*frames: pd.DataFrame) -> str:
    """Return a short hash of the contents of tables; equal contents give equal hashes on every machine.

    Parameters
    ----------
    *frames : DataFrame
        Column names, order, types and values all count; the index does not.

    Returns
    -------
    str of 16 hexadecimal digits
    """
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(repr([(str(name), str(dtype)) for name, dtype in frame.dtypes.items()]).encode())
        hashes = pd.util.hash_pandas_object(frame, index=False).to_numpy()
        digest.update(np.ascontiguousarray(hashes).tobytes())
    return digest.hexdigest()[:16]
