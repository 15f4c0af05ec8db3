"""Which nodes profit from which neighbourhoods, and how a new node fares."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import graph_degree, graph_summary
from dashboard.glossary import TERMS
from dashboard.state import GRAPH
from engine.figures.graph_degree import arrival_lines, degree_lines, difference_dots
from engine.figures.theme import METHOD_LABEL, METRIC_LABEL


def draw(run: Run) -> None:
    """Draw the tab: metrics by degree, the study over several splits, and new nodes.

    Parameters
    ----------
    run : Run
    """
    st.markdown(graph_degree.claim_sentence(run))
    _by_degree(run)
    study = graph_degree.study(run)
    if study.empty:
        st.markdown("**Several splits, and new nodes**")
        st.markdown("Nobody has compared neighbourhoods on several splits of this data set yet. To do it, run")
        st.code(graph_degree.command(run), language="bash")
        return
    _several_splits(study)
    _new_nodes(study)


def _by_degree(run: Run) -> None:
    """Draw a metric of some methods by the degree of the query node and of the target."""
    left, right = st.columns([1, 3])
    metrics = graph_degree.metrics(run)
    with left:
        metric = st.selectbox(
            "Metric",
            metrics,
            index=metrics.index("hit_rate_at_10"),
            format_func=METRIC_LABEL.__getitem__,
            key=GRAPH["degree_metric"],
            bind="query-params",
        )
    with right:
        methods = st.multiselect(
            "Methods",
            graph_degree.methods(run, metric),
            default=graph_degree.default_methods(run, metric),
            format_func=METHOD_LABEL.__getitem__,
            key=f"{GRAPH['degree_methods']}-{metric}",
        )
    for column, (degree, title) in zip(st.columns(2), graph_summary.DEGREES.items(), strict=True):
        table = graph_summary.by_degree(run, degree, metric, methods)
        with column:
            layout.chart_card(
                degree_lines(table, metric=metric, axis_title=f"{title} (training edges)"),
                table,
                key=f"graph-degree-{degree}",
                title=f"By {title[0].lower()}{title[1:]}",
                how_to_read=f"{TERMS[metric].help()}  \nTwo samplers draw equally many neighbours in total. The "
                "adaptive one gives rarely linked nodes more and hubs fewer; the fixed one gives every node the same. "
                "Bars are 95 % intervals over query nodes. Buckets without edges stay empty.",
                alt=f"{METRIC_LABEL[metric]} by {title.lower()}",
            )


def _several_splits(study: Any) -> None:
    """Draw what neighbourhoods are worth over several splits."""
    st.markdown("**Over several splits**", help=TERMS["neighbourhood_study"].help())
    st.markdown("\n".join(f"- {line}" for line in graph_degree.study_sentences(study)))
    segments = graph_degree.segments(study)
    segment = st.segmented_control(
        "Targets, by training in-edges",
        list(segments),
        format_func=segments.__getitem__,
        default="all",
        required=True,
        key=GRAPH["degree_segment"],
        bind="query-params",
    )
    table = graph_degree.compared(study, segment)
    layout.chart_card(
        difference_dots(table, axis_title="Difference in HitRate@10", margin=float(table["margin"].iloc[0])),
        table,
        key=f"graph-study-{segment}",
        title="What is another neighbourhood worth?",
        how_to_read=f"{TERMS['neighbourhood_study'].help()}  \nGreen: supported, red: not supported, grey: "
        f"inconclusive. {TERMS['verdict'].help()} The band reaches from 0 to the smallest difference worth having.",
        alt=f"{len(table)} differences between neighbourhoods",
    )


def _new_nodes(study: Any) -> None:
    """Draw how nodes fare that training never saw."""
    st.markdown("**How does a new node fare?**", help=TERMS["cold_start"].help())
    st.markdown(graph_degree.arrival_sentence(study))
    for column, (role, title) in zip(st.columns(2), graph_degree.ROLES.items(), strict=True):
        table = graph_degree.arrivals(study, role)
        with column:
            layout.chart_card(
                arrival_lines(table, axis_title=METRIC_LABEL["hit_rate_at_10"]),
                table,
                key=f"graph-arrivals-{role}",
                title=f"{title} {'among the nodes of training' if role == 'source' else 'among the new nodes'}",
                how_to_read=f"{TERMS['cold_start'].help()}  \nDotted: nothing is known but the edges. Bars are 95 % "
                "intervals over new nodes.",
                alt=f"HitRate@10 of new nodes, {title.lower()}",
            )
