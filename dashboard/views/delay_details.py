"""Tabs below the delayed-feedback charts; only the open one runs."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import controls, layout
from dashboard.controls import delay, delay_text
from dashboard.glossary import TERMS
from dashboard.state import DELAY
from engine.figures.common import method_dots
from engine.figures.delay import seen_curves
from engine.figures.delay_cohorts import cohort_heatmap
from engine.figures.delay_methods import calibration_by_age, reliability_curves, weight_histograms
from engine.figures.theme import METHOD_LABEL, METRIC_LABEL


def render(run: controls.Run) -> None:
    """Draw the tabs."""
    bodies: dict[str, Callable[[controls.Run], None]] = {
        "Methods": _methods,
        "Calibration": _calibration,
        "Cohorts": _cohorts,
        "Weights": _weights,
        "Naive or honest": _naive,
        "Open labels": _open_labels,
    }
    tabs = st.tabs(list(bodies), key=DELAY["tab"], bind="query-params")
    for tab, body in zip(tabs, bodies.values(), strict=True):
        if tab.open:
            with tab:
                body(run)


def _methods(run: controls.Run) -> None:
    """Compare the methods with each other and with the oracle."""
    left, right = st.columns(2, gap="medium")
    with left:
        metric = st.segmented_control(
            "Metric",
            delay.METRICS,
            default="log_loss",
            required=True,
            format_func=_short,
            key=DELAY["metric"],
            bind="query-params",
        )
    with right:
        baseline = st.segmented_control(
            "Difference to",
            ("oracle", "vanilla"),
            default="oracle",
            required=True,
            format_func=lambda name: METHOD_LABEL[name],
            key=DELAY["baseline"],
            bind="query-params",
        )
    left, right = st.columns(2, gap="medium")
    with left:
        _method_card(run, metric or "log_loss")
    with right:
        _difference_card(run, metric or "log_loss", baseline or "oracle")
    st.markdown(delay_text.signals_sentence(run))


def _method_card(run: controls.Run, metric: str) -> None:
    """Show one metric of every method."""
    rows = delay.method_rows(run, metric)
    layout.chart_card(
        method_dots(
            rows,
            axis_title=METRIC_LABEL[metric],
            rival="vanilla",
            reference=1.0 if metric == "calibration" else None,
            height=330,
        ),
        rows,
        key="delay-methods",
        title=f"{_short(metric)} on later exposures",
        how_to_read="Every method is the same network, trained with the same number of steps on what was visible on "
        "the snapshot day; only the oracle also sees the final labels. Judged on final labels of later exposures. "
        f"{TERMS[metric].help()}",
        alt=delay_text.method_sentence(run, metric),
    )


def _difference_card(run: controls.Run, metric: str, baseline: str) -> None:
    """Show every method minus a baseline."""
    rows = delay.difference_rows(run, metric, baseline)
    name = _short("calibration_error" if metric == "calibration" else metric).split(" |")[0]
    layout.chart_card(
        method_dots(rows, axis_title=f"{name}: method − {baseline}", rival="vanilla", reference=0.0, height=330),
        rows,
        key="delay-differences",
        title=f"Paired difference to {baseline}",
        how_to_read="Method minus baseline on the same rows, with the interval of a paired bootstrap over units: it is "
        "far narrower than the two intervals on the left. For calibration the difference is in the distance from 1.",
        alt=delay_text.difference_sentence(run, metric, baseline),
    )


def _short(metric: str) -> str:
    """Name a metric without its formula."""
    return METRIC_LABEL[metric].split(" (")[0]


def _calibration(run: controls.Run) -> None:
    """Show whether promised rates come true, by score and by age."""
    reliability, ages = run.curve("reliability"), delay.calibration_rows(run)
    left, right = st.columns([0.44, 0.56], gap="medium")
    with left:
        layout.chart_card(
            reliability_curves(reliability),
            reliability,
            key="delay-reliability",
            title="Reliability",
            how_to_read="On the dotted line, promises come true. Below it the method promises too much, above it too "
            "little. Bins hold equally many exposures; bars are 95 % (Wilson).",
            alt=delay_text.method_sentence(run, "calibration"),
        )
    with right:
        layout.chart_card(
            calibration_by_age(ages, titles=delay.AGE_BUCKETS),
            ages,
            key="delay-ages",
            title="Calibration by age on the snapshot day",
            how_to_read="Left and middle: exposures before the snapshot day of units that training never saw. Right: "
            "all exposures after it. 1 is perfect. Where even the oracle is off, the rate itself has changed over "
            "time or the sample is small.",
            alt=delay_text.method_sentence(run, "calibration"),
        )


def _cohorts(run: controls.Run) -> None:
    """Show the cohort triangle."""
    table = delay.cohort_rows(run)
    layout.chart_card(
        cohort_heatmap(table),
        table,
        key="delay-cohorts",
        title="Conversions by week of exposure and age",
        how_to_read="Each row is a week of exposures, each column an age. **Left**: what the snapshot day knew; empty "
        "cells are not known yet. **Middle**: cells with a dot are projected from that day with the curves of earlier "
        "weeks in the same segments. **Right**: what came.",
        alt=delay_text.cohort_sentence(run),
    )
    st.markdown(delay_text.cohort_sentence(run))


def _weights(run: controls.Run) -> None:
    """Show what the methods weigh how much."""
    table, histograms = delay.weight_summary(run), delay.weighted_histograms(run)
    layout.chart_card(
        weight_histograms(histograms),
        histograms,
        key="delay-weights",
        title="Spread of the weights: share of rows by weight, method and label",
        how_to_read="**Positive** and **negative** are the labels as seen; **pending** is the positive that an "
        "exposure still without conversion carries for the one it may get. Oracle, wait and vanilla weigh every row 1 "
        f"and are left out. The height is the share of the method's rows, on a square-root scale. "
        f"{TERMS['importance_weight'].help()}",
        alt=delay_text.weight_sentence(run),
    )
    st.dataframe(
        table.assign(method=table["method"].map(METHOD_LABEL)),
        hide_index=True,
        width="stretch",
        column_config={
            "method": "Method",
            "ess_share": st.column_config.NumberColumn(
                "Effective sample share", format="percent", help=TERMS["ess_share"].help()
            ),
            "ess_interval": "95 % interval",
            "mean_weight": st.column_config.NumberColumn("Mean weight", format="%.3f"),
            "max_weight": st.column_config.NumberColumn("Largest weight", format="%.3f"),
            "clipped_share": st.column_config.NumberColumn("Clipped", format="percent"),
            "n": st.column_config.NumberColumn("n units", format="localized"),
        },
    )


def _naive(run: controls.Run) -> None:
    """Compare the naive conversion rate with the honest one."""
    snapshot, final = delay.arrival_rows(run, "all", "snapshot"), delay.arrival_rows(run, "all", "final")
    layout.chart_card(
        seen_curves(
            snapshot,
            final,
            name="converted",
            waiting_days=delay.page_facts(run)["waiting_days"],
            immature_from=delay.immature_from(run),
        ),
        snapshot,
        key="delay-converted",
        title="Conversion rate by age: counted, estimated, final",
        how_to_read="**Red** divides the conversions so far by all exposures, those included that are too young to "
        "have converted: too low. **Blue** looks, at every age, only at exposures that have reached it. **Dashed "
        "grey**: all exposures of the log with their final labels; a gap to blue is a change over time.",
        alt=delay_text.naive_sentence(run),
    )
    st.markdown(delay_text.naive_sentence(run))


def _open_labels(run: controls.Run) -> None:
    """List held-out labels that were open, and how well their flips were foretold."""
    rows, metrics = delay.pending_rows(run), delay.pending_metrics(run)
    if not len(metrics):
        layout.empty_state("No label was open on the snapshot day. Train with an earlier 'as_of_day'.")
        return
    left, right = st.columns([0.4, 0.6], gap="medium")
    with left:
        layout.chart_card(
            method_dots(metrics, axis_title="Log loss of the flip probability", height=330),
            metrics,
            key="delay-pending",
            title="Who foretells the flips?",
            how_to_read="All exposures still negative on the snapshot day, judged by whether they converted later. The "
            f"models learned from exposures whose window was over. {TERMS['log_loss'].help()}",
            alt=delay_text.signals_sentence(run),
        )
    with right, st.container(border=True):
        st.markdown(f"**Open labels of held-out units, likeliest flips first** · n {len(rows):,}")
        st.dataframe(
            rows,
            hide_index=True,
            width="stretch",
            height=330,
            column_config={
                name: st.column_config.NumberColumn(name, format="percent")
                for name in ("Flip probability", "Score, vanilla", "Score, ours", "Score, oracle")
            },
        )
