"""Tabs of a described graph: a node to explore, degrees, nodes, pairs, and the halves of the users."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import graph, graph_explore
from dashboard.controls import graph_described as controls
from dashboard.controls import graph_described_pairs as pair_controls
from dashboard.state import GRAPH
from dashboard.views import graph_described_charts
from engine.figures.graph_described import degree_tails
from engine.figures.graph_network import neighbourhood
from engine.figures.graph_pairs import replication_dots


def explore(run: Run) -> None:
    """Show the neighbourhood of a node by what was observed."""
    shown = graph.scene(run)
    node = graph_explore.node_picker(shown)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        hops = st.segmented_control(
            "Steps", [1, 2], default=1, required=True, key=GRAPH["hops"], bind="query-params", width="content"
        )
        k = st.slider("Links per side", 4, 16, 10, key=GRAPH["links"], bind="query-params", width=190)
    around = pair_controls.around(run, node, k=int(k), hops=int(hops or 1))
    name = layout.escape_markdown(shown.names[node], limit=60)
    key = f"{controls.KEYS['network']}-{run.id}-{node}"
    layout.chart_card(
        neighbourhood(around.nodes, around.links, empty=around.empty, texts=around.texts),
        around.links,
        key=key,
        title=f"Around {name}: what points to it on the left, what it points to on the right",
        how_to_read="**Blue arrows** come in from sources, **orange arrows** lead to targets; **purple pairs** point "
        "both ways. Of many links those seen most are drawn, of equals those to better linked nodes. Hover the middle "
        "of an arrow for what was seen each way; click a node to move there.",
        alt=f"Observed edges around {shown.names[node]}",
        on_select=lambda: graph.follow_click(key, shown),
    )
    st.caption(f"{around.badge} {pair_controls.stored_sentence(run)}")


def degrees(run: Run) -> None:
    """Show the distribution of both degrees."""
    table = run.curve("degree_distribution")
    left, right = st.columns([0.68, 0.32])
    with left:
        layout.chart_card(
            degree_tails(table),
            table,
            key="graph-degree-tails",
            title="How are edges spread over nodes?",
            how_to_read="Each line is the share of all nodes that have at least so many edges; both axes are "
            "logarithmic. A line that falls slowly has few nodes with very many edges. Nodes without an edge on that "
            "side are below the first point.",
            alt="Share of nodes by least number of edges out and in",
        )
    with right, st.container(border=True):
        st.markdown("**Edges per node**", help="Of all nodes, the given share has at most so many edges.")
        numbers = st.column_config.NumberColumn(format="localized")
        st.dataframe(
            controls.quantiles(run),
            hide_index=True,
            width="stretch",
            height="content",
            column_config={"Edges out": numbers, "Edges in": numbers},
        )


def nodes(run: Run) -> None:
    """Show the nodes that lean out and in."""
    if controls.hero(run) != "nodes":
        graph_described_charts.balance(run)
    for column, (side, title) in zip(st.columns(2), _SIDES.items(), strict=True):
        table = controls.nodes_table(run, side)
        with column, st.container(border=True):
            st.markdown(f"**{title}**", help=_NODE_HELP)
            if table.empty:
                st.caption("No node has more one-way edges on this side than on the other.")
            else:
                st.dataframe(table, hide_index=True, width="stretch", height="content", column_config=_NODE_COLUMNS)
    graph_described_charts.lean_chart(
        run, "nodes", x_title="One-way edges of a node", y_title="Share of nodes that lean"
    )


def pairs(run: Run) -> None:
    """Show the lists of pairs."""
    lists = pair_controls.pair_lists(run)
    name = lists[0]
    if len(lists) > 1:
        name = str(
            st.segmented_control(
                "Pairs",
                lists,
                format_func=pair_controls.LISTS.__getitem__,
                default=lists[0],
                required=True,
                key=controls.KEYS["list"],
                bind="query-params",
            )
        )
    table = pair_controls.pairs_table(run, name)
    # The first list is drawn above.
    left, right = st.columns([0.52, 0.48]) if name != lists[0] else (st.container(), None)
    with left:
        st.dataframe(table, hide_index=True, width="stretch", height=470, column_config=_PAIR_COLUMNS)
    if right is not None:
        with right:
            graph_described_charts.pair_chart(run, name, key="graph-listed-pairs")
    if "lean" in lists:
        graph_described_charts.lean_chart(
            run, "pairs", x_title="Times a pair was seen, both ways", y_title="Share of pairs that lean"
        )


def halves(run: Run) -> None:
    """Show what returns in the other half of the users."""
    table = controls.replication(run)
    layout.chart_card(
        replication_dots(table),
        table,
        key="graph-halves",
        title="What returns in the other half of the users?",
        how_to_read="The users are divided into two halves at random, and everything is counted in each. The first "
        "four rows correlate pairs between the halves; the last two are shares of edges. Dots with 95 % intervals over "
        "items or sources; the grey stroke is the value by chance. **An order that does not return is noise.**",
        alt="Agreement between two halves of the users",
    )


_SIDES = {"out": "Mostly point out", "in": "Mostly pointed at"}
_NODE_HELP = (
    "Ordered by how surely the one-way edges lean: their difference over the root of their sum. The share is that of "
    "the one-way edges on this side, with its 95 % Wilson interval."
)
_NODE_COLUMNS: dict[str, Any] = {
    "#": st.column_config.NumberColumn(width=30),
    "Out": st.column_config.NumberColumn(width=55, format="localized", help="Edges out."),
    "In": st.column_config.NumberColumn(width=55, format="localized", help="Edges in."),
    "Both": st.column_config.NumberColumn(width=55, format="localized", help="Neighbours with edges both ways."),
}
_PAIR_COLUMNS: dict[str, Any] = {
    "#": st.column_config.NumberColumn(width=30),
    "This way": st.column_config.NumberColumn(format="localized", help="Seen from the first to the second node."),
    "Other way": st.column_config.NumberColumn(format="localized", help="Seen from the second to the first node."),
    "Ratio [95 %]": st.column_config.TextColumn(help="This way over the other way, with its 95 % interval."),
    "Users": st.column_config.NumberColumn(format="localized", help="Users with this order at least once."),
    "Calendar": st.column_config.NumberColumn(help="The ratio that the calendar alone would give."),
    "Season": st.column_config.NumberColumn(help="Share of the excess that the calendar explains."),
    "Halves": st.column_config.TextColumn(help="Whether the order holds in both halves of the users."),
}
