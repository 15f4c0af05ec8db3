"""What one edge would change, for the evidence and for the model, without training again."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import layout
from dashboard.cache import Run
from dashboard.controls import EngineError, graph, graph_summary, graph_whatif
from dashboard.glossary import TERMS


def draw(run: Run, node: int, name: str) -> None:
    """Draw the tab.

    Parameters
    ----------
    run : Run
    node : int
        Position of the selected node.
    name : str
        Its name, safe for markdown.
    """
    st.markdown(
        f":orange-badge[:material/science: No retraining] What if one edge at **{name}** came or went? The two ends of "
        "the edge gather their neighbours anew; the weights stay as trained.",
        help=TERMS["what_if"].help(),
    )
    try:
        encoded = graph_whatif.opened(run)
    except EngineError as error:
        layout.empty_state(layout.escape_markdown(error, limit=400))
        return
    shown = graph.scene(run)
    pair = graph_whatif.pair_picker(shown, encoded, node)
    if pair is None:
        layout.empty_state("An edge joins two different nodes; choose another end.")
        return
    found = graph_whatif.answer(run, shown, encoded, pair)
    source, target = (graph_summary.label(shown.names[end]) for end in pair)
    verb = "Dropping the training edge" if found.step == "drop" else "Adding the edge"
    st.markdown(f"##### {verb} {source} → {target}")
    st.caption(f"In the data it is {found.status}. Differences are between the same arithmetic before and after.")
    _model(found, source, target)
    _tables(found, source)


def _model(found: graph_whatif.Answer, source: str, target: str) -> None:
    """Show what the model says of the pair, a row of cards per direction: after, difference, before."""
    titles = {"forward": f"{source} → {target}", "backward": f"{target} → {source}"}
    ways = {"forward": "this way", "backward": "the other way"}
    for way, title in titles.items():
        rows = found.model[found.model["way"] == way].to_dict("records")
        for column, row in zip(st.columns(len(rows)), rows, strict=True):
            quantity, before, after = row["quantity"], row["before"], row["after"]
            with column, st.container(border=True, height="stretch"):
                st.metric(
                    f"{_QUANTITIES[quantity]} {ways[way]}",
                    graph_whatif.shown_value(quantity, after),
                    delta=graph_whatif.difference(quantity, before, after),
                    delta_color="off",
                    delta_arrow="off",
                    help=_RANK_HELP if quantity == "rank" else TERMS[_TERM[quantity]].help(),
                )
                st.caption(f"{title} · before {graph_whatif.shown_value(quantity, before)}")


def _tables(found: graph_whatif.Answer, source: str) -> None:
    """Show the evidence without a model, the recommendations that follow, and what the input says."""
    left, right = st.columns(2)
    with left, st.container(border=True):
        st.markdown("**Evidence without a model** · counts of training edges", help=_EVIDENCE_HELP)
        st.dataframe(found.evidence, hide_index=True, width="stretch", height="content")
    with right, st.container(border=True):
        st.markdown(f"**What to recommend after {source}**", help=_FIRST_HELP)
        st.dataframe(found.first, hide_index=True, width="stretch", height="content", column_config=_FIRST_COLUMNS)
    if len(found.counts):
        st.markdown("**What the data say of this pair**", help="The known edges of the pair as they were given.")
        st.dataframe(found.counts, hide_index=True, width="stretch")


_FIRST_COLUMNS: dict[str, Any] = {
    "#": st.column_config.NumberColumn(width=30),
    "Moved": st.column_config.TextColumn(width=60, help="Places up or down; new: not among the first ten before."),
}
_QUANTITIES = {"score": "Score", "rank": "Rank", "direction": "Points"}
_TERM = {"score": "edge_score", "direction": "direction_probability"}
_RANK_HELP = (
    "Place among all nodes that could be recommended after the first one; its known targets are left out. Stored "
    "vectors have half precision, so a rank can differ by a little from the lists above."
)
_EVIDENCE_HELP = "  \n".join(
    f"**{TERMS[name].label}**: {TERMS[name].help()}"
    for name in ("shared_targets", "shared_sources", "two_steps", "cocitation")
)
_FIRST_HELP = (
    "The first targets by score, training and validation edges left out. An added edge is known, so its target leaves "
    "the list; a dropped one may enter it."
)
