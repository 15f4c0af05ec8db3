"""Directed graph: a node with its arrows, its two roles, its two lists, and how well all that holds."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import graph, graph_summary, run_picker
from dashboard.glossary import TERMS
from dashboard.state import GRAPH
from dashboard.views import graph_projection
from dashboard.views.graph_tabs import draw_tabs
from engine.figures.graph_network import neighbourhood

_LIST_HEIGHT = 387


def render() -> None:
    """Draw the page."""
    run = run_picker("graph")
    layout.page_header("Which way does it point?", graph_summary.answer(run), run)
    _cards(run)
    shown = graph.scene(run)
    node = graph.node_picker(shown)
    k, kinds = graph.link_controls()
    nodes, links = graph.neighbourhood(run, node, k, kinds)
    name = graph_summary.label(shown.names[node])
    _network(run, shown, node, name, nodes, links)
    _lists(run, node, name)
    graph_projection.draw(run, shown, node, name, links)
    draw_tabs(run, node, name)


def _cards(run: Run) -> None:
    """Show the headline figures."""
    cards = graph_summary.cards(run)
    for column, card in zip(st.columns(len(cards)), cards, strict=True):
        with column:
            layout.metric_card(
                card.label, card.value, card.low, card.high, card.n, baseline=card.baseline, term=card.metric
            )
    st.caption(graph_summary.split_sentence(run))


def _network(run: Run, shown: Any, node: int, name: str, nodes: Any, links: Any) -> None:
    """Draw the neighbourhood; a click on a neighbour moves there."""
    st.caption(
        ":blue[**⟶ from a source**]  ·  :orange[**⟶ to a target**]  ·  :violet[**⇄ both ways**]  ·  solid: observed, "
        "dotted: held-out, dashed: predicted  ·  click a neighbour to move there"
    )
    # The centre is part of the key: with a constant one the old selection would stay on the new picture.
    key = f"{GRAPH['network']}-{run.id}-{node}"
    layout.chart_card(
        neighbourhood(nodes, links),
        links,
        key=key,
        title=f"Around {name}: what leads to it on the left, what it leads to on the right",
        how_to_read="**Blue arrows** come in from sources, **orange arrows** lead to targets, **purple pairs** point "
        "both ways. Solid: observed edge. Dotted: held-out edge, never seen in training. Dashed: predicted, no edge "
        "known. Click a neighbour to move there; hover an arrow for its scores and ranks in both directions.",
        alt=f"{len(links)} links around {name}",
        on_select=lambda: graph.follow_click(key, shown),
    )


def _lists(run: Run, node: int, name: str) -> None:
    """Show what to recommend after the node, and what it is recommended after."""
    titles: dict[Literal["target", "source"], str] = {
        "target": f"What to recommend after {name}",
        "source": f"What {name} is recommended after",
    }
    for column, (role, title) in zip(st.columns(2), titles.items(), strict=True):
        with column, st.container(border=True):
            st.markdown(f"**{title}**", help=_LIST_HELP[role])
            st.dataframe(
                graph.ranked_list(run, node, role),
                hide_index=True,
                width="stretch",
                height=_LIST_HEIGHT,
                column_config=_LIST_COLUMNS,
            )


_LIST_MARKS = (
    "Score back and rank back belong to the opposite direction. ✓ a held-out edge that the model found; ← the opposite "
    "direction is a known edge. Training and validation edges are left out, as in the evaluation."
)
_LIST_HELP = {
    "target": f"The targets with the best scores. {_LIST_MARKS}",
    "source": "The best sources, ordered with the logarithm of their out-degree in place of their learned activity, "
    "which orders them better on validation edges, so scores need not fall. Its rank: where the selected node stands "
    f"in that source's own list. {_LIST_MARKS}",
}
_LIST_COLUMNS: dict[str, Any] = {
    "#": st.column_config.NumberColumn(width=30, help="Place in this list."),
    "Node": st.column_config.TextColumn(width=98),
    "Score": st.column_config.NumberColumn(width=48, format="%.2f", help=TERMS["edge_score"].help()),
    "Its rank": st.column_config.NumberColumn(
        width=52, format="localized", help="Rank of the target among all targets of the source."
    ),
    "Back": st.column_config.NumberColumn(width=48, format="%.2f", help="Score of the opposite direction."),
    "Rank back": st.column_config.NumberColumn(width=62, format="localized", help="Rank in the opposite direction."),
    "Edge": st.column_config.TextColumn(width=42, help="✓ held-out edge, ← the opposite direction is an edge."),
}
