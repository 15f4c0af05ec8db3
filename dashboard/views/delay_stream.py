"""Methods over calendar time: along the stream, and while labels mature."""

from __future__ import annotations

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import delay, delay_methods, delay_stream
from dashboard.glossary import TERMS
from engine.figures.delay_stream import maturing_lines, stream_lines
from engine.figures.theme import METHOD_LABEL, METRIC_LABEL


def draw_stream(run: Run) -> None:
    """Draw a metric of several methods over the steps of the stream.

    Parameters
    ----------
    run : Run
    """
    if delay.stored(run, "stream").empty:
        layout.empty_state(delay_methods.no_stream(run))
        return
    metric, methods = delay_stream.choose_stream(run)
    if not methods:
        layout.empty_state("Choose at least one method.")
        return
    table = delay_stream.stream_rows(run, metric, methods)
    sentence = delay_stream.stream_sentence(run)
    layout.chart_card(
        stream_lines(
            table,
            axis_title=METRIC_LABEL[metric],
            reference=1.0 if metric == "calibration" else None,
        ),
        table,
        key="delay-stream-chart",
        title=f"{delay_methods.short(metric)} over calendar time",
        how_to_read=f"Train on what became known, judge on what begins next, week by week. {TERMS[metric].help()}  \n"
        "The grey band is the oracle's 95 % interval over units: a method inside it cannot be told from perfect "
        "foresight.",
        alt=delay_methods.method_sentence(run, metric, "stream"),
    )
    st.caption(sentence)


def draw_maturing(run: Run) -> None:
    """Draw how performance can be measured, estimated and realised while labels mature.

    Parameters
    ----------
    run : Run
    """
    if delay.stored(run, "maturing").empty:
        layout.empty_state(f"This run did not follow its labels. {delay.AGAIN}")
        return
    method, metric = delay_stream.choose_maturing(run)
    table = delay_stream.maturing_rows(run, method, metric)
    sentence = delay_stream.maturing_sentence(table)
    layout.chart_card(
        maturing_lines(
            table,
            axis_title=METRIC_LABEL[metric],
            reference=1.0 if metric == "calibration" else None,
            y_range=delay_stream.maturing_range(table),
        ),
        table,
        key="delay-maturing-chart",
        title=f"{delay_methods.short(metric)} of {METHOD_LABEL.get(method, method)} while labels mature",
        how_to_read=f"{TERMS['realised'].help()}  \n{TERMS[metric].help()}  \nBands are 95 % over units.",
        alt=sentence,
    )
    st.caption(sentence)
