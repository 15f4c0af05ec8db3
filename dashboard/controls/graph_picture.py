"""What to draw around a node of a graph: the reader's choices, and the tables that follow from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard.cache import Run
from dashboard.controls import graph
from dashboard.state import GRAPH
from engine.figures.graph_network import KIND_LABEL
from engine.graph import explore, readout
from engine.graph.explore import Filters, Scene
from engine.graph.neighbourhood import BRANCHES, MOST_NODES, neighbourhood

LINKS = (4, 10, 16)
"""Fewest, default and most links per role in the picture."""
COLORS = {"role": "Role", "category": "Category", "degree": "Number of edges"}
TEXTS = {"name": "Name", "category": "Name and category", "degree": "Name and edges in/out"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the reader wants to see around a node."""

    k: int
    hops: int
    filters: Filters
    color_by: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The tables behind the picture of a neighbourhood."""

    nodes: pd.DataFrame
    links: pd.DataFrame
    badge: str
    """How much of what there is is drawn."""
    empty: str
    """What to say if nothing is."""


def link_controls(shown: Scene) -> Choice:
    """Let the reader choose what to draw: the frequent choices in a row, the others behind a button.

    Parameters
    ----------
    shown : Scene

    Returns
    -------
    Choice
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kinds = st.pills(
            "Links",
            list(KIND_LABEL),
            selection_mode="multi",
            default=list(KIND_LABEL),
            format_func=KIND_LABEL.__getitem__,
            key=GRAPH["kinds"],
            bind="query-params",
            width="content",
            help="Observed: a training or validation edge. Held-out: a test edge, never seen in training. Prediction: "
            "no edge, but the model lists the target after the source.",
        )
        hops = st.segmented_control(
            "Steps",
            [1, 2],
            default=1,
            required=True,
            key=GRAPH["hops"],
            bind="query-params",
            width="content",
            help=f"2 adds, outside, up to {BRANCHES} sources of every source and {BRANCHES} targets of every target.",
        )
        least, default, most = LINKS
        k = st.slider("Links per side", least, most, default, key=GRAPH["links"], bind="query-params", width=190)
        with st.popover("Filter, colour, label", icon=":material/filter_alt:", key="graph-filters"):
            least_score, categories, relations = _filter_controls(shown)
            color_by, text = _look_controls()
    filters = Filters(
        kinds=tuple(kinds), least_score=least_score, categories=tuple(categories), relations=tuple(relations)
    )
    return Choice(k=int(k), hops=int(hops or 1), filters=filters, color_by=color_by, text=text)


def _filter_controls(shown: Scene) -> tuple[float, list[str], list[str]]:
    """Draw the filters: least score, category, and relation where the input has one."""
    low, high = (float(value) for value in (shown.edges["score"].min(), shown.edges["score"].max()))
    least, most = float(math.floor(low)), float(max(math.ceil(high), math.floor(low) + 1))
    _settle_score(least, most)
    # The left end is the default of a slider without a value; with one, the state must not be set.
    score = st.slider(
        "Least score",
        least,
        most,
        step=0.5,
        key=GRAPH["score"],
        bind="query-params",
        help="Links below this score, as they point, are left out. At the left end nothing is.",
    )
    categories = st.multiselect(
        "Categories of the neighbours", shown.categories, key=GRAPH["category"], bind="query-params", placeholder="All"
    )
    relations = []
    if shown.relations:
        relations = st.multiselect(
            "Relations",
            shown.relations,
            key=GRAPH["relation"],
            bind="query-params",
            placeholder="All",
            help="Of known edges; predictions have no relation and stay.",
        )
    return (-math.inf if score <= least else float(score)), categories, relations


def _settle_score(least: float, most: float) -> None:
    """Keep the least score within the scale of this run: the left end, or what the address asks, clamped."""
    key, scale = GRAPH["score"], (least, most)
    # Streamlit keeps the value of a slider whose ends change, and fails on it in the next run of the tab; a value in
    # the address it reads again itself.
    if st.session_state.get(GRAPH["score_scale"], scale) != scale:
        st.session_state[key] = least
    elif key in st.session_state and not least <= st.session_state[key] <= most:
        st.session_state[key] = min(max(st.session_state[key], least), most)
    st.session_state[GRAPH["score_scale"]] = scale


def _look_controls() -> tuple[str, str]:
    """Draw the choices of colour and label."""
    color_by = st.segmented_control(
        "Colour nodes by",
        list(COLORS),
        format_func=COLORS.__getitem__,
        default="role",
        required=True,
        key=GRAPH["node_color"],
        bind="query-params",
    )
    text = st.segmented_control(
        "Label nodes by",
        list(TEXTS),
        format_func=TEXTS.__getitem__,
        default="name",
        required=True,
        key=GRAPH["node_text"],
        bind="query-params",
    )
    return str(color_by), str(text)


def picture(run: Run, node: int, choice: Choice) -> Picture:
    """Return the placed nodes and the links around a node, kept for the readers that come back to it.

    Parameters
    ----------
    run : Run
    node : int
    choice : Choice

    Returns
    -------
    Picture
    """
    shown = graph.scene(run)
    around = neighbourhood(shown, node, k=choice.k, hops=choice.hops, filters=choice.filters)
    links = around.links.assign(probability=readout.direction_probability(around.links))
    nodes = around.nodes
    marked = nodes["node"].isin(st.session_state.get(GRAPH["lasso"], []))
    nodes = nodes.assign(is_marked=marked, text=_node_texts(nodes, choice.text))
    (first, second), (found, beyond) = around.drawn, around.found
    badge = f"Showing **{first} of {found}** neighbours"
    if choice.hops == 2:
        badge += f" and **{second} of {beyond}** nodes behind them, {MOST_NODES} nodes at most"
    badge += (
        f": per side the top {choice.k} by score, observed, held-out and predicted in turn, edges both ways first"
        if first < found
        else ""
    )
    return Picture(nodes=nodes, links=links, badge=f"{badge}.", empty=_why_empty(shown, node) if links.empty else "")


def _node_texts(nodes: pd.DataFrame, text: str) -> pd.Series:
    """Return what stands beside every node."""
    name = nodes["name"].astype(str)
    if text == "category":
        return name + " · " + nodes["category"].astype(str)
    if text == "degree":
        return name + " · " + nodes["in_degree"].astype(str) + "/" + nodes["out_degree"].astype(str)
    return name


def _why_empty(shown: Scene, node: int) -> str:
    """Say what to do where nothing passes the filters."""
    count = explore.links(shown, node)["other"].nunique()
    if not count:
        return "No link is known or predicted at this node."
    return f"None of {count} neighbours passes: choose more kinds of links, or widen the filters."


def takeaway(drawn: Picture, name: str) -> str:
    """Say what a picture shows, for screen readers: its neighbours by role and its links by kind.

    Parameters
    ----------
    drawn : Picture
    name : str
        The node in the middle.

    Returns
    -------
    str
    """
    around = drawn.nodes[drawn.nodes["hop"] > 0]
    both = int(around["is_two_way"].sum())
    apart = around[~around["is_two_way"]]
    # The sources stand on the left.
    sources = int((apart["x"] < 0).sum())
    kinds = drawn.links["kind"].value_counts()
    links = ", ".join(f"{int(kinds.get(kind, 0))} {label.lower()}s" for kind, label in KIND_LABEL.items())
    return f"{name} with {sources} sources, {len(apart) - sources} targets and {both} linked both ways; {links}"
