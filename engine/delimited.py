"""Text of separated values: how a file is written, and what is turned away before anything parses it."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from engine.errors import DataError

SEPARATORS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
"""What the ending of a file says."""
MAX_COLUMNS = 2_000
MAX_LINE = 1_000_000
"""Most characters of one line."""
MAX_RATIO = 100
"""Most times that a gzip file beyond `FREE_SIZE` may grow when it is unpacked; text does so 3 to 20 times."""
FREE_SIZE = 64 * 2**20
"""Characters that may come out of any gzip file, however small."""
MAX_UNPACKED = 16 * 2**30
"""Most characters that may come out of a gzip file."""
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE = 20
"""Lines that have to agree before another separator than the ending's is believed."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SIGNATURES = {b"PK\x03\x04": "a ZIP archive or an Excel file", b"PAR1": "a Parquet file", b"%PDF": "a PDF"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delimited:
    """How a file of separated values is written."""

    separator: str
    names: tuple[str, ...]
    """Of the columns, without spaces around them."""
    note: str = ""
    """Says so if the separator is not the one that the ending names; else empty."""


def ending_of(path: Path) -> str | None:
    """Return the ending of a delimited file, one of `SEPARATORS`, or None."""
    name = path.name.lower()
    return next((ending for ending in SEPARATORS if name.endswith(ending)), None)


def delimited(path: Path) -> Delimited:
    """Find out how a file is separated and what its columns are called, from its first lines.

    The separator is the one that the ending names, unless the header holds none of them and the first lines are
    separated by semicolons, tabs or bars into equally many values throughout.

    Parameters
    ----------
    path : Path
        Ends in one of `SEPARATORS`.

    Returns
    -------
    Delimited

    Raises
    ------
    DataError
        If the file is not UTF-8 text, holds NUL bytes, has an overlong line, no header, too many columns, or one
        without a name or with the name of another.
    """
    with reading(path) as handle:
        head: list[str] = []
        for line in bounded_lines(handle, path):
            if line.strip("\r\n"):
                head.append(line)
            if len(head) == _SAMPLE:
                break
    given = SEPARATORS[ending_of(path) or ".csv"]
    separator = _separator(head, given)
    names = tuple(name.strip() for name in next(csv.reader(head, delimiter=separator, skipinitialspace=True), []))
    check_names(names, path)
    note = ""
    if separator != given:
        note = f"File '{path.name}' is separated by {_NAMES[separator]}, not {_NAMES[given]}, and is read so."
    return Delimited(separator=separator, names=names, note=note)


def rows_of(handle: TextIO, path: Path, form: Delimited) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the values of every row below the header; blank lines are skipped.

    Parameters
    ----------
    handle : text file
        From `reading`.
    path : Path
    form : Delimited

    Raises
    ------
    DataError
        If a row has too few or too many values, or `bounded_lines` refuses a line.
    """
    rows = csv.reader(bounded_lines(handle, path), delimiter=form.separator, skipinitialspace=True)
    count, is_header = len(form.names), True
    try:
        for row in rows:
            if not row:
                continue
            if is_header:
                is_header = False
            elif len(row) != count:
                raise DataError(
                    f"File '{path.name}' has {len(row):,} values in line {rows.line_num:,}, but its header names "
                    f"{count:,} columns; give every row one value per column."
                )
            else:
                yield rows.line_num, row
    except csv.Error as error:
        raise DataError(
            f"File '{path.name}' is not a table of separated values ({str(error).rstrip('.')}, by line "
            f"{rows.line_num:,}); is a quote left open?"
        ) from error


def check_rows(path: Path, form: Delimited) -> None:
    """Read a delimited file once, to refuse what a parser would cut, fill up or choke on in silence.

    Raises
    ------
    DataError
        See `reading` and `rows_of`.
    """
    with reading(path) as handle:
        for _ in rows_of(handle, path, form):
            pass


def _separator(head: Sequence[str], given: str) -> str:
    """Return the separator of the first lines: the given one unless another is certain."""
    if not head or given in head[0]:
        return given
    for other in (sign for sign in _NAMES if sign != given and sign in head[0]):
        sizes = {len(row) for row in csv.reader(head, delimiter=other, skipinitialspace=True) if row}
        if len(sizes) == 1 and sizes.pop() > 1:
            return other
    return given


@contextmanager
def reading(path: Path) -> Iterator[TextIO]:
    """Open a delimited file as text, and give every failure to read it a sentence.

    Parameters
    ----------
    path : Path
        Read as gzip if it ends in ``.gz``.

    Yields
    ------
    text file, without universal newlines

    Raises
    ------
    DataError
        If the file, or its gzip stream, is damaged, is of another format, or is not UTF-8 text.
    """
    try:
        with open(path, "rb") as raw:
            start = raw.read(4)
        _check_signature(start, path)
        with _binary(path) as handle:
            yield io.TextIOWrapper(handle, encoding="utf-8-sig", newline="")
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise DataError(f"File '{path.name}' is not a complete gzip file ({reason}); pack it again.") from error
    except csv.Error as error:
        raise DataError(
            f"File '{path.name}' is not a table of separated values ({str(error).rstrip('.')}); check its quotes."
        ) from error
    except OSError as error:
        raise DataError(f"File '{path}' cannot be read ({error.strerror}); name another file.") from error


def bounded_lines(handle: TextIO, path: Path) -> Iterator[str]:
    """Yield the lines of a file while they are lines of text, and as long as the file is no bomb.

    Raises
    ------
    DataError
        If a line is longer than `MAX_LINE` or holds a NUL byte, or a gzip file unpacks to more than `MAX_RATIO`
        times its size.
    """
    is_packed = path.name.lower().endswith(".gz")
    limit = min(MAX_UNPACKED, max(FREE_SIZE, MAX_RATIO * path.stat().st_size)) if is_packed else None
    total = number = 0
    while line := handle.readline(MAX_LINE + 1):
        number += 1
        total += len(line)
        if len(line) > MAX_LINE:
            raise DataError(
                f"File '{path.name}' has more than {MAX_LINE:,} characters in line {number:,}; is this a table? "
                "End every row with a line break."
            )
        if "\0" in line:
            raise DataError(
                f"File '{path.name}' has a NUL byte in line {number:,}; it is damaged or no text. Save it as UTF-8."
            )
        if limit is not None and total > limit:
            raise DataError(
                f"File '{path.name}' unpacks to more than {limit:,} characters from {path.stat().st_size:,} bytes, "
                f"by line {number:,}; at most {MAX_RATIO} times is read. Unpack it, if it is meant so."
            )
        yield line


def check_names(names: Sequence[str], path: Path) -> None:
    """Refuse a header with too many columns, a nameless column or two columns of one name.

    Raises
    ------
    DataError
        Says which column.
    """
    if len(names) > MAX_COLUMNS:
        raise DataError(
            f"File '{path.name}' has {len(names):,} columns; at most {MAX_COLUMNS:,} are read. Keep those that matter."
        )
    if not all(names):
        place = next(position for position, name in enumerate(names, 1) if not name)
        raise DataError(f"File '{path.name}' has no name for column {place}; name it or leave the column out.")
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(f"File '{path.name}' names column '{twice[0][:60]}' more than once; make the names unique.")


@contextmanager
def _binary(path: Path) -> Iterator[io.BufferedIOBase]:
    """Open a file as bytes, unpacked."""
    if path.name.lower().endswith(".gz"):
        with gzip.open(path, "rb") as packed:
            yield packed
    else:
        with open(path, "rb") as plain:
            yield plain


def _check_signature(start: bytes, path: Path) -> None:
    """Refuse what begins like another format."""
    found = next((name for signature, name in _SIGNATURES.items() if start.startswith(signature)), None)
    if found is not None:
        raise DataError(f"File '{path.name}' is {found}, not text; save the table as CSV with UTF-8, or rename it.")


def _not_utf8(path: Path) -> DataError:
    """Look for the first line that is not UTF-8 and say what the file may be instead."""
    number, reason = 0, "it holds other bytes"
    with _binary(path) as handle:
        start = handle.read(2)
        if start in _UTF_16:
            return DataError(f"File '{path.name}' is not UTF-8 text but looks like UTF-16; save it as UTF-8.")
        rest = start
        while rest:
            number += 1
            line = rest + handle.readline(MAX_LINE)
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                reason = f"byte 0x{line[error.start]:02x} in line {number:,}"
                break
            rest = handle.read(1)
    return DataError(
        f"File '{path.name}' is not UTF-8 text ({reason}); it may be Latin-1 or Windows-1252. Save it as UTF-8."
    )
