"""What every method would learn from a made-up delay, beside the truth."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from engine.figures.theme import BASELINES, METHOD_LABEL, TEXT, TRUTH, method_color, plotly_layout

_TRUTH_LINE = {"type": "line", "y0": 0, "y1": 1, "yref": "y domain"} | {
    "line": {"color": TRUTH, "width": 2, "dash": "dash"}
}
_TRUTH_NOTE = {"y": 1, "yref": "y domain", "yanchor": "bottom", "showarrow": False} | {
    "font": {"color": TEXT, "size": 12}
}
_FACTORS = (0.25, 0.5, 1, 2, 4)
_SWEPT: dict[str, tuple[str, dict[str, Any]]] = {
    "engagement": (
        "engagement %{x:.0%}",
        {"title": {"text": "Engagement rate after the change"}, "tickformat": ".0%", "range": [0, 1]},
    ),
    "delay_factor": (
        "delays times %{x:.2f}",
        {
            "title": {"text": "Delays after the change, times those before"},
            "type": "log",
            "tickvals": list(_FACTORS),
            "ticktext": [f"{factor:g}" for factor in _FACTORS],
        },
    ),
}
"""What is swept to the words of the hover and to its axis."""


def what_if_bars(table: pd.DataFrame, *, truth: float) -> go.Figure:
    """Draw the rate that every method would learn, with the truth as a line.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, learned, bias``.
    truth : float

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["learned"].notna()]
    labels = [METHOD_LABEL.get(method, method) for method in rows["method"]]
    colors = [method_color(m, rival="vanilla", position=k % len(BASELINES)) for k, m in enumerate(rows["method"])]
    longest = max(float(rows["learned"].max()), truth)
    return go.Figure(
        data=[
            {
                "type": "bar",
                "orientation": "h",
                "x": rows["learned"].to_numpy(),
                "y": labels,
                "marker": {"color": colors},
                "name": "learned",
                "hovertemplate": "%{y}<br>learns %{x:.2%}<extra></extra>",
            },
            {
                "type": "scatter",
                "mode": "text",
                # One column, clear of the line of the truth.
                "x": [1.05 * longest] * len(rows),
                "y": labels,
                "text": [
                    f"{value:.1%} ({100 * bias:+.1f})"
                    for value, bias in zip(rows["learned"], rows["bias"], strict=True)
                ],
                "textposition": "middle right",
                "textfont": {"color": TEXT},
                "hoverinfo": "skip",
                "name": "values",
            },
        ],
        layout=plotly_layout(
            height=70 + 26 * len(rows),
            bargap=0.35,
            xaxis={
                "title": {"text": "Learned rate (points off the truth)"},
                "tickformat": ".0%",
                "range": [0, 1.65 * longest],
            },
            yaxis={"autorange": "reversed", "showgrid": False},
            shapes=[_TRUTH_LINE | {"x0": truth, "x1": truth}],
            annotations=[_TRUTH_NOTE | {"text": f"truth {truth:.1%}", "x": truth}],
            margin={"l": 8, "r": 16, "t": 26, "b": 8},
        ),
    )


def what_if_sweep(
    table: pd.DataFrame, *, over: Literal["engagement", "delay_factor"], here: float, height: int = 420
) -> go.Figure:
    """Draw how far every method is off over the engagement rate, or over the factor of the delays.

    Parameters
    ----------
    table : DataFrame
        Columns ``method``, `over` and ``bias``; one line per method.
    over : {"engagement", "delay_factor"}
    here : float
        Where the slider stands.
    height : int, optional
        Pixels.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    methods = list(dict.fromkeys(table["method"]))
    words, axis = _SWEPT[over]
    traces: list[dict[str, Any]] = []
    for place, method in enumerate(methods):
        line = table[table["method"] == method]
        label = METHOD_LABEL.get(method, method)
        traces.append(
            {
                "type": "scatter",
                "x": line[over].to_numpy(),
                "y": 100 * line["bias"].to_numpy(),
                "mode": "lines",
                "name": label,
                "line": {"color": method_color(method, rival="vanilla", position=place), "width": 2.5},
                "hovertemplate": f"{label}<br>{words}: off by %{{y:+.2f}} points<extra></extra>",
            }
        )
    mark = {"type": "line", "x0": here, "x1": here, "y0": 0, "y1": 1, "yref": "y domain"}
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=height,
            xaxis=axis,
            yaxis={"title": {"text": "Learned − truth (points)"}, "tickformat": "+.1f", "zerolinewidth": 2},
            shapes=[mark | {"line": {"color": TRUTH, "width": 2, "dash": "dash"}}],
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            margin={"l": 8, "r": 16, "t": 56, "b": 8},
        ),
    )
