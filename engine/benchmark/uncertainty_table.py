"""The uncertainty benchmark as Markdown: all figures for the stored page, a digest for the README."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from engine.benchmark.uncertainty_judge import MATCHED
from engine.benchmark.uncertainty_methods import CEILING, LABELS, ONE, OURS
from engine.benchmark.uncertainty_real import DATA, PLACEBO, TREND
from engine.benchmark.uncertainty_simulated import SETTINGS, SIZES
from engine.benchmark.uncertainty_summary import AGREEMENT, GUARANTEE, MEAN, SPEED
from engine.benchmark.uncertainty_verdicts import informative_scorers, verdicts
from engine.uncertainty.names import scorer_label

_DIGEST_WAYS = (
    *((CEILING, 1), (ONE, 1), ("isotonic", 1), ("greedy", 3), ("greedy_merged", 3), ("mist", 3), ("mist", 10)),
    *((OURS, 1), ("best_of", 3), ("equal_weight_dp", 3), ("exact_dp", 3), ("monotone_dp", 3), ("guaranteed", 3)),
    *(("recalibrated", 1), ("boosted", 1), ("venn_abers", 3), ("placebo", 3)),
    *(("tuned_classifier", 1), ("mapie_one", 1), ("mapie_buckets", 3)),
)
"""What the digest shows: method and buckets; the stored page has every number of buckets."""
_ONCE = (CEILING, ONE, OURS, "isotonic", "recalibrated", "boosted", "tuned_classifier", "mapie_one")
"""Methods that stand in the table with one number of buckets, which is not part of their name."""


def markdown(summary: pd.DataFrame) -> str:
    """Write every figure: goals, simulated settings, real data, guarantee, speed, agreement.

    Parameters
    ----------
    summary : DataFrame
        Columns `engine.benchmark.uncertainty_summary.SUMMARY_COLUMNS`.

    Returns
    -------
    str
    """
    lines = ["## Goals", "", *_goals(summary), ""]
    for data, rows in summary[summary["data"].isin([*SETTINGS, DATA])].groupby("data", sort=False):
        lines += [f"## {data}", "", *_data(rows)]
    lines += _information(summary)
    lines += _guarantee(summary[summary["data"] == GUARANTEE])
    lines += _speed(summary[summary["data"] == SPEED])
    lines += _agreement(summary[summary["data"] == AGREEMENT])
    return "\n".join(lines).rstrip()


def digest(summary: pd.DataFrame) -> str:
    """Write what the README shows: recall and achieved precision of the ways, information, goals.

    Parameters
    ----------
    summary : DataFrame
        Columns `engine.benchmark.uncertainty_summary.SUMMARY_COLUMNS`.

    Returns
    -------
    str
        Markdown tables.
    """
    parts = []
    simulated = summary[summary["data"].isin(list(SETTINGS)) & (summary["rows"] == max(SIZES))]
    if len(simulated):
        parts.append(_wide(simulated, ["data", "target"]))
    real = summary[(summary["data"] == DATA) & (summary["target"] == MEAN)]
    if len(real):
        parts.append(_wide(real, ["scorer"]))
    parts += [_information(summary, with_title=False), _goals(summary)]
    return "\n\n".join("\n".join(part).rstrip() for part in parts if part)


def _wide(rows: pd.DataFrame, by: Sequence[str]) -> list[str]:
    """Return a row per way and a column per setting: recall at equal precision; recall and precision as tuned."""
    values = rows[rows["statistic"] == "value"]
    columns = list(values[values["metric"] == MATCHED][list(by)].drop_duplicates().itertuples(index=False, name=None))
    cells = {(r.method, r.buckets, tuple(getattr(r, name) for name in by), r.metric): r for r in values.itertuples()}
    heads = [_column_head(column) for column in columns]
    lines = [f"| recall, % | {' | '.join(heads)} |", "|---" * (1 + len(columns)) + "|"]
    for method, buckets in _DIGEST_WAYS:
        shown = []
        for column in columns:
            matched, recall, precision = (
                cells.get((method, buckets, column, metric)) for metric in (MATCHED, "recall", "precision")
            )
            parts = [] if matched is None else [_percent(matched)]
            if recall is not None:
                achieved = "" if precision is None or pd.isna(precision.value) else f" at {100 * precision.value:.1f}"
                parts.append(f"tuned {100 * recall.value:.1f}{achieved}")
            shown.append("; ".join(parts) or "–")
        if any(cell != "–" for cell in shown):
            lines.append(f"| {_name(method, buckets)} | {' | '.join(shown)} |")
    return lines


def _column_head(column: tuple[str, ...]) -> str:
    """Name a column of the digest."""
    return f"{column[0]}, precision {column[1]}" if len(column) == 2 else scorer_label(column[0])


def _name(method: str, buckets: int) -> str:
    """Name a way with its buckets."""
    return (
        LABELS[method] if method in _ONCE else f"{LABELS[method]}, {buckets} {'bucket' if buckets == 1 else 'buckets'}"
    )


def _data(rows: pd.DataFrame) -> list[str]:
    """Return every figure on one data set, a table per scorer and number of tuning rows."""
    lines = []
    keys = rows[rows["metric"] == "recall"][["scorer", "target", "rows"]].drop_duplicates()
    seeds = int(rows["seeds"].iloc[0])
    for scorer, target, size in keys.itertuples(index=False, name=None):
        own = rows[(rows["scorer"] == scorer) & (rows["rows"] == size)]
        level = f"{scorer_label(scorer)}, mean over all precisions" if target == MEAN else f"Precision {target}"
        lines += [f"**{level}, {size:,} tuning rows, {seeds} {'seed' if seeds == 1 else 'seeds'}**", ""]
        lines += [*_full(own, target), ""]
    return lines


def _full(rows: pd.DataFrame, target: str) -> list[str]:
    """Return the table of one target, or of the mean over targets with the precision at each of them."""
    cells = {(r.method, r.buckets, r.target, r.statistic, r.baseline, r.metric): r for r in rows.itertuples()}
    precisions = sorted(set(rows.loc[rows["metric"] == "precision", "target"])) if target == MEAN else [target]
    bases = [base for base in (ONE, CEILING) if (rows["baseline"] == base).any()]
    heads = ["way", "tuning recall", "test recall", "recall at equal precision"]
    heads += [f"of {LABELS[base]}" for base in bases]
    heads += [f"test precision, target {level}" for level in precisions]
    lines = [f"| {' | '.join([*heads, 's'])} |", "|---" * (1 + len(heads)) + "|"]
    seconds = {(r.method, r.buckets): r.value for r in rows[rows["metric"] == "seconds"].itertuples()}
    ways = rows[rows["target"] == target][["method", "buckets"]].drop_duplicates()
    order = {name: place for place, name in enumerate(LABELS)}
    for way in sorted(ways.itertuples(index=False, name=None), key=lambda way: (order[way[0]], way[1])):
        shown = [_percent(cells.get((*way, target, "value", "", m))) for m in ("tuning_recall", "recall", MATCHED)]
        shown += [_times(cells.get((*way, target, "ratio", base, MATCHED))) for base in bases]
        shown += [_percent(cells.get((*way, level, "value", "", "precision"))) for level in precisions]
        spent = seconds.get(way)
        shown.append("–" if spent is None or pd.isna(spent) else f"{spent:.3f}")
        lines.append(f"| {_name(*way)} | {' | '.join(shown)} |")
    return lines


def _goals(summary: pd.DataFrame) -> list[str]:
    """Return the table of goals."""
    judged = verdicts(summary)
    if judged.empty:
        return []
    lines = ["| goal | on | measured [95 % interval; times: least, most] | n | verdict |", "|---|---|---|---|---|"]
    for row in judged.itertuples():
        figure = f"{row.value:.3g} [{row.ci_low:.3g}, {row.ci_high:.3g}]"
        lines.append(f"| {row.goal} | {row.on} | {figure} | {row.n:,} | **{row.verdict}** |")
    return lines


def _information(summary: pd.DataFrame, *, with_title: bool = True) -> list[str]:
    """Return whose uncertainty tells something at equal score, beside a shuffled one."""
    rows = summary[summary["metric"].isin([TREND, PLACEBO])]
    if rows.empty:
        return []
    named = informative_scorers(summary)
    cells = {(row.scorer, row.metric): row for row in rows.itertuples()}
    head = f"positivity, most to least certain row at equal score, points (n {int(rows['n'].iloc[0]):,} households)"
    lines = ["## Information at equal score", ""] if with_title else []
    lines += [f"| {head} | uncertainty | shuffled | beyond chance |", "|---|---|---|---|"]
    for scorer in dict.fromkeys(rows["scorer"]):
        shown = [_points(cells.get((scorer, metric))) for metric in (TREND, PLACEBO)]
        lines.append(f"| {scorer_label(scorer)} | {' | '.join(shown)} | {'yes' if scorer in named else 'no'} |")
    return [*lines, ""]


def _guarantee(rows: pd.DataFrame) -> list[str]:
    """Return how often each guarantee was kept, and its recall."""
    if rows.empty:
        return []
    first = rows.iloc[0]
    lines = [
        "## Guaranteed precision",
        "",
        f"{first['scorer']}, precision {first['target']}, {first['rows']:,} tuning rows, confidence 0.9:",
        "",
        "| way | precision kept, % of repetitions | recall, % | recall of ours to it | repetitions |",
        "|---|---|---|---|---|",
    ]
    values = {(row.method, row.statistic): row for row in rows[rows["baseline"] == ""].itertuples()}
    ratios = {row.baseline: row for row in rows[rows["statistic"] == "ratio"].itertuples()}
    for method in dict.fromkeys(rows["method"]):
        share, recall = values[method, "share"], values[method, "value"]
        shown = [_percent(share), _percent(recall), _times(ratios.get(method)), f"{share.n}"]
        lines.append(f"| {_name(method, share.buckets)} | {' | '.join(shown)} |")
    return [*lines, ""]


def _speed(rows: pd.DataFrame) -> list[str]:
    """Return the times."""
    if rows.empty:
        return []
    lines = [
        "## Speed",
        "",
        "| way | rows | buckets | processor time, s [least, most] | times ours |",
        "|---|---|---|---|---|",
    ]
    seconds = rows[rows["metric"] == "seconds"]
    ratios = {row.method: row for row in seconds[seconds["statistic"] == "ratio"].itertuples()}
    for row in seconds[seconds["statistic"] == "value"].itertuples():
        name, _, kind = row.method.partition(", ")
        label = f"{LABELS[name]}{f', {kind}' if kind else ''}"
        figure = f"{row.value:.3f} [{row.ci_low:.3f}, {row.ci_high:.3f}]"
        lines.append(
            f"| {label} | {row.rows:,} | {row.buckets} | {figure} | {_times(ratios.get(row.method), digits=1)} |"
        )
    return [*lines, ""]


def _agreement(rows: pd.DataFrame) -> list[str]:
    """Return by how much metrics differ from other packages'."""
    if rows.empty:
        return []
    lines = [
        "## Agreement of metrics",
        "",
        f"Largest absolute difference over {int(rows['n'].iloc[0])} draws of {int(rows['rows'].iloc[0]):,} rows:",
        "",
        "| metric | package | largest difference |",
        "|---|---|---|",
    ]
    lines += [f"| {row.metric} | {row.method} | {row.ci_high:.1e} |" for row in rows.itertuples()]
    return lines


def _percent(row: Any) -> str:
    """Write a share in percent with its interval."""
    if row is None or pd.isna(row.value):
        return "–"
    interval = "" if pd.isna(row.ci_low) else f" [{100 * row.ci_low:.1f}, {100 * row.ci_high:.1f}]"
    return f"{100 * row.value:.1f}{interval}"


def _times(row: Any, *, digits: int = 2) -> str:
    """Write a ratio with its interval."""
    if row is None or pd.isna(row.value):
        return "–"
    low, value, high = (f"{number:.{digits}f}" for number in (row.ci_low, row.value, row.ci_high))
    return f"×{value} [{low}, {high}]"


def _points(row: Any) -> str:
    """Write percentage points with their interval."""
    if row is None or pd.isna(row.value):
        return "–"
    return f"{row.value:+.1f} [{row.ci_low:+.1f}, {row.ci_high:+.1f}]"
