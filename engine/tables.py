"""Open tables: CSV and Parquet in, frames with role names out."""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import tempfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import DataError

WRITTEN_ENDINGS = (".csv", ".csv.gz", ".parquet")
"""What `write_table` writes."""
_SEPARATORS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
_MISSING = ("", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None")


def read_table(path: str | Path, *, text: Collection[str] = ()) -> pd.DataFrame:
    """Read a CSV, TSV (also gzipped) or Parquet file into a frame.

    Parameters
    ----------
    path : str or Path
        The ending decides the format: ``.csv``, ``.tsv``, either with ``.gz``, or ``.parquet``.
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
        If the file is missing, a folder, empty, of an unknown ending, has a column without a name or two of one
        name, ragged rows, or is not readable as its ending says.
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
    name = path.name.lower()
    endings = [ending for ending in _SEPARATORS if name.endswith(ending)]
    if not endings and not name.endswith(".parquet"):
        raise DataError(
            f"File '{path.name}' has the ending '{path.suffix}'; allowed are .csv, .tsv (also .gz) and .parquet."
        )
    frame = _read_delimited(path, _SEPARATORS[endings[0]], text) if endings else _read_parquet(path)
    if len(frame) == 0:
        raise DataError(f"File '{path.name}' has columns but no rows; at least one row is needed.")
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    """Read one Parquet file; what pandas stored as an index becomes columns again."""
    try:
        names = pq.read_schema(path).names
        _check_names(names, path)
        frame = pq.read_table(path).to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"File '{path.name}' is not a readable Parquet file ({_first_line(error)}).") from error
    return frame[[name for name in names if not name.startswith("__index_level_")]]


def _read_delimited(path: Path, separator: str, text: Collection[str]) -> pd.DataFrame:
    """Read one delimited text file after checking its header and the length of its rows."""
    try:
        names = _check_rows(path, separator)
        return pd.read_csv(
            path,
            sep=separator,
            header=0,
            names=names,
            index_col=False,
            encoding="utf-8-sig",
            skipinitialspace=True,
            low_memory=False,
            dtype={name: "str" for name in names if name in text},
            keep_default_na=False,
            na_values={name: [""] if name in text else list(_MISSING) for name in names},
        )
    except UnicodeDecodeError as error:
        raise DataError(f"File '{path.name}' is not UTF-8 text ({_first_line(error)}); save it as UTF-8.") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"File '{path.name}' is not a complete gzip file ({_first_line(error)}).") from error
    except OSError as error:
        raise DataError(f"File '{path}' cannot be read ({error.strerror}); name another file.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise DataError(
            f"File '{path.name}' is not a table of separated values ({_first_line(error)}); check its quotes."
        ) from error


def _check_rows(path: Path, separator: str) -> list[str]:
    """Return the column names of a delimited file after checking that every row has a value for each."""
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as handle:
        rows = csv.reader(handle, delimiter=separator, skipinitialspace=True)
        names = [name.strip() for name in next((row for row in rows if row), [])]
        _check_names(names, path)
        for row in rows:
            # pandas would fill a short row up and cut a long one, in silence; it skips blank lines, and so do we.
            if row and len(row) != len(names):
                raise DataError(
                    f"File '{path.name}' has {len(row)} values in line {rows.line_num}, but its header names "
                    f"{len(names)} columns; give every row one value per column."
                )
    return names


def _check_names(names: Sequence[str], path: Path) -> None:
    """Refuse a header with a nameless column or with two columns of one name."""
    if not all(names):
        place = next(position for position, name in enumerate(names, 1) if not name)
        raise DataError(f"File '{path.name}' has no name for column {place}; name it or leave the column out.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"File '{path.name}' names column '{twice[0]}' more than once; make the names unique.")


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
