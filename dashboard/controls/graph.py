"""What the directed-graph page shows of a run: the chosen node and everything around it."""

from __future__ import annotations

import random
from typing import Any, Literal

import pandas as pd
import streamlit as st

from dashboard import cache
from dashboard.cache import Run
from dashboard.controls import graph_summary
from dashboard.state import GRAPH
from engine.figures.graph_network import KIND_LABEL
from engine.graph import explore, readout
from engine.graph.explore import Scene

EXAMPLES = 3
LINKS = (4, 10, 16)
"""Fewest, default and most links per role in the picture."""
TRAIL_LENGTH = 50


def scene(run: Run) -> Scene:
    """Return the stored tables of a run, opened once per server."""
    opened: Scene = cache.derived(run, "scene", lambda: _open(run))
    return opened


def _open(run: Run) -> Scene:
    """Read the tables that the page draws from."""
    return Scene(run.curve("nodes"), run.curve("edges"), run.predictions, str(run.manifest["config"]["form"]))


def node_picker(shown: Scene) -> int:
    """Let the reader search a node, take an example or a random one, and go back; the node is in the address bar.

    Parameters
    ----------
    shown : Scene

    Returns
    -------
    int
        Position of the node.
    """
    key = GRAPH["node"]
    if key in st.session_state and st.session_state[key] not in shown.position:
        del st.session_state[key]
    search, buttons = st.columns([0.4, 0.6], vertical_alignment="bottom")
    with search:
        name = st.selectbox(
            "Node",
            shown.names,
            index=explore.default_node(shown),
            key=key,
            bind="query-params",
            persist_state="session",
            help="Type a part of a name. Clicking a neighbour in the picture moves here too.",
        )
    trail = visited(st.session_state.get(GRAPH["trail"], []), name, shown)
    st.session_state[GRAPH["trail"]] = trail
    with buttons, st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Back", icon=":material/arrow_back:", disabled=len(trail) < 2, on_click=_back, key="graph-back")
        st.button("Random", icon=":material/casino:", on_click=_go_random, args=(shown,), key="graph-random")
        for place, node in enumerate(explore.example_nodes(shown, EXAMPLES)):
            label = graph_summary.label(shown.names[node], limit=16)
            st.button(label, on_click=go_to, args=(shown.names[node],), key=f"graph-example-{place}", type="tertiary")
    return shown.position[name]


def visited(trail: list[str], name: str, shown: Scene) -> list[str]:
    """Add a node to the trail of visited nodes, unless it is its end; nodes of other runs fall away."""
    known = [earlier for earlier in trail if earlier in shown.position]
    return (known if known[-1:] == [name] else [*known, name])[-TRAIL_LENGTH:]


def go_to(name: str) -> None:
    """Make a node the selected one."""
    st.session_state[GRAPH["node"]] = name


def _back() -> None:
    """Return to the node before."""
    trail = st.session_state.get(GRAPH["trail"], [])[:-1]
    if trail:
        st.session_state[GRAPH["trail"]] = trail
        go_to(trail[-1])


def _go_random(shown: Scene) -> None:
    """Go to a random node that has an edge."""
    # A reader's dice, not a figure: it needs no seed.
    go_to(shown.names[random.choice(explore.linked_nodes(shown))])


def clicked_name(event: Any, shown: Scene) -> str | None:
    """Return the name of the node that a click on the picture chose.

    Parameters
    ----------
    event : mapping
        Selection event of the chart: ``{"selection": {"points": [{"customdata": [name or position]}]}}``.
    shown : Scene

    Returns
    -------
    str or None
        None if the click chose nothing, or no node of this run.
    """
    points = ((event or {}).get("selection") or {}).get("points") or []
    for point in points:
        data = point.get("customdata")
        node = data[0] if isinstance(data, list | tuple) and data else data
        if isinstance(node, str) and node in shown.position:
            return node
        if isinstance(node, int | float) and node in range(len(shown.names)):
            return shown.names[int(node)]
    return None


def follow_click(chart: str, shown: Scene) -> None:
    """Move to the node that was clicked in a chart."""
    name = clicked_name(st.session_state.get(chart), shown)
    if name is not None:
        go_to(name)


def link_controls() -> tuple[int, list[str]]:
    """Let the reader choose how many links to draw and of which kinds.

    Returns
    -------
    k : int
    kinds : list of str
        Keys of `KIND_LABEL`.
    """
    kinds_place, k_place = st.columns([0.6, 0.4], vertical_alignment="bottom")
    with kinds_place:
        kinds = st.pills(
            "Links",
            list(KIND_LABEL),
            selection_mode="multi",
            default=list(KIND_LABEL),
            format_func=KIND_LABEL.__getitem__,
            key=GRAPH["kinds"],
            bind="query-params",
            help="Observed: a training or validation edge. Held-out: a test edge, never seen in training. Prediction: "
            "no edge, but the model lists the target after the source.",
        )
    with k_place:
        least, default, most = LINKS
        k = st.slider("Links per side", least, most, default, key=GRAPH["links"], bind="query-params")
    return int(k), list(kinds)


def neighbourhood(run: Run, node: int, k: int, kinds: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the placed nodes and the links around a node."""
    shown = scene(run)
    drawn = explore.neighbourhood(shown, node, k=k, kinds=kinds)
    drawn = drawn.assign(probability=readout.direction_probability(drawn, _direction_scale(run)))
    return explore.placed_nodes(shown, node, drawn), drawn


def _direction_scale(run: Run) -> float:
    """Return the factor that turns score differences into probabilities of a direction."""
    return float(run.curve("direction_calibration")["scale"].iloc[0])


def projection(run: Run, node: int, drawn: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, tuple[float, float]]:
    """Return all nodes in both projections, the selection with its drawn neighbours, and the variance explained."""
    axes = run.curve("projection_axes")["explained_variance"]
    points = cache.derived(run, "projection", lambda: run.curve("projection").assign(name=scene(run).names))
    marked = readout.marked_points(points, node, drawn)
    return points, marked, (float(axes.iloc[0]), float(axes.iloc[1]))


def ranked_list(run: Run, node: int, role: Literal["target", "source"]) -> pd.DataFrame:
    """Return one ranked list, written out for reading."""
    table = readout.ranked_list(scene(run), node, role)
    marks = zip(table["is_hit"], table["reverse"] != "none", strict=True)
    return pd.DataFrame(
        {
            "#": table["place"],
            "Node": table["name"],
            "Score": table["score"],
            "Its rank": table["rank"],
            "Back": table["back_score"],
            "Rank back": table["back_rank"],
            "Edge": [f"{'✓' if is_hit else ''}{'←' if has_reverse else ''}" for is_hit, has_reverse in marks],
        }
    )


def compared_lists(run: Run, node: int) -> dict[str, pd.DataFrame]:
    """Return the targets that the shown form, the single embedding and popularity list, by method."""
    shown = scene(run)
    return {
        method: pd.DataFrame(
            {"#": rows["place"], "Node": rows["name"], "Edge": rows["is_hit"].map({True: "held-out", False: ""})}
        )
        for method, rows in readout.compared_lists(shown, node, (shown.form, "single", "popularity")).items()
    }


def asymmetry(run: Run, node: int, part: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the known edges of one part of the split with both scores, and those of the selected node among them."""
    return readout.asymmetry(scene(run), node, part)
