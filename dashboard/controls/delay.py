"""What the delayed-feedback page shows: slices of the stored tables, chosen by the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.cache import Run
from dashboard.layout import number
from dashboard.state import DELAY

GROUPS = {"cohort": "Cohort", "engagement": "Engagement", "segment": "Segment", "all": "All"}
METRICS = ("log_loss", "roc_auc", "pr_auc", "brier", "calibration")
AGE_BUCKETS = {
    "age:matured": "Window over",
    "age:immature": "Window open",
    "later": "Later",
}
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the reader chose above the charts."""

    waiting_days: float
    group: str
    segment: str


def page_facts(run: Run) -> dict[str, Any]:
    """Return the one row of facts about the snapshot as a dict."""
    return {str(key): value for key, value in run.curve("snapshot").iloc[0].items()}


def day_text(day: float, has_dates: bool) -> str:
    """Write a day of the data: a date where the data has dates, else its number."""
    if not has_dates:
        return f"day {day:g}"
    return str(np.datetime64("1970-01-01") + int(np.floor(day)) * _DAY)


def has_engagement(run: Run) -> bool:
    """Say whether any exposure was ever engaged: without, no claim about signals is stored."""
    return bool((run.curve("claims")["claim"] == "C5").any())


def choose(run: Run) -> Choice:
    """Draw the slider of the waiting window, the grouping of the curves and the segment of the cards."""
    windows = run.curve("windows")
    days = [float(day) for day in windows.loc[windows["segment"] == "all", "waiting_days"]]
    facts = page_facts(run)
    segments = list(dict.fromkeys(windows["segment"]))
    stored = set(run.curve("arrival")["group"]) - (set() if has_engagement(run) else {"engagement"})
    groups = [group for group in GROUPS if group in stored]
    left, middle, right = st.columns([0.38, 0.42, 0.2], vertical_alignment="bottom", gap="medium")
    start = min(days, key=lambda day: abs(day - facts["waiting_days"]))
    with left:
        waiting = st.slider(
            "Waiting window: days until the label is read",
            min_value=days[0],
            max_value=days[-1],
            value=start,
            step=days[0],
            format="%g d",
            key=DELAY["window"],
            bind="query-params",
        )
    with middle:
        group = st.segmented_control(
            "Curves by",
            groups,
            default=groups[0],
            format_func=lambda name: GROUPS[name],
            required=True,
            key=DELAY["group"],
            bind="query-params",
        )
    with right:
        segment = st.selectbox(
            "Segment",
            segments,
            format_func=lambda name: "all exposures" if name == "all" else f"segment {name}",
            key=DELAY["segment"],
            bind="query-params",
            disabled=len(segments) < 2,
            help="For the cards and the chart on the right.",
        )
    nearest = min(days, key=lambda day: abs(day - float(waiting)))
    return Choice(waiting_days=nearest, group=group or groups[0], segment=segment or segments[0])


def window_row(run: Run, choice: Choice) -> Any:
    """Look up the chosen window: one row with everything the cards show."""
    windows = run.curve("windows")
    place = (windows["segment"] == choice.segment) & (windows["waiting_days"] == choice.waiting_days)
    return next(windows[place].itertuples())


def flip_rows(run: Run, group: str) -> pd.DataFrame:
    """Return the flip curves of one grouping from the whole log, periods named by their dates."""
    arrival = run.curve("arrival")
    rows = arrival[(arrival["view"] == "final") & (arrival["group"] == group)]
    if group == "engagement":
        every = arrival[(arrival["view"] == "final") & (arrival["group"] == "all")].set_index("elapsed_days")
        # Every age is a landmark with exposures of its own: name the number at the waiting window of the run.
        at_window = rows[np.isclose(rows["elapsed_days"], page_facts(run)["waiting_days"])].set_index("key")["at_risk"]
        return rows.assign(
            visible_share=rows["elapsed_days"].map(every["visible_share"]), n=rows["key"].map(at_window).fillna(0)
        )
    if group == "cohort":
        has_dates = bool(page_facts(run)["has_dates"])
        return rows.assign(key=[_period(key, has_dates) for key in rows["key"]])
    return rows.assign(key=rows["key"].replace("all", "all exposures"))


def _period(key: str, has_dates: bool) -> str:
    """Name a period ``first–last`` by its days."""
    first, last = (float(part) for part in key.split("–"))
    if not has_dates:
        return f"days {first:g}–{last:g}"
    start, end = (np.datetime64("1970-01-01") + int(day) * _DAY for day in (first, last))
    return f"{start.item():%d %b} – {end.item():%d %b %Y}"


def arrival_rows(run: Run, segment: str, view: str) -> pd.DataFrame:
    """Return the arrival curve of all exposures or of one segment, in one view."""
    arrival = run.curve("arrival")
    group = "all" if segment == "all" else "segment"
    return arrival[(arrival["view"] == view) & (arrival["group"] == group) & (arrival["key"] == segment)]


def immature_from(run: Run, segment: str = "all") -> float | None:
    """Return the age in days from which on a tenth of the exposures had not lived that long on the snapshot day."""
    rows = arrival_rows(run, segment, "snapshot")
    young = rows["observed_share"].to_numpy() <= 0.9
    # The share of a row is that of the bin before it: an exposure counts until its age is over.
    return float(rows["elapsed_days"].to_numpy()[max(int(young.argmax()) - 1, 0)]) if young.any() else None


def cohort_rows(run: Run) -> pd.DataFrame:
    """Return the cohort triangle with readable weeks."""
    table = run.curve("cohorts")
    has_dates = bool(page_facts(run)["has_dates"])
    return table.assign(label=[day_text(day, has_dates) for day in table["cohort"]])


def method_rows(run: Run, metric: str, segment: str = "all") -> pd.DataFrame:
    """Return one metric of all methods on the later exposures."""
    metrics = run.metrics
    return metrics[(metrics["split"] == "test") & (metrics["segment"] == segment) & (metrics["metric"] == metric)]


def difference_rows(run: Run, metric: str, baseline: str) -> pd.DataFrame:
    """Return every method minus a baseline on the later exposures, with paired intervals."""
    table = run.curve("differences")
    name = "calibration_error" if metric == "calibration" else metric
    place = (table["split"] == "test") & (table["segment"] == "all")
    return table[place & (table["metric"] == name) & (table["baseline"] == baseline)]


def calibration_rows(run: Run) -> pd.DataFrame:
    """Return calibration by age on the snapshot day: held-out units before it, all units after it."""
    metrics = run.metrics[run.metrics["metric"] == "calibration"]
    held_out = metrics[(metrics["split"] == "holdout") & metrics["segment"].str.startswith("age:")]
    later = metrics[(metrics["split"] == "test") & (metrics["segment"] == "all")]
    return pd.concat([held_out.assign(bucket=held_out["segment"]), later.assign(bucket="later")], ignore_index=True)


def weight_summary(run: Run) -> pd.DataFrame:
    """Write the weights of every method out for reading."""
    rows = run.metrics[(run.metrics["split"] == "train")]
    value = rows.pivot_table(index="method", columns="metric", values="value", sort=False)
    share = rows[rows["metric"] == "ess_share"].set_index("method")
    return pd.DataFrame(
        {
            "method": value.index,
            "ess_share": value["ess_share"],
            "ess_interval": [f"[{number(share['ci_low'][m])}, {number(share['ci_high'][m])}]" for m in value.index],
            "mean_weight": value["mean_weight"],
            "max_weight": value["max_weight"],
            "clipped_share": value["clipped_share"],
            "n": share["n"].reindex(value.index),
        }
    ).reset_index(drop=True)


def weighted_histograms(run: Run) -> pd.DataFrame:
    """Return the histograms of the methods whose weights are not all 1."""
    table = run.curve("weights")
    moving = ("fnw", "es_dfm", "exact_joint", "dress_style")
    return table[table["method"].isin(moving)]


def pending_rows(run: Run) -> pd.DataFrame:
    """List held-out labels that were open on the snapshot day, likeliest flips first."""
    table = run.predictions
    rows = table[table["prob_flip"].notna()].sort_values("prob_flip", ascending=False, kind="stable")
    return pd.DataFrame(
        {
            "Exposure": rows["exposure_id"].astype(str),
            "Segment": rows["segment"].astype(str),
            "Age (days)": rows["age_days"],
            "Flip probability": rows["prob_flip"].astype(float),
            "Flipped": np.where(rows["y_true"] == 1, "yes", "no"),
            "Score, vanilla": rows["prob_vanilla"].astype(float),
            "Score, ours": rows["prob_dress_style"].astype(float),
            "Score, oracle": rows["prob_oracle"].astype(float),
        }
    )


def pending_metrics(run: Run) -> pd.DataFrame:
    """Return how well flips of the open labels were foretold: with signals, without, and by the segment's curve."""
    rows = run.metrics[(run.metrics["split"] == "pending") & (run.metrics["segment"] == "all")]
    return rows[rows["metric"] == "log_loss"]
