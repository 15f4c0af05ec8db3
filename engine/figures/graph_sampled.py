"""How likely two samplers are to draw each neighbour of a node."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure
from engine.figures.graph_nodes import plain, shortened
from engine.figures.theme import LINE, OURS, RIVAL, plotly_layout

_SAMPLERS = (("uniform", "Fixed size", RIVAL), ("adaptive", "Degree-adaptive", OURS))


def inclusion(neighbours: pd.DataFrame, *, height: int | None = None) -> go.Figure:
    """Draw the chance of every neighbour under both samplers, one row each, joined by a line.

    Parameters
    ----------
    neighbours : DataFrame
        Columns ``name, step, adaptive, uniform`` (chances in [0, 1]) and ``adaptive_drawn, uniform_drawn``, first row
        on top. Filled marks: the run drew the neighbour.
    height : int, optional
        Pixels; by default grows with the rows.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if neighbours.empty:
        return empty_figure("No training edge on this side, so nothing is drawn.", height=height or 160)
    rows = neighbours
    place = list(range(len(rows)))
    gap_x, gap_y = [], []
    for row, low, high in zip(place, rows["adaptive"], rows["uniform"], strict=True):
        gap_x += [float(low), float(high), None]
        gap_y += [row, row, None]
    line = {"color": LINE, "width": 2}
    data = [{"type": "scatter", "x": gap_x, "y": gap_y, "mode": "lines", "line": line, "showlegend": False}]
    data[0]["hoverinfo"] = "skip"
    for sampler, label, color in _SAMPLERS:
        data.append(
            {
                "type": "scatter",
                "x": rows[sampler].tolist(),
                "y": place,
                "mode": "markers",
                "name": label,
                "marker": {
                    "color": color,
                    "size": 11,
                    "symbol": ["circle" if drawn else "circle-open" for drawn in rows[f"{sampler}_drawn"]],
                    "line": {"width": 2, "color": color},
                },
                "text": [
                    f"{plain(name)}{'' if step == 1 else ' (two steps)'}"
                    f"<br>{label}: {100 * chance:.0f} %"
                    f"<br>{'drawn' if drawn else 'not drawn'} in this run"
                    for name, step, chance, drawn in zip(
                        rows["name"], rows["step"], rows[sampler], rows[f"{sampler}_drawn"], strict=True
                    )
                ],
                "hovertemplate": "%{text}<extra></extra>",
            }
        )
    names = [
        f"{plain(shortened(name))}{'' if step == 1 else ' ··'}"
        for name, step in zip(rows["name"], rows["step"], strict=True)
    ]
    layout = plotly_layout(
        height=height or 96 + 24 * len(rows),
        xaxis={
            "title": {"text": "Share of draws that contain it"},
            "range": [-0.03, 1.03],
            "tickformat": ".0%",
            "zeroline": False,
        },
        yaxis={
            "tickvals": place,
            "ticktext": names,
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    )
    return go.Figure({"data": data, "layout": layout | {"margin": layout["margin"] | {"t": 34}}})
