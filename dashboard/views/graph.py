"""Directed graph: a node with its arrows, its two roles, its two lists, and how well all that holds."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import first_paint, graph, graph_explore, graph_picture, graph_summary, run_picker
from dashboard.glossary import TERMS
from dashboard.state import GRAPH
from dashboard.views import graph_projection
from dashboard.views.graph_tabs import draw_tabs
from engine.figures.graph_network import neighbourhood

_LIST_HEIGHT = 387


def render() -> None:
    """Draw the page; what is looked at first is sent first."""
    run = run_picker("graph")
    graph_projection.begin(run)
    top = st.container()
    shown = graph.scene(run)
    node = graph_explore.node_picker(shown)
    choice = graph_picture.link_controls(shown)
    picture = graph_picture.picture(run, node, choice)
    name = graph_summary.label(shown.names[node])
    _network(run, shown, node, name, choice, picture)
    with top:
        layout.page_header("Which way does it point?", graph_summary.answer(run), run)
        _cards(run)
    _lists(run, node, name)
    if st.session_state.get(GRAPH["painted"]) is False:
        first_paint.wait("graph-first-paint", _painted, height=430)
        return
    graph_projection.draw(run, shown, node, name, picture.links)
    draw_tabs(run, node, name)


def _painted() -> None:
    """Note that the first chart of this session is drawn, so that all of the page can follow."""
    st.session_state[GRAPH["painted"]] = True


def _cards(run: Run) -> None:
    """Show the headline figures."""
    cards = graph_summary.cards(run)
    for column, card in zip(st.columns(len(cards)), cards, strict=True):
        with column:
            layout.metric_card(
                card.label, card.value, card.low, card.high, card.n, baseline=card.baseline, term=card.metric
            )
    st.caption(graph_summary.split_sentence(run))


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
        alt=f"{len(picture.links)} links around {name}",
        on_select=lambda: graph.follow_click(key, shown),
    )
    st.caption(f"{picture.badge} Click a node to move there.")


def _lists(run: Run, node: int, name: str) -> None:
    """Show what to recommend after the node, and what it is recommended after."""
    titles: dict[Literal["target", "source"], str] = {
        "target": f"What to recommend after {name}",
        "source": f"What {name} is recommended after",
    }
    for column, (role, title) in zip(st.columns([0.47, 0.53]), titles.items(), strict=True):
        with column, st.container(border=True):
            st.markdown(f"**{title}**", help=_LIST_HELP[role])
            st.dataframe(
                graph.ranked_list(run, node, role),
                hide_index=True,
                width="stretch",
                height=_LIST_HEIGHT,
                column_config=_LIST_COLUMNS,
            )


_HOW_TO_READ = (
    "**Blue arrows** come in from sources, **orange arrows** lead to targets. **Purple pairs** are known edges both "
    "ways. Solid: observed edge. Dotted: held-out edge, never seen in training. Dashed: predicted, no edge known. "
    "Where one way is known and the other only predicted, two bent arrows in the colours of the roles show both. With "
    "two steps, what leads to a source stands outside it on the left, what follows a target outside it on the right; "
    "each stands once, at its best link, and links among drawn neighbours are left out. "
    "Click a node to move there; hover the middle of an arrow for its "
    f"scores and ranks in both directions.  \n**Score**: {TERMS['edge_score'].help()}  \n**Points this way**: "
    f"{TERMS['direction_probability'].help()}"
)
_LIST_MARKS = (
    "Back and Rank back belong to the opposite direction. ✓ a held-out edge that the model found; ← the opposite "
    "direction is a known edge; ◎ in the lasso. Training and validation edges are left out, as in the evaluation."
)
_LIST_HELP = {
    "target": f"The targets with the best scores; a target's rank is its place. {_LIST_MARKS}",
    "source": f"The sources with the best scores. {_LIST_MARKS}",
}
_LIST_COLUMNS: dict[str, Any] = {
    "#": st.column_config.NumberColumn(width=30, help="Place in this list."),
    "Node": st.column_config.TextColumn(width=108),
    "Score": st.column_config.NumberColumn(width=50, format="%.2f", help=TERMS["edge_score"].help()),
    "Rank": st.column_config.NumberColumn(
        width=46, format="localized", help="Where the selected node stands in the source's own list of targets."
    ),
    "Back": st.column_config.NumberColumn(width=48, format="%.2f", help="Score of the opposite direction."),
    "Rank back": st.column_config.NumberColumn(width=62, format="localized", help="Rank in the opposite direction."),
    "Edge": st.column_config.TextColumn(
        width=42, help="✓ held-out edge, ← the opposite direction is an edge, ◎ in the lasso."
    ),
}
