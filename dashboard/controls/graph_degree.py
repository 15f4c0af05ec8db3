"""Metrics by degree, what they say of the claim on neighbourhoods, and the study over several splits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard import cache
from dashboard.cache import Run
from dashboard.controls.graph_summary import form
from dashboard.layout import estimate
from engine.claims import as_shown, has_no_spread
from engine.figures.theme import METHOD_LABEL, METRIC_LABEL
from engine.studies import MINIMUM_NODES, RESULTS, neighbourhood_study

COMMAND = "python -m engine benchmark neighbourhoods --data {data} --out runs"
ROLES = {"source": "As a source", "target": "As a target"}

_BUDGET = "at most {} neighbours"
_PAIRS = {
    **{(f"adaptive-{k}", f"fixed-{k}"): f"Adaptive − fixed, {_BUDGET.format(k)}" for k in (5, 10, 20)},
    ("adaptive-10-any", "fixed-10-any"): "Adaptive − fixed, at most 10, drawn evenly",
    ("adaptive-10", "adaptive-10-any"): "Popular neighbours first − drawn evenly, adaptive",
    ("fixed-10", "fixed-10-any"): "Popular neighbours first − drawn evenly, fixed",
    ("full", "none"): "All neighbours − none",
    ("fixed-5", "full"): "5 sampled − all neighbours",
    ("fixed-20", "full"): "20 sampled − all neighbours",
}
"""Method and baseline of the differences that the page shows, in this order."""
_ARRIVAL_METHODS = ("dual", "single", "no_propagation", "feature_neighbours", "cocitation", "popularity")


def metrics(run: Run) -> list[str]:
    """Return the metrics that the run has by degree, in the order of the labels."""
    rows = run.metrics[run.metrics["segment"].str.startswith("in_degree:")]
    present = set(rows["metric"])
    return [metric for metric in METRIC_LABEL if metric in present]


def methods(run: Run, metric: str) -> list[str]:
    """Return the methods that have a metric by degree."""
    rows = run.metrics[(run.metrics["metric"] == metric) & run.metrics["segment"].str.startswith("in_degree:")]
    present = set(rows.loc[rows["value"].notna(), "method"])
    return [method for method in METHOD_LABEL if method in present]


def default_methods(run: Run, metric: str) -> list[str]:
    """Return the two samplers, or the shown form and its rivals where they were not trained."""
    present = methods(run, metric)
    samplers = ["adaptive", "fixed"]
    wanted = samplers if set(samplers) <= set(present) else [form(run), "single", "popularity"]
    return [method for method in wanted if method in present]


def claim_sentence(run: Run) -> str:
    """Say what this run's split says of the claim that low-degree nodes gain."""
    rows = as_shown(run.curve("claims"))
    rows = rows[rows["claim"] == "C2"]
    if rows.empty:
        return "Train the methods *adaptive* and *fixed* as well to see whether rarely linked nodes gain."
    first = {"supported": "holds", "not supported": "does not hold", "inconclusive": "is undecided"}[
        rows.iloc[0].verdict
    ]
    parts = [f"{_points(row._asdict())} for {row.segment} ({_verdict(row)})" for row in rows.itertuples()]
    return (
        f"That rarely linked nodes gain from larger neighbourhoods at equal total size **{first}** on this split. "
        f"HitRate@10 of adaptive − fixed: {'; '.join(parts)}. n counts query nodes."
    )


def _verdict(row: Any) -> str:
    """Write a verdict, with the reason where no query node differed."""
    is_same = row.value == 0 and has_no_spread(row.ci_low, row.ci_high, row.n)
    return f"{row.verdict}: no query differed, too few to rule out a gain" if is_same else str(row.verdict)


def study(run: Run) -> pd.DataFrame:
    """Return the study of the run's data over several splits; no rows if nobody has done it."""
    data_id = str(run.manifest["dataset"]["data_id"])
    found = neighbourhood_study(data_id, [RESULTS, *cache.run_folders()])
    return found if found.empty else as_shown(found)


def command(run: Run) -> str:
    """Return the command that makes the study of this data set."""
    name = str(run.manifest["dataset"]["name"])
    return COMMAND.format(data=f'"{name}"' if " " in name else name)


def segments(table: pd.DataFrame) -> dict[str, str]:
    """Return the groups of test edges with enough query nodes, to what they are called."""
    rows = table[(table["setting"] == "edges") & (table["baseline"] != "") & (table["n"] >= MINIMUM_NODES)]
    found = [segment for segment in dict.fromkeys(rows["segment"]) if not segment.startswith("out_degree")]
    return {
        segment: "All targets" if segment == "all" else segment.removeprefix("in_degree:").replace("-", "–")
        for segment in found
    }


def compared(table: pd.DataFrame, segment: str) -> pd.DataFrame:
    """Return the differences between neighbourhoods in one group of test edges, ready to draw."""
    rows = table[(table["setting"] == "edges") & (table["segment"] == segment)]
    keyed = {(row.method, row.baseline): row for row in rows.itertuples()}
    return pd.DataFrame(
        [
            {
                "label": label,
                "value": row.value,
                "ci_low": row.ci_low,
                "ci_high": row.ci_high,
                "n": row.n,
                "verdict": row.verdict,
                "margin": row.margin,
                "ahead": row.ahead,
                "splits": row.splits,
            }
            for pair, label in _PAIRS.items()
            if (row := keyed.get(pair)) is not None
        ]
    )


def study_sentences(table: pd.DataFrame) -> list[str]:
    """Say what the splits together say of the claim, and what neighbours are worth at all."""
    lowest = [segment for segment in segments(table) if segment != "all"][:1]
    lines = []
    for segment in [*lowest, "all"]:
        rows = compared(table, segment).set_index("label")
        words = "all test edges" if segment == "all" else f"targets with {segments(table)[segment]} training in-edges"
        budgets = rows[rows.index.str.startswith("Adaptive − fixed, at most") & ~rows.index.str.endswith("evenly")]
        budgets = budgets[budgets["value"].notna()]
        held = int((budgets["verdict"] == "supported").sum())
        figures = "; ".join(
            f"{label.removeprefix('Adaptive − fixed, ')} {_points(row)}, ahead in {row['ahead']} of {row['splits']} "
            "splits"
            for label, row in budgets.iterrows()
        )
        lines.append(f"Adaptive − fixed on {words} is supported at {held} of {len(budgets)} budgets: {figures}.")
        worth = rows.loc["All neighbours − none"]
        lines.append(f"All neighbours − none on {words}: {_points(worth)}, {worth['verdict']}.")
    return lines


def arrivals(table: pd.DataFrame, role: str) -> pd.DataFrame:
    """Return HitRate@10 of new nodes in one role, by method and by what is known of them."""
    rows = table[(table["setting"] == "arrivals") & (table["baseline"] == "") & (table["segment"] == role)]
    has_features = "features" in set(rows["known"])
    parts = []
    for method in _ARRIVAL_METHODS:
        own = rows[rows["method"] == method]
        main = own[own["known"].isin(["features", "features and edges"] if has_features else ["edges"])]
        parts.append(main.assign(line=METHOD_LABEL.get(method, method), is_dashed=False))
        if has_features and method == "dual":
            line = f"{METHOD_LABEL[method]}, edges only"
            parts.append(own[own["known"] == "edges"].assign(line=line, is_dashed=True))
    found = pd.concat(parts, ignore_index=True)
    counts = sorted(set(found["revealed"]))
    first = "features and<br>" if has_features else ""
    ticks = {k: f"{first}up to {k} edge{'s' * (k > 1)}" for k in counts} | {0: "features<br>only"}
    return found.assign(place=found["revealed"].map(counts.index), tick=found["revealed"].map(ticks))


def arrival_sentence(table: pd.DataFrame) -> str:
    """Say how a new node fares against the best of the others, from features alone and with edges."""
    rows = table[(table["setting"] == "arrivals") & (table["segment"] == "all") & (table["method"] == "dual")]
    parts = []
    for (revealed, known), group in rows[rows["baseline"] != ""].groupby(["revealed", "known"]):
        own = rows[(rows["baseline"] == "") & (rows["known"] == known) & (rows["revealed"] == revealed)].iloc[0]
        others = group[group["baseline"].isin(["popularity", "cocitation", "feature_neighbours"])]
        best = others.loc[others["value"].idxmin()]
        if revealed in (0, 2):
            words = known if revealed == 0 else f"{known}, up to {revealed} edges"
            parts.append(
                f"with {words} HitRate@10 is {estimate(own.value, own.ci_low, own.ci_high, own.n)} new nodes, "
                f"{_points(best)} to {METHOD_LABEL[best['baseline']].lower()}"
            )
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}. Differences are to the best of the other methods." if text else ""


def _points(row: Mapping[Any, Any]) -> str:
    """Write a difference of shares in percentage points with its interval and n."""
    low, high = 100 * row["ci_low"], 100 * row["ci_high"]
    return f"{100 * row['value']:+.1f} [{low:+.1f}, {high:+.1f}] points, n {int(row['n']):,}"
