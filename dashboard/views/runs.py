"""Train: choose data and settings, follow the losses, cancel, open the result."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.controls import training
from dashboard.state import JOB, RUN_TITLE, TRAIN, Kind
from engine.figures.common import loss_curves

_BADGE = {"running": ":blue-badge[running]", "done": ":green-badge[done]", "failed": ":red-badge[failed]"}


def render() -> None:
    """Draw the page."""
    st.title("Train a model and its baselines", anchor=False)
    st.caption(
        "A training runs in a process of its own: the pages stay usable, and it goes on when you reload or leave. "
        "Own files train from the command line: `python -m engine train graph --data FILE.csv --column source=NAME`."
    )
    kinds: list[Kind] = list(RUN_TITLE)
    kind = st.segmented_control(
        "Model", kinds, format_func=RUN_TITLE.__getitem__, default="graph", required=True, key=TRAIN["kind"]
    )
    form, follow = st.columns([0.46, 0.54], gap="medium")
    with form:
        _choose_and_start(kind)
    with follow:
        job = training.followed_job(st.session_state.get(JOB))
        # Only a running job is looked at every second.
        if job is not None and job.state == "running":
            st.fragment(_follow_running, run_every="1s")()
        else:
            _show_job(job)
    _earlier()


def _choose_and_start(kind: Kind) -> None:
    """Let the reader choose data, seed and settings, and start."""
    with st.form("train-form", border=True):
        data = st.selectbox(
            "Data", training.bundled_names(kind), format_func=training.data_label, key=f"{TRAIN['data']}-{kind}"
        )
        st.caption(layout.escape_markdown(training.data_description(data), limit=300))
        seed = st.number_input("Seed", min_value=0, max_value=2**31 - 1, value=0, key=TRAIN["seed"])
        with st.expander("Settings"):
            settings = training.settings_form(kind)
        started = st.form_submit_button("Train", type="primary", icon=":material/play_arrow:", width="stretch")
    if started:
        try:
            st.session_state[JOB] = training.start_training(kind, data, int(seed), settings)
        except training.EngineError as error:
            layout.error_box(error)


def _follow_running() -> None:
    """Show the job as it runs; when it has ended, draw the page once more, with the new run in its lists."""
    job = training.followed_job(st.session_state.get(JOB))
    if job is None or job.state != "running":
        st.rerun()
    _show_job(job)


def _show_job(job: Any | None) -> None:
    """Show how a job stands, its losses, and what can be done next."""
    with st.container(border=True, height=440):
        if job is None:
            layout.empty_state("Nothing is training. Choose a model and data on the left, then press **Train**.")
            return
        st.markdown(
            f"**{RUN_TITLE[job.spec.kind]}** on {layout.escape_markdown(job.spec.data_name)} {_badge(job.state)}"
        )
        _progress(job)
        if job.state == "failed":
            layout.error_box(job.message)
        if job.state == "cancelled":
            st.caption("Stopped before it ended; nothing was kept.")
        if job.state == "done":
            _result(job)
        stage = job.latest.get("stage")
        losses = training.job_history(job.id)
        if not losses.empty or job.state == "running":
            figure = loss_curves(losses, stages=[stage] if stage else [], height=300)
            st.plotly_chart(figure, key="train-losses", width="stretch", alt="Losses of the current stage by epoch")


def _result(job: Any) -> None:
    """Link to the run of a finished job."""
    if training.run_is_stored(job.run_id):
        layout.link_to_run(job.spec.kind, job.run_id, f"Open {job.run_id}")
    else:
        st.caption(f"Its run {job.run_id} is no longer stored.")


def _progress(job: Any) -> None:
    """Show stage, epoch and time, and the cancel button while the job runs."""
    latest = job.latest
    text = f"{latest['stage']}: epoch {latest['epoch']} of {latest['epochs']}" if latest else "Reading the data"
    share = latest["epoch"] / latest["epochs"] if latest else 0.0
    left, right = st.columns([0.75, 0.25], vertical_alignment="center")
    left.progress(min(share, 1.0), text=f"{layout.escape_markdown(text)} · {job.seconds:.0f} s")
    if job.state == "running":
        right.button(
            "Cancel", icon=":material/stop:", width="stretch", on_click=training.cancel_training, args=(job.id,)
        )


def _badge(state: str) -> str:
    """Return the coloured word for a state."""
    return _BADGE.get(state, f":gray-badge[{state}]")


def _earlier() -> None:
    """List the stored runs."""
    st.subheader("Stored runs", anchor=False)
    table = training.runs_table()
    if table.empty:
        layout.empty_state("No run is stored yet.")
        return
    st.dataframe(table, hide_index=True, width="stretch", height="content")
