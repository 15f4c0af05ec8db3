"""What was known on each day: the rate counted so far, the honest estimate, and what came."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure
from engine.figures.delay_parts import band, corner_label
from engine.figures.theme import LINE, OURS, RIVAL, TRUTH, plotly_layout

HEIGHT = 330


def asof_rates(table: pd.DataFrame, *, day: str | float) -> go.Figure:
    """Draw the conversion rate by the day on which it is looked at, and mark one day.

    Parameters
    ----------
    table : DataFrame
        Columns ``when`` (a date as text, or a number of days), ``rate_seen, rate_estimated, rate_estimated_low,
        rate_estimated_high, rate_final, exposures``; one row per day.
    day : str or float
        The day that is marked.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table.empty:
        return empty_figure("This run holds no other days.", height=HEIGHT)
    lines = (
        ("rate_final", "Final", TRUTH, "dash"),
        ("rate_seen", "Counted so far", RIVAL, "solid"),
        ("rate_estimated", "Estimated that day", OURS, "solid"),
    )
    # At the end of a log nothing may be known of what comes.
    shown = [line for line in lines if table[line[0]].notna().any()]
    traces = [band(table, "rate_estimated", OURS, x="when")]
    notes = []
    for place, (column, label, color, dash) in enumerate(shown):
        traces.append(
            {
                "type": "scatter",
                "x": table["when"].to_numpy(),
                "y": table[column].to_numpy(),
                "mode": "lines+markers",
                "name": label,
                "line": {"color": color, "width": 2.5, "dash": dash},
                "marker": {"size": 6},
                "customdata": table["exposures"].to_numpy(),
                "hovertemplate": f"{label} on %{{x}}<br>%{{y:.1%}} of %{{customdata:,}} exposures<extra></extra>",
            }
        )
        notes.append(corner_label(f"<b>{label}</b>", color, 0.03 + 0.085 * place, "bottom"))
    mark = {"type": "line", "x0": day, "x1": day, "y0": 0, "y1": 1, "yref": "y domain"}
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=HEIGHT,
            xaxis={"title": {"text": "As of"}},
            yaxis={
                "title": {"text": "Conversions of the exposures so far"},
                "tickformat": ".0%",
                "rangemode": "tozero",
            },
            shapes=[mark | {"line": {"color": LINE, "width": 2, "dash": "dash"}}],
            annotations=notes,
        ),
    )
