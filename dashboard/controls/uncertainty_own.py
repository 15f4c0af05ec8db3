"""Scores of the reader's own: given as a file, judged by the command line in a job, opened as a run."""

from __future__ import annotations

import streamlit as st

from dashboard import cache, jobs, uploads
from dashboard.layout import to_csv
from dashboard.state import OWN_SCORES, RUN
from dashboard.state import UNCERTAINTY as KEY
from engine.errors import ConfigError, EngineError

MOST_BYTES = 50 * 1024 * 1024
"""Bytes of a file at most."""
EXAMPLE_ROWS = 2000
COLUMNS = {
    "label": "0 or 1: what came true",
    "score": "probability of a 1, from 0 to 1",
    "uncertainty": "any number that rises with doubt, for example the variance of several models",
    "weight": "optional: rows that a line stands for",
    "split": "optional: tune or test; without it rows are split at random",
    "unit": "optional: what rows of one customer or household share; units are never split",
    "any text": "optional: with at most 50 values, taken as slices",
}
"""Column to what it holds."""


def example() -> bytes:
    """Write a small simulated file of the form that is wanted."""
    # Only here: simulating needs more libraries than a page loads.
    from engine.uncertainty.simulate import SimulationConfig, simulate

    rows = simulate(EXAMPLE_ROWS, SimulationConfig(prior=(1.0, 3.0)))
    return to_csv(rows[["label", "score", "uncertainty"]])


def start_button() -> str:
    """Let the reader give a file and start judging it; return a complaint, or nothing."""
    file = st.file_uploader(
        "Scores (CSV or Parquet, at most 50 MB)", type=["csv", "parquet"], key=OWN_SCORES["file"], max_upload_size=50
    )
    pressed = st.button(
        "Judge these scores",
        key="own-scores-start",
        type="primary",
        icon=":material/play_arrow:",
        disabled=file is None,
    )
    if file is None or not pressed:
        return ""
    try:
        st.session_state[OWN_SCORES["job"]] = submit(file.getvalue(), is_parquet=file.name.lower().endswith(".parquet"))
    except EngineError as error:
        return str(error)
    return ""


def submit(content: bytes, *, is_parquet: bool) -> str:
    """Keep a file privately and start the job that describes it.

    Parameters
    ----------
    content : bytes
    is_parquet : bool

    Returns
    -------
    str
        Job id.

    Raises
    ------
    ConfigError
        If the file is too large, cannot be kept, or too many jobs run; it is not kept then.
    """
    if len(content) > MOST_BYTES:
        raise ConfigError(
            f"The file has {len(content) / 2**20:.1f} MB; at most {MOST_BYTES // 2**20} MB are read here. Larger ones: "
            "python -m engine describe uncertainty --data FILE --out RUN."
        )
    path = uploads.keep(content, name="own-scores.parquet" if is_parquet else "own-scores.csv")
    try:
        return jobs.submit(jobs.JobSpec(kind="uncertainty", data=str(path), seed=0, action="describe"))
    except EngineError:
        uploads.discard(path)
        raise


def followed() -> jobs.JobStatus | None:
    """Return the job that this session started, or None."""
    job = st.session_state.get(OWN_SCORES["job"])
    return jobs.status(job) if job else None


def stop() -> None:
    """Stop the job; its file is removed and nothing of it is kept."""
    job = st.session_state.get(OWN_SCORES["job"])
    if job:
        jobs.cancel(job)


def open_when_done(run_id: str) -> None:
    """Have the page open a run the next time it is drawn, and follow its job no longer."""
    st.session_state[OWN_SCORES["open"]] = run_id
    st.session_state[OWN_SCORES["job"]] = None


def open_run() -> None:
    """Turn the page to a run that was just made, before its picker is drawn."""
    run_id = st.session_state.pop(OWN_SCORES["open"], None)
    if run_id is None:
        return
    cache.forget_list()
    if run_id in cache.list_runs("uncertainty"):
        st.session_state[RUN["uncertainty"]] = run_id
        st.session_state[KEY["tab"]] = "Thresholds"
