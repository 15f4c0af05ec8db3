"""Methods side by side: one metric in groups, reliability, calibration by age."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate, interval_bar, number
from engine.figures.theme import BASELINES, GRID, LINE, METHOD_LABEL, TEXT, method_color, plotly_layout

_STRONG = ("oracle", "vanilla", "dress_style")
_TITLE = {"xanchor": "left", "yanchor": "bottom", "showarrow": False, "font": {"color": TEXT}}
_ROW = 25
"""Pixels of a row of the grouped dots."""


def grouped_dots(
    table: pd.DataFrame,
    *,
    groups: Mapping[str, Sequence[str]],
    axis_title: str,
    reference: float | None = None,
    x_range: tuple[float, float] | None = None,
    listed: Collection[str] = (),
) -> go.Figure:
    """Draw one dot with its interval per method, in groups with a heading each.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, value, ci_low, ci_high, n``.
    groups : mapping of str to sequence of str
        Heading to the methods below it, in order; a method without a row is left out, with it an empty heading.
    axis_title : str
    reference : float, optional
        Value of a vertical line.
    x_range : tuple of float, optional
        Values beyond it are named at the edge instead of drawn.
    listed : collection of str, optional
        Methods that get a row even without a value, so that charts side by side have the same rows.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    found = {str(row.method): row for row in table[table["value"].notna()].itertuples()}
    if not found:
        return empty_figure("No value for this selection.")
    rows = _rows(groups, set(found) | set(listed))
    data, notes = _dots(found, rows, x_range, axis="x")
    layout = plotly_layout(
        height=70 + _ROW * len(rows),
        xaxis={"title": {"text": axis_title}} | ({"range": list(x_range)} if x_range else {}),
        yaxis=_row_axis(rows),
        annotations=notes,
        shapes=[] if reference is None else [_vertical(reference, "x")],
    )
    return go.Figure({"data": data, "layout": layout})


def _rows(groups: Mapping[str, Sequence[str]], found: set[str]) -> dict[str, str]:
    """Return the text of every row to the method on it, "" for a heading."""
    rows: dict[str, str] = {}
    for heading, methods in groups.items():
        shown = [method for method in methods if method in found]
        rows |= {f"<b>{heading}</b>": ""} if shown else {}
        rows |= {METHOD_LABEL.get(method, method): method for method in shown}
    return rows


def _row_axis(rows: Mapping[str, str]) -> dict[str, Any]:
    """Return the axis of the rows, first one on top."""
    texts = list(rows)
    order = {"categoryorder": "array", "categoryarray": texts, "tickvals": texts}
    return order | {"range": [len(rows) - 0.5, -0.5], "showgrid": False}


def _vertical(value: float, axis: str) -> dict[str, Any]:
    """Return a dotted line over the whole height of a panel."""
    line = {"color": LINE, "width": 1.5, "dash": "dot"}
    return {"type": "line", "x0": value, "x1": value, "xref": axis, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _dots(
    found: Mapping[str, Any], rows: Mapping[str, str], ends: tuple[float, float] | None, *, axis: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the dots of one panel, and the notes of those that lie beyond it."""
    dots: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    others = 0
    for label, method in rows.items():
        if method not in found:
            continue
        row, color = found[method], method_color(method, rival="vanilla", position=others)
        others += color in BASELINES
        far = ends is not None and not ends[0] <= row.value <= ends[1]
        if far:
            notes.append(_far_value(row, label, axis, right=row.value > (ends or (0, 0))[1]))
        dots.append(_dot(row, label, color, is_visible=not far) | {"xaxis": axis})
    return dots, notes


def _dot(row: Any, label: str, color: str, *, is_visible: bool) -> dict[str, Any]:
    """Return the dot of one method."""
    return {
        "type": "scatter",
        "x": [row.value],
        "y": [label],
        "mode": "markers",
        "name": label,
        "marker": {"color": color, "size": 10, "symbol": "diamond" if row.method == "oracle" else "circle"},
        "error_x": interval_bar(row.value, row.ci_low, row.ci_high, color) | {"visible": is_visible},
        "hovertemplate": f"{label}<br>{estimate(row.value, row.ci_low, row.ci_high, row.n)}<extra></extra>",
    }


def _far_value(row: Any, label: str, axis: str, *, right: bool) -> dict[str, Any]:
    """Return the note of a value that lies beyond the axis."""
    text = f"{number(row.value)} →" if right else f"← {number(row.value)}"
    place = {"x": 1.0 if right else 0.0, "xref": f"{axis} domain", "xanchor": "right" if right else "left", "y": label}
    return place | {"text": text, "showarrow": False, "font": {"color": TEXT, "size": 12}}


def reliability_curves(table: pd.DataFrame, *, height: int = 420) -> go.Figure:
    """Draw predicted against observed rate per bin of equally many rows; the three methods that matter stand out.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, mean_predicted, observed_rate, ci_low, ci_high, n``.
    height : int, optional
        Pixels.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["n"] > 0]
    if rows.empty:
        return empty_figure("There is no later exposure to judge.", height=height)
    top = float(max(rows["mean_predicted"].max(), rows["ci_high"].max())) * 1.03
    figure = go.Figure(
        go.Scatter(
            x=[0, top], y=[0, top], mode="lines", line={"color": LINE, "dash": "dot"}, hoverinfo="skip", name="ideal"
        )
    )
    methods = sorted(dict.fromkeys(rows["method"]), key=lambda method: method in _STRONG)
    for place, method in enumerate(methods):
        line = rows[rows["method"] == method].sort_values("mean_predicted")
        figure.add_trace(_reliability_line(line, method, method_color(method, rival="vanilla", position=place)))
    figure.update_layout(
        plotly_layout(
            height=height,
            xaxis={"title": {"text": "Predicted rate (mean of the bin)"}, "tickformat": ".0%", "range": [0, top]},
            yaxis={"title": {"text": "Observed final rate"}, "tickformat": ".0%", "range": [0, top]},
            showlegend=True,
            legend={"x": 1, "y": 0.01, "xanchor": "right", "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
        )
    )
    return figure


def _reliability_line(line: pd.DataFrame, method: str, color: str) -> go.Scatter:
    """Return the line of one method; bars only where the method stands out."""
    strong = method in _STRONG
    label = METHOD_LABEL.get(method, method)
    return go.Scatter(
        x=line["mean_predicted"],
        y=line["observed_rate"],
        mode="lines+markers" if strong else "lines",
        name=label,
        line={"color": color, "width": 2.5 if strong else 1, "dash": "dash" if method == "oracle" else "solid"},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": line["ci_high"] - line["observed_rate"],
            "arrayminus": line["observed_rate"] - line["ci_low"],
            "width": 0,
            "thickness": 1,
            "color": color,
            "visible": strong,
        },
        hovertemplate=[
            f"{label}<br>predicted {row.mean_predicted:.3f}<br>observed "
            f"{estimate(row.observed_rate, row.ci_low, row.ci_high, row.n)}<extra></extra>"
            for row in line.itertuples()
        ],
    )


def calibration_by_age(
    table: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    groups: Mapping[str, Sequence[str]],
    x_range: tuple[float, float] | None = None,
) -> go.Figure:
    """Draw predicted ÷ observed conversions per method, one panel per age on the snapshot day.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, bucket, value, ci_low, ci_high, n``.
    titles : mapping of str to str
        Bucket to panel title, in order.
    groups : mapping of str to sequence of str
        Heading to the methods below it, in order.
    x_range : tuple of float, optional
        Values beyond it are named at the edge instead of drawn.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    known = table[table["value"].notna()]
    buckets = [bucket for bucket in titles if (known["bucket"] == bucket).any()]
    if not buckets:
        return empty_figure("No exposures of these ages were held out.", height=360)
    ends = x_range or (min(float(known["ci_low"].min()), 0.95), max(float(known["ci_high"].max()), 1.05))
    rows = _rows(groups, set(known["method"]))
    layout = plotly_layout(height=100 + _ROW * len(rows), margin={"l": 8, "r": 16, "t": 36, "b": 8})
    layout["yaxis"] |= _row_axis(rows)
    layout["annotations"], layout["shapes"] = [], []
    data: list[dict[str, Any]] = []
    width = 1 / len(buckets)
    for place, bucket in enumerate(buckets):
        axis = "" if place == 0 else str(place + 1)
        found = {str(row.method): row for row in known[known["bucket"] == bucket].itertuples()}
        dots, notes = _dots(found, rows, ends, axis=f"x{axis}")
        data += dots
        start = place * width + 0.01
        title = {"text": f"<b>{titles[bucket]}</b>", "x": start, "y": 1.0, "xref": "paper", "yref": "paper"}
        layout["annotations"] += [*notes, title | _TITLE]
        layout["shapes"].append(_vertical(1.0, f"x{axis}"))
        layout[f"xaxis{axis}"] = {
            "domain": [start, (place + 1) * width - 0.02],
            "range": list(ends),
            "title": {"text": "Predicted ÷ observed" if place == len(buckets) // 2 else ""},
            "nticks": 4,
            "gridcolor": GRID,
            "automargin": True,
        }
    return go.Figure({"data": data, "layout": layout})
