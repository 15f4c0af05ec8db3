"""Move through a graph: find a node, go back and forward, see the way in between."""

from __future__ import annotations

import random

import streamlit as st

from dashboard.controls import graph, graph_summary
from dashboard.controls.graph_trail import Trail
from dashboard.state import GRAPH
from engine.graph import explore
from engine.graph.explore import SEPARATOR, Scene

EXAMPLES = 3
"""Most examples."""
_EXAMPLE_LIMIT = 12
"""Most characters of one."""
CRUMBS = 6
"""Most visited nodes that are shown."""


def node_picker(shown: Scene) -> int:
    """Let the reader search a node, take an example or a random one, and go back and forward.

    Parameters
    ----------
    shown : Scene

    Returns
    -------
    int
        Position of the node; it is in the address bar.
    """
    _settle(shown)
    search, buttons = st.columns([0.34, 0.66], vertical_alignment="bottom")
    with search:
        name = st.selectbox(
            "Node",
            shown.names,
            format_func=shown.search_texts.__getitem__,
            key=GRAPH["node"],
            bind="query-params",
            persist_state="session",
            help="Type a part of a name or of an id. Clicking a neighbour in the picture moves here too.",
        )
    trail = st.session_state.get(GRAPH["trail"], Trail()).within(shown.position).visited(name)
    st.session_state[GRAPH["trail"]] = trail
    with buttons, st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for step, label, icon, is_open in (
            (-1, "Back", ":material/arrow_back:", trail.can_go_back),
            (1, "Forward", ":material/arrow_forward:", trail.can_go_forward),
        ):
            st.button(
                label, icon=icon, disabled=not is_open, on_click=_step, args=(step,), key=f"graph-{label.lower()}"
            )
        st.button("Random", icon=":material/casino:", on_click=_go_random, args=(shown,), key="graph-random")
        for place, node in enumerate(_examples(shown)):
            label = graph_summary.label(shown.names[node], limit=_EXAMPLE_LIMIT)
            st.button(
                label, on_click=graph.go_to, args=(shown.names[node],), key=f"graph-example-{place}", type="tertiary"
            )
    _breadcrumb(trail)
    return shown.position[name]


def _examples(shown: Scene) -> list[int]:
    """Return example nodes, as many as have room beside the buttons."""
    nodes, room = [], 3 * _EXAMPLE_LIMIT - 8
    for node in explore.example_nodes(shown, EXAMPLES):
        room -= min(len(shown.names[node]), _EXAMPLE_LIMIT)
        if room >= 0:
            nodes.append(node)
    return nodes


def current_node(shown: Scene) -> int:
    """Return the position of the node that is chosen, where the search itself is not drawn.

    Parameters
    ----------
    shown : Scene

    Returns
    -------
    int
    """
    _settle(shown)
    return shown.position[st.session_state[GRAPH["node"]]]


def _settle(shown: Scene) -> None:
    """Have a node of this run chosen: the reader's, or the one in the address bar, by name or id, or the default."""
    key = GRAPH["node"]
    if st.session_state.get(key) in shown.position:
        return
    asked = st.query_params.get(key, "")
    words = (asked, asked.rpartition(SEPARATOR)[0], asked.rpartition(SEPARATOR)[2])
    places = [known[word] for known in (shown.position, shown.position_of_id) for word in words if word in known]
    st.session_state[key] = shown.names[places[0] if places else explore.default_node(shown)]


def _breadcrumb(trail: Trail) -> None:
    """Show the way of the reader; every node on it leads there."""
    places = trail.around(CRUMBS)
    if len(trail.names) < 2:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        before = f"{places.start} earlier ›" if places.start else ""
        st.caption(f"Visited: {before}", width="content")
        for place in places:
            name = graph_summary.label(trail.names[place], limit=24)
            st.button(
                f"**{name}**" if place == trail.at else name,
                on_click=_step,
                args=(place - trail.at,),
                key=f"graph-crumb-{place}",
                type="tertiary",
                disabled=place == trail.at,
            )


def _step(step: int) -> None:
    """Go back or forward on the way."""
    trail = st.session_state.get(GRAPH["trail"], Trail()).stepped(step)
    st.session_state[GRAPH["trail"]] = trail
    if trail.here is not None:
        graph.go_to(trail.here)


def _go_random(shown: Scene) -> None:
    """Go to a random node that has an edge."""
    # A reader's dice, not a figure: it needs no seed.
    graph.go_to(shown.names[random.choice(explore.linked_nodes(shown))])
