"""Widgets that turn choices into runs and settings; everything chosen here is checked again here."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import cache
from dashboard.layout import empty_state, error_box
from dashboard.state import RUN, RUN_TITLE
from engine.datasets import BUNDLED
from engine.errors import EngineError
from engine.result import Kind
from engine.runs import Run


def run_picker(kind: Kind) -> Run:
    """Let the reader choose a run of one kind in the sidebar; the choice stands in the address bar.

    Parameters
    ----------
    kind : {"graph", "delay", "uncertainty"}

    Returns
    -------
    Run
        The script stops here, with a hint, if there is none.
    """
    manifests = cache.list_runs(kind)
    if not manifests:
        empty_state(f"There is no {RUN_TITLE[kind].lower()} run yet. Open **Train** and start one.")
        st.stop()
    with st.sidebar:
        chosen = st.selectbox(
            f"{RUN_TITLE[kind]} run",
            list(manifests),
            format_func=lambda run_id: run_label(run_id, manifests.get(run_id, {})),
            key=RUN[kind],
            bind="query-params",
            persist_state="session",
        )
    try:
        return cache.open_run(chosen or next(iter(manifests)))
    except EngineError as error:
        error_box(error)
        st.stop()


def run_label(run_id: str, manifest: dict[str, Any]) -> str:
    """Name a run by its data and seed."""
    if not manifest:
        return run_id
    name = manifest["dataset"]["name"]
    title = BUNDLED[name].title if name in BUNDLED else name
    return f"{title} · seed {manifest['seed']} · {run_id}"
