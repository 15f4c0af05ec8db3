"""Figures of prediction uncertainty: reliability by bucket, and the recall that methods reach."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from engine.figures.common import empty_figure, number
from engine.figures.theme import BLUE, LINE, VERMILION, plotly_layout

RAMP = (BLUE, "#56B4E9", "#CC79A7", "#E69F00", VERMILION)
"""From the most to the least certain bucket."""
FEW = 30
"""Bins with fewer rows are drawn hollow."""


def bucket_color(bucket: int, n_buckets: int) -> str:
    """Return the colour of an uncertainty bucket, the same in every figure.

    Examples
    --------
    >>> bucket_color(0, 3), bucket_color(2, 3)
    ('#0072B2', '#D55E00')
    """
    if n_buckets == 1:
        return RAMP[0]
    place = bucket / (n_buckets - 1) * (len(RAMP) - 1)
    low = min(int(place), len(RAMP) - 2)
    share = place - low
    ends = [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in RAMP[low : low + 2]]
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in zip(*ends, strict=True))


def reliability_curves(
    table: pd.DataFrame,
    *,
    names: Sequence[str],
    base_rate: float,
    limit: float | None = None,
    height: int = 430,
) -> go.Figure:
    """Draw observed against predicted rate, one curve per uncertainty bucket, over a strip of counts.

    Parameters
    ----------
    table : DataFrame
        Columns ``bucket, bin_low, bin_high, n, mean_predicted, observed_rate, ci_low, ci_high`` of
        one split, without the pooled rows.
    names : sequence of str
        Name of every bucket.
    base_rate : float
        Share of positives, drawn as a level line.
    limit : float, optional
        Upper end of both rate axes; the same for charts that are compared.
    height : int, default 430

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table.empty or not table["n"].any():
        return empty_figure("No row has a score in this split.", height=height)
    limit = limit if limit is not None else reliability_limit(table)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.8, 0.2], vertical_spacing=0.04)
    figure.add_trace(_diagonal(limit), row=1, col=1)
    for bucket in range(len(names)):
        rows = table[table["bucket"] == bucket]
        color = bucket_color(bucket, len(names))
        figure.add_trace(_curve(rows, names[bucket], color), row=1, col=1)
        figure.add_trace(_counts(rows, names[bucket], color, limit), row=2, col=1)
    figure.add_hline(y=base_rate, line={"color": LINE, "width": 1, "dash": "dot"}, row=1, col=1)
    label = {"text": f"base rate {number(base_rate)}", "showarrow": False, "font": {"size": 11}}
    figure.add_annotation(label | {"x": limit, "y": base_rate, "xanchor": "right", "yanchor": "bottom"}, row=1, col=1)
    _finish(figure, limit, height)
    return figure


def reliability_limit(table: pd.DataFrame) -> float:
    """Return the upper end of the rate axes that shows every point and most intervals, at most 1."""
    highest = float(table[["mean_predicted", "observed_rate"]].max().max())
    return min(1.0, max(0.1, 1.12 * highest))


def _finish(figure: go.Figure, limit: float, height: int) -> None:
    """Set axes, legend and margins of the reliability figure."""
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "itemclick": False, "itemdoubleclick": False}
    base = plotly_layout(height=height, showlegend=True, legend=legend, bargap=0)
    axes = {name: base.pop(name) for name in ("xaxis", "yaxis")}
    figure.update_layout(base | {"margin": {"l": 8, "r": 16, "t": 8, "b": 8}})
    figure.update_xaxes(axes["xaxis"] | {"range": [0, limit], "zeroline": False})
    figure.update_yaxes(axes["yaxis"] | {"zeroline": False})
    figure.update_yaxes(range=[0, limit], title={"text": "Observed rate of positives"}, row=1, col=1)
    figure.update_yaxes(title={"text": "Rows"}, nticks=3, rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title={"text": "Mean predicted probability in the bin"}, row=2, col=1)


def _diagonal(limit: float) -> go.Scatter:
    """Draw where predictions come true exactly."""
    return go.Scatter(
        x=[0, limit],
        y=[0, limit],
        mode="lines",
        name="comes true",
        line={"color": LINE, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )


def _curve(rows: pd.DataFrame, name: str, color: str) -> go.Scatter:
    """Draw the curve of one bucket with its Wilson intervals; bins with few rows are hollow."""
    filled = rows[rows["n"] > 0]
    return go.Scatter(
        x=filled["mean_predicted"],
        y=filled["observed_rate"],
        mode="lines+markers",
        name=name,
        line={"color": color, "width": 2},
        marker={"size": 8, "symbol": ["circle" if n >= FEW else "circle-open" for n in filled["n"]], "color": color},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": filled["ci_high"] - filled["observed_rate"],
            "arrayminus": filled["observed_rate"] - filled["ci_low"],
            "thickness": 1.2,
            "width": 3,
        },
        customdata=filled[["n", "ci_low", "ci_high"]],
        hovertemplate=f"{name}<br>predicted %{{x:.3f}}, observed %{{y:.3f}} "
        "[%{customdata[1]:.3f}, %{customdata[2]:.3f}]<br>n %{customdata[0]:,}<extra></extra>",
    )


def _counts(rows: pd.DataFrame, name: str, color: str, limit: float) -> go.Bar:
    """Draw how many rows stand behind every bin; an empty bin keeps its place with a count of 0."""
    middle = (rows["bin_low"] + rows["bin_high"].clip(upper=limit)) / 2
    return go.Bar(
        x=rows["mean_predicted"].fillna(middle),
        y=rows["n"],
        width=limit / 120,
        name=name,
        marker={"color": color, "line": {"width": 0}},
        opacity=0.75,
        showlegend=False,
        hovertemplate=f"{name}<br>n %{{y:,}}<extra></extra>",
    )
