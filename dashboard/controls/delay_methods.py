"""The methods of a run side by side: metrics, differences, shares of the gap between vanilla and oracle."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.cache import Run
from dashboard.controls.delay import AGAIN, stored
from dashboard.layout import escape_markdown, number
from dashboard.state import DELAY
from engine.figures.theme import METHOD_LABEL, METRIC_LABEL

METRICS = ("log_loss", "roc_auc", "pr_auc", "brier", "calibration")
FAMILIES = {
    "Ours": ("dress_style",),
    "Ours without signals": ("entire_space", "exact_joint"),
    "Reweighting a stream": ("es_dfm", "defer", "defuse", "fnw", "fnc"),
    "From one snapshot": ("fsiw", "ulc", "dfm", "nndf", "esdf"),
    "Simple": ("kaplan_meier", "wait", "pretrained", "vanilla_win", "vanilla"),
    "Upper bound": ("oracle",),
}
"""Heading to methods, in the order of the charts."""
PROTOCOLS = {"test": "Batch as of a date", "stream": "Streaming"}
AGAINST = {"oracle": "Oracle", "vanilla": "Vanilla", "dress_style": "Ours", "relative": "Share of the gap"}
RISING = ("roc_auc", "pr_auc")
"""Metrics of which more is better."""
AGE_BUCKETS = {"age:matured": "Window over", "age:immature": "Window open", "later": "Later"}
NO_GAP = (
    "Vanilla and the oracle cannot be told apart by this metric, so there is no gap to share: choose another metric "
    "or the paired difference."
)
_FAR = 3.0
"""Values further from the middle half than so many times its width are named at the edge of the chart."""


def short(metric: str) -> str:
    """Name a metric without its formula."""
    return METRIC_LABEL[metric].split(" (")[0].split(" |")[0]


def families(methods: pd.Series) -> dict[str, tuple[str, ...]]:
    """Return the headings with the methods of a table below them; unknown ones come last."""
    known = {method for family in FAMILIES.values() for method in family}
    others = tuple(dict.fromkeys(method for method in methods if method not in known))
    return FAMILIES | ({"Others": others} if others else {})


def no_stream(run: Run) -> str:
    """Say why there is no stream, and what to do about it."""
    facts = stored(run, "stream_facts")
    reason = str(facts["reason"].iloc[0]) if "reason" in facts and len(facts) else ""
    if reason:
        return f"The streaming protocol could not be run: {escape_markdown(reason, limit=400)}"
    return f"This run is of an older version without the streaming protocol. {AGAIN}"


def has_stream(run: Run) -> bool:
    """Say whether the streaming protocol was run."""
    return bool((run.metrics["split"] == "stream").any())


def choose_protocol(run: Run) -> str:
    """Let the reader choose the protocol whose figures are shown."""
    protocols = [name for name in PROTOCOLS if name == "test" or has_stream(run)]
    chosen = st.segmented_control(
        "Protocol",
        protocols,
        default="test",
        format_func=lambda name: PROTOCOLS[name],
        required=True,
        key=DELAY["protocol"],
        bind="query-params",
        help="**Batch**: trained once on what was visible on the snapshot day, judged on the final labels of later "
        "exposures. **Streaming**: trained in the order in which labels become known, each step judged on the "
        "exposures that begin after it, with a gap of one attribution window after pre-training. Methods that learn "
        f"from one snapshot have no stream: {_not_streamed(run)}.",
    )
    return chosen if chosen in protocols else "test"


def _not_streamed(run: Run) -> str:
    """Name the methods of the batch that have no stream."""
    by_protocol = {name: method_rows(run, "log_loss", name)["method"] for name in PROTOCOLS}
    missing = by_protocol["test"][~by_protocol["test"].isin(by_protocol["stream"])]
    return ", ".join(METHOD_LABEL.get(method, method) for method in missing)


def choose_metric(run: Run, protocol: str) -> str:
    """Let the reader choose a metric that the protocol has."""
    known = set(run.metrics.loc[run.metrics["split"] == protocol, "metric"])
    metrics = [metric for metric in METRICS if metric in known]
    chosen = st.segmented_control(
        "Metric",
        metrics,
        default=metrics[0],
        required=True,
        format_func=short,
        key=DELAY["metric"],
        bind="query-params",
    )
    return chosen if chosen in metrics else metrics[0]


def choose_baseline() -> str:
    """Let the reader choose what every method is compared with."""
    chosen = st.segmented_control(
        "Compare with",
        list(AGAINST),
        default="oracle",
        required=True,
        format_func=lambda name: AGAINST[name],
        key=DELAY["baseline"],
        bind="query-params",
        help="**Oracle**, **vanilla** and **ours**: paired difference. **Share of the gap**: 0 is vanilla, 1 is the "
        "oracle.",
    )
    return chosen if chosen in AGAINST else "oracle"


def method_rows(run: Run, metric: str, split: str = "test", segment: str = "all") -> pd.DataFrame:
    """Return one metric of all methods."""
    metrics = run.metrics
    return metrics[(metrics["split"] == split) & (metrics["segment"] == segment) & (metrics["metric"] == metric)]


def _judged(metric: str) -> str:
    """Return the key under which a metric is compared: calibration by its distance from 1."""
    return "calibration_error" if metric == "calibration" else metric


def compared_rows(run: Run, metric: str, baseline: str, split: str = "test") -> pd.DataFrame:
    """Return every method minus a baseline with paired intervals, or its share of the gap."""
    if baseline == "relative":
        return method_rows(run, f"relative_{_judged(metric)}", split)
    table = run.curve("differences")
    place = (table["split"] == split) & (table["segment"] == "all") & (table["metric"] == _judged(metric))
    return table[place & (table["baseline"] == baseline)]


def axis_range(rows: pd.DataFrame, *, include: tuple[float, ...] = ()) -> tuple[float, float] | None:
    """Return an axis that fits all but far-off values; none where no value is far off.

    Parameters
    ----------
    rows : DataFrame
        Columns ``value, ci_low, ci_high``.
    include : tuple of float, optional
        Values that the axis must hold.

    Returns
    -------
    tuple of float or None
    """
    value = rows["value"].dropna()
    if len(value) < 4:
        return None
    low, middle, high = np.quantile(value, [0.25, 0.5, 0.75])
    reach = _FAR * max(high - low, 1e-9)
    near = rows[(rows["value"] - middle).abs() <= reach]
    if len(near) == len(value):
        return None
    start = float(min(near["ci_low"].fillna(near["value"]).min(), *include, middle))
    end = float(max(near["ci_high"].fillna(near["value"]).max(), *include, middle))
    room = 0.04 * (end - start)
    return start - room, end + room


def method_sentence(run: Run, metric: str, split: str = "test") -> str:
    """Say the metric of vanilla, ours and the oracle."""
    rows = method_rows(run, metric, split).set_index("method")
    parts = [
        f"{name} {number(rows.loc[method, 'value'])} [{number(rows.loc[method, 'ci_low'])}, "
        f"{number(rows.loc[method, 'ci_high'])}]"
        for method, name in (("vanilla", "vanilla"), ("dress_style", "ours"), ("oracle", "oracle"))
        if method in rows.index
    ]
    return f"{short(metric)} on later exposures: {', '.join(parts)}."


def compared_sentence(run: Run, metric: str, baseline: str, split: str = "test") -> str:
    """Say how ours compares with the baseline."""
    if baseline == "dress_style":
        return _lead(run, metric, split) or "The methods were not compared with ours here."
    rows = compared_rows(run, metric, baseline, split).set_index("method")
    if "dress_style" not in rows.index:
        return "Ours was not compared here."
    row = rows.loc["dress_style"]
    lead = (
        f"Of the way from vanilla to the oracle in {short(_judged(metric)).lower()}, ours covers"
        if baseline == "relative"
        else f"Ours minus {baseline}:"
    )
    return (
        f"{lead} {number(row['value'])} [{number(row['ci_low'])}, {number(row['ci_high'])}], n {int(row['n']):,} units."
    )


def standing_sentence(run: Run, metric: str, split: str = "test") -> str:
    """Say which method did best, where ours stands, and how far the interval of their difference reaches."""
    rows = method_rows(run, metric, split)
    rows = rows[(rows["method"] != "oracle") & rows["value"].notna()]
    if rows.empty or not (rows["method"] == "dress_style").any():
        return ""
    distance = {"calibration": (rows["value"] - 1).abs(), "roc_auc": -rows["value"], "pr_auc": -rows["value"]}
    order = rows.assign(place=distance.get(metric, rows["value"])).sort_values("place", kind="stable")
    methods = list(order["method"])
    best, place = METHOD_LABEL.get(methods[0], methods[0]), methods.index("dress_style") + 1
    words = "**ours** is first" if place == 1 else f"**{best}** is first and ours number {place}"
    return f"{short(metric)}: {words} of {len(methods)} methods without foresight. {_lead(run, metric, split)}"


def _lead(run: Run, metric: str, split: str) -> str:
    """Say how many methods can be told from ours, by paired differences: an order alone is not a finding."""
    rows = compared_rows(run, metric, "dress_style", split)
    rows = rows[rows["method"] != "oracle"]
    if rows.empty:
        return ""
    sign = -1.0 if metric in RISING else 1.0
    behind, ahead = (int((np.fmin(side * rows["ci_low"], side * rows["ci_high"]) > 0).sum()) for side in (sign, -sign))
    worse, better, alike = (str(count) if count else "none" for count in (behind, ahead, len(rows) - behind - ahead))
    return (
        f"By the interval of the difference, of the other {len(rows)} methods {worse} are worse than ours, {better} "
        f"better, and {alike} cannot be told from it · n {int(rows['n'].iloc[0]):,} units."
    )


def calibration_rows(run: Run) -> pd.DataFrame:
    """Return calibration by age on the snapshot day: held-out units before it, all units after it."""
    metrics = run.metrics[run.metrics["metric"] == "calibration"]
    held_out = metrics[(metrics["split"] == "holdout") & metrics["segment"].str.startswith("age:")]
    later = metrics[(metrics["split"] == "test") & (metrics["segment"] == "all")]
    return pd.concat([held_out.assign(bucket=held_out["segment"]), later.assign(bucket="later")], ignore_index=True)


def reliability_rows(run: Run) -> pd.DataFrame:
    """Return the reliability of the methods that matter most: lines of all of them would hide each other."""
    table = run.curve("reliability")
    return table[table["method"].isin(("oracle", "wait", "vanilla", "dress_style"))]


def export(run: Run) -> pd.DataFrame:
    """Return all figures of all methods in one table, for download.

    Returns
    -------
    DataFrame
        ``table`` (metric, difference or step), ``split, method, baseline, segment, metric, day, value, ci_low,
        ci_high, n``.
    """
    metrics = run.metrics.assign(table="metric")
    differences = run.curve("differences").assign(table="difference")
    steps = stored(run, "stream")
    steps = steps.assign(table="step", split="stream", segment="all") if len(steps) else steps
    columns = ["table", "split", "method", "baseline", "segment", "metric", "day", "value", "ci_low", "ci_high", "n"]
    return pd.concat([metrics, differences, steps], ignore_index=True).reindex(columns=columns)
