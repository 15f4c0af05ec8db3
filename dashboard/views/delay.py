"""Delayed feedback: which labels will still change, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import controls, layout
from dashboard.controls import EngineError, delay, delay_described, delay_player, delay_text
from dashboard.glossary import TERMS
from dashboard.state import DELAY
from dashboard.views import delay_day, delay_methods, delay_weights, delay_whatif, delay_window

_TABS: dict[str, Callable[[controls.Run], None]] = {
    "Labels over time": delay_window.draw,
    "Day by day": delay_day.draw,
    "Methods": delay_methods.draw,
    "Weights": delay_weights.draw,
    "What if": delay_whatif.draw,
}


def render() -> None:
    """Draw the page."""
    run = controls.run_picker("delay")
    if delay.is_described(run):
        layout.page_header("Which labels will still change?", delay_described.answer(run), run)
        st.caption(delay_described.note(run))
    else:
        layout.page_header("Which labels will still change?", delay_text.answer(run), run)
        st.caption(delay_text.method_note(run), help=TERMS["dress_style"].help())
    delay_player.forget_unknown_day(run)
    tabs = st.tabs(list(_TABS), key=DELAY["tab"], on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, _TABS.values(), strict=True):
        if tab.open:
            with tab:
                _tab(draw, run)


@st.fragment
def _tab(draw: Callable[[controls.Run], None], run: controls.Run) -> None:
    """Draw one tab; what happens in it leaves the rest of the page alone."""
    try:
        draw(run)
    except EngineError as error:
        layout.error_box(error)
