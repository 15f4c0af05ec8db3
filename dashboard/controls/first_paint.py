"""Hold back what lies below the fold until the browser has drawn the first chart of the page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

_WAIT = """
export default function ({ setTriggerValue }) {
    const start = Date.now();
    const timer = setInterval(() => {
        // A chart that cannot be drawn must not keep the rest away.
        if (document.querySelector(".js-plotly-plot .main-svg") || Date.now() - start > 10000) {
            clearInterval(timer);
            setTriggerValue("drawn", true);
        }
    }, 40);
    return () => clearInterval(timer);
}
"""


def wait(key: str, on_drawn: Callable[[], None], *, height: int) -> None:
    """Draw an empty place and report once the browser shows a Plotly chart.

    The browser draws all charts that have arrived before it shows any, so what is looked at first is sent alone.

    Parameters
    ----------
    key : str
        Unique on the page.
    on_drawn : callable
        Called before the script runs again.
    height : int
        Pixels of the empty place.
    """
    st.skeleton(height=height)
    waiting = st.components.v2.component("first_paint", js=_WAIT)
    waiting(key=key, on_drawn_change=on_drawn)
