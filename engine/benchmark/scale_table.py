"""What `benchmark scale` measured, short enough to be read: a row for every tool and step, a column for every size."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.benchmark.scale_subject import OURS, SIMULATE

LEAST_STEP = 10
"""Sizes closer than this to the one before have no column; the stored table and the growth have them."""
_MEBIBYTES = 1024


def digest(table: pd.DataFrame) -> str:
    """Lay out time, memory and growth.

    Parameters
    ----------
    table : DataFrame
        Columns of `engine.benchmark.scale.COLUMNS`.

    Returns
    -------
    str
        A table of Markdown. A cell is seconds from Parquet to the answer, in brackets those of the processor over all
        threads, and the peak of memory; what a limit has ended says which. The simulation is left out.
    """
    shown = table[table["step"] != SIMULATE]
    sizes = _sizes(shown)
    lines = [
        f"| data, step | tool | {' | '.join(_rows(size) for size in sizes)} | growth [95 %] | differs by |",
        f"|---|---|{'---|' * (len(sizes) + 2)}",
    ]
    for (data, step, tool), part in shown.groupby(["data", "step", "tool"], sort=False):
        cells = [_cell(part[part["rows"] == size]) for size in sizes]
        name = f"**{tool}**" if tool == OURS else _named(tool, part["version"])
        lines.append(
            f"| {data}, {step} | {name} | {' | '.join(cells)} | {_growth(part.iloc[0])} | "
            f"{_difference(part['max_difference'])} |"
        )
    return "\n".join(lines)


def _sizes(table: pd.DataFrame) -> list[int]:
    """Return the sizes that have a column."""
    chosen: list[int] = []
    for size in sorted(table["rows"].unique()):
        if not chosen or size >= LEAST_STEP * chosen[-1]:
            chosen.append(int(size))
    return chosen


def _rows(size: int) -> str:
    """Write a number of rows."""
    return f"{size / 1e6:g} M rows"


def _named(tool: str, versions: pd.Series) -> str:
    """Return a library with its version."""
    known = versions.dropna()
    return f"{tool} {known.iloc[0]}" if len(known) else tool


def _cell(rows: pd.DataFrame) -> str:
    """Return what one size took."""
    if rows.empty:
        return "–"
    row = rows.iloc[0]
    if isinstance(row["note"], str) and row["note"]:
        return str(row["note"])
    wall, processor = (_seconds(row[name]) for name in ("seconds", "cpu_seconds"))
    return f"{wall} s ({processor}), {row['peak_mebibytes'] / _MEBIBYTES:.2g} GiB"


def _seconds(value: float) -> str:
    """Write seconds with three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _growth(row: pd.Series) -> str:
    """Return the exponent of the growth of the processor time."""
    if np.isnan(row["exponent"]):
        return "–"
    return f"{row['exponent']:.2f} [{row['ci_low']:.2f}, {row['ci_high']:.2f}] · n {row['n_sizes']:.0f} sizes"


def _difference(gaps: pd.Series) -> str:
    """Return the largest difference to our answer over all sizes."""
    if gaps.isna().all():
        return "–"
    return f"{gaps.max():.0e}" if gaps.max() else "0"
