"""Charts of a described graph: edges by degree, pairs, nodes, and what leans beyond a fair coin."""

from __future__ import annotations

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import graph
from dashboard.controls import graph_described as controls
from dashboard.controls import graph_described_pairs as pair_controls
from engine.figures.graph_described import node_balance, shares_by_bucket
from engine.figures.graph_pairs import pair_dots


def by_degree(run: Run) -> None:
    """Show the share of one-way edges by degree.

    Parameters
    ----------
    run : Run
    """
    slot = st.container()
    degree = st.segmented_control(
        "Edges by",
        list(controls.DEGREES),
        format_func=controls.DEGREES.__getitem__,
        default=controls.default_degree(run),
        required=True,
        key=controls.KEYS["degree"],
        bind="query-params",
    )
    table = controls.by_degree(run, str(degree))
    with slot:
        layout.chart_card(
            shares_by_bucket(
                table,
                x_title=controls.DEGREES[str(degree)],
                y_title="Share of one-way edges",
                chance="by the degrees alone",
            ),
            table,
            key="graph-one-way",
            title="Which edges point one way?",
            how_to_read="An edge points one way if no edge leads back. Bars are 95 % intervals over nodes; hollow: "
            "fewer than 20 nodes, no interval; n counts edges. The dashed line is a random graph in which every node "
            "keeps its numbers of edges out and in and nothing else matters. **Below it, more edges have an edge back "
            "than chance gives.**",
            alt=controls.answer(run),
        )


def balance(run: Run) -> None:
    """Show edges out against edges in."""
    table = controls.balance(run)
    chart = controls.KEYS["chart"]
    layout.chart_card(
        node_balance(table),
        table,
        key=chart,
        title="Who points, and who is pointed at?",
        how_to_read="One point per node, the best linked 2,000 at most. Above the diagonal a node has more edges out "
        "than in. **Blue** nodes mostly point out, **orange** ones are mostly pointed at: their one-way edges lean by "
        "more than 1.96 standard deviations of a fair coin, which chance gives about 1 node in 20. Click a node to "
        "explore it.",
        alt=f"Edges out against edges in of {len(table):,} nodes",
        on_select=lambda: _explore_clicked(chart, run),
    )


def _explore_clicked(chart: str, run: Run) -> None:
    """Open the clicked node."""
    name = graph.clicked_name(st.session_state.get(chart), graph.scene(run))
    if name is not None:
        graph.go_to(name)
        st.session_state[controls.KEYS["tab"]] = controls.EXPLORE


def pair_chart(run: Run, name: str, *, key: str) -> None:
    """Draw the first pairs of a list."""
    table = pair_controls.pairs(run, name)
    is_order = name == "time_order"
    title = _PAIR_TITLES.get(name, "Which way do the strongest pairs point?")
    layout.chart_card(
        pair_dots(
            table.head(pair_controls.SHOWN_PAIRS),
            axis_title="Order ratio over the calendar's" if is_order else "Share that points this way",
            reference=1.0 if is_order else 0.5,
            is_log=is_order,
        ),
        table.drop(columns="text"),
        key=key,
        title=title,
        how_to_read=_HOW_TO_READ_ORDER if is_order else _HOW_TO_READ_PAIRS,
        alt=f"{title} The first is {table['source'].iloc[0]} to {table['target'].iloc[0]}",
    )


def lean_chart(run: Run, what: str, *, x_title: str, y_title: str) -> None:
    """Show how many lean beyond a fair coin."""
    table = controls.leaning(run, what)
    if table["n"].sum() == 0:
        return
    layout.chart_card(
        shares_by_bucket(table, x_title=x_title, y_title=y_title, chance="by a fair coin", height=340),
        table,
        key=f"graph-lean-{what}",
        title=f"How many {what} lean to one side?",
        how_to_read="Something leans if its two counts differ by more than 1.96 standard deviations of a fair coin. "
        "The dashed line is the exact share that a fair coin gives for these numbers of trials. Bars: 95 % Wilson "
        f"intervals; n counts {what}. **Only what lies above the dashed line says that there is a direction.**",
        alt=f"Share of {what} that lean, by trials, against a fair coin",
    )


_PAIR_TITLES = {"time_order": "Which pairs keep an order in time?", "lean": "Which pairs lean most to one way?"}
_HOW_TO_READ_PAIRS = (
    "Each dot is the share of what was seen between two nodes that points as written; the dotted line is a pair that "
    "points both ways alike. Bars are 95 % Wilson intervals over rows; a share of weights has none, and its dot is "
    "hollow. **A bar that crosses the line says nothing about direction.**"
)
_HOW_TO_READ_ORDER = (
    "Each dot is how many times more often U comes before V than V before U, against the same ratio by the calendar "
    "alone; bars are 95 % intervals over users. Ordered by how far the interval is from 1, so the first of many pairs "
    "are flattered: the column *Halves* tells which hold in both halves of the users."
)
