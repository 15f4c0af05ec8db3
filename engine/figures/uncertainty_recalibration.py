"""What recalibration changes in every uncertainty bucket: before and after as dumbbells with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate, interval_bar
from engine.figures.theme import GREY, LINE, OURS, plotly_layout

BEFORE = "raw"
_OFFSET = 0.15
"""Before stands above the line of its bucket, after below it, in parts of a row, so that intervals do not hide each
other."""
_GAP = 0.05
_ROW = 46


def recalibration_dumbbells(
    table: pd.DataFrame,
    *,
    segments: Mapping[str, str],
    repairs: Mapping[str, str],
    axis_title: str,
    reference: float | None = 0.0,
) -> go.Figure:
    """Draw one dumbbell per uncertainty bucket, in one panel per recalibration, on the same axis.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, segment, value, ci_low, ci_high, n`` of one metric; ``raw`` is the score before.
    segments : mapping of str to str
        Segment to its name, first one on top.
    repairs : mapping of str to str
        Method to the title of its panel.
    axis_title : str
        Name and unit of the value.
    reference : float, optional
        Value of a vertical line, where nothing is left to repair.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    found = {(str(row.method), str(row.segment)): row for row in table[table["value"].notna()].itertuples()}
    shown = [segment for segment in segments if (BEFORE, segment) in found]
    if not shown:
        return empty_figure("No value for this selection.")
    height = 96 + _ROW * len(shown)
    layout = plotly_layout(height=height, margin={"l": 8, "r": 16, "t": 46, "b": 8})
    base_x, base_y = layout.pop("xaxis"), layout.pop("yaxis")
    data: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    span = _span(table, reference)
    width = (1 - _GAP * (len(repairs) - 1)) / len(repairs)
    ticks = {"tickvals": list(range(len(shown))), "ticktext": [segments[name] for name in shown]}
    layout["yaxis"] = base_y | ticks | {"range": [len(shown) - 0.5, -0.5], "showgrid": False, "zeroline": False}
    for place, (method, title) in enumerate(repairs.items()):
        axis = "x" if place == 0 else f"x{place + 1}"
        start = place * (width + _GAP)
        own = {"domain": [start, start + width], "range": span, "title": {"text": axis_title}, "zeroline": False}
        layout[axis.replace("x", "xaxis")] = base_x | own
        data += _panel(found, shown, segments, method, axis)
        place_of = {"x": 0, "xref": f"{axis} domain", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom"}
        text = f"<b>{title}</b>  <span style='color:{GREY}'>○ before</span>  <span style='color:{OURS}'>● after</span>"
        notes.append(place_of | {"text": text, "showarrow": False, "yshift": 8})
    axes = ["x" if place == 0 else f"x{place + 1}" for place in range(len(repairs))]
    layout["shapes"] = [] if reference is None else [_vertical(reference, axis) for axis in axes]
    layout["annotations"] = notes
    return go.Figure({"data": data, "layout": layout})


def _span(table: pd.DataFrame, reference: float | None) -> list[float]:
    """Return the ends of an axis that holds every interval and the reference."""
    ends = [table["ci_low"].min(), table["ci_high"].max(), table["value"].min(), table["value"].max()]
    ends += [] if reference is None else [reference]
    low, high = float(min(ends)), float(max(ends))
    room = 0.06 * (high - low or 1.0)
    return [low - room, high + room]


def _panel(
    found: Mapping[tuple[str, str], Any],
    shown: list[str],
    segments: Mapping[str, str],
    method: str,
    axis: str,
) -> list[dict[str, Any]]:
    """Return the dumbbells of one recalibration."""
    traces: list[dict[str, Any]] = []
    for place, segment in enumerate(shown):
        before, after = found[BEFORE, segment], found.get((method, segment))
        if after is not None:
            ends = {"x": [before.value, after.value], "y": [place - _OFFSET, place + _OFFSET]}
            line = {"mode": "lines", "line": {"color": LINE, "width": 2}, "hoverinfo": "skip", "name": "change"}
            traces.append({"type": "scatter", "xaxis": axis} | ends | line)
            traces.append(_dot(after, place + _OFFSET, f"{segments[segment]}, after", OURS, axis, symbol="circle"))
        traces.append(_dot(before, place - _OFFSET, f"{segments[segment]}, before", GREY, axis, symbol="circle-open"))
    return traces


def _dot(row: Any, y: float, name: str, color: str, axis: str, *, symbol: str) -> dict[str, Any]:
    """Return one dot with its interval."""
    return {
        "type": "scatter",
        "xaxis": axis,
        "x": [row.value],
        "y": [y],
        "mode": "markers",
        "name": name,
        "marker": {"color": color, "size": 10, "symbol": symbol, "line": {"width": 2, "color": color}},
        "error_x": interval_bar(row.value, row.ci_low, row.ci_high, color),
        "hovertemplate": f"{name}<br>{estimate(row.value, row.ci_low, row.ci_high, int(row.n))}<extra></extra>",
    }


def _vertical(value: float, axis: str) -> dict[str, Any]:
    """Return a dotted line over the whole height of a panel."""
    line = {"color": LINE, "width": 1.5, "dash": "dot"}
    return {"type": "line", "x0": value, "x1": value, "xref": axis, "y0": 0, "y1": 1, "yref": "paper", "line": line}
