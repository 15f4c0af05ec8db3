"""The neighbours that the samplers draw for the selected node, adaptive beside fixed at equal total budget."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import EngineError, graph_sampled
from dashboard.glossary import TERMS
from engine.figures.graph_sampled import inclusion

_TITLES: dict[graph_sampled.Role, str] = {
    "source": "Among what leads to {name}",
    "target": "Among what {name} leads to",
}
_PURPOSE = {
    "source": "These neighbours feed its target vector above all.",
    "target": "These neighbours feed its source vector above all.",
}
_PERCENT: dict[str, Any] = {"format": "%.0f %%", "width": 96}
_COLUMNS: dict[str, Any] = {
    "Steps": st.column_config.NumberColumn(width=50, help="1: a neighbour. 2: a neighbour's neighbour."),
    "Weight": st.column_config.NumberColumn(
        width=60, format="%.2f", help="Chances are proportional to it: the degree to the power *neighbour_bias*."
    ),
    "Degree-adaptive": st.column_config.NumberColumn(**_PERCENT, help=TERMS["inclusion"].help()),
    "Fixed": st.column_config.NumberColumn(**_PERCENT, help=TERMS["inclusion"].help()),
}
_SIZE_COLUMNS: dict[str, Any] = {
    "Size K": st.column_config.TextColumn(
        width=60, help=f"{TERMS['fan_out'].help()}  \nFixed: {TERMS['fixed_fan_out'].help()}"
    ),
    "One step": st.column_config.TextColumn(help="Neighbours drawn, on average, of those there are."),
    "Two steps": st.column_config.TextColumn(
        help="Neighbours' neighbours drawn to fill up, on average; in reach where one step does not fill every size."
    ),
    "All nodes": st.column_config.NumberColumn(
        format="localized", help="Neighbours that all nodes together draw on this side: equal for both samplers."
    ),
}


def draw(run: Run, node: int, name: str) -> None:
    """Show sizes and chances on both sides of a node.

    Parameters
    ----------
    run : Run
    node : int
    name : str
        Its name, safe for markdown.
    """
    try:
        about_node, about_run = graph_sampled.sentences(run, node)
    except EngineError as error:
        layout.empty_state(layout.escape_markdown(error, limit=400))
        return
    st.markdown(
        f"How many neighbours does a sampler give **{name}**, and which? {about_node}",
        help=f"{TERMS['fan_out'].help()}  \n{TERMS['power_law'].help()}",
    )
    for column, role in zip(st.columns(2), _TITLES, strict=True):
        with column:
            _side(run, node, name, role)
    st.caption(about_run)


def _side(run: Run, node: int, name: str, role: graph_sampled.Role) -> None:
    """Show one role: the two sizes, the chances as a picture, and all of them as a table."""
    drawn = graph_sampled.drawn(run, node, role)
    with st.container(border=True):
        st.markdown(f"**{_TITLES[role].format(name=name)}: how many are drawn**")
        st.dataframe(drawn.sizes, hide_index=True, width="stretch", column_config=_SIZE_COLUMNS)
    layout.chart_card(
        inclusion(drawn.picture),
        drawn.table,
        key=f"graph-sampled-{role}",
        title="How likely each one is",
        how_to_read=f"{_PURPOSE[role]} Each row is a node that could be drawn, ·· at two steps. Its two marks tell how "
        f"often it was drawn in {drawn.draws} repetitions from all training edges, by the degree-adaptive and by the "
        "fixed sampler, both with the same noise and the same total over all nodes. A filled mark: drawn for the final "
        "vectors of this run. In training every epoch draws anew, from the edges that carry messages in it.  \n"
        f"{TERMS['inclusion'].help()}",
        alt=f"Chance of {len(drawn.picture)} neighbours to be drawn by both samplers",
    )
    st.caption(drawn.badge)
    if len(drawn.table):
        with st.expander(f"All {len(drawn.table):,} nodes in reach"):
            st.dataframe(drawn.table, hide_index=True, width="stretch", height=300, column_config=_COLUMNS)
