"""How good a run on a directed graph is: its methods compared, its directions, who profits, and how it was trained."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import graph, graph_evaluation, graph_explain, graph_explore, graph_summary
from dashboard.glossary import TERMS
from dashboard.state import GRAPH
from dashboard.views import graph_degree
from engine.figures.common import loss_curves
from engine.figures.graph import asymmetry, direction_reliability
from engine.figures.graph_explain import explanation_shares

_CHARTS = (
    ("hit_rate_at_10", "Ranking: is the target in the first ten?", None),
    ("mrr_at_10", "Ranking: how near the top is it?", None),
    ("direction_auc", "Direction: edge or its reversal?", 0.5),
    ("existence_auc", "Existence: edge or a random pair?", 0.5),
)
_CHART_HEIGHT = 460
_READING_COLUMNS: dict[str, Any] = {
    "Read from": st.column_config.TextColumn(
        help="  \n".join(f"**{title}**: {TERMS[metric].help()}" for metric, title in graph_evaluation.READINGS.items())
    ),
    "Our form": st.column_config.TextColumn(help="Direction AUC [95 % interval over query nodes] · n query nodes."),
    "Best other method": st.column_config.TextColumn(
        help="The best of the methods of others; one without a reading of its own is read by its scores."
    ),
}


def draw(run: Run) -> None:
    """Draw the part that is open.

    Parameters
    ----------
    run : Run
    """
    parts = {"Methods": _methods, "Direction": _direction, "By degree": graph_degree.draw, "Training": _training}
    tabs = st.tabs(list(parts), key=GRAPH["check"], on_change="rerun", bind="query-params")
    for tab, part in zip(tabs, parts.values(), strict=True):
        if tab.open:
            with tab:
                part(run)


def _methods(run: Run) -> None:
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
    st.markdown(graph_evaluation.degree_sentence(run), help=TERMS["degree_head"].help())
    columns = [*st.columns(2), *st.columns(2)]
    for column, (metric, title, reference) in zip(columns, _CHARTS, strict=True):
        with column:
            _method_chart(run, metric, segment, title, reference)
    st.markdown(
        "**Paired differences**", help=f"Both methods on the same resampled query nodes.  \n{TERMS['interval'].help()}"
    )
    st.dataframe(graph_summary.differences(run, segment), hide_index=True, width="stretch", height=300)


def _method_chart(run: Run, metric: str, segment: str, title: str, reference: float | None) -> None:
    """Draw one metric of every method."""
    table = graph_summary.methods(run, metric, segment)
    layout.chart_card(
        graph_summary.method_figure(run, metric, segment, reference),
        table,
        key=f"graph-methods-{metric}",
        title=title,
        how_to_read=f"{TERMS[metric].help()}  \nBlue: our form. Red: the strongest peer on all test edges. Grey: the "
        "others, our variants among them. Bars are 95 % intervals over query nodes.",
        alt=graph_evaluation.method_alt(run, metric, segment),
    )


def _direction(run: Run) -> None:
    """Show what tells the direction, known edges both ways, and how far the probability of a direction holds."""
    st.markdown(graph_evaluation.degree_sentence(run), help=TERMS["degree_head"].help())
    st.dataframe(
        graph_evaluation.direction_readings(run), hide_index=True, width="stretch", column_config=_READING_COLUMNS
    )
    part = st.segmented_control(
        "Edges",
        list(graph_summary.PARTS),
        format_func=graph_summary.PARTS.__getitem__,
        default="test",
        required=True,
        key=GRAPH["part"],
        bind="query-params",
    )
    node = graph_explore.current_node(graph.scene(run))
    name = graph_summary.label(graph.scene(run).names[node])
    edges, selected = graph.asymmetry(run, node, part)
    reliability = run.curve("direction_calibration")
    left, right = st.columns(2)
    with left:
        layout.chart_card(
            asymmetry(edges, selected, height=_CHART_HEIGHT),
            edges,
            key=f"graph-asymmetry-{part}",
            title="An edge against its reversal",
            how_to_read="Each point is a known edge. Below the dotted line the edge scores higher than its reversal. "
            f"Mutual edges should lie near the line, one-way edges below it. Ringed: edges of {name}.  \n"
            f"{TERMS['edge_score'].help()}",
            alt=graph_evaluation.asymmetry_alt(edges),
        )
    with right:
        layout.chart_card(
            direction_reliability(reliability, height=_CHART_HEIGHT),
            reliability,
            key="graph-reliability",
            title="Is a promised direction kept?",
            how_to_read="One-way test edges in bins of the probability given to their likelier direction; on the "
            f"dotted line it is kept. Bars are Wilson's 95 % intervals.  \n{TERMS['direction_probability'].help()}",
            alt=graph_evaluation.reliability_alt(reliability),
        )
    _explanations(run)


def _explanations(run: Run) -> None:
    """Show what carries the asymmetries in the data, whatever a model says of them."""
    table = graph_explain.shares(run)
    layout.chart_card(
        explanation_shares(table, labels=graph_explain.LABELS),
        table,
        key="graph-explanations",
        title="What carries the asymmetries in the data?",
        how_to_read=graph_explain.HELP,
        alt=graph_explain.sentence(run).replace("**", ""),
    )
    st.caption(graph_explain.sentence(run))


def _training(run: Run) -> None:
    """Show the losses of the trained forms."""
    stages = list(run.history["stage"].unique())
    stage = st.selectbox("Method", stages, key="graph-stage", format_func=graph_evaluation.stage_title)
    layout.chart_card(
        loss_curves(run.history, stages=[stage]),
        run.history,
        key="graph-losses",
        title="Training losses",
        how_to_read=graph_evaluation.LOSSES,
        alt=f"Losses of {graph_evaluation.stage_title(stage)} over {int(run.history['epoch'].max())} epochs",
    )
