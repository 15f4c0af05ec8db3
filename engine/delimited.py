"""Text of separated values: how a file is written, and what is turned away before anything parses it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from engine.errors import DataError
from engine.raw_text import bounded_lines, check_bytes, reading

SEPARATORS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
"""What the ending of a file says."""
MAX_COLUMNS = 2_000
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE = 20
"""Lines that have to agree before another separator than the ending's is believed."""


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
    try:
        separator = _separator(head, given)
        header = next(csv.reader(head, delimiter=separator, skipinitialspace=True), [])
        _check_first_line(head, header, separator, path)
    except csv.Error as error:
        raise _no_table(path, error, 1) from error
    names = tuple(name.strip() for name in header)
    if not names:
        raise DataError(f"File '{path.name}' has no header; a header line and at least one row are needed.")
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
    last: list[str] = []  # lines of the row at hand
    rows = csv.reader(_kept(bounded_lines(handle, path), last), delimiter=form.separator, skipinitialspace=True)
    count, is_header = len(form.names), True
    row: list[str] = []
    try:
        for row in rows:
            if row and not is_header:
                if len(row) != count:
                    raise _ragged(path, row, count, rows.line_num, len(last))
                yield rows.line_num, row
            is_header = is_header and not row
            if row and row[-1].endswith(("\n", "\r")) and "".join(last).count('"') % 2:
                raise _open_quote(path, rows.line_num - len(last) + 1)
            last.clear()
    except csv.Error as error:
        raise _no_table(path, error, rows.line_num) from error


def _kept(lines: Iterator[str], last: list[str]) -> Iterator[str]:
    """Remember lines as they pass."""
    for line in lines:
        last.append(line)
        yield line


def _ragged(path: Path, row: Sequence[str], count: int, line: int, lines: int) -> DataError:
    """Say which row has too few or too many values."""
    where = f"line {line:,}" if lines <= 1 else f"lines {line - lines + 1:,} to {line:,}"
    then = "give every row one value per column" if lines <= 1 else "is a quote left open?"
    found, named = (f"{n:,} {word}{'s' * (n != 1)}" for n, word in ((len(row), "value"), (count, "column")))
    return DataError(
        f"File '{path.name}' has {found} in {where}, but its header names {named}; {then}"
        f"{'.' if lines <= 1 else ' Give every row one value per column.'}"
    )


def _open_quote(path: Path, line: int) -> DataError:
    """Say where a quote begins that never ends."""
    return DataError(
        f"File '{path.name}' is not a table of separated values (the quote in line {line:,} is never closed); close "
        "it, or double quotes within a value."
    )


def check_rows(path: Path, form: Delimited) -> None:
    """Read a delimited file twice, as bytes and as rows, to refuse what a parser would cut, fill up or choke on.

    Raises
    ------
    DataError
        See `engine.raw_text.check_bytes` and `rows_of`.
    """
    check_bytes(path)
    with reading(path) as handle:
        for _ in rows_of(handle, path, form):
            pass


def _no_table(path: Path, error: csv.Error, line: int) -> DataError:
    """Say where a file stops being a table."""
    return DataError(
        f"File '{path.name}' is not a table of separated values ({str(error).rstrip('.')}, by line {line:,}); a "
        "quote is probably left open."
    )


def _separator(head: Sequence[str], given: str) -> str:
    """Return the separator of the first lines: the given one unless another is certain."""
    if not head or given in head[0]:
        return given
    for other in (sign for sign in _NAMES if sign != given and sign in head[0]):
        sizes = {len(row) for row in csv.reader(head, delimiter=other, skipinitialspace=True) if row}
        if len(sizes) == 1 and sizes.pop() > 1:
            return other
    return given


def _check_first_line(head: Sequence[str], header: Sequence[str], separator: str, path: Path) -> None:
    """Refuse a remark or a title in the place of the names; a name that begins with ``#`` stands above its values."""
    is_remark = "".join(head[:1]).lstrip().startswith("#")
    if len(header) > 1 and not is_remark:
        return
    below = [line for line in head[1:] if not line.lstrip().startswith("#")]
    for sign in _NAMES if is_remark else separator:
        sizes = {len(row) for row in csv.reader(below, delimiter=sign, skipinitialspace=True) if row}
        # A single line below may as well be the one that is wrong.
        if len(below) > 1 and len(sizes) == 1 and (size := sizes.pop()) > 1 and size != len(header):
            raise DataError(
                f"File '{path.name}' begins with a {'remark' if is_remark else 'title'} ('{head[0].strip()[:60]}') and "
                f"has {size:,} values in every line below; the first line has to name the columns. Remove what stands "
                "above their names."
            )


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
