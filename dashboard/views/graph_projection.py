"""The map of both spaces: the selection in both roles, a lasso that marks the same nodes everywhere, and exports."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import graph_projection, graph_projection_text
from dashboard.glossary import TERMS
from dashboard.state import PROJECTION
from engine.figures.graph_projection import projections

_HOW_TO_READ = {
    "side": "Every node once per panel: its source vector left, its target vector right, on the same two axes. The "
    "star is the selected node; the arrow leads from where it stands as a source to where it stands as a target, and "
    "the hollow star is its other end. Circles are the neighbours drawn above (blue sources, orange targets, purple "
    "both ways).",
    "overlaid": "Both spaces in one frame: circles are nodes as sources, diamonds are nodes as targets. The arrow "
    "leads from where the selected node stands as a source to where it stands as a target. Its targets (orange "
    "diamonds) belong near the first star, its sources (blue circles) near the second.",
}
_CAUTION = (
    "An arrow is likely where the **source** of one is close in direction to the **target** of the other. A plane "
    "keeps only a part of that, and scores also count popularity and reciprocity, so close points need not have high "
    "scores. **Draw a lasso** to mark the same nodes in the other panel, in the picture above and in a table; "
    "**click** a point to move to it."
)


_OPENED_BY = (
    "Embedding Atlas opens it: `embedding-atlas FILE --x x --y y --text text --neighbors neighbors`. Neighbours are "
    "nearest in the other role by direction alone."
)


def begin(run: Run) -> None:
    """Forget what was circled in another run, before anything is marked."""
    graph_projection.lassoed(run)


def draw(run: Run, shown: Any, node: int, name: str, links: Any) -> None:
    """Draw the map with what belongs to it.

    Parameters
    ----------
    run : Run
    shown : Scene
    node : int
        Position of the selected node.
    name : str
        Its name, safe for markdown.
    links : DataFrame
        Links drawn around it.
    """
    choice = graph_projection.choices(run)
    drawn = graph_projection.drawn_map(run, node, links, choice)
    sentence, table = graph_projection_text.quality(run)
    layout.chart_card(
        projections(
            drawn.points,
            drawn.marked,
            drawn.lassoed,
            drawn.legend,
            palette=choice.palette,
            arrangement=choice.view,
            axes=graph_projection_text.axis_titles(run),
        ),
        drawn.points,
        key=PROJECTION["chart"],
        title=f"{name} in both spaces: where it stands as a source and as a target",
        how_to_read=f"{_HOW_TO_READ[choice.view]} {_CAUTION}",
        alt=f"{name} and its neighbours, as sources and as targets; {len(drawn.lassoed)} nodes lassoed",
        on_select=lambda: graph_projection.follow_selection(run, shown),
        selection_mode=("points", "box", "lasso"),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/grain: **{drawn.badge}** {sentence}.".replace("..", "."), width="stretch")
        if len(table):
            with st.popover("How far does the map hold?", icon=":material/straighten:", type="tertiary"):
                st.markdown(TERMS["map_quality"].help())
                st.dataframe(table, hide_index=True, width="stretch")
        _exports(run, node, name)
    _lassoed(run)


def _exports(run: Run, node: int, name: str) -> None:
    """Offer what other tools can open; a file is made when its button is pressed."""
    with st.popover("Export", icon=":material/ios_share:", type="tertiary"):
        st.markdown(f"**Embeddings**: vectors, map and nearest neighbours of all nodes. {_OPENED_BY}")
        st.download_button(
            "Parquet",
            data=lambda: graph_projection.embeddings_file(run),
            file_name=f"{run.id}-embeddings.parquet",
            mime="application/vnd.apache.parquet",
            key="graph-export-parquet",
            on_click="ignore",
            icon=":material/download:",
        )
        st.markdown(
            f"**Neighbourhood of {name}**: known edges one hop around it and predicted ones at it, with scores."
        )
        with st.container(horizontal=True):
            for kind, title in (("graphml", "GraphML"), ("gexf", "GEXF")):
                st.download_button(
                    title,
                    data=partial(graph_projection.neighbourhood_file, run, node, kind),
                    file_name=f"{run.id}-neighbourhood.{kind}",
                    mime="application/xml",
                    key=f"graph-export-{kind}",
                    on_click="ignore",
                    icon=":material/download:",
                )


def _lassoed(run: Run) -> None:
    """List the nodes that the reader circled."""
    nodes = graph_projection.lassoed(run)
    if not nodes:
        return
    table = graph_projection.lasso_table(run, nodes)
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{len(nodes):,} lassoed nodes**, marked in both roles", width="content")
            with st.container(horizontal=True, width="content"):
                st.download_button(
                    "Table (CSV)",
                    data=lambda: layout.to_csv(table),
                    file_name=f"{run.id}-lassoed.csv",
                    mime="text/csv",
                    key="graph-lasso-csv",
                    on_click="ignore",
                    icon=":material/download:",
                    type="tertiary",
                )
                st.button(
                    "Clear selection",
                    on_click=graph_projection.forget_lasso,
                    key="graph-lasso-clear",
                    icon=":material/close:",
                )
        st.dataframe(table, hide_index=True, width="stretch", height=min(320, 38 + 35 * len(table)))
