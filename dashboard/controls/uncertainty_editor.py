"""Widgets of the threshold editor."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from dashboard.controls import threshold_moves, thresholds
from dashboard.controls.thresholds import MODES, SNAP_METHODS, Choice, Mode
from dashboard.state import EDITOR
from dashboard.state import UNCERTAINTY as KEY
from engine.figures.uncertainty_map import Shown
from engine.uncertainty.objectives import budget_rows

Picture = Literal["map", "frontier"]
_KEPT: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}


def mode_choice(choice: Choice) -> Mode:
    """Let the reader choose what the thresholds are placed for; a goal places them."""
    chosen = st.segmented_control(
        "Thresholds are placed for",
        list(MODES),
        format_func=MODES.__getitem__,
        default="free",
        required=True,
        key=EDITOR["mode"],
        on_change=thresholds.start_mode,
        args=(choice,),
        help="**Free**: every threshold moves alone. **Hold precision** and **Budget**: move one, and the others that "
        "are not locked follow so that the precision or the number of selected tuning rows is kept. **Cost**: each "
        "threshold goes where one more row no longer pays.",
        **_KEPT,
    )
    return chosen if chosen in MODES else "free"


def method_choice(choice: Choice, mode: Mode) -> None:
    """Let the reader choose how thresholds are placed; choosing places them."""
    st.selectbox(
        "Snap to optimum by",
        list(SNAP_METHODS),
        format_func=SNAP_METHODS.__getitem__,
        key=KEY["method"],
        on_change=thresholds.place_anew,
        args=(choice,),
        disabled=mode == "cost",
        help="With a price per mistake every bucket has one best threshold, so there is no method to choose."
        if mode == "cost"
        else "How the thresholds are found on the tuning rows; the tab **As tuned** compares the ways.",
        **_KEPT,
    )


def action_buttons(choice: Choice) -> None:
    """Offer to snap, to take moves back and to start anew."""
    back, again = threshold_moves.can_travel()
    some_locked = bool(thresholds.locked(choice))
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Re-solve" if some_locked else "Snap",
            key="uncertainty-snap",
            on_click=thresholds.place_anew,
            args=(choice,),
            icon=":material/target:",
            help="Places every threshold that is not locked at the optimum.",
        )
        st.button(
            "Undo", key="uncertainty-undo", on_click=threshold_moves.undo, icon=":material/undo:", disabled=not back
        )
        st.button(
            "Redo", key="uncertainty-redo", on_click=threshold_moves.redo, icon=":material/redo:", disabled=not again
        )
        st.button("Reset", key="uncertainty-reset", on_click=thresholds.reset, args=(choice,), icon=":material/replay:")


def goal_inputs(choice: Choice, mode: Mode) -> None:
    """Draw what the goal of a mode needs; a change places the thresholds."""
    state = st.session_state
    if mode == "precision":
        if EDITOR["aim"] not in state and EDITOR["aim"] not in st.query_params:
            state[EDITOR["aim"]] = choice.target
        _paired(choice, "Precision to hold", EDITOR["aim"], EDITOR["aim_slider"])
    elif mode == "budget":
        _budget_inputs(choice)
    elif mode == "cost":
        _cost_inputs(choice)


def _paired(choice: Choice, label: str, key: str, slider: str) -> None:
    """Draw a precision as a number and as a slider that follow each other."""

    def follow() -> None:
        st.session_state[key] = float(st.session_state[slider])
        thresholds.place_anew(choice)

    left, right = st.columns([0.7, 0.3], vertical_alignment="bottom")
    with right:
        arguments: dict[str, Any] = {"on_change": thresholds.place_anew, "args": (choice,)} | _KEPT
        value = st.number_input(label, 0.01, 0.99, step=0.01, key=key, label_visibility="collapsed", **arguments)
    if st.session_state.get(slider) != value:
        st.session_state[slider] = value
    with left:
        st.slider(label, 0.01, 0.99, step=0.01, key=slider, on_change=follow)


def _budget_inputs(choice: Choice) -> None:
    """Draw the budget as rows and as a share of the tuning rows."""
    state, rows = st.session_state, sum(choice.editor.bucket_rows("tune"))

    def follow() -> None:
        share = float(state[EDITOR["share"]]) / 100
        state[EDITOR["budget"]] = budget_rows(choice.editor.grids["tune"], share=share)
        thresholds.place_anew(choice)

    if EDITOR["budget"] not in state and EDITOR["budget"] not in st.query_params:
        state[EDITOR["budget"]] = rows // 10
    if isinstance(state.get(EDITOR["budget"]), int) and state[EDITOR["budget"]] > rows:
        state[EDITOR["budget"]] = rows
    left, right = st.columns(2)
    with left:
        arguments: dict[str, Any] = {"on_change": thresholds.place_anew, "args": (choice,)} | _KEPT
        step = max(1, rows // 100)
        budget = st.number_input("At most so many tuning rows", 0, rows, step=step, key=EDITOR["budget"], **arguments)
    share = round(100 * budget / rows, 2)
    if state.get(EDITOR["share"]) is None or abs(state[EDITOR["share"]] - share) > 0.005:
        state[EDITOR["share"]] = share
    with right:
        st.number_input("or so many percent", 0.0, 100.0, step=1.0, key=EDITOR["share"], on_change=follow)


def _cost_inputs(choice: Choice) -> None:
    """Draw what a true positive gains and what a false one costs."""
    state = st.session_state
    for name in ("value", "cost"):
        if EDITOR[name] not in state and EDITOR[name] not in st.query_params:
            state[EDITOR[name]] = 1.0
    left, right = st.columns(2)
    arguments: dict[str, Any] = {"on_change": thresholds.place_anew, "args": (choice,)} | _KEPT
    with left:
        value = st.number_input("A true positive gains", 0.01, 1e6, step=1.0, key=EDITOR["value"], **arguments)
    with right:
        cost = st.number_input("A false positive costs", 0.0, 1e6, step=1.0, key=EDITOR["cost"], **arguments)
    st.caption(f"Selecting pays where more than {100 * cost / (value + cost):.1f} % are positive.")


def move_all_slider(choice: Choice) -> None:
    """Draw the slider that moves every threshold that is not locked."""
    editor = choice.editor
    st.select_slider(
        "Move all",
        _cuts_of(choice),
        format_func=editor.labels.__getitem__,
        key=KEY["all"],
        on_change=thresholds.move_all,
        args=(choice,),
        help="Gives every bucket the same threshold: what a rule on the score alone can do. Locked ones stay.",
    )


def bucket_slider(choice: Choice, bucket: int, name: str, n: int) -> None:
    """Draw the slider of one bucket; a key press moves it by one score bin."""
    st.select_slider(
        f"Uncertainty {name} · n {n:,}",
        _cuts_of(choice),
        format_func=choice.editor.labels.__getitem__,
        key=thresholds.slider_key(bucket),
        on_change=thresholds.move,
        args=(choice, bucket),
        label_visibility="collapsed",
    )


def bucket_entry(choice: Choice, bucket: int, name: str) -> None:
    """Draw the typed threshold of one bucket."""
    st.text_input(
        f"Threshold, uncertainty {name}",
        key=thresholds.entry_key(bucket),
        on_change=thresholds.enter,
        args=(choice, bucket),
        max_chars=20,
        label_visibility="collapsed",
        help=None,
    )


def bucket_lock(bucket: int, name: str) -> None:
    """Draw the lock of one bucket."""
    st.toggle(
        "Lock",
        key=thresholds.lock_key(bucket),
        help=f"Keeps the threshold of uncertainty {name} when the others are placed or moved together.",
    )


def _cuts_of(choice: Choice) -> list[int]:
    """Return all cuts, the lowest threshold first."""
    return list(range(choice.editor.layout.shape[1], -1, -1))


def picture_choice() -> Picture:
    """Let the reader choose the picture that follows the thresholds."""
    labels: dict[Picture, str] = {"map": "Boundary", "frontier": "What can be reached"}
    chosen = st.segmented_control(
        "Picture",
        list(labels),
        format_func=labels.__getitem__,
        default="map",
        required=True,
        key=EDITOR["picture"],
        label_visibility="collapsed",
        **_KEPT,
    )
    return chosen if chosen in labels else "map"


def map_choice() -> Shown:
    """Let the reader choose what the map shows."""
    labels: dict[Shown, str] = {"rate": "Positive rate", "n": "Rows", "interval": "Interval", "bias": "Bias"}
    shown = st.segmented_control(
        "Map shows",
        list(labels),
        format_func=labels.__getitem__,
        default="rate",
        required=True,
        key=KEY["map"],
        bind="query-params",
        label_visibility="collapsed",
    )
    return shown if shown in labels else "rate"
