"""Your own scores: what the file has to hold, the job that judges it, and why it could not."""

from __future__ import annotations

import streamlit as st

from dashboard import layout
from dashboard.controls import uncertainty as controls
from dashboard.controls import uncertainty_own as own


def draw(choice: controls.Choice) -> None:
    """Draw the tab.

    Parameters
    ----------
    choice : Choice
        Not looked at: other scores do not depend on the run that is shown.
    """
    left, right = st.columns([0.5, 0.5], gap="medium")
    with left:
        _wanted()
    with right:
        _give()


def _wanted() -> None:
    """Say which columns a file has to hold."""
    with st.container(border=True):
        st.markdown("**What the file holds**")
        lines = "\n".join(f"| {name} | {text} |" for name, text in own.COLUMNS.items())
        st.markdown(f"| Column | |\n|:--|:--|\n{lines}")
        st.download_button(
            "Example (CSV, simulated)",
            data=own.example,
            file_name="example-scores.csv",
            mime="text/csv",
            key="own-scores-example",
            on_click="ignore",
            icon=":material/download:",
        )
        st.caption(
            "Larger files, tables of a database and other column names: "
            "`python -m engine describe uncertainty --data FILE --column score=NAME --out RUN`."
        )


def _give() -> None:
    """Take a file and follow its job."""
    with st.container(border=True):
        st.markdown("**Judge your own scores**")
        st.caption(
            "The file is read in a process of its own and removed as soon as that has ended. What it finds, counts and "
            "a random part of the rows, is stored as a run that everyone who opens this dashboard can see."
        )
        if complaint := own.start_button():
            layout.error_box(complaint)
        job = own.followed()
        if job is None:
            return
        if job.state == "running":
            st.fragment(_follow, run_every="1s")()
        elif job.state == "done":
            own.open_when_done(job.run_id)
            st.rerun()
        elif job.state == "failed":
            layout.error_box(job.message)
        else:
            st.caption("Stopped before it ended; nothing was kept.")


def _follow() -> None:
    """Show that the file is being read; when that has ended, draw the page once more."""
    job = own.followed()
    if job is None or job.state != "running":
        st.rerun()
    left, right = st.columns([0.7, 0.3], vertical_alignment="center")
    left.markdown(f":material/hourglass_top: Counting and placing thresholds · {job.seconds:.0f} s")
    right.button("Cancel", key="own-scores-cancel", icon=":material/stop:", on_click=own.stop, width="stretch")
