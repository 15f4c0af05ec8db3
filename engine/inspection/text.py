"""An inspection for reading in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.inspection.card import number_text
from engine.inspection.inspection import Inspection

_WIDTH = 24
"""Most signs of a name or a value in the table of columns."""
_CELLS = 6
"""Most cells of an offending row."""
_SHOWN = ("column", "role", "type", "missing", "distinct", "minimum", "maximum")


def text_of(found: Inspection) -> str:
    """Write an inspection as lines: what the data are, what may be done, what was found, every column.

    Parameters
    ----------
    found : Inspection

    Returns
    -------
    str
    """
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Inspection) -> Iterator[str]:
    """Yield the lines."""
    balance = "".join(f" · {name}: {count:,}" for name, count in (found.balance or {}).items())
    repeated = "" if not found.duplicates else f" · {found.duplicates:,} repeated"
    yield f"{_clean(found.source)} · {found.kind}, {found.form} · {found.rows:,} rows{repeated}{balance}"
    if found.time:
        span = found.time
        first, last = (number_text(span[end]) for end in ("first", "last"))
        zone = span["zone"] or ("no zone" if span["unit"] == "dates" else "")
        zone = f"zone {zone}" if zone[:1] in "+-" and zone else zone
        yield f"times {first} to {last} · {span['days']:,.0f} days, as {span['unit']}{f', {zone}' if zone else ''}"
    yield f"describe: {'yes' if found.can_describe else 'no'} · train: {'yes' if found.can_train else 'no'}"
    yield ""
    for row in found.findings.to_dict("records"):
        yield f"{row['severity']:6}{_clean(row['sentence'])}"
    for row in found.dropped.to_dict("records"):
        yield f"{'drops':6}{row['rows']:,} row{'s' * (row['rows'] != 1)}: {_clean(row['why'])}."
    if len(found.offending):
        yield "\nfirst offending rows"
        yield from (f"  row {row['row']:,}: {_cells(row)}" for row in found.offending.head(5).to_dict("records"))
    yield ""
    yield from _table(found)
    yield f"\ncontent hash {found.content_hash} (SHA-256 of the file)"
    if found.data_id:
        yield f"data id {found.data_id} (in the manifest of a run trained on these values and roles)"


def _cells(row: dict[str, Any]) -> str:
    """Write the first cells of a row."""
    cells = [(name, value) for name, value in row.items() if name not in ("row", "why")]
    shown = [f"{_cut(name)} = {'' if value is None else _cut(value)}" for name, value in cells[:_CELLS]]
    return " · ".join(shown) + (" · …" if len(cells) > _CELLS else "")


def _table(found: Inspection) -> Iterator[str]:
    """Yield the columns as an aligned table."""
    rows = [[_cut(number_text(row[name])) for name in _SHOWN] for row in found.columns.to_dict("records")]
    widths = [max(len(cell) for cell in column) for column in zip(_SHOWN, *rows, strict=True)]
    for line in (_SHOWN, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _cut(value: Any) -> str:
    """Shorten a value to one line of a table."""
    text = _clean(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _clean(value: Any) -> str:
    """Return text on one line, without signs that a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in str(value))
