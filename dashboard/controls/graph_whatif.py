"""What one edge would change: pickers, and the answers of evidence and model, written out for reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard.cache import Run
from dashboard.controls.graph_review_text import chance
from dashboard.state import WHAT_IF
from engine.graph import pair_evidence, whatif
from engine.graph.explore import Scene

WAYS = {"forward": "From the selected node", "backward": "To the selected node"}
FIRST = 10
"""Places of the list of recommendations that is shown before and after."""
_EVIDENCE = {
    "edge": "Edge this way",
    "edge_back": "Edge the other way",
    "shared_targets": "Shared targets",
    "shared_sources": "Shared sources",
    "two_steps": "Ways in two steps",
    "two_steps_back": "Ways in two steps, the other way",
    "cocitation": "Co-citation",
    "cocitation_back": "Co-citation, the other way",
    "out_degree": "Edges out of the source",
    "in_degree": "Edges into the source",
    "target_out_degree": "Edges out of the target",
    "target_in_degree": "Edges into the target",
}
_STATUS = {
    "train": "a training edge",
    "validation": "a validation edge, which carries no messages yet",
    "test": "a held-out edge, which training never saw",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one edge would change."""

    step: str
    """add or drop."""
    source: int
    target: int
    model: pd.DataFrame
    """See `whatif.model_table`."""
    evidence: pd.DataFrame
    """Columns ``What, Before, After, Difference``."""
    first: pd.DataFrame
    """The source's first recommendations before and after, side by side."""
    status: str
    """What the pair is before: a training edge, a held-out one, or no known edge."""
    counts: pd.DataFrame
    """What the input says of the pair, per direction; empty if it is no known edge."""


def opened(run: Run) -> whatif.Encoded:
    """Return the arrays of a run, opened once per server.

    Raises
    ------
    RunError
        If the run cannot answer.
    """
    arrays: whatif.Encoded = cache.derived(run, "what if", lambda: whatif.opened(run))
    return arrays


def pair_picker(shown: Scene, encoded: whatif.Encoded, node: int) -> tuple[int, int] | None:
    """Let the reader choose the other end of an edge at a node, and which way it points.

    Parameters
    ----------
    shown : Scene
    encoded : Encoded
    node : int
        The selected node.

    Returns
    -------
    tuple of int or None
        Source and target; None if the other end is the node itself.
    """
    key = WHAT_IF["other"]
    if key in st.session_state and st.session_state[key] not in shown.position:
        del st.session_state[key]
    left, right = st.columns([0.5, 0.5], vertical_alignment="bottom")
    with left:
        name: Any = st.selectbox(
            "Other end of the edge",
            shown.names,
            index=default_other(shown, encoded, node),
            key=key,
            bind="query-params",
            help="The selected node of the page is one end. A training edge is dropped, any other pair is added.",
        )
    with right:
        way = st.segmented_control(
            "The edge points",
            list(WAYS),
            format_func=WAYS.__getitem__,
            default="forward",
            required=True,
            key=WHAT_IF["way"],
            bind="query-params",
        )
    other = shown.position[name]
    if other == node:
        return None
    return (node, other) if way == "forward" else (other, node)


def default_other(shown: Scene, encoded: whatif.Encoded, node: int) -> int:
    """Return the other end to start with: what the model recommends first, or any other node."""
    best = whatif.first_targets(encoded, node, 1)
    return int(best[0]) if len(best) else int(node == 0)


def answer(run: Run, shown: Scene, encoded: whatif.Encoded, pair: tuple[int, int]) -> Answer:
    """Return what the edge of a pair would change.

    Parameters
    ----------
    run : Run
    shown : Scene
    encoded : Encoded
    pair : tuple of int
        Source and target.

    Returns
    -------
    Answer
    """
    source, target = pair
    step, before, after = whatif.changed(encoded, source, target)
    counts = pair_evidence.input_counts(shown.edges, source, target)
    return Answer(
        step=step,
        source=source,
        target=target,
        model=whatif.model_table(before, after, source, target),
        evidence=_evidence_table(pair_evidence.evidence(before, *pair), pair_evidence.evidence(after, *pair)),
        first=_first_table(shown, before, after, source),
        status=_status(counts),
        counts=_counts_table(counts, shown, pair),
    )


def _evidence_table(before: dict[str, int], after: dict[str, int]) -> pd.DataFrame:
    """Write the counts out, one per row."""
    return pd.DataFrame(
        {
            "What": [_EVIDENCE[name] for name in before],
            "Before": list(before.values()),
            "After": list(after.values()),
            "Difference": [after[name] - before[name] for name in before],
        }
    )


def _first_table(shown: Scene, before: whatif.Encoded, after: whatif.Encoded, source: int) -> pd.DataFrame:
    """Put the first recommendations of the source before and after side by side."""
    lists = [[shown.names[node] for node in whatif.first_targets(state, source, FIRST)] for state in (before, after)]
    length = max(map(len, lists))
    columns = [entries + [""] * (length - len(entries)) for entries in lists]
    places = {name: place for place, name in enumerate(lists[0], start=1)}
    moved = [_moved(places.get(name), place) if name else "" for place, name in enumerate(columns[1], start=1)]
    return pd.DataFrame({"#": range(1, length + 1), "Before": columns[0], "After": columns[1], "Moved": moved})


def _moved(earlier: int | None, place: int) -> str:
    """Say how a place in a list has changed."""
    if earlier is None:
        return "new"
    return "" if earlier == place else f"▲ {earlier - place}" if earlier > place else f"▼ {place - earlier}"


def _status(counts: pd.DataFrame) -> str:
    """Say what a pair is in the data, as it points."""
    split = counts.loc[counts["way"] == "forward", "split"].astype(str).tolist()
    return _STATUS[split[0]] if split else "no known edge"


def _counts_table(counts: pd.DataFrame, shown: Scene, pair: tuple[int, int]) -> pd.DataFrame:
    """Name the directions of a pair by its nodes."""
    source, target = (shown.names[node] for node in pair)
    names = {"forward": f"{source} → {target}", "backward": f"{target} → {source}"}
    rest = counts.drop(columns="way").rename(columns=lambda name: str(name).replace("_", " ").capitalize())
    rest.insert(0, "Edge", counts["way"].map(names).astype(str))
    return rest


def difference(quantity: str, before: float, after: float) -> str:
    """Write a difference with its sign: of scores, of ranks (fewer is better) or of probabilities.

    Examples
    --------
    >>> difference("score", 1.0, 1.5), difference("rank", 12.0, 3.0), difference("rank", 3.0, 3.0)
    ('+0.50', '−9', '±0')
    >>> difference("direction", 0.5, 0.625)
    '+0.12'
    """
    gap = after - before
    size = shown_value("rank" if quantity == "rank" else "score", abs(gap))
    if float(size.replace(",", "")) == 0:
        return "±0"
    return f"{'+' if gap > 0 else '−'}{size}"


def shown_value(quantity: str, value: float) -> str:
    """Write a score with two decimals, a probability as elsewhere, a rank with a decimal only where it is tied."""
    if quantity == "score":
        return f"{value:.2f}"
    return chance(value) if quantity == "direction" else f"{value:,.1f}".removesuffix(".0")
