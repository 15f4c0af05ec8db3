"""What a directed-graph run found, in one sentence, in cards and in tables for the charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard import cache
from dashboard.cache import Run
from dashboard.layout import escape_markdown, estimate, number
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
        found.append(
            Card(
                metric=metric,
                label=METRIC_LABEL[metric],
                value=float(row["value"]),
                low=float(row["ci_low"]),
                high=float(row["ci_high"]),
                n=int(row["n"]),
                baseline=baseline,
            )
        )
    return found


def answer(run: Run) -> str:
    """Answer the page's question for this run in one sentence."""
    hits, direction = "hit_rate_at_10", "direction_auc"
    peer, rival = strongest_peer(run, hits), strongest_peer(run, direction)
    ranked = ", ".join(
        f"{words} {number(100 * value)} %"
        for words, value in (
            ("two embeddings find", _value(run, form(run), hits)),
            ("one embedding", _value(run, "single", hits)),
            (f"the best peer ({METHOD_LABEL.get(peer or '', '')})", _value(run, peer, hits)),
        )
        if value is not None
    )
    told = f"they tell a one-way edge from a reversal with AUC {number(_value(run, form(run), direction) or 0)}"
    other = _value(run, rival, direction)
    against = f", {METHOD_LABEL[rival].lower()} with {number(other)}" if rival and other is not None else ""
    return f"Of the held-out targets, {ranked} in the first ten; {told}{against}."


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


def degree_sentence(run: Run) -> str:
    """Say how much of the direction the degrees alone explain."""
    head, ours = _row(run, "degree_head", "direction_auc"), _row(run, form(run), "direction_auc")
    if head is None or ours is None:
        return "Train the method *degree_head* as well to see how much of the direction the degrees alone explain."
    figures = (
        f"a regression on two degrees per node reaches {estimate(head.value, head.ci_low, head.ci_high, head.n)}, "
        f"the embeddings {estimate(ours.value, ours.ci_low, ours.ci_high, ours.n)} query nodes"
    )
    verdict = "Direction is mostly a degree task here" if head.value >= ours.value else "Degrees do not explain it all"
    return f"{verdict}: {figures}."


def split_sentence(run: Run) -> str:
    """Say how many edges trained, chose and tested the methods."""
    table = run.curve("split").set_index("split")
    edges, ranked = table["edges"], int(table.loc["test", "ranked"])
    return (
        f"{edges['train']:,} edges trained, {edges['validation']:,} chose settings of the baselines, {edges['test']:,} "
        f"tested, {ranked:,} of them ranked. n counts query nodes, which the intervals resample; models are held fixed."
    )


def _value(run: Run, method: str | None, metric: str) -> float | None:
    """Return one value on all test edges, if there is one."""
    row = _row(run, method, metric)
    return None if row is None else float(row.value)


def _row(run: Run, method: str | None, metric: str) -> pd.Series | None:
    """Return one row of the metrics on all test edges, if there is one."""
    rows = methods(run, metric, "all")
    rows = rows[rows["method"] == method]
    return rows.iloc[0] if len(rows) else None
