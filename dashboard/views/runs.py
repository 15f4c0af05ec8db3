"""Train: choose data and settings, follow the losses, cancel, open the result."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import controls, layout
from dashboard.state import JOB, RUN, RUN_TITLE, TRAIN, Kind
from engine.figures.common import loss_curves

_BADGE = {"running": ":blue-badge[running]", "done": ":green-badge[done]", "failed": ":red-badge[failed]"}


def render() -> None:
    """Draw the page."""
    st.title("Train a model and its baselines", anchor=False)
    st.caption(
        "A training runs in a process of its own: the pages stay usable, and it goes on when you reload or leave. "
        "Own files train from the command line: `python -m engine train graph --data FILE.csv --column source=NAME`."
    )
    form, follow = st.columns([0.42, 0.58], gap="large")
    with form:
        _choose_and_start()
    with follow:
        _follow()
    _earlier()


def _choose_and_start() -> None:
    """Let the reader choose model, data, seed and settings, and start."""
    kinds: list[Kind] = list(RUN_TITLE)
    kind = st.segmented_control(
        "Model", kinds, format_func=RUN_TITLE.__getitem__, default="graph", required=True, key=TRAIN["kind"]
    )
    with st.form("train-form", border=True):
        data = st.selectbox(
            "Data", controls.bundled_names(kind), format_func=controls.data_label, key=f"{TRAIN['data']}-{kind}"
        )
        st.caption(layout.escape_markdown(controls.data_description(data), limit=300))
        seed = st.number_input("Seed", min_value=0, max_value=2**31 - 1, value=0, key=TRAIN["seed"])
        with st.expander("Settings"):
            settings = controls.settings_form(kind)
        started = st.form_submit_button("Train", type="primary", icon=":material/play_arrow:", width="stretch")
    if started:
        try:
            st.session_state[JOB] = controls.start_training(kind, data, int(seed), settings)
        except controls.EngineError as error:
            layout.error_box(error)


@st.fragment(run_every="1s")
def _follow() -> None:
    """Show the progress of the followed job."""
    job = controls.followed_job(st.session_state.get(JOB))
    with st.container(border=True, height=520):
        if job is None:
            layout.empty_state("Nothing is training. Choose a model and data on the left, then press **Train**.")
            return
        st.markdown(f"**{RUN_TITLE[job.spec.kind]}** on {layout.escape_markdown(job.spec.data)} {_badge(job.state)}")
        _progress(job)
        if job.state == "failed":
            layout.error_box(RuntimeError(job.message))
        if job.state == "done":
            page = controls.page_of(job.spec.kind)
            if page is not None:
                st.page_link(
                    page,
                    label=f"Open {job.run_id}",
                    icon=":material/arrow_forward:",
                    query_params={RUN[job.spec.kind]: job.run_id},
                )
        losses = controls.job_history(job.id)
        stage = job.latest.get("stage")
        st.plotly_chart(loss_curves(losses, stages=[stage] if stage else []), key="train-losses", width="stretch")


def _progress(job: Any) -> None:
    """Show stage, epoch and time, and the cancel button while the job runs."""
    latest = job.latest
    text = f"{latest['stage']}: epoch {latest['epoch']} of {latest['epochs']}" if latest else "Reading the data"
    share = latest["epoch"] / latest["epochs"] if latest else 0.0
    left, right = st.columns([0.75, 0.25], vertical_alignment="center")
    left.progress(min(share, 1.0), text=f"{layout.escape_markdown(text)} · {job.seconds:.0f} s")
    if job.state == "running" and right.button("Cancel", icon=":material/stop:", width="stretch"):
        controls.cancel_training(job.id)
        st.rerun(scope="fragment")


def _badge(state: str) -> str:
    """Return the coloured word for a state."""
    return _BADGE.get(state, f":gray-badge[{state}]")


def _earlier() -> None:
    """List the stored runs."""
    st.subheader("Stored runs", anchor=False)
    table = controls.runs_table()
    if table.empty:
        layout.empty_state("No run is stored yet.")
        return
    st.dataframe(table, hide_index=True, width="stretch", height="content")
