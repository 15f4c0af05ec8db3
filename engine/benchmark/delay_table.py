"""The delay benchmark as Markdown: all figures for the terminal and the stored page, a digest for the README."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from engine.benchmark.delay_methods import METHODS, ORACLE, label_of
from engine.benchmark.delay_verdicts import verdicts

_LATER = {
    ("value", "log_loss"): "log loss",
    ("gap_closed", "log_loss"): "share of the gap",
    ("value", "excess_log_loss"): "above the truth, millinats",
    ("gap_closed", "excess_log_loss"): "share of the gap, by the truth",
    ("value", "roc_auc"): "ROC-AUC",
    ("value", "pr_auc"): "PR-AUC",
    ("value", "brier"): "Brier",
    ("value", "calibration"): "calibration",
    ("value", "calibration_truth"): "calibration, by the truth",
}
_MILLI = ("value", "excess_log_loss")
_AGES = {"age:immature": "inside their window", "age:matured": "window over"}
_COSTS = {"ess_share": "effective rows", "clipped_share": "clipped", "seconds": "processor time, s"}

Cells = dict[tuple[str, str], Any]


def markdown(summary: pd.DataFrame) -> str:
    """Write every figure: per data set the goals, later exposures, the stream, ages, segments and costs.

    Parameters
    ----------
    summary : DataFrame
        Columns `engine.benchmark.delay_summary.SUMMARY_COLUMNS`.

    Returns
    -------
    str
    """
    judged = verdicts(summary)
    parts = []
    for data, rows in summary.groupby("data", sort=False):
        shown = [f"## {data}", "", f"{_size(rows)}", "", *_goals(judged[judged["data"] == data]), ""]
        shown += _later(rows) + _stream(rows) + _by_segment(rows, "holdout", _AGES) + _segments(rows) + _costs(rows)
        parts += shown
    return "\n".join(parts).rstrip()


def digest(summary: pd.DataFrame) -> str:
    """Write the share of the gap and the calibration of every method on every data set, and the goals.

    Parameters
    ----------
    summary : DataFrame
        Columns `engine.benchmark.delay_summary.SUMMARY_COLUMNS`.

    Returns
    -------
    str
        Three Markdown tables.
    """
    later = summary[(summary["split"] == "test") & (summary["segment"] == "all")]
    recent = summary[(summary["split"] == "holdout") & (summary["segment"] == "age:immature")]
    truth = set(later.loc[later["metric"] == "excess_log_loss", "data"])

    def best_known(rows: pd.DataFrame, plain: str, known: str) -> pd.DataFrame:
        return rows[rows["metric"] == rows["data"].map(lambda data: known if data in truth else plain)]

    losses = later[(later["statistic"] == "value") & (later["metric"] == "log_loss")]
    ratios = best_known(recent[recent["statistic"] == "value"], "calibration", "calibration_truth")
    lines = _wide(losses, "log loss, later exposures", is_loss=True)
    lines += ["", *_wide(ratios, "calibration, recent exposures", is_loss=False), ""]
    return "\n".join([*lines, *_goals(verdicts(summary), with_data=True)])


def headline(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that `markdown` and `digest` read, rounded: small enough to be kept with the code."""
    split, segment, statistic = summary["split"], summary["segment"], summary["statistic"]
    everything = segment == "all"
    is_value, is_recent = statistic == "value", (split == "holdout") & (segment == "age:immature")
    plain = summary["metric"].isin(["log_loss", "calibration"])
    judged = summary["metric"].isin(["log_loss", "calibration_error"]) & (statistic == "difference")
    shown = everything & split.isin(["test", "stream"]) & statistic.isin(["value", "gap_closed"])
    shown |= (is_value & plain) | (statistic == "cost")
    shown |= is_recent & (statistic != "difference") & summary["metric"].isin(["calibration_truth", "excess_log_loss"])
    shown |= judged & ((everything & (split == "test")) | is_recent)
    rows = summary[shown].reset_index(drop=True)
    return rows.assign(**{name: rows[name].round(5) for name in ("value", "ci_low", "ci_high")})


def _size(rows: pd.DataFrame) -> str:
    """Say how much was judged."""
    value = rows[rows["statistic"] == "value"].drop_duplicates("split").set_index("split")
    names = {"test": "later exposures", "holdout": "earlier exposures of other units", "stream": "in the stream"}
    parts = [f"{value.loc[s, 'rows']:,} {name}" for s, name in names.items() if s in value.index]
    seeds, units = int(rows["seeds"].iloc[0]), value["n"].max()
    return f"{seeds} {'seed' if seeds == 1 else 'seeds'} · " + ", ".join(parts) + f" · up to {units:,} units"


def _goals(judged: pd.DataFrame, *, with_data: bool = False) -> list[str]:
    """Return the table of goals."""
    head = ["goal of ours", "on", "measured [95 % interval]", "units", "verdict"]
    lines = [f"| {' | '.join(['data', *head] if with_data else head)} |", "|---" * (len(head) + with_data) + "|"]
    for row in judged.itertuples():
        start = f"| {row.data} | " if with_data else "| "
        figure = f"{row.value:.4f} [{row.ci_low:.4f}, {row.ci_high:.4f}]"
        lines.append(f"{start}{row.goal} | {row.rows} | {figure} | {row.n:,} | **{row.verdict}** |")
    return lines


def _later(rows: pd.DataFrame) -> list[str]:
    """Return every metric of every method on later exposures."""
    later = rows[(rows["split"] == "test") & (rows["segment"] == "all")]
    return ["On later exposures:", "", *_grid(later, _LATER), ""]


def _stream(rows: pd.DataFrame) -> list[str]:
    """Return what the stream gives, where the log is long enough for one."""
    streamed = rows[rows["split"] == "stream"]
    if streamed.empty:
        return []
    ranked = ("roc_auc", "pr_auc")
    columns = {key: label for key, label in _LATER.items() if key[1] not in ranked}
    return ["As a stream, train then test:", "", *_grid(streamed, columns), ""]


def _grid(rows: pd.DataFrame, columns: Mapping[tuple[str, str], str]) -> list[str]:
    """Return a table of methods and metrics."""
    rows = rows[rows["statistic"].isin(["value", "gap_closed"])]
    cells = {(row.method, (row.statistic, row.metric)): row for row in rows.itertuples()}
    used = {key: label for key, label in columns.items() if any(cell[1] == key for cell in cells)}
    lines = [f"| method | {' | '.join(used.values())} |", "|---" * (1 + len(used)) + "|"]
    for method in [name for name in METHODS if (rows["method"] == name).any()]:
        shown = [
            _cell(cells.get((method, key)), scale=1000 if key == ("value", "excess_log_loss") else 1) for key in used
        ]
        lines.append(f"| {label_of(method)} | {' | '.join(shown)} |")
    return lines


def _by_segment(rows: pd.DataFrame, split: str, segments: Mapping[str, str]) -> list[str]:
    """Return log loss and calibration of every method by subsets of the rows of a split."""
    values = rows[(rows["split"] == split) & (rows["statistic"] == "value")]
    values = values[values["metric"].isin(["log_loss", "calibration"]) & values["segment"].isin(list(segments))]
    cells = {(row.method, (row.segment, row.metric)): row for row in values.itertuples()}
    sizes = values.drop_duplicates("segment").set_index("segment")["rows"]
    keys = [(name, metric) for name in segments if name in sizes.index for metric in ("log_loss", "calibration")]
    heads = [f"{metric.replace('_', ' ')}, {segments[name]} ({sizes[name]:,} rows)" for name, metric in keys]
    title = "Earlier exposures of other units, by age on the snapshot day:" if split == "holdout" else "By segment:"
    lines = [title, "", f"| method | {' | '.join(heads)} |", "|---" * (1 + len(keys)) + "|"]
    for method in [name for name in METHODS if (values["method"] == name).any()]:
        lines.append(f"| {label_of(method)} | {' | '.join(_cell(cells.get((method, key))) for key in keys)} |")
    return [*lines, ""]


def _segments(rows: pd.DataFrame) -> list[str]:
    """Return the table by segment, where there are segments."""
    names = [name for name in dict.fromkeys(rows["segment"]) if name.startswith("segment:")]
    return _by_segment(rows, "test", {name: name.partition(":")[2] for name in names}) if names else []


def _costs(rows: pd.DataFrame) -> list[str]:
    """Return what weights and training cost."""
    values = rows[rows["statistic"] == "cost"]
    cells = {(row.method, row.metric): row.value for row in values.itertuples()}
    lines = [f"| method | {' | '.join(_COSTS.values())} |", "|---" * (1 + len(_COSTS)) + "|"]
    for method in dict.fromkeys(values["method"]):
        shown = [f"{cells[method, name]:.3f}" if (method, name) in cells else "–" for name in _COSTS]
        label = "models of label arrival, for several methods" if method == "shared" else label_of(method)
        lines.append(f"| {label} | {' | '.join(shown)} |")
    return ["Weights and time:", "", *lines, ""]


def _wide(rows: pd.DataFrame, title: str, *, is_loss: bool) -> list[str]:
    """Return a row per method and a column per data set; the best value but the oracle's is bold."""
    names = list(dict.fromkeys(rows["data"]))
    distance = rows["value"] if is_loss else (rows["value"] - 1).abs()
    rivals = distance[rows["method"] != ORACLE]
    best = rivals.groupby(rows["data"]).min()
    cells = {(row.method, row.data): row for row in rows.itertuples()}
    lines = [f"| {title} | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
    for method in [name for name in METHODS if (rows["method"] == name).any()]:
        shown = []
        for name in names:
            row = cells.get((method, name))
            far = None if row is None else row.value if is_loss else abs(row.value - 1)
            shown.append(_cell(row, is_best=far == best[name] and method != ORACLE, digits=4 if is_loss else 3))
        lines.append(f"| {label_of(method)} | {' | '.join(shown)} |")
    return lines


def _cell(row: Any, *, scale: float = 1, is_best: bool = False, digits: int = 4) -> str:
    """Write one figure with its interval."""
    if row is None or pd.isna(row.value):
        return "–"
    places = digits if scale == 1 else 2
    low, value, high = (f"{scale * number:.{places}f}" for number in (row.ci_low, row.value, row.ci_high))
    interval = "" if pd.isna(row.ci_low) else f" [{low}, {high}]"
    return f"{f'**{value}**' if is_best else value}{interval}"
