"""The benchmark in two small tables, for the README."""

from __future__ import annotations

from typing import Any

import pandas as pd

from engine.benchmark.methods import METHODS
from engine.benchmark.table import COLUMNS, RATIO_METRICS
from engine.claims import MINIMUM_UNITS


def digest(summary: pd.DataFrame) -> str:
    """Write HitRate@10 of every method on every data set, then ours against the best of the others by metric.

    Parameters
    ----------
    summary : DataFrame
        Columns `engine.benchmark.summary.SUMMARY_COLUMNS`.

    Returns
    -------
    str
        Two Markdown tables. A difference or ratio of fewer than `engine.claims.MINIMUM_UNITS` units is marked.
    """
    rows = summary[summary["segment"] == "all"]
    return "\n".join([*_hit_rates(rows[rows["statistic"] == "value"]), "", *_against_best(rows)])


def _hit_rates(values: pd.DataFrame) -> list[str]:
    """Return a row per method that ranks and a column per data set; the best value of a column is bold."""
    rows = values[(values["metric"] == "hit_rate_at_10") & values["value"].notna()]
    best = rows.groupby("data")["value"].max()
    names = list(dict.fromkeys(rows["data"]))
    cells = {(row.method, row.data): _estimate(row, is_best=row.value == best[row.data]) for row in rows.itertuples()}
    lines = ["| HitRate@10 | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    for method in dict.fromkeys(rows["method"]):
        shown = [cells.get((method, name), "–") for name in names]
        lines.append(f"| {METHODS[str(method)].label} | {' | '.join(shown)} |")
    return lines


def _against_best(rows: pd.DataFrame) -> list[str]:
    """Return a row per data set, metric and method of others that the first method of ours is compared with."""
    ours = next((name for name in METHODS if METHODS[name].is_ours and (rows["method"] == name).any()), "")
    values = {(row.data, row.method, row.metric): row for row in rows[rows["statistic"] == "value"].itertuples()}
    lines = ["| data | metric | ours | best of the others | ours against it | n |", "|---|---|---|---|---|---|"]
    for name in dict.fromkeys(rows["data"]):
        for metric, label in COLUMNS.items():
            statistic = "ratio" if metric in RATIO_METRICS else "difference"
            found = rows[(rows["data"] == name) & (rows["method"] == ours) & (rows["metric"] == metric)]
            for row in found[found["statistic"] == statistic].itertuples():
                own, other = values[name, ours, metric], values[name, row.baseline, metric]
                lines.append(
                    f"| {name} | {label} | {_estimate(own)} | {METHODS[row.baseline].label} {_estimate(other)} "
                    f"| {_compared(row)} | {row.n:,}{' (too few)' if row.n < MINIMUM_UNITS else ''} |"
                )
    return lines


def _estimate(row: Any, *, is_best: bool = False) -> str:
    """Write a value with its interval."""
    value = f"**{row.value:.3f}**" if is_best else f"{row.value:.3f}"
    return f"{value} [{row.ci_low:.3f}, {row.ci_high:.3f}]"


def _compared(row: Any) -> str:
    """Write a ratio or a difference with its interval."""
    if row.statistic == "ratio":
        return f"×{row.value:.2f} [{row.ci_low:.2f}, {row.ci_high:.2f}]"
    sign = "+" if row.value >= 0 else "−"
    return f"{sign}{abs(row.value):.3f} [{row.ci_low:.3f}, {row.ci_high:.3f}]"
