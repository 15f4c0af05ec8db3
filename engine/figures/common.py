"""Figures that more than one page draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.figures.theme import BASELINES, GREY, LINE, METHOD_LABEL, OURS, method_color, plotly_layout

_NAMED = 4
"""Lines that are all named at their ends, however close these lie."""
_ROW, _AROUND = 15, 90
"""Pixels: height of a name, and of what stands above and below the lines of a figure."""


def number(value: float, digits: int = 3) -> str:
    """Write a number with significant digits and thousands separators.

    Examples
    --------
    >>> number(0.41234), number(1204.0), number(float("nan"))
    ('0.412', '1,204', '–')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    rounded = float(f"{value:.{digits}g}")
    size = abs(rounded)
    if size == 0:
        return "0"
    if size >= 10 ** (digits - 1):
        return f"{rounded:,.0f}" if size < 10**digits else f"{value:,.0f}"
    if size < 1e-4:
        return f"{rounded:.{digits - 1}e}"
    places = digits - 1 - math.floor(math.log10(size))
    return f"{rounded:.{places}f}"


def plain_text(name: object) -> str:
    """Write a name from data so that Plotly shows it letter by letter: no markup, no template, no formula.

    Examples
    --------
    >>> plain_text("a <b>%{x}</b> & $y$")
    'a &lt;b&gt;%&#123;x}&lt;/b&gt; &amp; &#36;y&#36;'
    """
    return escape(str(name), quote=False).replace("{", "&#123;").replace("$", "&#36;")


def keyed(text: str, color: str) -> str:
    """Put a stroke of a line's colour before its label: the label itself keeps the colour of text on any page."""
    return f'<span style="color:{color}">━</span> {text}'


def estimate(value: float, ci_low: float, ci_high: float, n: int, *, unit: str = "") -> str:
    """Write an estimate with its interval and n.

    Examples
    --------
    >>> estimate(0.412, 0.385, 0.44, 1204)
    '0.412 [0.385, 0.440] · n 1,204'
    >>> estimate(0.412, float("nan"), float("nan"), 3)
    '0.412 · no interval · n 3'
    """
    if math.isnan(ci_low) and math.isnan(ci_high):
        return f"{number(value)}{unit} · {interval(ci_low, ci_high)} · n {n:,}"
    return f"{number(value)}{unit} {interval(ci_low, ci_high)} · n {n:,}"


def interval(ci_low: float, ci_high: float, *, unit: str = "") -> str:
    """Write an interval, or say that there is none, as of too few units.

    Examples
    --------
    >>> interval(38.5, 44.0, unit=" %"), interval(float("nan"), float("nan"), unit=" %")
    ('[38.5, 44.0] %', 'no interval')
    """
    if math.isnan(ci_low) and math.isnan(ci_high):
        return "no interval"
    return f"[{number(ci_low)}, {number(ci_high)}]{unit}"


def empty_figure(text: str, *, height: int = 320) -> go.Figure:
    """Return a figure that says why there is nothing to draw."""
    figure = go.Figure()
    figure.add_annotation(text=text, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper", font={"size": 14})
    hidden = {"visible": False}
    figure.update_layout(plotly_layout(height=height, xaxis=hidden, yaxis=hidden))
    return figure


def interval_bar(value: float, ci_low: float, ci_high: float, color: str) -> dict[str, Any]:
    """Return the error bar that reaches from one end of an interval to the other."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(ci_high - value, 0)],
        "arrayminus": [max(value - ci_low, 0)],
        "color": color,
        "thickness": 2,
        "width": 0,
    }


def method_dots(
    table: pd.DataFrame,
    *,
    axis_title: str,
    rival: str | None = None,
    reference: float | None = None,
    title: str | None = None,
    x_range: tuple[float, float] | None = None,
    height: int | None = None,
) -> go.Figure:
    """Draw one dot with its interval per method, in the order of the table, first row on top.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, value, ci_low, ci_high, n``.
    axis_title : str
        Name and unit of the value.
    rival : str, optional
        Key of the strongest peer.
    reference : float, optional
        Value of a vertical line, for example 0 for differences or 0.5 for an AUC.
    title : str, optional
    x_range : tuple of float, optional
        Same range for charts side by side.
    height : int, optional
        Pixels; by default grows with the number of methods.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["value"].notna()]
    if rows.empty:
        return empty_figure("No value for this selection.")
    data: list[dict[str, Any]] = []
    others = 0
    for row in rows.itertuples():
        color = method_color(row.method, rival=rival, position=others)
        others += color in BASELINES
        label = METHOD_LABEL.get(row.method, row.method)
        data.append(
            {
                "type": "scatter",
                "x": [row.value],
                "y": [label],
                "mode": "markers",
                "name": label,
                "marker": {"color": color, "size": 11, "symbol": "diamond" if row.method == "oracle" else "circle"},
                "error_x": interval_bar(row.value, row.ci_low, row.ci_high, color),
                "hovertemplate": f"{label}<br>{estimate(row.value, row.ci_low, row.ci_high, row.n)}<extra></extra>",
            }
        )
    layout = plotly_layout(
        height=height or 90 + 32 * len(rows),
        title=title,
        xaxis={"title": {"text": axis_title}} | ({"range": list(x_range)} if x_range else {}),
        yaxis={
            "autorange": "reversed",
            "showgrid": False,
            "categoryorder": "array",
            "categoryarray": [trace["y"][0] for trace in data],
        },
    )
    if reference is not None:
        line = {"color": LINE, "width": 1.5, "dash": "dot"}
        ends = {"x0": reference, "x1": reference, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain"}
        layout["shapes"] = [{"type": "line", "line": line} | ends]
    # Built in one piece: Plotly checks every later change of a figure at length.
    return go.Figure({"data": data, "layout": layout})


def loss_curves(history: pd.DataFrame, *, stages: Sequence[str] | None = None, height: int = 260) -> go.Figure:
    """Draw losses over epochs, one line per stage and loss, named where it ends if there is room, else by the pointer.

    Parameters
    ----------
    history : DataFrame
        Columns ``stage, epoch, loss, value``.
    stages : sequence of str, optional
        Stages to draw; all if absent.
    height : int, default 260

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = history if stages is None else history[history["stage"].isin(list(stages))]
    if rows.empty:
        return empty_figure("The first epoch is still running.", height=height)
    figure = go.Figure()
    keys = rows[["stage", "loss"]].drop_duplicates()
    lines = [rows[(rows["stage"] == key.stage) & (rows["loss"] == key.loss)] for key in keys.itertuples()]
    shifts = _shifts([float(line["value"].iloc[-1]) for line in lines], rows["value"], height - _AROUND)
    for place, (line, shift) in enumerate(zip(lines, shifts, strict=True)):
        last = place == len(lines) - 1
        color, (stage, loss) = OURS if last else GREY, line[["stage", "loss"]].iloc[0]
        name = f"{stage}: {str(loss).replace('_', ' ')}"
        style = {"color": color, "width": 2.5 if last else 1.2}
        figure.add_trace(go.Scatter(x=line["epoch"], y=line["value"], mode="lines", name=name, line=style))
        if shift is not None:
            figure.add_annotation(
                x=line["epoch"].iloc[-1],
                y=line["value"].iloc[-1],
                text=escape(name.removeprefix(f"{stage}: ") if len(set(keys["stage"])) == 1 else name),
                showarrow=False,
                xanchor="right",
                yanchor="bottom",
                yshift=shift,
                font={"color": color, "size": 12},
            )
    figure.update_layout(
        plotly_layout(
            height=height, xaxis={"title": {"text": "Epoch"}}, yaxis={"title": {"text": "Loss (mean per example)"}}
        )
    )
    return figure


def _shifts(ends: Sequence[float], values: pd.Series, pixels: int) -> list[float | None]:
    """Return by how many pixels the name at each end moves up to stand clear of those below it.

    Of more names than can be told apart, those that would lie on another are left out, the last line's never: None.
    """
    span = float(values.max() - values.min()) or 1.0
    heights = [(end - float(values.min())) / span * pixels for end in ends]
    shifts: list[float | None] = [None] * len(ends)
    if len(ends) > _NAMED:
        for place in reversed(range(len(ends))):
            named = [heights[other] for other in range(place + 1, len(ends)) if shifts[other] is not None]
            shifts[place] = 0.0 if all(abs(heights[place] - height) >= _ROW for height in named) else None
        return shifts
    least = -math.inf
    for place in sorted(range(len(ends)), key=heights.__getitem__):
        shifts[place] = max(least - heights[place], 0.0)
        least = max(least, heights[place]) + _ROW
    return shifts
