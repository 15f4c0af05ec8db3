"""The day as of which the log is looked at, and the player that moves it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from dashboard.cache import Run
from dashboard.controls.delay import day_text, page_facts, stored
from dashboard.state import DELAY

TICK_SECONDS = 1.0
"""Time that a day is shown while the player runs."""


@dataclass(frozen=True, slots=True)
class Day:
    """One day as of which the log can be looked at."""

    text: str
    """As the slider and the address bar write it."""
    value: float


def days(run: Run) -> list[Day]:
    """Return the stored days in order; the day of the snapshot alone where no others are stored."""
    table = stored(run, "asof")
    facts = page_facts(run)
    values = sorted(set(table["as_of"])) if len(table) else [facts["as_of"]]
    return [Day(day_text(float(value), bool(facts["has_dates"])), float(value)) for value in values]


def own_day(run: Run) -> Day:
    """Return the stored day next to the snapshot."""
    as_of = page_facts(run)["as_of"]
    return min(days(run), key=lambda day: abs(day.value - as_of))


def moved(texts: list[str], text: str, step: int) -> str:
    """Return the day that lies some steps from another, within what is stored; the first from an unknown one."""
    at = texts.index(text) if text in texts else -step
    return texts[min(max(at + step, 0), len(texts) - 1)]


def chosen_day(run: Run) -> Day:
    """Return the day that the reader, or the address bar, asks for; the day of the snapshot otherwise."""
    known = {day.text: day for day in days(run)}
    key = DELAY["day"]
    if st.session_state.get(key) not in known:
        asked = st.query_params.get(key, "")
        st.session_state[key] = asked if asked in known else own_day(run).text
    return known[st.session_state[key]]


def forget_unknown_day(run: Run) -> None:
    """Take a day that is not stored out of the address, whatever tab is open: it would stay there as if shown."""
    key = DELAY["day"]
    if key in st.query_params and st.query_params[key] not in {day.text for day in days(run)}:
        del st.query_params[key]


def is_playing() -> bool:
    """Say whether the player runs."""
    return bool(st.session_state.get(DELAY["playing"], False))


def step_by(run: Run, step: int) -> None:
    """Move the day and stop the player."""
    texts = [day.text for day in days(run)]
    st.session_state[DELAY["day"]] = moved(texts, chosen_day(run).text, step)
    st.session_state[DELAY["playing"]] = False


def play(run: Run) -> None:
    """Start the player, from the first day if the last one is shown."""
    texts = [day.text for day in days(run)]
    if chosen_day(run).text == texts[-1]:
        st.session_state[DELAY["day"]] = texts[0]
    st.session_state[DELAY["playing"]] = True
    st.session_state[DELAY["ticked"]] = time.monotonic()


def pause() -> None:
    """Stop the player where it is."""
    st.session_state[DELAY["playing"]] = False


def tick(run: Run, *, now: float | None = None) -> bool:
    """Go on by a day if it is time to.

    Parameters
    ----------
    run : Run
    now : float, optional
        Seconds of a clock that never goes back.

    Returns
    -------
    bool
        Whether the player still runs: it stops by itself at the last day.
    """
    if not is_playing():
        return False
    now = time.monotonic() if now is None else now
    # A click in the panel draws it too; only the clock moves the day.
    if now - st.session_state.get(DELAY["ticked"], 0.0) < 0.7 * TICK_SECONDS:
        return True
    texts = [day.text for day in days(run)]
    here = chosen_day(run).text
    if here == texts[-1]:
        pause()
        return False
    st.session_state[DELAY["day"]] = moved(texts, here, 1)
    st.session_state[DELAY["ticked"]] = now
    return True
