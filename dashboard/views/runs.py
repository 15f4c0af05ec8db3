"""Train: choose data and settings, follow the losses, cancel, open the result."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.controls import training
from dashboard.state import JOB, PAGES, RUN_TITLE, TRAIN, Kind
from dashboard.views import job_card

_NOTHING = "Nothing is training. Choose a model and data on the left, then press **Train**."


def render() -> None:
    """Draw the page."""
    st.title("Train a model and its baselines", anchor=False)
    st.caption(
        "A training runs in a process of its own: the pages stay usable, and it goes on when you reload or leave."
    )
    if page := st.session_state.get(PAGES, {}).get("data"):
        st.page_link(page, label="Train on your own data", icon=":material/upload_file:")
    kinds: list[Kind] = list(RUN_TITLE)
    kind = st.segmented_control(
        "Model", kinds, format_func=RUN_TITLE.__getitem__, default="graph", required=True, key=TRAIN["kind"]
    )
    form, follow = st.columns([0.46, 0.54], gap="medium")
    with form:
        _choose_and_start(kind)
    with follow, st.container(border=True, height=440):
        job_card.follow(_job, key="train", nothing=_NOTHING)
    _earlier()


def _job() -> Any | None:
    """Return the job that is shown; who has seen it run sees how it ends."""
    job = training.followed_job(st.session_state.get(JOB))
    if job is not None and job.state == "running":
        st.session_state[JOB] = job.id
    return job


def _choose_and_start(kind: Kind) -> None:
    """Let the reader choose data, seed and settings, and start."""
    with st.form("train-form", border=True, height="stretch"):
        data = st.selectbox(
            "Data", training.bundled_names(kind), format_func=training.data_label, key=f"{TRAIN['data']}-{kind}"
        )
        st.caption(layout.escape_markdown(training.data_description(data), limit=300))
        seed = st.number_input("Seed", min_value=0, max_value=2**31 - 1, value=0, key=TRAIN["seed"])
        # As high as leaves the button and the job beside the form in sight.
        with st.expander("Settings"), st.container(height=290, border=False):
            settings = training.settings_form(kind)
        started = st.form_submit_button("Train", type="primary", icon=":material/play_arrow:", width="stretch")
    if started:
        try:
            st.session_state[JOB] = training.start_training(kind, data, int(seed), settings)
        except training.EngineError as error:
            layout.error_box(error)


def _earlier() -> None:
    """List the stored runs."""
    st.subheader("Stored runs", anchor=False)
    table = training.runs_table()
    if table.empty:
        layout.empty_state("No run is stored yet.")
        return
    st.dataframe(table, hide_index=True, width="stretch", height="content")
