"""Bytes as text: unpacked, decoded, and bounded before anything parses them."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from engine.errors import DataError

MAX_LINE = 1_000_000
"""Most characters of one line."""
MAX_RATIO = 100
"""Most times that a gzip file beyond `FREE_SIZE` may grow when it is unpacked; text does so 3 to 20 times."""
FREE_SIZE = 64 * 2**20
"""Characters that may come out of any gzip file, however small."""
MAX_UNPACKED = 16 * 2**30
"""Most characters that may come out of a gzip file."""
_BLOCK = 2**20
"""Bytes read at once."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SIGNATURES = {b"PK\x03\x04": "a ZIP archive or an Excel file", b"PAR1": "a Parquet file", b"%PDF": "a PDF"}


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
    limit = _limit(path)
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
            raise _bomb(path, limit)
        yield line


def check_bytes(path: Path) -> int:
    """Read a delimited file once as bytes, far faster than as rows, to refuse what would harm a parser.

    Returns
    -------
    int
        Bytes of the file, unpacked.

    Raises
    ------
    DataError
        If the file is a bomb, is not UTF-8 text, holds a NUL byte or has an overlong line; see `bounded_lines`, which
        names the line.
    """
    limit, total, tail = _limit(path), 0, 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_odd = False
    with reading(path) as handle:
        while block := handle.buffer.read(_BLOCK):
            total += len(block)
            decoder.decode(block)
            first, last = block.find(b"\n"), block.rfind(b"\n")
            longest = tail + (first if first >= 0 else len(block))
            tail = len(block) - last - 1 if last >= 0 else longest
            if limit is not None and total > limit:
                raise _bomb(path, limit)
            is_odd = b"\0" in block or max(longest, tail) > MAX_LINE
            if is_odd:
                break
        else:
            decoder.decode(b"", final=True)
    if is_odd:
        with reading(path) as handle:
            for _ in bounded_lines(handle, path):
                pass
    return total


def _bomb(path: Path, limit: int) -> DataError:
    """Say that a file unpacks to too much."""
    size, most, free = (f"{count / 2**20:,.3g} MiB" for count in (path.stat().st_size, limit, FREE_SIZE))
    return DataError(
        f"File '{path.name}' unpacks from {size} to more than {most}; read is at most {MAX_RATIO} times its size, or "
        f"{free} where that is more. Unpack it, if it is meant so."
    )


def _limit(path: Path) -> int | None:
    """Return how much may come out of a gzip file; None for plain text."""
    if not path.name.lower().endswith(".gz"):
        return None
    return min(MAX_UNPACKED, max(FREE_SIZE, MAX_RATIO * path.stat().st_size))


@contextmanager
def _binary(path: Path) -> Iterator[BinaryIO]:
    """Open a file as bytes, unpacked."""
    if path.name.lower().endswith(".gz"):
        with gzip.open(path, "rb") as packed:
            yield cast(BinaryIO, packed)
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
