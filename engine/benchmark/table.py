"""The benchmark as Markdown, for the terminal and the README."""

from __future__ import annotations

import pandas as pd

from engine.benchmark.methods import METHODS
from engine.claims import MINIMUM_UNITS

COLUMNS = {
    "hit_rate_at_10": "HitRate@10",
    "mrr": "MRR",
    "existence_auc": "Existence AUC",
    "existence_auc_degree_corrected": "Existence AUC, degree-corrected",
    "direction_auc": "Direction AUC",
    "direction_auc_difference": "Direction AUC, by difference",
    "seconds": "fit, s",
    "megabytes": "peak, MiB",
}
RATIO_METRICS = ("hit_rate_at_10", "mrr")
_PLAIN = {"seconds": ".0f", "megabytes": ".0f"}


def markdown(summary: pd.DataFrame) -> str:
    """Write the figures on all test edges as one Markdown table per data set, and what they come to below it.

    Parameters
    ----------
    summary : DataFrame
        Columns `engine.benchmark.summary.SUMMARY_COLUMNS`; rows of other segments and metrics are left out.

    Returns
    -------
    str
    """
    parts = []
    for data, rows in summary[summary["segment"] == "all"].groupby("data", sort=False):
        values = rows[(rows["statistic"] == "value") & rows["metric"].isin(list(COLUMNS))]
        parts += [f"**{data}** · {_splits(values)}{_queries(values)}", "", *_grid(values), ""]
        parts += [*_against_best(rows), ""]
    return "\n".join(parts).rstrip()


def by_segment(summary: pd.DataFrame) -> str:
    """Write HitRate@10 of every method by kind of edge and by training degree, one Markdown table per data set.

    Parameters
    ----------
    summary : DataFrame
        Columns `engine.benchmark.summary.SUMMARY_COLUMNS`.

    Returns
    -------
    str
        Segments without a test edge are left out; a heading holds the query nodes of its segment.
    """
    values = summary[(summary["statistic"] == "value") & (summary["metric"] == "hit_rate_at_10")]
    values = values[values["value"].notna()]
    parts = []
    for data, rows in values.groupby("data", sort=False):
        units = dict(zip(rows["segment"], rows["n"], strict=True))
        cells = {
            (row.method, row.segment): f"{row.value:.3f} [{row.ci_low:.3f}, {row.ci_high:.3f}]"
            for row in rows.itertuples()
        }
        heads = [f"{segment.replace('_', ' ')} (n {count:,})" for segment, count in units.items()]
        parts += [
            f"**{data}** · HitRate@10 by segment",
            "",
            f"| method | {' | '.join(heads)} |",
            "|---|" + "---|" * len(heads),
        ]
        for method in dict.fromkeys(rows["method"]):
            shown = [cells.get((method, segment), "–") for segment in units]
            parts.append(f"| {METHODS[str(method)].label} | {' | '.join(shown)} |")
        parts.append("")
    return "\n".join(parts).rstrip()


def headline(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that `markdown` reads, rounded: small enough to be kept with the code."""
    rows = summary[(summary["segment"] == "all") & summary["metric"].isin(list(COLUMNS))].reset_index(drop=True)
    return rows.assign(**{name: rows[name].round(5) for name in ("value", "ci_low", "ci_high")})


def _grid(values: pd.DataFrame) -> list[str]:
    """Return the lines of the table of methods and metrics; the best value is bold, unless few units decide it."""
    cells = {(row.method, row.metric): row for row in values.itertuples()}
    best = {
        metric: max(
            (row.value for row in cells.values() if row.metric == metric and row.n >= MINIMUM_UNITS), default=None
        )
        for metric in COLUMNS
        if metric not in _PLAIN
    }
    lines = ["| method | " + " | ".join(COLUMNS.values()) + " |", "|---|" + "---|" * len(COLUMNS)]
    for method in dict.fromkeys(values["method"]):
        shown = [_cell(cells.get((method, metric)), metric, best.get(metric)) for metric in COLUMNS]
        lines.append(f"| {METHODS[str(method)].label} | " + " | ".join(shown) + " |")
    return lines


def _cell(row: object, metric: str, best: float | None) -> str:
    """Write one figure with its interval."""
    if row is None or pd.isna(row.value):  # type: ignore[attr-defined]
        return "–"
    value, low, high = row.value, row.ci_low, row.ci_high  # type: ignore[attr-defined]
    if metric in _PLAIN:
        return f"{value:{_PLAIN[metric]}}"
    text = f"{value:.3f}"
    return f"{f'**{text}**' if value == best else text} [{low:.3f}, {high:.3f}]"


def _against_best(rows: pd.DataFrame) -> list[str]:
    """Return a sentence per metric: the ratio, or the difference, of the first method of ours to the best peer."""
    lines = []
    ours = next((name for name in METHODS if METHODS[name].is_ours and (rows["method"] == name).any()), "")
    rows = rows[rows["method"] == ours]
    order = rows.assign(place=rows["metric"].map({metric: place for place, metric in enumerate(COLUMNS)}))
    for row in order.sort_values("place", kind="stable").itertuples():
        is_ratio = row.metric in RATIO_METRICS
        if row.metric in COLUMNS and row.statistic == ("ratio" if is_ratio else "difference"):
            sign = "×" if is_ratio else "+" if row.value >= 0 else "−"
            size = row.value if is_ratio else abs(row.value)
            lines.append(
                f"- {METHODS[row.method].label}, {COLUMNS[row.metric]}: {sign}{size:.3f} "
                f"[{row.ci_low:.3f}, {row.ci_high:.3f}] {'of' if is_ratio else 'to'} {METHODS[row.baseline].label}"
                f"{f' (n {row.n}, too few to say)' if row.n < MINIMUM_UNITS else ''}"
            )
    return lines


def _splits(values: pd.DataFrame) -> str:
    """Say how many splits there are."""
    count = int(values["splits"].iloc[0])
    return "1 split" if count == 1 else f"{count} splits"


def _queries(values: pd.DataFrame) -> str:
    """Say how many query nodes there are, and with one-way test edges, where anything was measured on them."""
    ranked = values.loc[values["metric"] == "hit_rate_at_10", "n"].max()
    one_way = values.loc[values["metric"] == "direction_auc", "n"].max()
    parts = [] if pd.isna(ranked) else [f"{ranked:,.0f} query nodes"]
    parts += [] if pd.isna(one_way) else [f"{one_way:,.0f} with one-way test edges, for direction"]
    return "".join(f" · {part}" for part in parts)
