"""The weights that methods train with: how they are spread, and what clipping them costs and saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure
from engine.figures.theme import GREEN, GREY, GRID, LINE, METHOD_LABEL, ORANGE, OURS, TEXT, method_color, plotly_layout

_LABEL_COLORS = {"positive": ORANGE, "negative": GREY, "pending": GREEN}
_CLIP_HEIGHT = 360
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_WIDE = 4.0
"""Weights beyond it are drawn on a square-root axis."""
_CLIP_PANELS = (("ess_share", "Effective sample share", "", ".0%"), ("mean_weight", "Mean weight", "2", ".2f"))
"""Column, title, number of the axes, form of its values."""


def weight_histograms(
    table: pd.DataFrame, *, order: Sequence[str], clip: float | None = None, width: int = 760
) -> alt.FacetChart:
    """Draw how the weights are spread, one panel per method and kind of label, on a square-root scale.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, label, bin_low, bin_high, n, share, rows``.
    order : sequence of str
        Methods from left to right.
    clip : float, optional
        Limit, drawn as a line; bins above it are pale.
    width : int, default 760
        Pixels of all panels together.

    Returns
    -------
    altair.FacetChart
    """
    limit = float("inf") if clip is None else clip
    rows = table.assign(
        name=[METHOD_LABEL.get(method, method) for method in table["method"]],
        is_clipped=table["bin_low"] >= limit - 1e-9,
        # Where the line stands; without a limit there is none.
        limit=float("nan") if clip is None else clip,
    )
    names = [METHOD_LABEL.get(method, method) for method in order]
    bars = _weight_bars(is_wide=bool(rows["bin_high"].max() > _WIDE))
    line = alt.Chart().mark_rule(strokeDash=[4, 3], color=LINE, strokeWidth=2).encode(x="limit:Q")
    return (
        alt.layer(bars, line, data=rows)
        .properties(width=width // max(len(order), 1) - 30, height=90)
        .facet(
            column=alt.Column("name:N", sort=names, title=None, header=alt.Header(labelFontSize=13)),
            row=alt.Row("label:N", sort=list(_LABEL_COLORS), title=None, header=alt.Header(labelFontSize=12)),
        )
    )


def _weight_bars(*, is_wide: bool) -> alt.Chart:
    """Return the bars of one panel; on a square-root axis where a few weights are very large."""
    return (
        alt.Chart()
        .mark_rect()
        .encode(
            x=alt.X(
                "bin_low:Q",
                title="Weight",
                # A few very large weights would press all others into one bar.
                scale=alt.Scale(type="sqrt" if is_wide else "linear"),
                axis=alt.Axis(grid=False),
            ),
            x2="bin_high:Q",
            y2=alt.datum(0),
            y=alt.Y(
                "share:Q",
                title=None,
                scale=alt.Scale(type="sqrt"),
                axis=alt.Axis(format=".0%", values=[0, 0.01, 0.1, 0.3, 0.6, 1]),
            ),
            color=alt.Color(
                "label:N",
                scale=alt.Scale(domain=list(_LABEL_COLORS), range=list(_LABEL_COLORS.values())),
                legend=None,
            ),
            opacity=alt.condition("datum.is_clipped", alt.value(0.35), alt.value(1.0)),
            tooltip=[
                alt.Tooltip("name:N", title="Method"),
                alt.Tooltip("label:N", title="Label"),
                alt.Tooltip("bin_low:Q", title="Weight above", format=".2f"),
                alt.Tooltip("bin_high:Q", title="up to", format=".2f"),
                alt.Tooltip("n:Q", title="Rows", format=","),
                alt.Tooltip("share:Q", title="Share", format=".2%"),
            ],
        )
    )


def clip_curves(table: pd.DataFrame, *, clip: float | None) -> go.Figure:
    """Draw mean weight and effective sample share by the limit at which weights are cut.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, clip, mean_weight, ess_share, clipped_share``; one row per method and limit.
    clip : float, optional
        The chosen limit, marked.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table.empty:
        return empty_figure("No method here weighs its rows.", height=_CLIP_HEIGHT)
    methods = list(dict.fromkeys(table["method"]))
    traces = [
        _clip_line(table[table["method"] == method], method, place, panel)
        for panel in _CLIP_PANELS
        for place, method in enumerate(methods)
    ]
    axes = {"gridcolor": GRID, "automargin": True, "title": {"text": "Weights are cut at"}}
    titles = [
        {"text": f"<b>{title}</b>", "x": 0.55 * place, "y": 1.0, "xref": "paper", "yref": "paper", "showarrow": False}
        | {"xanchor": "left", "yanchor": "bottom", "font": {"color": TEXT}}
        for place, (_, title, _, _) in enumerate(_CLIP_PANELS)
    ]
    mark = {
        "type": "line",
        "x0": clip,
        "x1": clip,
        "y0": 0,
        "y1": 1,
        "line": {"color": OURS, "width": 2, "dash": "dash"},
    }
    shapes = [mark | {"xref": f"x{axis}", "yref": f"y{axis} domain"} for axis in ("", "2")] if clip is not None else []
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=_CLIP_HEIGHT,
            xaxis=axes | {"domain": [0.0, 0.45]},
            xaxis2=axes | {"domain": [0.55, 1.0], "anchor": "y2"},
            yaxis={"tickformat": ".1%"},
            yaxis2={"gridcolor": GRID, "automargin": True, "anchor": "x2"},
            shapes=shapes,
            annotations=titles,
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": -0.28, "yanchor": "top"},
            margin={"l": 8, "r": 16, "t": 28, "b": 8},
        ),
    )


def _clip_line(line: pd.DataFrame, method: str, place: int, panel: tuple[str, str, str, str]) -> dict[str, Any]:
    """Return the line of one method in one panel."""
    column, title, axis, form = panel
    label = METHOD_LABEL.get(method, method)
    # The greys of the baselines are near to each other: a dash of its own tells each line apart.
    dash = "solid" if method == "dress_style" else _DASHES[place % len(_DASHES)]
    return {
        "type": "scatter",
        "x": line["clip"].to_numpy(),
        "y": line[column].to_numpy(),
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "mode": "lines",
        "name": label,
        "legendgroup": label,
        "showlegend": axis == "",
        "line": {"color": method_color(method, rival="vanilla", position=place), "width": 2.2, "dash": dash},
        "customdata": line["clipped_share"].to_numpy(),
        "hovertemplate": f"{label}, limit %{{x:.2f}}<br>{title.lower()} %{{y:{form}}}"
        "<br>clipped %{customdata:.1%}<extra></extra>",
    }
