"""Directed graph without a training: which way edges, pairs and nodes point, and a node to explore."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import EngineError
from dashboard.controls import graph_described as controls
from dashboard.controls import graph_described_pairs as pair_controls
from dashboard.state import PAGES
from dashboard.views import graph_described_charts, graph_described_tabs


def render(run: Run) -> None:
    """Draw the page.

    Parameters
    ----------
    run : Run
        One that was described.
    """
    layout.page_header("Which way does it point?", controls.answer(run), run)
    _needs_training(run)
    _cards(run)
    left, right = st.columns(2)
    with left:
        graph_described_charts.by_degree(run)
    with right:
        _hero(run)
    tabs = {controls.EXPLORE: graph_described_tabs.explore, "Degrees": graph_described_tabs.degrees}
    tabs |= {"Nodes": graph_described_tabs.nodes}
    tabs |= {"Pairs": graph_described_tabs.pairs} if pair_controls.pair_lists(run) else {}
    tabs |= {"Halves": graph_described_tabs.halves} if controls.is_events(run) else {}
    drawn = st.tabs(list(tabs), key=controls.KEYS["tab"], on_change="rerun", bind="query-params")
    for tab, draw in zip(drawn, tabs.values(), strict=True):
        if tab.open:
            with tab:
                _tab(draw, run)


def _hero(run: Run) -> None:
    """Show the strongest pairs where something tells them apart, else the nodes."""
    if controls.hero(run) == "nodes":
        graph_described_charts.balance(run)
    else:
        name = next(name for name in pair_controls.pair_lists(run) if name != "lean")
        graph_described_charts.pair_chart(run, name, key="graph-strongest")


@st.fragment
def _tab(draw: Callable[[Run], None], run: Run) -> None:
    """Draw one tab; what happens in it leaves the rest of the page alone."""
    try:
        draw(run)
    except EngineError as error:
        layout.error_box(error)


def _needs_training(run: Run) -> None:
    """Say what is not here, and how to get it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Described, not trained: every figure is a count or follows from counts. {controls.notes(run)}",
            width="stretch",
        )
        with st.popover("What a training adds", icon=":material/model_training:", width="content"):
            st.markdown("These parts of the page need a training:")
            st.markdown("\n".join(f"- **{name}**: {what}" for name, what in controls.NEEDS_TRAINING.items()))
            st.code(controls.training_command(run), language="bash", wrap_lines=True)
            st.caption(controls.training_hint(run))
            page = st.session_state.get(PAGES, {}).get("train")
            if page is not None and controls.is_bundled(run):
                st.page_link(page, label="Open Train", icon=":material/arrow_forward:")


def _cards(run: Run) -> None:
    """Show the headline shares."""
    cards = controls.cards(run)
    for column, card in zip(st.columns(len(cards)), cards, strict=True):
        with column:
            layout.metric_card(card.label, card.value, card.low, card.high, card.n, baseline=card.baseline, unit=" %")
