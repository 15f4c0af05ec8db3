"""Scores of the reader's own: given as a file, judged by the command line in a job, opened as a run."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import streamlit as st

from dashboard import cache, jobs, uploads
from dashboard.controls.data_source import run_name
from dashboard.layout import to_csv
from dashboard.state import OWN_SCORES, RUN
from dashboard.state import UNCERTAINTY as KEY
from engine.errors import ConfigError, EngineError
from engine.uncertainty.config import MOST_EDGES, BucketWay

MOST_BYTES = 50 * 1024 * 1024
"""Bytes of a file at most."""
EXAMPLE_ROWS = 2000
COLUMNS = {
    "label": "0 or 1: what came true",
    "score": "probability of a 1, from 0 to 1",
    "uncertainty": "any number that rises with doubt, negative ones too: the variance of several models, an entropy",
    "weight": "optional: rows that a line stands for",
    "split": "optional: tune or test; without it rows are split at random",
    "unit": "optional: what rows of one customer or household share; units are never split",
    "any text": "optional: with at most 50 values, taken as slices",
}
"""Column to what it holds."""
AUTO, OWN = "auto", "own"
NUMBERS = {AUTO: "By cross-fitting", "2": "2", "3": "3", "5": "5", "10": "10", OWN: "Own edges"}
"""Number of buckets, or how it comes about, to what the reader sees; the default first."""
WAYS: dict[BucketWay, str] = {"count": "Equal count", "width": "Equal width"}
_HOW_TO_WRITE = "write rising numbers with commas or semicolons between them and a point as decimal mark: 0.01, 0.05"
_KEPT: dict[str, Any] = {"persist_state": "session"}
Settings = tuple[tuple[str, str], ...]
"""Names and values for the command line."""


def example() -> bytes:
    """Write a small simulated file of the form that is wanted."""
    # Only here: simulating needs more libraries than a page loads.
    from engine.uncertainty.simulate import SimulationConfig, simulate

    rows = simulate(EXAMPLE_ROWS, SimulationConfig(prior=(1.0, 3.0)))
    return to_csv(rows[["label", "score", "uncertainty"]])


def settings_of(number: str, way: str, edges: str) -> Settings:
    """Write the choice of buckets as settings of the command; what is default is left out.

    Parameters
    ----------
    number : str
        One of `NUMBERS`.
    way : str
        One of `WAYS`; not looked at with own edges.
    edges : str
        Own edges with commas or semicolons between them; looked at only if these are chosen.

    Returns
    -------
    tuple of (str, str)

    Raises
    ------
    ConfigError
        If the edges are no rising numbers.
    """
    if number != OWN:
        chosen = {} if number == AUTO else {"buckets": number}
        return tuple((chosen | ({} if way == "count" else {"bucket_cut": way})).items())
    return (("bucket_edges", ",".join(map(repr, _own_edges(edges)))),)


def _own_edges(text: str) -> list[float]:
    """Read own edges, and refuse what is none in the words of the page."""
    inside = text.strip(" ,;")
    if not inside:
        raise ConfigError(f"Own edges are chosen, but none is given; {_HOW_TO_WRITE}.")
    values = [_own_edge(part.strip()) for part in inside.split(";" if ";" in inside else ",")]
    _check_rising(values)
    if len(values) > MOST_EDGES:
        raise ConfigError(f"{len(values)} own edges are given; at most {MOST_EDGES} are allowed.")
    return values


def _own_edge(part: str) -> float:
    """Read one edge; 05 is what a decimal comma leaves of 0,05."""
    try:
        value = float(part)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or re.match(r"[+-]?0\d", part):
        finite = "finite number" if math.isinf(value) else "number"
        raise ConfigError(f"'{part}' among the own edges is no {finite}; {_HOW_TO_WRITE}.")
    return value


def _check_rising(values: Sequence[float]) -> None:
    """Refuse an edge that does not lie above the one before."""
    for low, high in pairwise(values):
        if low >= high:
            raise ConfigError(f"The own edges do not rise: {high:g} comes after {low:g}; {_HOW_TO_WRITE}.")


def _choose_buckets() -> tuple[str, str, str]:
    """Let the reader say how uncertainty is cut: number of buckets, way, own edges."""
    left, right = st.columns(2)
    with left:
        number = st.selectbox(
            "Buckets of uncertainty",
            list(NUMBERS),
            format_func=NUMBERS.__getitem__,
            key=OWN_SCORES["buckets"],
            help="Each bucket gets a threshold of its own. By cross-fitting, 1, 2, 3, 5 and 10 are tried on the tuning "
            "rows; where 1 does best, 3 are still shown for comparison.",
            **_KEPT,
        )
    with right:
        if number == OWN:
            edges = st.text_input(
                "Own edges",
                key=OWN_SCORES["edges"],
                placeholder="0.01, 0.05",
                max_chars=2000,
                help="Upper edges of all buckets but the last, rising, with commas or semicolons between them and a "
                "point as decimal mark, on the scale of your column uncertainty. A row on an edge belongs below it.",
                **_KEPT,
            )
            return number, "count", str(edges)
        way = st.selectbox(
            "Cut into",
            list(WAYS),
            format_func=WAYS.__getitem__,
            key=OWN_SCORES["cut"],
            help="Equal count: as many tuning rows in each bucket. Equal width: from the smallest to the largest "
            "uncertainty in equal steps; this depends on its scale, and a bucket may hold no row.",
            **_KEPT,
        )
    return number, way, ""


def start_button() -> str:
    """Let the reader give a file, say how it is judged, and start; return a complaint, or nothing.

    While the job of this session runs, there is no starting another.
    """
    file = st.file_uploader(
        "Scores (CSV or Parquet, at most 50 MB)", type=["csv", "parquet"], key=OWN_SCORES["file"], max_upload_size=50
    )
    chosen = _choose_buckets()
    job = followed()
    pressed = st.button(
        "Judge these scores",
        key="own-scores-start",
        type="primary",
        icon=":material/play_arrow:",
        disabled=file is None or (job is not None and job.state == "running"),
    )
    if file is None or not pressed:
        return ""
    try:
        st.session_state[OWN_SCORES["job"]] = submit(
            file.getvalue(),
            is_parquet=file.name.lower().endswith(".parquet"),
            settings=settings_of(*chosen),
            called=file.name.replace("\\", "/").rpartition("/")[2],
        )
    except EngineError as error:
        return str(error)
    # Drawn once more, the button knows of the job.
    st.rerun()


def submit(content: bytes, *, is_parquet: bool, settings: Settings = (), called: str = "") -> str:
    """Keep a file privately and start the job that describes it.

    Parameters
    ----------
    content : bytes
    is_parquet : bool
    settings : tuple of (str, str)
        Settings that differ from their defaults.
    called : str, default ""
        The reader's name of the file, for the run and for messages; it becomes no path.

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
        return jobs.submit(
            jobs.JobSpec(
                kind="uncertainty",
                data=str(path),
                seed=0,
                settings=settings,
                action="describe",
                called=called,
                name=run_name(called),
            )
        )
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
