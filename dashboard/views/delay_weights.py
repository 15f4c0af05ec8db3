"""Weights: how they are spread, what a limit on them costs and saves, and who carries the largest."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import delay, delay_text, delay_weights
from dashboard.glossary import TERMS
from dashboard.views.delay_described import needs_training
from engine.figures.delay_weights import clip_curves, weight_histograms

_SHARE: dict[str, Any] = {
    "ESS as trained": st.column_config.NumberColumn(format="percent", help=TERMS["ess_share"].help()),
    "ESS at limit": st.column_config.NumberColumn(format="percent", help=TERMS["ess_share"].help()),
    "Mean at limit": st.column_config.NumberColumn(format="%.3f", help=TERMS["mean_weight"].help()),
    "Largest": st.column_config.NumberColumn(format="%.3f", help=TERMS["max_weight"].help()),
    "Clipped": st.column_config.NumberColumn(format="percent", help=TERMS["clipped_share"].help()),
    "Cut at limit": st.column_config.NumberColumn(format="percent", help="Share of the rows that the limit cuts."),
    "Rows": st.column_config.NumberColumn(format="localized"),
    "Units": st.column_config.NumberColumn(format="localized"),
}
_TAILS: dict[str, Any] = {
    "Weight": st.column_config.NumberColumn(format="%.3f"),
    "Share": st.column_config.NumberColumn(format="percent", help="Of the sum of all weights of the method."),
    "Age": st.column_config.NumberColumn(format="%.0f", help="Days on the snapshot day."),
}


def draw(run: Run) -> None:
    """Draw the tab.

    Parameters
    ----------
    run : Run
    """
    if delay.is_described(run):
        needs_training(run, "Weights of training rows")
        return
    if not delay_weights.weighing(run.curve("weights")):
        layout.empty_state("Every method of this run weighs all rows 1.")
        return
    methods, segment, clip = delay_weights.choose(run)
    if not methods:
        layout.empty_state("Choose at least one method.")
        return
    table = delay_weights.histogram(run, methods, segment)
    sentence = delay_weights.sentence(run, methods, segment, clip)
    st.markdown(sentence)
    if drift := delay_text.drift_sentence(run):
        st.caption(drift)
    _spread(table, methods, clip, sentence)
    st.dataframe(
        delay_weights.summary(run, methods, segment, clip), hide_index=True, width="stretch", column_config=_SHARE
    )
    if not delay_weights.has_sums(run):
        layout.empty_state(f"This run cannot say what a limit does. {delay.AGAIN}")
        return
    path = delay_weights.clip_path(table)
    layout.chart_card(
        clip_curves(path, clip=clip),
        path,
        key="delay-clip-chart",
        title="What a limit costs and saves",
        how_to_read="A lower limit makes the rows more alike, so that more of them count (left), but moves the "
        f"mean of the weights away from what makes the loss unbiased (right). {TERMS['ess_share'].help()}",
        alt=sentence,
    )
    _tails(run, methods)


def _spread(table: Any, methods: list[str], clip: float | None, sentence: str) -> None:
    """Draw the histograms."""
    layout.chart_card(
        weight_histograms(table, clip=clip, order=methods),
        table,
        key="delay-weights-chart",
        title="Spread of the weights: share of rows by weight, method and label",
        how_to_read="**Positive** and **negative** are the labels as seen; **pending** is the positive that an "
        "exposure still without conversion carries for the one it may get. Methods that weigh every row 1 are left "
        "out. The height is the share of the method's rows, on a square-root scale; above weight 2 bins are wider. "
        f"{TERMS['importance_weight'].help()}",
        alt=sentence,
    )


def _tails(run: Run, methods: list[str]) -> None:
    """List the largest weights."""
    table = delay_weights.tails(run, methods)
    with st.container(border=True):
        st.markdown(
            "**Who carries the largest weights?**",
            help="The ten largest weights of every chosen method, over all segments, and their share of all weight; "
            "the largest first.",
        )
        if table.empty:
            layout.empty_state("No list of the largest weights is stored for these methods.")
            return
        st.dataframe(table, hide_index=True, width="stretch", height=330, column_config=_TAILS)
