"""Where the thresholds stand and stood: moves to take back, and widgets that have not heard of the last one."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from dashboard.state import EDITOR
from dashboard.state import UNCERTAINTY as KEY

MOST_UNDONE = 50
"""Moves that can be taken back."""
ANSWER_SECONDS = 2.0
"""Time that a browser may take to show a widget as the page has told it."""
_MOST_UNHEARD = 5


def place(cuts: Sequence[int], *, by: str = "") -> None:
    """Move the thresholds and remember where they stood.

    Parameters
    ----------
    cuts : sequence of K int
    by : str, optional
        Key of the widget that moved them; the page moves all others.
    """
    state = st.session_state
    before = state.get(KEY["cuts"])
    if before is not None and list(before) != list(cuts):
        state[EDITOR["past"]] = [*state.get(EDITOR["past"], []), list(before)][-MOST_UNDONE:]
        state[EDITOR["future"]] = []
        unheard = [*state.get(EDITOR["unheard"], []), (time.monotonic(), list(before), by)]
        state[EDITOR["unheard"]] = unheard[-_MOST_UNHEARD:]
    state[KEY["cuts"]] = list(cuts)


def is_unheard(widget: str, bucket: int, cut: int) -> bool:
    """Say whether a widget tells where a threshold was before the page moved it, as the answer has not reached it yet.

    With every key, a browser sends the places of all sliders and texts; one that is pressed again before the answer
    has come sends old ones for those that the page has moved meanwhile. They are no moves of the reader.

    Parameters
    ----------
    widget : str
        Its key; what it has moved itself it has heard of.
    bucket, cut : int
        What it tells.

    Returns
    -------
    bool
    """
    now = time.monotonic()
    return any(
        by != widget and now - moment < ANSWER_SECONDS and before[bucket : bucket + 1] == [cut]
        for moment, before, by in st.session_state.get(EDITOR["unheard"], [])
    )


def forget() -> None:
    """Leave nothing to take back: the thresholds of before belong to something else."""
    for name in ("past", "future", "unheard"):
        st.session_state[EDITOR[name]] = []


def undo() -> None:
    """Take the last move back."""
    _travel("past", "future")


def redo() -> None:
    """Make the last move that was taken back again."""
    _travel("future", "past")


def can_travel() -> tuple[bool, bool]:
    """Say whether there is a move to take back, and one to make again."""
    return bool(st.session_state.get(EDITOR["past"])), bool(st.session_state.get(EDITOR["future"]))


def _travel(source: str, other: str) -> None:
    """Go to the last thresholds of one list and put those of now on the other."""
    state = st.session_state
    stack = list(state.get(EDITOR[source], []))
    if stack:
        state[EDITOR[other]] = [*state.get(EDITOR[other], []), list(state[KEY["cuts"]])]
        state[KEY["cuts"]] = stack.pop()
        state[EDITOR[source]] = stack
