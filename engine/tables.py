"""Open tables: CSV and Parquet in, frames with role names out."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import DataError

_SEPARATORS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a CSV, TSV (also gzipped) or Parquet file into a frame.

    Parameters
    ----------
    path : str or Path
        The ending decides the format: ``.csv``, ``.tsv``, either with ``.gz``, or ``.parquet``.

    Returns
    -------
    DataFrame
        Columns keep the names of the file; nothing is dropped.

    Raises
    ------
    DataError
        If the file is missing, a folder, empty, of an unknown ending, has duplicate column names or ragged
        rows, or is not readable as its ending says.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"File '{path}' does not exist; check the spelling, or list bundled data with `datasets`.")
    if path.is_dir():
        raise DataError(f"'{path}' is a folder; name one CSV or Parquet file.")
    if path.stat().st_size == 0:
        raise DataError(f"File '{path.name}' is empty; a header line and at least one row are needed.")
    if path.suffix == ".parquet":
        return _read_parquet(path)
    for ending, separator in _SEPARATORS.items():
        if path.name.endswith(ending):
            return _read_delimited(path, separator)
    raise DataError(
        f"File '{path.name}' has the ending '{path.suffix}'; allowed are .csv, .tsv (also .gz) and .parquet."
    )


def _read_parquet(path: Path) -> pd.DataFrame:
    """Read one Parquet file."""
    try:
        frame = pq.read_table(path).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"File '{path.name}' is not a readable Parquet file ({_first_line(error)}).") from error
    if len(frame) == 0:
        raise DataError(f"File '{path.name}' has no rows; at least one row is needed.")
    return frame


def _read_delimited(path: Path, separator: str) -> pd.DataFrame:
    """Read one delimited text file after checking its header."""
    try:
        header = _header(path, separator)
        duplicates = sorted({name for name in header if header.count(name) > 1})
        if duplicates:
            raise DataError(f"File '{path.name}' names column '{duplicates[0]}' more than once; make the names unique.")
        frame = pd.read_csv(path, sep=separator, encoding="utf-8-sig", skipinitialspace=True, index_col=False)
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise DataError(f"File '{path.name}' is not UTF-8 text ({_first_line(error)}); save it as UTF-8.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise DataError(
            f"File '{path.name}' has a row that does not fit its header ({_first_line(error)}); "
            f"every row needs {'tab' if separator == chr(9) else 'comma'}-separated values for every column."
        ) from error
    if len(frame) == 0:
        raise DataError(f"File '{path.name}' has a header but no rows; at least one row is needed.")
    return frame


def _header(path: Path, separator: str) -> list[str]:
    """Return the column names of a delimited file."""
    opener = gzip.open if path.name.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as handle:
        return [name.strip() for name in next(csv.reader(handle, delimiter=separator), [])]


def _first_line(error: BaseException) -> str:
    """Return the first line of a library's message, without its full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


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
