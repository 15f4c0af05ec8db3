"""What can be done with data that were looked through: describe them, train on them, or do it elsewhere."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.controls import data, data_report, training
from dashboard.state import DATA
from dashboard.views import job_card

_LEARNED = "A model and its baselines learn from part of your rows and are judged on the rest."
_SCORED = "Your scores stay as they are; thresholds are tuned on part of your rows and judged on the rest."


def draw(found: Any, spec: Any, source: Any) -> None:
    """Offer both ways on, and follow what was started.

    Parameters
    ----------
    found : Inspection
    spec : JobSpec
        How the file was looked through.
    source : Source
    """
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch"):
        _describe(found, spec, source)
    with right, st.container(border=True, height="stretch"):
        _train(found, spec, source)
    if _own_job(spec) is not None:
        with st.container(border=True):
            job_card.follow(lambda: _own_job(spec), key="data-job", nothing="")


def _own_job(spec: Any) -> Any | None:
    """Return the job that this session started on the same data."""
    job = data.followed(DATA["job"])
    return job if job is not None and job.spec.data == spec.data and job.spec.kind == spec.kind else None


def _describe(found: Any, spec: Any, source: Any) -> None:
    """Offer to describe the data."""
    st.markdown("**Describe**")
    st.caption("Counts, rates and intervals of your rows on the page of the question; no model is trained.")
    wanted = data.action_of("describe", spec)
    _button(found, spec, "describe", "Describe (no training)", ":material/query_stats:")
    _command(wanted, source)


def _train(found: Any, spec: Any, source: Any) -> None:
    """Offer to train on the data."""
    st.markdown("**Train**")
    st.caption(_SCORED if found.form == "scores" else _LEARNED)
    seed, settings = 0, {}
    if found.can_train:
        with st.expander("Settings"):
            seed = int(st.number_input("Seed", min_value=0, max_value=2**31 - 1, value=0, key=DATA["seed"]))
            settings = training.settings_form(spec.kind)
    wanted = data.action_of("train", spec, seed=seed, settings=settings)
    _button(found, spec, "train", "Train", ":material/play_arrow:", seed=seed, settings=settings)
    if data.may_merge(found, spec):
        st.button(
            "Merge repeated links and check again",
            key="data-merge-check",
            icon=":material/merge:",
            on_click=data.merge_and_check,
            args=(spec, source),
        )
    _command(wanted, source)


def _button(
    found: Any, spec: Any, action: Any, label: str, icon: str, *, seed: int = 0, settings: dict[str, str] | None = None
) -> None:
    """Draw a button that starts a job, or say why it cannot."""
    reason = data_report.why_not(found, action)
    job = _own_job(spec)
    is_busy = job is not None and job.state == "running"
    pressed = st.button(
        label, key=f"data-{action}", type="primary", icon=icon, width="stretch", disabled=bool(reason) or is_busy
    )
    if reason:
        st.caption(f":material/block: {reason}")
    if pressed:
        if complaint := data.start(action, found, spec, seed, settings or {}):
            layout.error_box(complaint)
        else:
            st.rerun()


def _command(spec: Any, source: Any) -> None:
    """Show the line that does the same in a shell."""
    with st.popover("Copy as command", icon=":material/terminal:", type="tertiary"):
        st.code(data.command(spec, source), language="bash", wrap_lines=True)
