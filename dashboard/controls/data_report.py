"""What looking through own data found, in the order in which a reader needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard.layout import escape_markdown, visible
from engine.inspection.inspection import Inspection
from engine.inspection.preview import LOOKED_AT
from engine.inspection.report import card

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LONG = 36_525
"""Days; what spans more is more likely in another unit."""
MOST_LINES = 12
"""Findings that are written out; all are in the table."""
_BADGES = {
    "train": ":red-badge[stops a training]",
    "describe": ":red-badge[stops a description]",
    "both": ":red-badge[stops both]",
    "drops": ":orange-badge[left out]",
    "note": ":gray-badge[note]",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of the report; all texts are safe for markdown."""

    label: str
    value: str
    note: str


def separator_text(sign: str) -> str:
    """Say what separates the values of a file."""
    return f"separated by {_SEPARATORS.get(sign, sign)}"


def rows_text(count: int | None) -> str:
    """Say how many rows a file has, as far as its first rows tell."""
    return f"more than {LOOKED_AT:,} rows" if count is None else f"{count:,} row{'s' * (count != 1)}"


def columns_text(count: int) -> str:
    """Say how many columns a file has."""
    return f"{count:,} column{'s' * (count != 1)}"


def sentence(found: Inspection) -> str:
    """Say in one sentence what can be done with the data; safe for markdown."""
    name = escape_markdown(found.source, limit=60)
    able = [word for word, is_able in (("described", found.can_describe), ("trained on", found.can_train)) if is_able]
    stops = int((found.findings["severity"] == "stops").sum())
    if not able:
        what = "one thing below stops it" if stops == 1 else f"{stops} things below stop it"
        return f"{name} cannot be used yet: {what}."
    left = _left_out(found)
    rest = f", of which {left:,} {'are' if left != 1 else 'is'} left out" if left and found.can_train else ""
    only = "" if len(able) == 2 else ", but not trained on" if found.can_describe else ", but not described"
    return f"{name} can be {' and '.join(able)}{only}: {rows_text(found.rows)}{rest}."


def figures(found: Inspection) -> list[Figure]:
    """Return the numbers that stand above the report."""
    left = _left_out(found)
    shown = [
        Figure(label="Rows", value=f"{found.rows:,}", note=columns_text(len(found.columns))),
        Figure(label="Left out", value=f"{left:,}", note="rows that are not used"),
        _repeated(found),
    ]
    missing = int(pd.to_numeric(found.columns["missing"], errors="coerce").fillna(0).sum())
    cells = max(found.rows * len(found.columns), 1)
    shown.append(Figure(label="Missing", value=f"{missing:,}", note=f"cells, {100 * missing / cells:.3g} % of all"))
    if found.balance:
        shown.append(_balance(found.balance))
    if found.time:
        shown.append(_span(found.time))
    return shown


def _left_out(found: Inspection) -> int:
    """Return how many rows a training drops."""
    return int(pd.to_numeric(found.dropped["rows"], errors="coerce").fillna(0).sum())


def _balance(balance: dict[str, Any]) -> Figure:
    """Write the counts of the classes, and the share of the one that is looked for."""
    counts = {str(name).replace("_", " "): int(count) for name, count in balance.items()}
    total = sum(counts.values())
    sought = "1" if "1" in counts else next(iter(counts), "")
    value = f"{100 * counts[sought] / total:.3g} %" if total else "–"
    parts = " · ".join(f"{escape_markdown(name, limit=30)}: {count:,}" for name, count in counts.items())
    label = "Positives" if sought == "1" else escape_markdown(sought[:1].upper() + sought[1:], limit=20)
    return Figure(label=label, value=value, note=parts)


def _span(time: dict[str, Any]) -> Figure:
    """Write from when to when the data go, and on which clock."""
    days = time["days"]
    label, value = "Days", f"{days:,.0f}" if days >= 100 else f"{days:.3g}"
    if days > _LONG:
        label, value = "Years", "100+"
    ends = " to ".join(escape_markdown(_moment(time[end])) for end in ("first", "last"))
    zone = time["zone"] or ("no time zone" if time["unit"] == "dates" else "")
    return Figure(
        label=label, value=value, note=" · ".join([ends, *([escape_markdown(zone, limit=40)] if zone else [])])
    )


def _moment(value: Any) -> str:
    """Write a date to the second, or a number of days."""
    return f"day {value:,.4g}" if isinstance(value, int | float) else str(value)[:19].replace("T", " ")


def _repeated(found: Inspection) -> Figure:
    """Write how many rows repeat an earlier one."""
    if found.duplicates is None:
        return Figure(label="Repeated", value="–", note="not counted in so many rows")
    alike = {"edges": "links given before", "events": "events given before"}
    note = alike.get(found.form, "rows equal to an earlier one")
    return Figure(label="Repeated", value=f"{found.duplicates:,}", note=note)


def lines(found: Inspection) -> tuple[list[str], int]:
    """Write the findings for markdown, what stops first; also return how many more there are."""
    written = []
    for row in found.findings.head(MOST_LINES).to_dict("records"):
        kind = row["stops"] if row["severity"] == "stops" else row["severity"]
        badge = _BADGES.get(kind, _BADGES["note"])
        written.append(f"{badge} {escape_markdown(row['sentence'], limit=600)}")
    return written, max(0, len(found.findings) - MOST_LINES)


def why_not(found: Inspection, action: str) -> str:
    """Return the first thing that stops an action, or nothing; safe for markdown."""
    if found.can_train if action == "train" else found.can_describe:
        return ""
    own = found.findings[found.findings["stops"].isin([action, "both"])]
    told = own if len(own) else found.findings[found.findings["severity"] == "stops"]
    return escape_markdown(told["sentence"].iloc[0], limit=600) if len(told) else "These data do not allow it."


def columns_table(found: Inspection) -> pd.DataFrame:
    """Return one row per column, texts as text and the share of missing values as a number."""
    table = found.columns
    missing = pd.to_numeric(table["missing"], errors="coerce")
    return pd.DataFrame(
        {
            "Column": _texts(table["column"]),
            "Role": [str(role or "").replace("_", " ") for role in table["role"]],
            "Type": table["type"].astype(str),
            "Missing": missing / max(found.rows, 1),
            "Distinct": pd.to_numeric(table["distinct"], errors="coerce"),
            "Smallest": [_end(value) for value in table["minimum"]],
            "Largest": [_end(value) for value in table["maximum"]],
            "Example": _texts(table["example"]),
        }
    )


def _end(value: Any) -> str:
    """Write the smallest or the largest value, a number to four digits."""
    if isinstance(value, float) and not pd.isna(value):
        return f"{value:.4g}"
    return _texts(pd.Series([value], dtype=object))[0]


def offending_table(found: Inspection) -> pd.DataFrame:
    """Return the first offending rows as written, with the row's number and why in front."""
    table = found.offending
    first = [name for name in ("row", "why") if name in table.columns]
    ordered = table[[*first, *(name for name in table.columns if name not in first)]]
    return pd.DataFrame({str(name): _texts(ordered[name]) for name in ordered.columns})


def dropped_table(found: Inspection) -> pd.DataFrame:
    """Return what is left out and why."""
    return pd.DataFrame({"Why": _texts(found.dropped["why"]), "Rows": pd.to_numeric(found.dropped["rows"])})


def data_card(found: Inspection) -> bytes:
    """Write the data card, with the hash of the content."""
    return card(found).encode()


def _texts(values: pd.Series) -> list[str]:
    """Write values as text, a missing one as nothing."""
    return ["" if value is None or pd.isna(value) else visible(value) for value in values]
