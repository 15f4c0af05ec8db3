"""What can be reached: precision against recall along families of boundaries, on test and on tuning rows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure
from engine.figures.theme import BLUE, GREY, LINE, PURPLE, VERMILION, plotly_layout

COLOR = {"single_threshold": GREY, "mist": BLUE, "exact_dp": PURPLE, "bound": LINE}
NAME = {
    "single_threshold": "One threshold",
    "mist": "MIST",
    "exact_dp": "Exact program",
    "bound": "Bound for any boundary",
}
DASH = {"bound": "dash", "exact_dp": "dot"}
PANELS = {"test": "Test rows", "tune": "Tuning rows"}
BANDED = ("single_threshold", "mist")
POINT_COLUMNS = ("split", "name", "recall", "precision", "recall_low", "recall_high", "precision_low", "precision_high")


def frontier(table: pd.DataFrame, points: pd.DataFrame, *, target: float | None = None, height: int = 360) -> go.Figure:
    """Draw both splits side by side on the same axes, with bands on the test rows and boundaries of now as points.

    Parameters
    ----------
    table : DataFrame
        ``line, split, step, recall, precision, selected`` and ``precision_low, precision_high`` on the test rows;
        lines as in `NAME`.
    points : DataFrame
        Boundaries to mark, columns `POINT_COLUMNS`; the name ``edited`` is drawn strong.
    target : float, optional
        Precision asked for, drawn as a level line.
    height : int, default 360

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table.empty:
        return empty_figure("This run holds no frontier.", height=height)
    data: list[dict[str, Any]] = []
    for axis, split in enumerate(PANELS, 1):
        own = table[(table["split"] == split) & table["precision"].notna()]
        for line in NAME:
            rows = own[own["line"] == line]
            if rows.empty:
                continue
            if split == "test" and line in BANDED:
                data.append(_band(rows, line, axis))
            data.append(_line(rows, line, axis, in_legend=split == "tune"))
        data += [_point(row, axis) for row in points[points["split"] == split].itertuples() if row.recall == row.recall]
    ends = {"range": [0, 1], "zeroline": False}
    layout = plotly_layout(
        height=height,
        margin={"l": 56, "r": 16, "t": 30, "b": 64},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top", "itemclick": False, "itemdoubleclick": False},
        xaxis=ends | {"domain": [0, 0.485], "title": {"text": "Recall"}, "automargin": False},
        yaxis=ends | {"title": {"text": "Precision"}, "automargin": False},
    )
    layout["xaxis2"] = layout["xaxis"] | {"domain": [0.515, 1], "anchor": "y2"}
    layout["yaxis2"] = {k: v for k, v in layout["yaxis"].items() if k != "title"} | {
        "anchor": "x2",
        "showticklabels": False,
    }
    layout["annotations"] = [_heading(split, place) for split, place in zip(PANELS, (0, 0.515), strict=True)]
    if target is not None:
        layout["shapes"] = [_level(target, axis) for axis in (1, 2)]
    return go.Figure({"data": data, "layout": layout})


def _axes(axis: int) -> dict[str, str]:
    """Name the axes of a panel."""
    return {"xaxis": "x", "yaxis": "y"} if axis == 1 else {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}


def _line(rows: pd.DataFrame, line: str, axis: int, *, in_legend: bool) -> dict[str, Any]:
    """Draw one family."""
    return {
        "type": "scatter",
        "x": rows["recall"].tolist(),
        "y": rows["precision"].tolist(),
        "mode": "lines",
        "name": NAME[line],
        "legendgroup": line,
        "showlegend": in_legend,
        "line": {"color": COLOR[line], "width": 2, "dash": DASH.get(line, "solid")},
        "customdata": rows["selected"].tolist(),
        "hovertemplate": f"{NAME[line]}<br>recall %{{x:.3f}}, precision %{{y:.3f}}"
        "<br>%{customdata:,} rows selected<extra></extra>",
    } | _axes(axis)


def _band(rows: pd.DataFrame, line: str, axis: int) -> dict[str, Any]:
    """Fill between the ends of the intervals of the precision."""
    filled = rows[rows["precision_low"].notna()]
    color = "rgba({}, {}, {}, 0.14)".format(*(int(COLOR[line][i : i + 2], 16) for i in (1, 3, 5)))
    return {
        "type": "scatter",
        "x": [*filled["recall"], *filled["recall"][::-1]],
        "y": [*filled["precision_high"], *filled["precision_low"][::-1]],
        "mode": "lines",
        "fill": "toself",
        "fillcolor": color,
        "line": {"width": 0},
        "name": f"{NAME[line]}, 95 % band",
        "showlegend": False,
        "hoverinfo": "skip",
    } | _axes(axis)


def _point(row: Any, axis: int) -> dict[str, Any]:
    """Mark a boundary with the intervals of both shares."""
    mine = row.name == "edited"
    color = VERMILION if mine else GREY
    name = "Your boundary" if mine else NAME.get(row.name, str(row.name))
    bars = {"type": "data", "symmetric": False, "color": color, "thickness": 1.5, "width": 0}
    return {
        "type": "scatter",
        "x": [row.recall],
        "y": [row.precision],
        "mode": "markers",
        "name": name,
        "showlegend": mine and axis == 1,
        "marker": {"color": color, "size": 12 if mine else 9, "symbol": "diamond" if mine else "circle-open"},
        "error_x": bars | {"array": [row.recall_high - row.recall], "arrayminus": [row.recall - row.recall_low]},
        "error_y": bars
        | {"array": [row.precision_high - row.precision], "arrayminus": [row.precision - row.precision_low]},
        "hovertemplate": f"{name}<br>recall %{{x:.3f}}, precision %{{y:.3f}}<extra></extra>",
    } | _axes(axis)


def _heading(split: str, place: float) -> dict[str, Any]:
    """Name a panel."""
    return {
        "text": f"<b>{PANELS[split]}</b>",
        "x": place,
        "y": 1.01,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
    }


def _level(target: float, axis: int) -> dict[str, Any]:
    """Draw the precision that is asked for."""
    names = _axes(axis)
    return {
        "type": "line",
        "x0": 0,
        "x1": 1,
        "y0": target,
        "y1": target,
        "xref": names["xaxis"],
        "yref": names["yaxis"],
        "line": {"color": LINE, "width": 1.5, "dash": "dot"},
    }
