"""One node of a directed graph: its arrows, its two lists, its two places on the map, and what else is known of it."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import first_paint, graph, graph_explore, graph_picture, graph_summary
from dashboard.glossary import TERMS
from dashboard.state import GRAPH
from dashboard.views import graph_projection, graph_sampled, graph_whatif
from engine.figures.graph_network import neighbourhood
from engine.figures.theme import METHOD_LABEL

_TABS = ("Map", "Other methods", "Neighbours drawn", "What if")


def draw(run: Run) -> None:
    """Draw the tab.

    Parameters
    ----------
    run : Run
    """
    shown = graph.scene(run)
    node = graph_explore.node_picker(shown)
    choice = graph_picture.link_controls(shown)
    picture = graph_picture.picture(run, node, choice)
    name = graph_summary.label(shown.names[node])
    _network(run, shown, node, name, choice, picture)
    _lists(run, node, name)
    if st.session_state.get(GRAPH["painted"]) is False:
        first_paint.wait("graph-first-paint", _painted, height=430)
        return
    _details(run, shown, node, name, picture)


def _painted() -> None:
    """Note that the first chart of this session is drawn, so that all of the tab can follow."""
    st.session_state[GRAPH["painted"]] = True


def _details(run: Run, shown: Any, node: int, name: str, picture: graph_picture.Picture) -> None:
    """Draw the tab on the node that is open."""
    on_map, methods, sampled, what_if = st.tabs(
        list(_TABS), key=GRAPH["detail"], on_change="rerun", bind="query-params"
    )
    if on_map.open:
        with on_map:
            # What is circled here is marked above, too.
            graph_projection.draw(run, shown, node, name, picture.links)
    if methods.open:
        with methods:
            _other_methods(run, node, name)
    if sampled.open:
        with sampled:
            graph_sampled.draw(run, node, name)
    if what_if.open:
        with what_if:
            _what_if(run, node, name)


@st.fragment
def _what_if(run: Run, node: int, name: str) -> None:
    """Ask what an edge changes; the answer changes nothing above."""
    graph_whatif.draw(run, node, name)


def _network(
    run: Run, shown: Any, node: int, name: str, choice: graph_picture.Choice, picture: graph_picture.Picture
) -> None:
    """Draw the neighbourhood; a click on a node moves there."""
    # The centre is part of the key: with a constant one the old selection would stay on the new picture.
    key = f"{GRAPH['network']}-{run.id}-{node}"
    layout.chart_card(
        neighbourhood(picture.nodes, picture.links, color_by=choice.color_by, empty=picture.empty),
        picture.links,
        key=key,
        title=f"Around {name}: what leads to it on the left, what it leads to on the right",
        how_to_read=_HOW_TO_READ,
        alt=graph_picture.takeaway(picture, name),
        on_select=lambda: graph.follow_click(key, shown),
    )
    st.caption(f"{picture.badge} Click a node to move there.")


def _lists(run: Run, node: int, name: str) -> None:
    """Show what to recommend after the node, and what it is recommended after."""
    titles: dict[Literal["target", "source"], str] = {
        "target": f"What to recommend after {name}",
        "source": f"What {name} is recommended after",
    }
    for column, (role, title) in zip(st.columns([0.475, 0.525]), titles.items(), strict=True):
        with column, st.container(border=True):
            st.markdown(f"**{title}**", help=_LIST_HELP[role])
            st.dataframe(
                graph.ranked_list(run, node, role),
                hide_index=True,
                width="stretch",
                height="content",
                column_config=_LIST_COLUMNS,
            )


def _other_methods(run: Run, node: int, name: str) -> None:
    """List what other methods recommend after the same node."""
    lists = graph.compared_lists(run, node)
    st.markdown(
        f"What to recommend after **{name}**, by method",
        help="✓ a held-out edge that the method found; = our list holds it too. Training and validation edges are left "
        "out of every list. One node says little: under *How good is it?* stand the figures over all test edges.",
    )
    for column, (method, (found, table)) in zip(st.columns(max(len(lists), 1)), lists.items(), strict=False):
        with column, st.container(border=True):
            st.markdown(f"**{METHOD_LABEL[method]}**", help=TERMS[method].help())
            st.caption(found)
            st.dataframe(table, hide_index=True, width="stretch", height="content", column_config=_COMPARED_COLUMNS)


_HOW_TO_READ = (
    "**Blue arrows** come in from sources, **orange arrows** lead to targets. **Purple pairs** are known edges both "
    "ways. Solid: observed edge. Dotted: held-out edge, never seen in training. Dashed: predicted, no edge known. "
    "Where one way is known and the other only predicted, two bent arrows in the colours of the roles show both. With "
    "two steps, what leads to a source stands outside it on the left, what follows a target outside it on the right; "
    "each stands once, at its best link, and links among drawn neighbours are left out. "
    "Click a node to move there; hover the middle of an arrow for its "
    f"scores and ranks in both directions.  \n**Score**: {TERMS['edge_score'].help()}  \n**Points this way**: "
    f"{TERMS['direction_probability'].help()}  \n**Reciprocity**: {TERMS['reciprocity'].help()}"
)
_LIST_MARKS = (
    "P: probability that the pair points as listed. Back and Back # belong to the opposite direction. ✓ a held-out "
    "edge that the model found; ← the opposite direction is a known edge; ◎ in the lasso. Training and validation "
    "edges are left out, as in the evaluation."
)
_LIST_HELP = {
    "target": f"The targets with the best scores; a target's rank is its place. {_LIST_MARKS}",
    "source": f"The sources with the best scores. {_LIST_MARKS}",
}
_LIST_COLUMNS: dict[str, Any] = {
    "#": st.column_config.NumberColumn(width=26, help="Place in this list."),
    "Node": st.column_config.TextColumn(width=108, help="A click on a cell shows the whole name."),
    "Score": st.column_config.NumberColumn(width=44, format="%.2f", help=TERMS["edge_score"].help()),
    "Rank": st.column_config.NumberColumn(
        width=44, format="localized", help="Where the selected node stands in the source's own list of targets."
    ),
    "P": st.column_config.TextColumn(width=46, help=f"From source to target. {TERMS['direction_probability'].help()}"),
    "Back": st.column_config.NumberColumn(width=44, format="%.2f", help="Score of the opposite direction."),
    "Back #": st.column_config.NumberColumn(width=48, format="localized", help="Rank in the opposite direction."),
    "Edge": st.column_config.TextColumn(
        width=38, help="✓ held-out edge, ← the opposite direction is an edge, ◎ in the lasso."
    ),
}
_COMPARED_COLUMNS: dict[str, Any] = {
    "#": st.column_config.NumberColumn(width=30, help="Place in this list."),
    "Edge": st.column_config.TextColumn(width=42, help="✓ held-out edge, = our list holds it too."),
}
