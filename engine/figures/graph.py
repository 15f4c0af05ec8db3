"""Scores against reversed scores, and whether a promised direction is kept."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate
from engine.figures.graph_network import plain
from engine.figures.theme import (
    LINE,
    MUTUAL,
    OURS,
    SOURCE,
    TARGET,
    plotly_layout,
)


def asymmetry(edges: pd.DataFrame, selected: pd.DataFrame, *, height: int = 480) -> go.Figure:
    """Draw the score of every known edge against the score of its reversal.

    Parameters
    ----------
    edges : DataFrame
        Columns ``score, back_score, is_mutual, text`` (what the edge is called); edges below the diagonal score
        higher as they point.
    selected : DataFrame
        The same columns: edges of the selected node.
    height : int, default 480

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if edges.empty:
        return empty_figure("No edge in this part of the split.", height=height)
    figure = go.Figure()
    low = float(min(edges["score"].min(), edges["back_score"].min()))
    high = float(max(edges["score"].max(), edges["back_score"].max()))
    figure.add_trace(
        go.Scatter(
            x=[low, high],
            y=[low, high],
            mode="lines",
            name="equal both ways",
            line={"color": LINE, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    for is_mutual, label, color in ((False, "One-way", TARGET), (True, "Mutual", MUTUAL)):
        rows = edges[edges["is_mutual"] == is_mutual]
        figure.add_trace(go.Scattergl(marker={"color": color, "size": 5, "opacity": 0.45}, **_both_ways(rows, label)))
    ring = {"color": "rgba(0,0,0,0)", "size": 11, "line": {"color": SOURCE, "width": 2}}
    figure.add_trace(go.Scatter(marker=ring, **_both_ways(selected, "At the selected node")))
    figure.update_layout(
        plotly_layout(
            height=height,
            xaxis={"title": {"text": "Score as the edge points (logits)"}},
            yaxis={"title": {"text": "Score of its reversal (logits)"}},
            showlegend=True,
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "itemsizing": "constant"},
            hovermode="closest",
        )
    )
    figure.update_layout(margin={"t": 40})
    return figure


def _both_ways(edges: pd.DataFrame, name: str) -> dict[str, Any]:
    """Return what a trace of edges with both scores is made of."""
    return {
        "x": edges["score"],
        "y": edges["back_score"],
        "mode": "markers",
        "name": name,
        "text": [plain(text) for text in edges["text"]],
        "hovertemplate": "%{text}<br>this way %{x:.2f}, the other way %{y:.2f}<extra></extra>",
    }


def direction_reliability(table: pd.DataFrame, *, height: int = 360) -> go.Figure:
    """Draw the share of test edges that point as predicted against the probability given to that direction.

    Parameters
    ----------
    table : DataFrame
        Columns ``predicted, observed, ci_low, ci_high, n``; bins without edges have no value.
    height : int, default 360

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["observed"].notna()]
    if rows.empty:
        return empty_figure("No one-way test edge.", height=height)
    figure = go.Figure()
    ends = [0.5, 1.0]
    line = {"color": LINE, "dash": "dot"}
    figure.add_trace(go.Scatter(x=ends, y=ends, mode="lines", name="calibrated", line=line, hoverinfo="skip"))
    figure.add_trace(
        go.Scatter(
            x=rows["predicted"],
            y=rows["observed"],
            mode="lines+markers",
            name="one-way test edges",
            line={"color": OURS, "width": 2},
            marker={"size": 9},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": rows["ci_high"] - rows["observed"],
                "arrayminus": rows["observed"] - rows["ci_low"],
                "width": 0,
                "thickness": 2,
            },
            text=[estimate(row.observed, row.ci_low, row.ci_high, row.n) for row in rows.itertuples()],
            hovertemplate="promised %{x:.3f}<br>kept %{text} test edges<extra></extra>",
        )
    )
    figure.update_layout(
        plotly_layout(
            height=height,
            xaxis={"title": {"text": "Probability given to the likelier direction"}, "range": [0.48, 1.02]},
            # Few edges in a bin make a bar that reaches far down.
            yaxis={
                "title": {"text": "Share of edges that point that way"},
                "range": [min(0.4, float(rows["ci_low"].min()) - 0.02), 1.02],
            },
        )
    )
    return figure
