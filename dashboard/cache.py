"""The only module that caches: runs are opened once per server and shared by all sessions."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from engine.datasets import DEFAULT
from engine.errors import RunError
from engine.inspection.preview import Preview
from engine.result import Kind
from engine.runs import Run, read_run
from engine.runs import list_runs as _list_runs

ROOT = Path(__file__).resolve().parent.parent
PREVIEWED = 30
"""Rows of own data that a page shows."""


def run_folders() -> tuple[Path, ...]:
    """Return the folders that hold runs: the shipped ones, then the user's own."""
    own = Path(os.environ.get("RECOMMENDER_LENS_RUNS", ROOT / "runs"))
    return ROOT / "sample_data" / "runs", own.resolve()


@st.cache_data(ttl=2, max_entries=8, show_spinner=False)
def _manifests(folders: tuple[Path, ...]) -> list[tuple[str, str, dict[str, Any]]]:
    """Read the manifests below some folders: (run id, folder, manifest)."""
    runs = [run for folder in folders for run in (_list_runs(folder) if folder.is_dir() else [])]
    # The data set that the command line trains by default opens first; otherwise the order stays.
    runs.sort(key=lambda run: run.manifest["dataset"]["name"] != DEFAULT[run.kind])
    # Of two runs with one name the first, a shipped one, counts.
    first = {run.id: run for run in reversed(runs)}
    return [(run.id, str(run.folder), run.manifest) for run in runs if first[run.id] is run]


def list_runs(kind: Kind | None = None) -> dict[str, dict[str, Any]]:
    """Return run id to manifest, shipped runs first, then own runs with the newest on top.

    Parameters
    ----------
    kind : str, optional
        Only runs of this model.

    Returns
    -------
    dict
    """
    entries = _manifests(run_folders())
    return {run_id: manifest for run_id, _, manifest in entries if kind is None or manifest["kind"] == kind}


def forget_list() -> None:
    """Read the folders anew next time: a training has ended."""
    _manifests.clear()


def open_run(run_id: str) -> Run:
    """Open a run by its id.

    Parameters
    ----------
    run_id : str
        A key of `list_runs`.

    Returns
    -------
    engine.runs.Run
        Shared between sessions; its tables are to be read, never changed.

    Raises
    ------
    RunError
        If there is no such run any more.
    """
    for known, folder, manifest in _manifests(run_folders()):
        if known == run_id:
            return _opened(folder, str(manifest["created"]))
    raise RunError(f"There is no run '{run_id}' any more; choose another.")


@st.cache_resource(max_entries=12, show_spinner=False)
def _opened(folder: str, created: str) -> Run:
    """Keep a run open; `created` tells a run from a later one in the same place."""
    return read_run(folder)


@st.cache_resource(max_entries=64, show_spinner=False)
def _derived(folder: str, created: str, what: str, _make: Callable[[], Any]) -> Any:
    """Keep what was made from a run."""
    return _make()


def derived(run: Run, what: str, make: Callable[[], Any]) -> Any:
    """Return what `make` makes of a run, made once per server.

    Parameters
    ----------
    run : engine.runs.Run
    what : str
        Names the result among all that is made of the run.
    make : callable
        Called at most once per run and name; its result is shared and never to be changed.

    Returns
    -------
    object
    """
    return _derived(str(run.folder), str(run.manifest["created"]), what, make)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner=False)
def preview(path: str, stamp: str) -> Preview:
    """Return the first rows of a file, read once per server; `stamp` tells it from a later one in the same place.

    Raises
    ------
    DataError
        If the file cannot be read; says why.
    """
    from engine.inspection.preview import preview as read

    return read(path, rows=PREVIEWED)


@st.cache_resource(scope="session", show_spinner=False, on_release=lambda end: end())
def until_session_ends(what: str, _end: Callable[[], None]) -> Callable[[], None]:
    """Have something done when the reader has left for good; once per session and name."""
    return _end


__all__ = [
    "Preview",
    "Run",
    "derived",
    "forget_list",
    "list_runs",
    "open_run",
    "preview",
    "run_folders",
    "until_session_ends",
]
