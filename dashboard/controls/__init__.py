"""What the pages offer to choose, turned into runs and tables; every choice is checked again here."""

from __future__ import annotations

import contextlib
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from dashboard import cache
from dashboard.cache import Run
from dashboard.layout import empty_state, error_box, escape_markdown
from dashboard.state import RUN, RUN_TITLE
from engine.datasets import BUNDLED
from engine.errors import EngineError
from engine.result import Kind


def run_picker(kind: Kind) -> Run:
    """Let the reader choose a run of one kind in the sidebar; the choice stands in the address bar.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}

    Returns
    -------
    Run
        The script stops here, with a hint or the reason, if there is none or it cannot be opened.
    """
    try:
        run = choose_run(kind)
    except EngineError as error:
        error_box(error)
        st.stop()
    if run is None:
        empty_state(f"There is no {RUN_TITLE[kind].lower()} run yet. Open **Train** and start one.")
        st.stop()
    return run


def choose_run(kind: Kind) -> Run | None:
    """Draw the picker of one kind, if there is anything to pick.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}

    Returns
    -------
    Run or None

    Raises
    ------
    EngineError
        If the run cannot be opened.
    """
    manifests = cache.list_runs(kind)
    if not manifests:
        return None
    key = RUN[kind]
    known = st.session_state.get(key)
    if key not in st.query_params and known in manifests and known != next(iter(manifests)):
        # Streamlit does not tell a page that draws this picker for the first time what was chosen on another page.
        st.session_state[key] = known
        # Once the picker is drawn, the address is its own business.
        with contextlib.suppress(StreamlitAPIException):
            st.query_params[key] = known
    # The address bar takes the options as they are shown, so they are the ids; the caption tells what they are.
    with st.sidebar:
        chosen = st.selectbox(
            f"{RUN_TITLE[kind]} run",
            list(manifests),
            key=key,
            bind="query-params",
            persist_state="session",
        )
        st.caption(run_label(manifests[chosen]))
    return cache.open_run(chosen)


def run_label(manifest: dict[str, Any]) -> str:
    """Say which data and seed a run was trained with, or that it was described, safe for markdown."""
    name = manifest["dataset"]["name"]
    title = BUNDLED[name].title if name in BUNDLED else name
    is_described = "described" in manifest.get("curves", ()) or "describe" in manifest.get("command", ())[:4]
    described = "described · " if is_described else ""
    day = escape_markdown(manifest["created"][:10])
    return f"{escape_markdown(title)} · {described}seed {int(manifest['seed'])} · {day}"


__all__ = ["EngineError", "Run", "choose_run", "run_label", "run_picker"]
