"""Where the thresholds of the editor stand, what moves them, and how a move is taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from dashboard.cache import Run
from dashboard.controls.threshold_moves import forget, is_unheard, place
from dashboard.state import EDITOR
from dashboard.state import UNCERTAINTY as KEY
from engine.errors import ConfigError
from engine.figures.theme import METHOD_LABEL
from engine.uncertainty.editor import Editor
from engine.uncertainty.methods import METHODS
from engine.uncertainty.names import BASELINE
from engine.uncertainty.readings import best_single, cut_near

Mode = Literal["free", "precision", "budget", "cost"]
MODES: dict[Mode, str] = {"free": "Free", "precision": "Hold precision", "budget": "Budget", "cost": "Cost"}
"""What thresholds are placed for."""
SNAP_METHODS = {method: METHOD_LABEL[method] for method in METHODS}
"""Ways to place the thresholds."""
EDITED, SINGLE = "edited", BASELINE
"""Names of the boundary that the reader moves and of the one beside it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the page shows: one scorer of one run at one precision target."""

    run: Run
    scorer: str
    target: float
    editor: Editor


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the thresholds are placed for, and by which method."""

    mode: Mode
    method: str
    aim: float
    """Precision that is asked for on the tuning rows."""
    budget: int
    """Most tuning rows that may be selected."""
    value: float
    cost: float


def goal_of(choice: Choice) -> Goal:
    """Read the goal from the widgets, each checked again; what is out of range counts as its default."""
    state = st.session_state
    mode: Mode = next((known for known in MODES if known == state.get(EDITOR["mode"])), "free")
    method = state.get(KEY["method"])
    aim = state.get(EDITOR["aim"])
    own = mode == "precision" and isinstance(aim, float) and 0 < aim < 1
    rows = sum(choice.editor.bucket_rows("tune"))
    budget = state.get(EDITOR["budget"])
    value, cost = state.get(EDITOR["value"]), state.get(EDITOR["cost"])
    return Goal(
        mode=mode,
        method=method if method in SNAP_METHODS else "mist",
        aim=float(aim) if own and aim is not None else choice.target,
        budget=budget if isinstance(budget, int) and 0 <= budget <= rows else rows // 10,
        value=value if isinstance(value, float) and value > 0 else 1.0,
        cost=cost if isinstance(cost, float) and cost >= 0 else 1.0,
    )


def solve(choice: Choice, goal: Goal, locks: Mapping[int, int] | None = None) -> list[int]:
    """Place the thresholds for a goal, locked ones kept.

    Raises
    ------
    ConfigError
        If what is locked already breaks the goal.
    """
    editor = choice.editor
    if goal.mode == "budget":
        return editor.fill(goal.method, goal.budget, locks=locks)
    if goal.mode == "cost":
        return editor.weigh(value=goal.value, cost=goal.cost, locks=locks)
    return editor.snap(goal.method, goal.aim, locks=locks)


def locked(choice: Choice) -> dict[int, int]:
    """Return bucket to cut of the locked thresholds."""
    cuts = st.session_state.get(KEY["cuts"])
    if cuts is None or len(cuts) != choice.editor.n_buckets:
        return {}
    return {bucket: cut for bucket, cut in enumerate(cuts) if st.session_state.get(lock_key(bucket))}


def slider_key(bucket: int) -> str:
    """Return the key of a bucket's slider."""
    return f"{KEY['slider']}-{bucket + 1}"


def entry_key(bucket: int) -> str:
    """Return the key of a bucket's typed threshold."""
    return f"{EDITOR['entry']}-{bucket + 1}"


def lock_key(bucket: int) -> str:
    """Return the key of a bucket's lock."""
    return f"{EDITOR['lock']}-{bucket + 1}"


def forget_cuts() -> None:
    """Place the thresholds anew: score or target have changed."""
    state = st.session_state
    state[KEY["cuts"]] = None
    _forget_history()
    if isinstance(state.get(KEY["target"]), float):
        state[EDITOR["aim"]] = state[KEY["target"]]


def _forget_history() -> None:
    """Leave nothing to take back: the thresholds of before belong to something else."""
    forget()
    for key in [key for key in st.session_state if str(key).startswith(f"{EDITOR['lock']}-")]:
        st.session_state[key] = False


def prepare(choice: Choice) -> None:
    """See to what belongs to another run or score, before any widget of the editor is drawn.

    When a page opens, thresholds come from the address bar.
    """
    state = st.session_state
    identity = (choice.run.id, choice.run.manifest["created"], choice.scorer)
    if state.get(KEY["edited"]) is None:
        state[KEY["cuts"]] = _cuts_in_address(choice.editor)
    elif state[KEY["edited"]] != identity:
        state[KEY["cuts"]] = None
        state[EDITOR["aim"]] = choice.target
        _forget_history()
    state[KEY["edited"]] = identity


def current_cuts(choice: Choice) -> list[int]:
    """Return the cuts, and give sliders and typed thresholds their positions before they are drawn."""
    cuts = st.session_state.get(KEY["cuts"])
    if cuts is None or len(cuts) != choice.editor.n_buckets:
        cuts = solve(choice, goal_of(choice))
    st.session_state[KEY["cuts"]] = list(cuts)
    _show(choice.editor, cuts)
    return list(cuts)


def _show(editor: Editor, cuts: Sequence[int]) -> None:
    """Bring the widgets to the cuts; one that stands right already is left alone, its reader may be moving it."""
    wanted: dict[str, int | str] = {KEY["all"]: sorted(cuts)[len(cuts) // 2]}
    for bucket, cut in enumerate(cuts):
        wanted |= {slider_key(bucket): cut, entry_key(bucket): editor.labels[cut]}
    if len(set(cuts)) > 1 and st.session_state.get(KEY["all"]) in range(editor.layout.shape[1] + 1):
        del wanted[KEY["all"]]
    for key, value in wanted.items():
        if st.session_state.get(key) != value:
            st.session_state[key] = value


def _told(text: str) -> None:
    """Leave a sentence for the next drawing of the page."""
    st.session_state[EDITOR["said"]] = text


def place_anew(choice: Choice) -> None:
    """Solve the goal again, locked thresholds kept."""
    try:
        place(solve(choice, goal_of(choice), locked(choice)))
    except ConfigError as error:
        _told(str(error))


def start_mode(choice: Choice) -> None:
    """Place the thresholds for a goal that was just chosen; free ones stay where they are."""
    if goal_of(choice).mode != "free":
        place_anew(choice)


def move(choice: Choice, bucket: int) -> None:
    """Move one threshold to its slider; a held goal places the others that are not locked."""
    _move(choice, bucket, int(st.session_state[slider_key(bucket)]), by=slider_key(bucket))


def enter(choice: Choice, bucket: int) -> None:
    """Move one threshold to what was typed, as by its slider."""
    try:
        cut = cut_near(choice.editor, str(st.session_state[entry_key(bucket)]))
    except ConfigError as error:
        _told(str(error))
    else:
        _move(choice, bucket, cut, by=entry_key(bucket))


def _move(choice: Choice, bucket: int, cut: int, *, by: str) -> None:
    """Move one threshold, unless the widget only tells where it was."""
    cuts, goal = st.session_state.get(KEY["cuts"]), goal_of(choice)
    if cuts is None or is_unheard(by, bucket, cut):
        return
    cuts = [cut if place == bucket else other for place, other in enumerate(cuts)]
    if goal.mode in ("precision", "budget"):
        try:
            cuts = solve(choice, goal, locked(choice) | {bucket: cut})
        except ConfigError as error:
            _told(f"{error} The other thresholds stay.")
    place(cuts, by=by)


def move_all(choice: Choice) -> None:
    """Give every bucket that is not locked the threshold of the common slider."""
    held = locked(choice)
    common = int(st.session_state[KEY["all"]])
    place([held.get(bucket, common) for bucket in range(choice.editor.n_buckets)], by=KEY["all"])


def reset(choice: Choice) -> None:
    """Unlock everything and place the thresholds freely for the target of the page; this can be taken back."""
    for bucket in range(choice.editor.n_buckets):
        st.session_state[lock_key(bucket)] = False
    st.session_state[EDITOR["mode"]] = "free"
    place_anew(choice)


def told() -> str:
    """Return what the last move had to say, once."""
    return str(st.session_state.pop(EDITOR["said"], ""))


def _cuts_in_address(editor: Editor) -> list[int] | None:
    """Read the thresholds from the address bar, if they belong to this score."""
    texts = st.query_params.get(KEY["thresholds"], "").split(",")
    cuts = [editor.cut_of(text) for text in texts]
    known = [cut for cut in cuts if cut is not None]
    return known if len(known) == len(cuts) == editor.n_buckets else None


def write_address(choice: Choice, cuts: Sequence[int]) -> None:
    """Keep thresholds that differ from the optimum in the address bar."""
    name = KEY["thresholds"]
    text = ",".join(choice.editor.labels[cut] for cut in cuts)
    if list(cuts) == solve(choice, goal_of(choice)):
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != text:
        st.query_params[name] = text


def boundaries(choice: Choice, cuts: Sequence[int]) -> dict[str, Sequence[int]]:
    """Return the reader's boundary and, beside it, the best single threshold for the same goal."""
    goal, editor = goal_of(choice), choice.editor
    if goal.mode == "budget":
        return {EDITED: cuts, BASELINE: editor.fill(BASELINE, goal.budget)}
    if goal.mode == "cost":
        return {EDITED: cuts, BASELINE: best_single(editor.grids["tune"], value=goal.value, cost=goal.cost)}
    return {EDITED: cuts, BASELINE: editor.snap(BASELINE, goal.aim)}
