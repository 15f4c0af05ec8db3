"""Sliders of the threshold editor: where their positions come from and where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard.cache import Run
from dashboard.state import UNCERTAINTY as KEY
from engine.uncertainty.editor import Editor
from engine.uncertainty.names import BASELINE

SNAP_METHODS = {
    "mist": "MIST (isotonic per bucket)",
    "exact_dp": "Exact program",
    "monotone_dp": "Exact, rising with uncertainty",
    "greedy": "Greedy per bucket",
    "single_threshold": "One threshold",
}
"""Ways to place the thresholds."""
EDITED = "edited"
"""Name of the boundary that the reader moves."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the page shows: one scorer of one run at one precision target."""

    run: Run
    scorer: str
    target: float
    editor: Editor


def forget_cuts() -> None:
    """Place the thresholds anew: score, target or method have changed."""
    st.session_state[KEY["cuts"]] = None


def snap_method() -> str:
    """Let the reader choose how thresholds are placed; choosing places them."""
    method = st.selectbox(
        "Snap to optimum by",
        list(SNAP_METHODS),
        format_func=SNAP_METHODS.__getitem__,
        key=KEY["method"],
        bind="query-params",
        on_change=forget_cuts,
    )
    return method if method in SNAP_METHODS else "mist"


def snap_button() -> None:
    """Offer to place the thresholds at the optimum again after moving them."""
    st.button("Snap", key="uncertainty-snap", on_click=forget_cuts, icon=":material/target:", width="stretch")


def edited_cuts(choice: Choice, method: str) -> list[int]:
    """Draw one slider per bucket and one for all; return the cuts they stand for.

    The thresholds come from the address bar when a page opens, from the solver when score, target
    or method change, and from the sliders otherwise.
    """
    editor = choice.editor
    optimum = editor.snap(method, choice.target)
    _prepare_cuts(choice, optimum)
    options = list(range(editor.layout.shape[1], -1, -1))
    st.select_slider(
        "Move all",
        options,
        format_func=editor.labels.__getitem__,
        key=KEY["all"],
        on_change=_move_all,
        args=(editor.n_buckets,),
        help="Gives every bucket the same threshold: what a rule on the score alone can do.",
    )
    cuts = []
    for bucket, (name, n) in enumerate(zip(editor.bucket_labels(), editor.bucket_rows("tune"), strict=True)):
        label = f"Uncertainty {name} · n {n:,}"
        cuts.append(st.select_slider(label, options, format_func=editor.labels.__getitem__, key=slider_key(bucket)))
    st.session_state[KEY["cuts"]] = cuts
    _write_address(editor, cuts, optimum)
    return cuts


def slider_key(bucket: int) -> str:
    """Return the key of a bucket's slider."""
    return f"{KEY['slider']}-{bucket + 1}"


def _prepare_cuts(choice: Choice, optimum: Sequence[int]) -> None:
    """Give the sliders their positions before they are drawn, where something else than a slider moved them."""
    state, editor = st.session_state, choice.editor
    identity = (choice.run.id, choice.run.manifest["created"], choice.scorer)
    cuts = state.get(KEY["cuts"])
    if state.get(KEY["edited"]) is None:
        cuts = _cuts_in_address(editor)
    elif state[KEY["edited"]] != identity:
        cuts = None
    state[KEY["edited"]] = identity
    placed = cuts is not None and len(cuts) == editor.n_buckets
    keys = [slider_key(bucket) for bucket in range(editor.n_buckets)]
    if placed and all(key in state for key in (*keys, KEY["all"])):
        return
    cuts = list(cuts) if placed and cuts is not None else list(optimum)
    for key, cut in zip(keys, cuts, strict=True):
        state[key] = cut
    state[KEY["all"]] = sorted(cuts)[len(cuts) // 2]


def _move_all(n_buckets: int) -> None:
    """Give every bucket the threshold of the common slider."""
    for bucket in range(n_buckets):
        st.session_state[slider_key(bucket)] = st.session_state[KEY["all"]]


def _cuts_in_address(editor: Editor) -> list[int] | None:
    """Read the thresholds from the address bar, if they belong to this score."""
    texts = st.query_params.get(KEY["thresholds"], "").split(",")
    cuts = [editor.cut_of(text) for text in texts]
    known = [cut for cut in cuts if cut is not None]
    return known if len(known) == len(cuts) == editor.n_buckets else None


def _write_address(editor: Editor, cuts: Sequence[int], optimum: Sequence[int]) -> None:
    """Keep thresholds that differ from the optimum in the address bar."""
    name = KEY["thresholds"]
    text = ",".join(editor.labels[cut] for cut in cuts)
    if list(cuts) == list(optimum):
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != text:
        st.query_params[name] = text


def boundaries(choice: Choice, cuts: Sequence[int]) -> dict[str, Sequence[int]]:
    """Return the reader's boundary and the best single threshold beside it."""
    return {EDITED: cuts, BASELINE: choice.editor.snap(BASELINE, choice.target)}
