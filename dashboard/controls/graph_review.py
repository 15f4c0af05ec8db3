"""The asymmetry review: who judges, which pairs wait, and which of them lies on the desk."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard.cache import Run
from dashboard.controls import graph
from dashboard.controls.graph_review_text import CHOSEN_HELP, QUEUE_LABEL, SHOW_LABEL
from dashboard.state import REVIEW
from engine.figures.graph_network import KIND_LABEL
from engine.graph.explain import explain_edges
from engine.graph.explore import Scene
from engine.graph.review import REVIEWER_LIMIT, ReviewStore, current
from engine.graph.review_pairs import Queue, category_shares, queue_of, review_pairs, support_column
from engine.graph.review_summary import matched

_ANY = "All categories"


@dataclass(frozen=True, slots=True)
class Material:
    """What the review of a run is made of; the same for all reviewers."""

    scene: Scene
    explained: pd.DataFrame
    pairs: pd.DataFrame
    """From `review_pairs.review_pairs`."""
    names: pd.DataFrame
    """``source, target``: names of the pairs' nodes as verdicts are stored with them."""
    scores: pd.DataFrame | None
    """``pair, method, score, back_score, rank, back_rank``; None where the run holds none."""
    shares: pd.DataFrame
    """From `review_pairs.category_shares`."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What lies before one reviewer."""

    run: Run
    material: Material
    reviewer: str
    """Empty as long as nobody has said who reviews."""
    name: Queue
    whole: pd.DataFrame
    """The chosen queue after the filters."""
    queue: pd.DataFrame
    """Those of them to show: all, not yet judged by the reviewer, or judged."""
    verdicts: pd.DataFrame
    """From `review_summary.matched`: of all reviewers on all pairs of the run."""
    own: dict[int, str]
    """Pair to the reviewer's verdict."""
    at: int | None
    """Pair on the desk; None if the queue is empty."""

    @property
    def done(self) -> int:
        """Return how many pairs of the queue the reviewer has judged."""
        return int(self.whole.index.isin(list(self.own)).sum())


def material(run: Run) -> Material:
    """Return what the review of a run is made of, gathered once per server."""
    gathered: Material = cache.derived(run, "review", lambda: _gather(run))
    return gathered


def _gather(run: Run) -> Material:
    """Choose and describe the pairs."""
    scene = graph.scene(run)
    explained = explain_edges(scene.edges, in_degree=scene.nodes["in_degree"].to_numpy())
    pairs = review_pairs(scene, explained)
    name = scene.nodes["name"].astype(str).to_numpy()
    names = pd.DataFrame({side: name[pairs[side]] for side in ("source", "target")}, index=pairs.index)
    scores = None
    if "review_scores" in run.manifest["curves"]:
        numbered = pairs[["source", "target"]].reset_index(names="pair")
        scores = run.curve("review_scores").merge(numbered, on=["source", "target"])
    return Material(scene, explained, pairs, names, scores, category_shares(scene))


def store() -> ReviewStore:
    """Return the store of verdicts: beside the user's own runs, unless the environment names another file."""
    named = os.environ.get("RECOMMENDER_LENS_REVIEWS")
    return ReviewStore(Path(named) if named else cache.run_folders()[-1] / "reviews.sqlite")


def open_desk(run: Run) -> Desk:
    """Draw the choices of the review and return what lies on the desk.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Desk

    Raises
    ------
    EngineError
        If the store of verdicts cannot be read.
    """
    parts = material(run)
    verdicts = matched(current(store().history(run.id)), parts.names)
    reviewer, queue, show = _who_and_what()
    whole = _filtered(parts, queue)
    mine = verdicts[verdicts["reviewer"] == reviewer]
    own = dict(zip(mine["pair"].astype(int), mine["verdict"].astype(str), strict=True))
    is_done = whole.index.isin(list(own))
    shown = {"open": whole[~is_done], "done": whole[is_done]}.get(show, whole)
    return Desk(run, parts, reviewer, queue, whole, shown, verdicts, own, _pair_on_desk(run, shown, own))


def _who_and_what() -> tuple[str, Queue, str]:
    """Ask for the reviewer, the queue, and which of its pairs to show."""
    # What stands side by side in a wide window wraps in a narrow one: a cut choice cannot be read.
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        name = st.text_input(
            "Reviewer",
            key=REVIEW["reviewer"],
            max_chars=REVIEWER_LIMIT,
            placeholder="Your name",
            bind="query-params",
            persist_state="session",
            width=170,
            help="Kept with every verdict; your latest on a pair counts. The name stands in the address: change it "
            "if the link comes from a colleague.",
        )
        queue = _one_of("Pairs", QUEUE_LABEL, REVIEW["queue"], CHOSEN_HELP)
        show = _one_of("Show", SHOW_LABEL, REVIEW["show"])
    return " ".join(unicodedata.normalize("NFC", name or "").split()), queue, show


def _one_of(label: str, options: Mapping[Any, str], key: str, note: str | None = None) -> Any:
    """Let the reader choose one option; the first stands at the start."""
    return st.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        default=next(iter(options)),
        required=True,
        key=key,
        help=note,
        bind="query-params",
        persist_state="session",
        width="content",
    )


def _filtered(parts: Material, queue: Queue) -> pd.DataFrame:
    """Offer the filters and return the pairs of the queue that pass them."""
    inside = queue_of(parts.pairs, queue)
    counts = pd.concat([inside["source_category"], inside["target_category"]]).value_counts()
    options = [_ANY, *sorted(counts.index.astype(str))]
    if st.session_state.get(REVIEW["category"], _ANY) not in options:
        del st.session_state[REVIEW["category"]]
    column = support_column(parts.scene.edges)
    kept: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        category = st.selectbox("Category of either node", options, key=REVIEW["category"], width=260, **kept)
        kinds = st.pills(
            "Kind of pair",
            list(KIND_LABEL),
            format_func=lambda kind: KIND_LABEL[kind].removesuffix(" edge"),
            selection_mode="multi",
            default=list(KIND_LABEL),
            key=REVIEW["kinds"],
            width="content",
            help="Observed: training knew an edge between the two. Held-out: only the test edges have one. "
            "Prediction: no edge, but the model recommends one after the other.",
            **kept,
        )
        score = st.number_input("Lowest score", value=None, step=0.5, placeholder="any", key=REVIEW["score"], width=140)
        support = st.number_input(
            "Least support",
            value=None,
            min_value=0,
            placeholder="any",
            disabled=column is None,
            key=REVIEW["support"],
            width=140,
            help=f"Evidence column: {column.replace('_', ' ')}."
            if column
            else "The data count no support for an edge.",
        )
    rows = queue_of(
        parts.pairs,
        queue,
        category=None if category == _ANY else category,
        min_score=float("-inf") if score is None else float(score),
        min_support=float(support or 0) if column else 0.0,
        kinds=tuple(kinds),
    )
    return rows if kinds else rows.iloc[:0]


def put_on_desk(run_id: str, pair: int) -> None:
    """Choose a pair of a run."""
    st.session_state[REVIEW["pair"]] = (run_id, pair)


def _pair_on_desk(run: Run, queue: pd.DataFrame, own: dict[int, str]) -> int | None:
    """Return the chosen pair if it is in the queue, else the first that is not judged, else the first."""
    chosen_run, chosen = st.session_state.get(REVIEW["pair"], ("", -1))
    if chosen_run == run.id and chosen in queue.index:
        return int(chosen)
    waiting = [int(pair) for pair in queue.index if pair not in own]
    return waiting[0] if waiting else (int(queue.index[0]) if len(queue) else None)


__all__ = ["Desk", "Material", "material", "open_desk", "put_on_desk", "store"]
