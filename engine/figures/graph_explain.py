"""What carries the asymmetry of the edges of a graph, as shares."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate, interval_bar
from engine.figures.theme import GREY, OURS, plotly_layout


def explanation_shares(table: pd.DataFrame, *, labels: Mapping[str, str], height: int = 240) -> go.Figure:
    """Draw the share of the edges that each explanation carries, with its interval.

    Parameters
    ----------
    table : DataFrame
        Columns of `engine.graph.explain.SUMMARY_COLUMNS`, first row on top.
    labels : mapping of str to str
        Explanation to what it is called.
    height : int, default 240
        Pixels.

    Returns
    -------
    plotly.graph_objects.Figure
        Time order, the one explanation that makes an order of a direction, in the strong colour.
    """
    if table.empty:
        return empty_figure("No edge to explain.", height=height)
    figure = go.Figure()
    for row in table.itertuples():
        color = OURS if row.explanation == "time_order" else GREY
        label = labels[row.explanation]
        figure.add_trace(
            go.Bar(
                x=[row.share],
                y=[label],
                orientation="h",
                name=label,
                width=0.62,
                marker={"color": color},
                error_x=interval_bar(row.share, row.ci_low, row.ci_high, color),
                hovertemplate=f"{label}: {estimate(row.share, row.ci_low, row.ci_high, row.n)} edges<extra></extra>",
            )
        )
        figure.add_trace(
            go.Scatter(
                x=[max(row.share, row.ci_high)],
                y=[label],
                mode="text",
                text=[f"  {row.share:.1%} [{row.ci_low:.1%}, {row.ci_high:.1%}]"],
                textposition="middle right",
                cliponaxis=False,
                hoverinfo="skip",
            )
        )
    axis = {"title": {"text": f"Share of {int(table['n'].iloc[0]):,} edges"}, "range": [0, 1.28], "tickformat": ".0%"}
    axis["tickvals"] = [0, 0.25, 0.5, 0.75, 1]
    figure.update_layout(
        plotly_layout(height=height, xaxis=axis, yaxis={"autorange": "reversed", "showgrid": False}, bargap=0.3)
    )
    return figure
