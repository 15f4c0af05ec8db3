"""Directed graph: how well a run tells directions, then a node to explore, pairs to judge, and all the evidence."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import EngineError, graph, graph_summary, run_picker
from dashboard.controls import graph_described as controls
from dashboard.state import GRAPH
from dashboard.views import graph_described, graph_evaluation, graph_explore, graph_projection, graph_review

_TABS = {
    graph.EXPLORE: graph_explore.draw,
    "Review pairs": graph_review.draw,
    "How good is it?": graph_evaluation.draw,
}


def render() -> None:
    """Draw the page; what is looked at first is sent first."""
    run = run_picker("graph")
    # A run that cannot be read stops the page here, with one message.
    graph.scene(run)
    if controls.is_described(run):
        graph_described.render(run)
        return
    graph_projection.begin(run)
    top = st.container()
    tabs = st.tabs(list(_TABS), key=GRAPH["tab"], on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, _TABS.values(), strict=True):
        if tab.open:
            with tab:
                _tab(draw, run)
    with top:
        layout.page_header("Which way does it point?", graph_summary.answer(run), run)
        _cards(run)


@st.fragment
def _tab(draw: Callable[[Run], None], run: Run) -> None:
    """Draw one tab; what happens in it leaves the rest of the page alone."""
    try:
        draw(run)
    except EngineError as error:
        layout.error_box(error)


def _cards(run: Run) -> None:
    """Show the headline figures."""
    cards = graph_summary.cards(run)
    for column, card in zip(st.columns(len(cards)), cards, strict=True):
        with column:
            layout.metric_card(
                card.label, card.value, card.low, card.high, card.n, baseline=card.baseline, term=card.metric
            )
    st.caption(graph_summary.split_sentence(run))
