"""A data card: one page of Markdown that says what the data are."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from engine.inspection.inspection import Inspection

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|$~:])")


def card(inspection: Inspection) -> str:
    """Write a data card in Markdown.

    Parameters
    ----------
    inspection : Inspection

    Returns
    -------
    str
        Names and values from the file are escaped.
    """
    found = inspection
    lines = [f"# Data card: {_safe(found.source)}", "", *_facts(found), ""]
    lines += ["## What can be done", ""]
    lines.append(f"- Describe, without a training: {'yes' if found.can_describe else 'no'}")
    lines += [f"- Train: {'yes' if found.can_train else 'no'}", ""]
    if len(found.findings):
        lines += ["## What was found", ""]
        lines += [f"- **{row['severity']}**: {_safe(row['sentence'])}" for row in found.findings.to_dict("records")] + [
            ""
        ]
    if len(found.dropped):
        lines += ["## What is left out without stopping", ""]
        lines += [f"- {row['rows']:,} rows: {_safe(row['why'])}" for row in found.dropped.to_dict("records")] + [""]
    lines += ["## Columns", "", *_table(found.columns), ""]
    return "\n".join(lines)


def number_text(value: Any) -> str:
    """Write a value for a table: numbers with four digits, nothing for a missing one.

    Parameters
    ----------
    value : Any

    Returns
    -------
    str
    """
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _facts(found: Inspection) -> list[str]:
    """List what the data are as a whole."""
    lines = [f"- Kind: {found.kind}, {found.form}", f"- Rows: {found.rows:,}"]
    repeated = "not counted" if found.duplicates is None else f"{found.duplicates:,}"
    lines.append(f"- Rows that repeat an earlier one: {repeated}")
    if found.balance:
        lines.append("- Balance: " + ", ".join(f"{_safe(name)}: {count:,}" for name, count in found.balance.items()))
    if found.time:
        span = found.time
        zone = f", zone {_safe(span['zone'])}" if span["zone"] else ", no zone" if span["unit"] == "dates" else ""
        first, last = (_safe(number_text(span[end])) for end in ("first", "last"))
        lines.append(f"- Time: {first} to {last} ({span['days']:,.0f} days, as {span['unit']}{zone})")
    lines.append(f"- Content hash: `{found.content_hash}` (SHA-256 of the bytes of the file)")
    if found.data_id:
        lines.append(
            f"- Data id: `{found.data_id}` (of the values in these roles; the manifest of a trained run names it)"
        )
    return lines


def _table(columns: pd.DataFrame) -> list[str]:
    """Lay out a table."""
    lines = ["| " + " | ".join(columns.columns) + " |", "|" + " --- |" * len(columns.columns)]
    for row in columns.itertuples(index=False):
        lines.append("| " + " | ".join(_safe(number_text(value)) for value in row) + " |")
    return lines


def _safe(text: Any) -> str:
    """Escape what Markdown would take for more than text."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))
