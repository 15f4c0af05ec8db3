"""How likely two samplers are to draw each neighbour of a node."""

from __future__ import annotations

from typing import Any

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
    gaps = {"type": "scatter", "x": gap_x, "y": gap_y, "mode": "lines", "line": line, "showlegend": False}
    data: list[dict[str, Any]] = [gaps | {"hoverinfo": "skip"}]
    data += [_marks(rows, sampler, label, color) for sampler, label, color in _SAMPLERS]
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


def _marks(rows: pd.DataFrame, sampler: str, label: str, color: str) -> dict[str, Any]:
    """Draw the chances under one sampler."""
    drawn = [bool(value) for value in rows[f"{sampler}_drawn"]]
    text = [
        f"{plain(row.name_)}{'' if row.step == 1 else ' (two steps)'}<br>{label}: {100 * chance:.0f} %"
        f"<br>{'drawn' if is_drawn else 'not drawn'} in this run"
        for row, chance, is_drawn in zip(
            rows.rename(columns={"name": "name_"}).itertuples(), rows[sampler], drawn, strict=True
        )
    ]
    return {
        "type": "scatter",
        "x": rows[sampler].tolist(),
        "y": list(range(len(rows))),
        "mode": "markers",
        "name": label,
        "marker": {
            "color": color,
            "size": 11,
            "symbol": ["circle" if is_drawn else "circle-open" for is_drawn in drawn],
            "line": {"width": 2, "color": color},
        },
        "text": text,
        "hovertemplate": "%{text}<extra></extra>",
    }
