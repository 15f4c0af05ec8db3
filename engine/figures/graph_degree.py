"""Metrics by degree, differences over several splits, and how new nodes fare."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate, interval_bar
from engine.figures.theme import (
    BASELINES,
    CATEGORIES,
    LINE,
    METHOD_LABEL,
    METRIC_LABEL,
    OURS,
    RIVAL,
    VERDICT,
    plotly_layout,
)

_LINES = {
    "dual": OURS,
    "adaptive": OURS,
    "fixed": RIVAL,
    "single": CATEGORIES[1],
    "feature_neighbours": RIVAL,
    "no_propagation": CATEGORIES[3],
    "cocitation": BASELINES[3],
    "popularity": BASELINES[2],
}
"""Methods whose colour is the same whatever else is drawn."""
_OTHERS = (CATEGORIES[2], CATEGORIES[4], CATEGORIES[5], BASELINES[0])


def degree_lines(table: pd.DataFrame, *, metric: str, axis_title: str, height: int = 360) -> go.Figure:
    """Draw a metric by degree bucket, one line with intervals per method.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, bucket, value, ci_low, ci_high, n`` in the order of the buckets; empty buckets have no value
        and stay on the axis.
    metric : str
    axis_title : str
        What the buckets count.
    height : int, default 360

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table["value"].notna().sum() == 0:
        return empty_figure("The methods to compare were not trained in this run.", height=height)
    methods = list(dict.fromkeys(table["method"]))
    data = []
    for place, method in enumerate(methods):
        rows = table[table["method"] == method]
        shift = (place - (len(methods) - 1) / 2) * min(0.16, 0.6 / len(methods))
        label = METHOD_LABEL.get(method, method)
        data.append(_line(rows, [bucket + shift for bucket in range(len(rows))], label, _color(method, place, methods)))
    first = table[table["method"] == methods[0]]
    ticks = [f"{row.bucket}<br>n {row.n:,}" for row in first.itertuples()]
    title = METRIC_LABEL.get(metric, metric)
    return go.Figure({"data": data, "layout": _layout(ticks, axis_title, title, height, from_zero="auc" not in metric)})


def arrival_lines(table: pd.DataFrame, *, axis_title: str, height: int = 460) -> go.Figure:
    """Draw how well new nodes are ranked by how many of their edges are known.

    Parameters
    ----------
    table : DataFrame
        Columns ``line, method, is_dashed, place, tick, value, ci_low, ci_high, n``; ``place`` is the position on the
        axis and ``tick`` what stands there.
    axis_title : str
        Name of the value.
    height : int, default 460

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table.empty:
        return empty_figure("No study of new nodes is stored for this data set.", height=height)
    ticks = table.drop_duplicates("place").sort_values("place")
    lines = list(dict.fromkeys(table["line"]))
    data = []
    for position, line in enumerate(lines):
        rows = table[table["line"] == line].sort_values("place")
        shift = (position - (len(lines) - 1) / 2) * 0.05
        method = str(rows["method"].iloc[0])
        trace = _line(rows, list(rows["place"] + shift), line, _color(method, position, lines))
        trace["line"]["dash"] = "dot" if rows["is_dashed"].iloc[0] else "solid"
        data.append(trace)
    layout = _layout(list(ticks["tick"]), "What is known of a new node", axis_title, height, from_zero=True)
    return go.Figure({"data": data, "layout": layout})


def difference_dots(table: pd.DataFrame, *, axis_title: str, margin: float, height: int | None = None) -> go.Figure:
    """Draw differences with their intervals, coloured by what they say, first row on top.

    Parameters
    ----------
    table : DataFrame
        Columns ``label, value, ci_low, ci_high, n, verdict``.
    axis_title : str
    margin : float
        Smallest difference worth having; the band around 0 up to it is shaded.
    height : int, optional

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["value"].notna()]
    if rows.empty:
        return empty_figure("No value for this selection.")
    data = [
        {
            "type": "scatter",
            "x": [row.value],
            "y": [row.label],
            "mode": "markers",
            "marker": {"color": VERDICT[row.verdict], "size": 11},
            "error_x": interval_bar(row.value, row.ci_low, row.ci_high, VERDICT[row.verdict]),
            "hovertemplate": f"{row.label}<br>{estimate(row.value, row.ci_low, row.ci_high, row.n)} nodes<br>"
            f"{row.verdict}<extra></extra>",
        }
        for row in rows.itertuples()
    ]
    ends = {"xref": "x", "y0": 0, "y1": 1, "yref": "y domain"}
    layout = plotly_layout(
        height=height or 90 + 34 * len(rows),
        xaxis={"title": {"text": axis_title}},
        yaxis={"autorange": "reversed", "showgrid": False},
        shapes=[
            {"type": "rect", "x0": 0, "x1": margin, "fillcolor": LINE, "opacity": 0.25, "line": {"width": 0}} | ends,
            {"type": "line", "x0": 0, "x1": 0, "line": {"color": LINE, "width": 1.5, "dash": "dot"}} | ends,
        ],
    )
    return go.Figure({"data": data, "layout": layout})


def _color(method: str, place: int, methods: list[str]) -> str:
    """Return the colour of a line; two lines of one method differ by their dash."""
    others = [name for name in methods if name not in _LINES]
    return _LINES.get(method) or _OTHERS[others.index(methods[place]) % len(_OTHERS)]


def _line(rows: pd.DataFrame, x: list[float], label: str, color: str) -> dict[str, Any]:
    """Return one line with intervals."""
    return {
        "type": "scatter",
        "x": x,
        "y": list(rows["value"]),
        "mode": "lines+markers",
        "name": label,
        "line": {"color": color, "width": 2},
        "marker": {"size": 9},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": list(rows["ci_high"] - rows["value"]),
            "arrayminus": list(rows["value"] - rows["ci_low"]),
            "width": 0,
            "thickness": 2,
        },
        "text": [estimate(row.value, row.ci_low, row.ci_high, row.n) for row in rows.itertuples()],
        "hovertemplate": f"{label}<br>%{{text}} nodes<extra></extra>",
    }


def _layout(ticks: list[str], x_title: str, y_title: str, height: int, *, from_zero: bool) -> dict[str, Any]:
    """Return the layout of a chart with named places on its axis."""
    layout: dict[str, Any] = plotly_layout(
        height=height,
        xaxis={"title": {"text": x_title}, "tickvals": list(range(len(ticks))), "ticktext": ticks},
        yaxis={"title": {"text": y_title}} | ({"rangemode": "tozero"} if from_zero else {}),
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    layout["margin"] = {**layout.get("margin", {}), "t": 40}
    return layout
