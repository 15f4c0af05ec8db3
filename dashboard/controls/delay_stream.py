"""Methods over calendar time: along the stream, and while the labels of one day mature."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.cache import Run
from dashboard.controls.delay import axis_days, day_text, page_facts, stored
from dashboard.controls.delay_methods import families, short
from dashboard.layout import number
from dashboard.state import DELAY
from engine.figures.theme import METHOD_LABEL

_SHOWN_FIRST = ("oracle", "vanilla", "wait", "es_dfm", "dress_style")
_METRICS = ("calibration", "log_loss", "roc_auc", "pr_auc")


def stream_methods(run: Run) -> list[str]:
    """Return the methods of the stream, in the order of the families."""
    known = set(stored(run, "stream")["method"])
    return [
        method for family in families(stored(run, "stream")["method"]).values() for method in family if method in known
    ]


def choose_stream(run: Run) -> tuple[str, list[str]]:
    """Let the reader choose the metric and the methods that are followed over the stream."""
    table = stored(run, "stream")
    known = set(table["metric"])
    metrics = [metric for metric in ("calibration", "log_loss", "roc_auc", "pr_auc") if metric in known]
    left, right = st.columns([0.45, 0.55], vertical_alignment="bottom")
    with left:
        metric = st.segmented_control(
            "Metric over the stream",
            metrics,
            default=metrics[0],
            required=True,
            format_func=short,
            key=DELAY["stream"],
            bind="query-params",
        )
    methods = stream_methods(run)
    with right:
        chosen = st.multiselect(
            "Methods",
            methods,
            default=[method for method in _SHOWN_FIRST if method in methods],
            format_func=lambda name: METHOD_LABEL.get(name, name),
            key=DELAY["methods"],
            bind="query-params",
        )
    return metric if metric in metrics else metrics[0], [method for method in methods if method in chosen]


def stream_rows(run: Run, metric: str, methods: list[str]) -> pd.DataFrame:
    """Return one metric of some methods over the steps of the stream."""
    table = stored(run, "stream")
    rows = table[(table["metric"] == metric) & table["method"].isin(methods)].sort_values("day", kind="stable")
    return rows.assign(when=axis_days(run, rows["day"]))


def stream_sentence(run: Run) -> str:
    """Say how the stream was cut."""
    facts = stored(run, "stream_facts")
    if facts.empty:
        return ""
    row = facts.iloc[0]
    has_dates = bool(page_facts(run)["has_dates"])
    first, last, start, end = (
        day_text(float(row[name]), has_dates) for name in ("pretrain_from", "pretrain_to", "first_test", "last_test")
    )
    return (
        f"Pre-trained on exposures from {first} to {last} with final labels; a gap of {row['gap_days']:g} days, so "
        f"that no unripe label leaks; then {int(row['steps'])} steps of {row['step_days']:g} days from {start} to "
        f"{end}: train on what became known, judge on the exposures that begin next. "
        f"n {int(row['exposures']):,} exposures."
    )


def choose_maturing(run: Run) -> tuple[str, str]:
    """Let the reader choose the method and the metric that are followed while labels mature."""
    table = stored(run, "maturing")
    ordered = [name for family in families(table["method"]).values() for name in family]
    methods = [name for name in ordered if name in set(table["method"])]
    metrics = [name for name in _METRICS if name in set(table["metric"])]
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        method = st.selectbox(
            "Method that is watched",
            methods,
            format_func=lambda name: METHOD_LABEL.get(name, name),
            key=DELAY["matured"],
            bind="query-params",
        )
    with right:
        metric = st.segmented_control(
            "Metric that is watched",
            metrics,
            default=metrics[0],
            required=True,
            format_func=short,
            key=DELAY["matured_metric"],
            bind="query-params",
        )
    return method if method in methods else methods[0], metric if metric in metrics else metrics[0]


def maturing_rows(run: Run, method: str, metric: str) -> pd.DataFrame:
    """Return one metric of one method on the days after the snapshot: naive, estimated, realised."""
    table = stored(run, "maturing")
    return table[(table["method"] == method) & (table["metric"] == metric)].sort_values("day", kind="stable")


def maturing_range(rows: pd.DataFrame) -> tuple[float, float] | None:
    """Return an axis that holds all values; bands of a handful of labels may reach beyond."""
    value = rows["value"].dropna()
    if value.empty:
        return None
    low, high = float(value.min()), float(value.max())
    return (low / 1.25, high * 1.25) if low > 0 else (low, high)


def maturing_sentence(rows: pd.DataFrame) -> str:
    """Say how far naive measurement and the estimate were from what was realised, on the first day that has both."""
    table = rows.pivot_table(index="day", columns="kind", values="value")
    if not {"naive", "estimated", "realised"} <= set(table.columns):
        return "Nothing to compare here."
    table = table.dropna()
    if table.empty:
        return "Nothing to compare here."
    day, first = table.index[0], table.iloc[0]
    seen = float(rows.loc[rows["day"] == day, "seen_share"].iloc[0])
    n = int(rows.loc[rows["day"] == day, "n"].max())
    gap = {kind: abs(first[kind] - first["realised"]) for kind in ("estimated", "naive")}
    closer = "closer" if gap["estimated"] < gap["naive"] else "no closer"
    return (
        f"On day {day:g}, with {number(100 * seen)} % of the positives seen: measured naively "
        f"{number(first['naive'])}, estimated {number(first['estimated'])}, realised {number(first['realised'])} – "
        f"the estimate was {closer} · n {n:,}."
    )
