"""What remains when doubtful rows are left out: risk against the share left out, and the mean height of each curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate, interval_bar, number
from engine.figures.theme import GREY, OURS, RIVAL, plotly_layout

COLORS = {"random": GREY, "score_ambiguity": RIVAL, "uncertainty": OURS}
"""Order of leaving out to its colour, the strongest last so that it lies on top."""
_LABEL_GAP = 0.07
"""Least distance of two labels, in parts of the axis."""


def abstention_curves(
    table: pd.DataFrame, *, names: Mapping[str, str], axis_title: str, height: int = 380
) -> go.Figure:
    """Draw what is measured on the rows kept against the share of rows left out, one curve per order.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, coverage, value, ci_low, ci_high, n`` of one scorer and metric; methods are the keys of
        `COLORS`.
    names : mapping of str to str
        Method to its name, written at the end of its curve.
    axis_title : str
        Name and unit of what is measured.
    height : int, default 380

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["value"].notna()]
    lines = {method: rows[rows["method"] == method].sort_values("coverage", ascending=False) for method in COLORS}
    lines = {method: line for method, line in lines.items() if len(line)}
    if not lines:
        return empty_figure("No value for this selection.", height=height)
    data: list[dict[str, Any]] = []
    for method, line in lines.items():
        data.append(_band(line, COLORS[method]))
    for method, line in lines.items():
        data.append(_line(line, names.get(method, method), COLORS[method], dash="dash" if method == "random" else None))
    low, high = float(rows["ci_low"].min()), float(rows["ci_high"].max())
    room = 0.05 * (high - low or 1.0)
    span = [low - room, high + room]
    layout = plotly_layout(
        height=height,
        margin={"l": 8, "r": 124, "t": 12, "b": 8},
        xaxis={"title": {"text": "Share of rows left out"}, "tickformat": ".0%", "range": [-0.01, 0.96]},
        yaxis={"title": {"text": axis_title}, "range": span, "zeroline": False},
        annotations=_labels(lines, names, span),
    )
    return go.Figure({"data": data, "layout": layout})


def _band(line: pd.DataFrame, color: str) -> dict[str, Any]:
    """Return the band of intervals of a curve."""
    x = 1 - line["coverage"].to_numpy()
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return {
        "type": "scatter",
        "x": np.concatenate([x, x[::-1]]),
        "y": np.concatenate([line["ci_high"].to_numpy(), line["ci_low"].to_numpy()[::-1]]),
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": f"rgba({red}, {green}, {blue}, 0.15)",
        "hoverinfo": "skip",
        "name": "95 % band",
    }


def _line(line: pd.DataFrame, name: str, color: str, *, dash: str | None) -> dict[str, Any]:
    """Return a curve."""
    return {
        "type": "scatter",
        "x": 1 - line["coverage"].to_numpy(),
        "y": line["value"].to_numpy(),
        "mode": "lines",
        "name": name,
        "line": {"color": color, "width": 2.5, "dash": dash or "solid"},
        "customdata": line[["ci_low", "ci_high", "n"]].to_numpy(),
        "hovertemplate": f"{name}<br>%{{x:.0%}} left out: %{{y:.3g}} [%{{customdata[0]:.3g}}, %{{customdata[1]:.3g}}]"
        "<br>n %{customdata[2]:,}<extra></extra>",
    }


def _labels(lines: Mapping[str, pd.DataFrame], names: Mapping[str, str], span: list[float]) -> list[dict[str, Any]]:
    """Name every curve at its right end, pushed apart where ends lie close together."""
    ends = sorted((float(line["value"].iloc[-1]), method) for method, line in lines.items())
    least = _LABEL_GAP * (span[1] - span[0])
    heights: list[float] = []
    for value, _ in ends:
        heights.append(max(value, heights[-1] + least) if heights else value)
    over = max(heights[-1] - span[1], 0.0)
    return [
        {
            "x": 1,
            "xref": "paper",
            "xanchor": "left",
            "xshift": 4,
            "y": height - over,
            "yanchor": "middle",
            "text": names.get(method, method),
            "font": {"color": COLORS[method], "size": 13},
            "align": "left",
            "showarrow": False,
        }
        for height, (_, method) in zip(heights, ends, strict=True)
    ]


def abstention_areas(table: pd.DataFrame, *, names: Mapping[str, str], axis_title: str, height: int = 380) -> go.Figure:
    """Draw the mean height of every curve with its interval, one row per order of leaving out.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, value, ci_low, ci_high, n``.
    names : mapping of str to str
        Method to its name, first one on top.
    axis_title : str
    height : int, default 380

    Returns
    -------
    plotly.graph_objects.Figure
    """
    found = {str(row.method): row for row in table[table["value"].notna()].itertuples()}
    shown = [method for method in names if method in found]
    if not shown:
        return empty_figure("No value for this selection.", height=height)
    data = [_area(found[method], names[method], COLORS[method]) for method in shown]
    order = {"categoryorder": "array", "categoryarray": [names[method] for method in shown]}
    layout = plotly_layout(
        height=height,
        xaxis={"title": {"text": axis_title}},
        yaxis=order | {"range": [len(shown) - 0.5, -0.7], "showgrid": False},
    )
    return go.Figure({"data": data, "layout": layout})


def _area(row: Any, name: str, color: str) -> dict[str, Any]:
    """Return the dot of one mean height with its interval, its value above it."""
    return {
        "type": "scatter",
        "x": [row.value],
        "y": [name],
        "mode": "markers+text",
        "text": [number(row.value)],
        "textposition": "top center",
        "textfont": {"color": color},
        "name": name,
        "cliponaxis": False,
        "marker": {"color": color, "size": 11},
        "error_x": interval_bar(row.value, row.ci_low, row.ci_high, color),
        "hovertemplate": f"{name}<br>{estimate(row.value, row.ci_low, row.ci_high, int(row.n))}<extra></extra>",
    }
