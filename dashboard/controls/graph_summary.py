"""What a directed-graph run found, in one sentence, in cards and in tables for the charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard import cache
from dashboard.cache import Run
from dashboard.layout import escape_markdown, estimate, number
from engine.claims import MINIMUM_UNITS
from engine.figures.common import method_dots
from engine.figures.theme import METHOD_LABEL, METRIC_LABEL
from engine.graph.config import BASELINES, shown_method

CARDS = ("hit_rate_at_10", "mrr_at_10", "direction_auc", "existence_auc")
SEGMENTS = {"all": "All test edges", "one_way": "One-way edges", "mutual": "Mutual edges"}
DEGREES = {"out_degree": "Out-degree of the query node", "in_degree": "In-degree of the target"}
"""Degree to what it is called; counted on training edges."""
PARTS = {"test": "Test edges", "validation": "Validation edges", "train": "Training edges"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One figure of the shown form with the figures to compare it with."""

    metric: str
    label: str
    value: float
    low: float
    high: float
    n: int
    baseline: str


def label(name: str, *, limit: int = 60) -> str:
    """Make the name of a node safe to show in markdown."""
    return escape_markdown(name, limit=limit)


def form(run: Run) -> str:
    """Return the method that the page shows."""
    return shown_method(str(run.manifest["config"]["form"]))


def cards(run: Run) -> list[Card]:
    """Return the headline figures on all test edges."""
    found = []
    for metric in CARDS:
        rows = methods(run, metric, "all").set_index("method")
        if form(run) not in rows.index:
            continue
        row = rows.loc[form(run)]
        others = [other for other in ("single", strongest_peer(run, metric)) if other and other in rows.index]
        baseline = " · ".join(f"{METHOD_LABEL[other]} {number(rows.loc[other, 'value'])}" for other in others)
        few = too_few(row["n"]) if metric == "direction_auc" else ""
        value, low, high = (math.nan if few else float(row[name]) for name in ("value", "ci_low", "ci_high"))
        found.append(
            Card(
                metric=metric,
                label=METRIC_LABEL[metric],
                value=value,
                low=low,
                high=high,
                n=int(row["n"]),
                baseline=f"{few} to say" if few else baseline,
            )
        )
    return found


def _mid_sentence(label: str) -> str:
    """Write a label with a small first letter, unless its first word is an abbreviation."""
    return label if label.split(" ")[0].isupper() else label[:1].lower() + label[1:]


def answer(run: Run) -> str:
    """Answer the page's question for this run in one sentence."""
    hits, direction = "hit_rate_at_10", "direction_auc"
    peer, rival = strongest_peer(run, hits), strongest_peer(run, direction)
    ours, other = metric_value(run, form(run), direction), metric_value(run, rival, direction)
    told = f"One-way edges are told from their reversals with AUC {number(ours or 0)}"
    if rival and other is not None:
        told += f" ({_mid_sentence(METHOD_LABEL[rival])} {number(other)})"
    row = metric_row(run, form(run), direction)
    if row is not None and (few := too_few(row["n"])):
        told = f"{few} to say how well they are told from their reversals"
    best = f"{_mid_sentence(METHOD_LABEL.get(peer or '', ''))}, the best baseline of this run,"
    shares = [
        f"{who} {number(100 * share)}\u00a0%{what}"
        for method, who, what in (
            (form(run), "two embeddings find", " of the held-out targets in the first ten"),
            ("single", "one embedding", ""),
            (peer, best, ""),
        )
        if (share := metric_value(run, method, hits)) is not None
    ]
    return f"{told}; {', '.join(shares)}."


def too_few(n: float) -> str:
    """Say that a figure on directions rests on too few query nodes; empty if it does not."""
    return f"Too few one-way test edges (n {int(n)} query nodes)" if n < MINIMUM_UNITS else ""


def strongest_peer(run: Run, metric: str) -> str | None:
    """Return the method of others with the highest value of a metric on all test edges."""
    rows = methods(run, metric, "all")
    rows = rows[rows["method"].isin(list(BASELINES))]
    return str(rows.loc[rows["value"].idxmax(), "method"]) if len(rows) else None


def methods(run: Run, metric: str, segment: str) -> pd.DataFrame:
    """Return one metric of every method in one segment, best first.

    Direction is asked of one-way edges alone: its value on all test edges stands for them.
    """
    if metric == "direction_auc":
        segment = "all" if segment == "one_way" else segment
    table = run.metrics
    rows = table[(table["metric"] == metric) & (table["segment"] == segment) & table["value"].notna()]
    return rows.sort_values("value", ascending=False, ignore_index=True)


def method_figure(run: Run, metric: str, segment: str, reference: float | None) -> Any:
    """Return the figure of one metric of every method; no node changes it, so it is built once."""
    return cache.derived(
        run,
        f"methods {metric} {segment}",
        lambda: method_dots(
            methods(run, metric, segment),
            axis_title=METRIC_LABEL[metric],
            rival=strongest_peer(run, metric),
            reference=reference,
            height=400,
        ),
    )


def by_degree(run: Run, degree: str, metric: str, shown: Sequence[str] = ("adaptive", "fixed")) -> pd.DataFrame:
    """Return one metric of some methods by degree bucket, empty buckets included."""
    table = run.metrics
    rows = table[(table["metric"] == metric) & table["segment"].str.startswith(f"{degree}:")]
    rows = rows.assign(bucket=rows["segment"].str.removeprefix(f"{degree}:").str.replace("-", "–"))
    return pd.concat([rows[rows["method"] == method] for method in shown], ignore_index=True)


def differences(run: Run, segment: str) -> pd.DataFrame:
    """Write the paired differences in one segment out for reading."""
    table = run.curve("differences")
    rows = table[(table["segment"] == segment) & table["value"].notna()]
    return pd.DataFrame(
        {
            "Metric": rows["metric"].map(METRIC_LABEL),
            "Compared": [
                f"{METHOD_LABEL.get(row.method, row.method)} − {METHOD_LABEL.get(row.baseline, row.baseline)}"
                for row in rows.itertuples()
            ],
            "Difference [95 % interval]": [
                f"{estimate(row.value, row.ci_low, row.ci_high, row.n)} query nodes" for row in rows.itertuples()
            ],
        }
    )


def split_sentence(run: Run) -> str:
    """Say how many edges trained, chose and tested the methods."""
    table = run.curve("split").set_index("split")
    edges, ranked = table["edges"], int(table.loc["test", "ranked"])
    return (
        f"{edges['train']:,} edges trained, {edges['validation']:,} chose settings of the baselines, {edges['test']:,} "
        f"tested, {ranked:,} of them ranked. n counts query nodes, which the intervals resample; models are held fixed."
    )


def metric_value(run: Run, method: str | None, metric: str) -> float | None:
    """Return one value on all test edges, if there is one."""
    found = metric_row(run, method, metric)
    return None if found is None else float(found["value"])


def metric_row(run: Run, method: str | None, metric: str) -> pd.Series | None:
    """Return one row of the metrics on all test edges, if there is one."""
    rows = methods(run, metric, "all")
    rows = rows[rows["method"] == method]
    return rows.iloc[0] if len(rows) else None
