"""How a job stands: its progress and losses while it runs, its run or its complaint when it has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.controls import training
from dashboard.state import RUN_TITLE
from engine.figures.common import loss_curves

_BADGE = {
    "running": ":blue-badge[running]",
    "done": ":green-badge[done]",
    "failed": ":red-badge[failed]",
    "cancelled": ":gray-badge[cancelled]",
}
_ENDED = {"done": "Done", "cancelled": "Stopped", "failed": "Failed"}
_DOING = {"train": "Reading the data", "describe": "Counting"}


def follow(find: Callable[[], Any | None], *, key: str, nothing: str) -> None:
    """Show a job; only while it runs it is looked at every second.

    Parameters
    ----------
    find : callable
        Returns the job, or None.
    key : str
        Names the chart of its losses.
    nothing : str
        What to say if there is no job.
    """

    def look() -> None:
        job = find()
        if job is None or job.state != "running":
            # Drawn once more, the page has the new run in its lists.
            st.rerun()
        _show(job, key, nothing)

    job = find()
    if job is not None and job.state == "running":
        st.fragment(look, run_every="1s")()
    else:
        _show(job, key, nothing)


def _show(job: Any | None, key: str, nothing: str) -> None:
    """Show how a job stands, its losses, and what can be done next."""
    if job is None:
        layout.empty_state(nothing)
        return
    st.markdown(
        f"**{RUN_TITLE[job.spec.kind]}** on {layout.escape_markdown(job.spec.data_name)} "
        f"{_BADGE.get(job.state, f':gray-badge[{job.state}]')}"
    )
    _progress(job, key)
    if job.state == "failed":
        layout.error_box(job.message)
    if job.state == "cancelled":
        st.caption(layout.escape_markdown(job.message, limit=300) or "Stopped before it ended; nothing was kept.")
    if job.state == "done":
        _result(job)
    stage = job.latest.get("stage")
    losses = training.job_history(job.id)
    if not losses.empty or (job.state == "running" and job.spec.action == "train"):
        # Less where a sentence stands above it, so that all of it is within the card.
        height = 240 if job.state == "failed" else 300
        figure = loss_curves(losses, stages=[stage] if stage else [], height=height)
        st.plotly_chart(figure, key=f"{key}-losses", width="stretch", alt="Losses of the current stage by epoch")


def _result(job: Any) -> None:
    """Link to the run of a finished job."""
    if training.run_is_stored(job.run_id):
        layout.link_to_run(job.spec.kind, job.run_id, f"Open {job.run_id}")
    else:
        st.caption(f"Its run {job.run_id} is no longer stored.")


def _progress(job: Any, key: str) -> None:
    """Show stage, epoch and time, and the cancel button while the job runs."""
    latest = job.latest
    doing = _DOING.get(job.spec.action, "") if job.state == "running" else _ENDED.get(job.state, "")
    text = f"{latest['stage']}: epoch {latest['epoch']} of {latest['epochs']}" if latest else doing
    share = latest["epoch"] / latest["epochs"] if latest else float(job.state == "done")
    left, right = st.columns([0.75, 0.25], vertical_alignment="center")
    left.progress(min(share, 1.0), text=f"{layout.escape_markdown(text)} · {job.seconds:.0f} s")
    if job.state == "running":
        right.button(
            "Cancel",
            key=f"{key}-cancel",
            icon=":material/stop:",
            width="stretch",
            on_click=training.cancel_training,
            args=(job.id,),
        )
