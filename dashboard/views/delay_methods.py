"""Methods: how each learns from labels that still change, compared on final labels, over time and label by label."""

from __future__ import annotations

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import delay, delay_methods, delay_text, delay_whatif
from dashboard.glossary import TERMS
from dashboard.state import DELAY
from dashboard.views import delay_labels, delay_stream
from dashboard.views.delay_described import needs_training
from engine.figures.delay_methods import calibration_by_age, grouped_dots, reliability_curves
from engine.figures.theme import METRIC_LABEL


def draw(run: Run) -> None:
    """Draw the part that is open.

    Parameters
    ----------
    run : Run
    """
    if delay.is_described(run):
        needs_training(run, "Methods, their calibration, the stream and the influence of single labels")
        return
    parts = {
        "Comparison": _comparison,
        "Calibration": _calibration,
        "Over the stream": delay_stream.draw_stream,
        "As labels mature": delay_stream.draw_maturing,
        "Flipped labels": delay_labels.draw_flips,
        "Influence of a flip": delay_labels.draw_influence,
    }
    tabs = st.tabs(list(parts), key=DELAY["check"], on_change="rerun", bind="query-params")
    for tab, part in zip(tabs, parts.values(), strict=True):
        if tab.open:
            with tab:
                part(run)


def _comparison(run: Run) -> None:
    """Compare the methods with each other and with the oracle."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        protocol = delay_methods.choose_protocol(run)
        metric = delay_methods.choose_metric(run, protocol)
        baseline = delay_methods.choose_baseline()
        st.download_button(
            "All method tables (CSV)",
            data=lambda: layout.to_csv(delay_methods.export(run)),
            file_name=f"{run.id}-methods.csv",
            mime="text/csv",
            key="delay-export",
            on_click="ignore",
            icon=":material/download:",
            help="Every metric, difference and step of the stream of every method, with interval and n.",
        )
    st.markdown(delay_methods.standing_sentence(run, metric, protocol))
    left, right = st.columns(2, gap="medium")
    with left:
        _method_card(run, metric, protocol)
    with right:
        _compared_card(run, metric, baseline, protocol)
    if not delay_methods.has_stream(run):
        layout.empty_state(delay_methods.no_stream(run))
    st.markdown(delay_text.signals_sentence(run))
    st.markdown(delay_whatif.drift_sentence(run))


def _method_card(run: Run, metric: str, protocol: str) -> None:
    """Show one metric of every method."""
    rows = delay_methods.method_rows(run, metric, protocol)
    reference = 1.0 if metric == "calibration" else None
    layout.chart_card(
        grouped_dots(
            rows,
            groups=delay_methods.families(rows["method"]),
            axis_title=METRIC_LABEL[metric],
            reference=reference,
            x_range=delay_methods.axis_range(rows, include=() if reference is None else (reference,)),
        ),
        rows,
        key="delay-methods-chart",
        title=f"{delay_methods.short(metric)} on later exposures",
        how_to_read=f"{_PROTOCOL_WORDS[protocol]} {TERMS[metric].help()}  \nBars are 95 % over units. A value far from "
        "the others is named at the edge.",
        alt=delay_methods.method_sentence(run, metric, protocol),
    )


def _compared_card(run: Run, metric: str, baseline: str, protocol: str) -> None:
    """Show every method against a baseline."""
    rows = delay_methods.compared_rows(run, metric, baseline, protocol)
    if rows.empty:
        layout.empty_state(f"This run holds no such comparison. {delay.AGAIN}")
        return
    relative, against = baseline == "relative", delay_methods.AGAINST[baseline].lower()
    if relative and rows["value"].isna().all():
        layout.empty_state(delay_methods.NO_GAP)
        return
    judged = "calibration_error" if metric == "calibration" else metric
    name = delay_methods.short(judged)
    layout.chart_card(
        grouped_dots(
            rows,
            groups=delay_methods.families(rows["method"]),
            axis_title="Share of the gap: 0 vanilla, 1 oracle" if relative else f"{name}: method − {against}",
            reference=1.0 if relative else 0.0,
            x_range=delay_methods.axis_range(rows, include=(0.0, 1.0) if relative else (0.0,)),
            listed=set(delay_methods.method_rows(run, metric, protocol)["method"]),
        ),
        rows,
        key="delay-differences",
        title="Share of the gap between vanilla and oracle" if relative else f"Paired difference to {against}",
        how_to_read=TERMS[f"relative_{judged}"].help()
        if relative
        else "Method minus baseline on the same rows, with the interval of a paired bootstrap over units: it is far "
        "narrower than the two intervals on the left. For calibration the difference is in the distance from 1.",
        alt=delay_methods.compared_sentence(run, metric, baseline, protocol),
    )


def _calibration(run: Run) -> None:
    """Show whether promised rates come true, by score and by age."""
    reliability, ages = delay_methods.reliability_rows(run), delay_methods.calibration_rows(run)
    left, right = st.columns([0.42, 0.58], gap="medium")
    with left:
        layout.chart_card(
            reliability_curves(reliability, height=560),
            reliability,
            key="delay-reliability",
            title="Reliability",
            how_to_read="On the dotted line, promises come true. Below it the method promises too much, above it too "
            "little. Bins hold equally many exposures; bars are 95 % (Wilson). The thin line is waiting.",
            alt=delay_methods.method_sentence(run, "calibration"),
        )
    with right:
        layout.chart_card(
            calibration_by_age(
                ages,
                titles=delay_methods.AGE_BUCKETS,
                groups=delay_methods.families(ages["method"]),
                x_range=delay_methods.axis_range(ages, include=(1.0,)),
            ),
            ages,
            key="delay-ages",
            title="Calibration by age on the snapshot day",
            how_to_read="Left and middle: exposures before the snapshot day of units that training never saw. Right: "
            "all exposures after it. 1 is perfect. Where even the oracle is off, the rate itself has changed over "
            "time or the sample is small.",
            alt=delay_methods.method_sentence(run, "calibration"),
        )


_PROTOCOL_WORDS = {
    "test": "Every method is the same network, trained with the same number of steps on what was visible on the "
    "snapshot day; only the oracle also sees the final labels. Judged on final labels of later exposures.",
    "stream": "Every method trains on its own rows in the order in which they become known, and each step is judged on "
    "the final labels of the exposures that begin next; means over the steps, weighted by exposures.",
}
