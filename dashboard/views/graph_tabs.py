"""The details below the directed-graph page; a tab runs only while it is open."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import graph, graph_summary
from dashboard.glossary import TERMS
from dashboard.state import GRAPH
from dashboard.views import graph_degree, graph_review, graph_sampled, graph_whatif
from engine.figures.common import loss_curves
from engine.figures.graph import asymmetry, direction_reliability
from engine.figures.theme import METHOD_LABEL, METRIC_LABEL

_TABS = (
    "Methods",
    "Asymmetry",
    "Review",
    "By degree",
    "Sampled neighbourhood",
    "Same node, other methods",
    "What if",
    "Training",
)
_CHARTS = (
    ("hit_rate_at_10", "Ranking: is the target in the first ten?", None),
    ("mrr_at_10", "Ranking: how near the top is it?", None),
    ("direction_auc", "Direction: edge or its reversal?", 0.5),
    ("existence_auc", "Existence: edge or a random pair?", 0.5),
)
_COMPARED_COLUMNS: dict[str, Any] = {
    "#": st.column_config.NumberColumn(width=30, help="Place in this list."),
    "Edge": st.column_config.TextColumn(width=42, help="✓ held-out edge, = our list holds it too."),
}


@st.fragment
def draw_tabs(run: Run, node: int, name: str) -> None:
    """Draw the tab that is open; what happens in it leaves the rest of the page alone.

    Parameters
    ----------
    run : Run
    node : int
        Position of the selected node.
    name : str
        Its name, safe for markdown.
    """
    tabs = st.tabs(list(_TABS), key=GRAPH["tab"], on_change="rerun", bind="query-params")
    drawers = (
        _methods,
        _asymmetry,
        graph_review.draw,
        graph_degree.draw,
        graph_sampled.draw,
        _other_methods,
        graph_whatif.draw,
        _training,
    )
    for tab, draw in zip(tabs, drawers, strict=True):
        if tab.open:
            with tab:
                draw(run, node, name)


def _methods(run: Run, node: int, name: str) -> None:
    """Compare all methods on four questions."""
    segment = st.segmented_control(
        "Test edges",
        list(graph_summary.SEGMENTS),
        format_func=graph_summary.SEGMENTS.__getitem__,
        default="all",
        required=True,
        key=GRAPH["segment"],
        bind="query-params",
    )
    columns = [*st.columns(2), *st.columns(2)]
    for column, (metric, title, reference) in zip(columns, _CHARTS, strict=True):
        table = graph_summary.methods(run, metric, segment)
        with column:
            layout.chart_card(
                graph_summary.method_figure(run, metric, segment, reference),
                table,
                key=f"graph-methods-{metric}",
                title=title,
                how_to_read=f"{TERMS[metric].help()}  \nBlue: our form. Red: the strongest peer on all test edges. "
                "Bars are 95 % intervals over query nodes.",
                alt=f"{METRIC_LABEL[metric]} of {len(table)} methods",
            )
    st.markdown(graph_summary.degree_sentence(run))
    st.markdown("**Paired differences**", help="Both methods on the same resampled query nodes.")
    st.dataframe(graph_summary.differences(run, segment), hide_index=True, width="stretch", height=300)


def _asymmetry(run: Run, node: int, name: str) -> None:
    """Show the scores of known edges both ways, and how far the probability of a direction can be trusted."""
    part = st.segmented_control(
        "Edges",
        list(graph_summary.PARTS),
        format_func=graph_summary.PARTS.__getitem__,
        default="test",
        required=True,
        key=GRAPH["part"],
        bind="query-params",
    )
    edges, selected = graph.asymmetry(run, node, part)
    reliability = run.curve("direction_calibration")
    left, right = st.columns(2)
    with left:
        layout.chart_card(
            asymmetry(edges, selected),
            edges,
            key=f"graph-asymmetry-{part}",
            title="An edge against its reversal",
            how_to_read="Each point is a known edge. Below the dotted line the model prefers the way the edge points. "
            f"Mutual edges should lie near the line, one-way edges below it. Ringed: edges of {name}. "
            f"{TERMS['edge_score'].help()}",
            alt=f"{len(edges):,} edges, {len(selected)} of them at {name}",
        )
    with right:
        layout.chart_card(
            direction_reliability(reliability, height=480),
            reliability,
            key="graph-reliability",
            title="Is a promised direction kept?",
            how_to_read="One-way test edges in bins of the probability given to their likelier direction; on the "
            f"dotted line it is kept. {TERMS['direction_probability'].help()} Bars are Wilson's 95 % intervals.",
            alt="Promised against kept probability of the likelier direction",
        )


def _other_methods(run: Run, node: int, name: str) -> None:
    """List what other methods recommend after the same node."""
    lists = graph.compared_lists(run, node)
    st.markdown(
        f"What to recommend after **{name}**, by method",
        help="✓ a held-out edge that the method found; = our list holds it too. Training and validation edges are left "
        "out of every list. One node says little: the tab *Methods* has the figures over all test edges.",
    )
    for column, (method, (found, table)) in zip(st.columns(max(len(lists), 1)), lists.items(), strict=False):
        with column, st.container(border=True):
            st.markdown(f"**{METHOD_LABEL[method]}**", help=TERMS[method].help())
            st.caption(found)
            st.dataframe(table, hide_index=True, width="stretch", height=387, column_config=_COMPARED_COLUMNS)


def _training(run: Run, node: int, name: str) -> None:
    """Show the losses of the trained forms."""
    stages = list(run.history["stage"].unique())
    stage = st.selectbox("Method", stages, key="graph-stage")
    layout.chart_card(
        loss_curves(run.history, stages=[stage]),
        run.history,
        key="graph-losses",
        title="Training losses",
        how_to_read="Ranking: the true target against random negatives. Activity: one-way edges above, their reversals "
        "below a margin, with the ranking score held fixed.",
        alt=f"Losses of the {stage}",
    )
