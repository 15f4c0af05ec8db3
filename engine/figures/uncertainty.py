"""The reliability figure: observed against predicted rate, with axes for rare positives and a strip by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from engine.figures.common import empty_figure, number
from engine.figures.theme import LINE, plotly_layout
from engine.figures.uncertainty_parts import (
    RAMP,
    RateAxis,
    Scale,
    bin_curve,
    bucket_color,
    count_bars,
    diagonal,
    error_text,
    isotonic_steps,
    rate_axis,
    reliability_limit,
)

MOST_NAMED = 5
"""Curves up to which the legend names all; of more it names the outermost and one between."""
MOST_DRAWN = 12
"""Curves up to which all are drawn; of more so many, spread evenly, with the outermost."""


def drawn_buckets(n_buckets: int) -> tuple[list[int], set[int]]:
    """Choose which curves are drawn, and which of them the legend names.

    Parameters
    ----------
    n_buckets : int, >= 1

    Returns
    -------
    drawn : list of int
        At most `MOST_DRAWN`, ascending, the outermost among them.
    named : set of int
        All where they are at most `MOST_NAMED`.
    """
    if n_buckets <= MOST_DRAWN:
        drawn = list(range(n_buckets))
    else:
        drawn = [round(place * (n_buckets - 1) / (MOST_DRAWN - 1)) for place in range(MOST_DRAWN)]
    return drawn, set(drawn if len(drawn) <= MOST_NAMED else (drawn[0], drawn[len(drawn) // 2], drawn[-1]))


def reliability_curves(  # noqa: PLR0913 - what may be left out is drawn only if given
    table: pd.DataFrame,
    *,
    names: Sequence[str],
    base_rate: float,
    limit: float | None = None,
    scale: Scale = "linear",
    corp: pd.DataFrame | None = None,
    errors: pd.DataFrame | None = None,
    height: int = 430,
) -> go.Figure:
    """Draw observed against predicted rate, one curve per uncertainty bucket or slice, over a strip by class.

    More curves than `MOST_DRAWN` are not all drawn, which the figure says; see `drawn_buckets`.

    Parameters
    ----------
    table : DataFrame
        Columns ``bucket, bin_low, bin_high, n, mean_predicted, observed_rate, ci_low, ci_high`` of
        one split, without the pooled rows; ``positives`` too, for the strip by class. Slices come numbered as
        ``bucket``.
    names : sequence of str
        Name of every bucket.
    base_rate : float
        Share of positives, drawn as a level line.
    limit : float, optional
        Upper end of both rate axes; the same for charts that are compared. Unused on the logit scale.
    scale : {"linear", "log", "logit"}, default "linear"
        Of both rate axes; the latter two spread rare positives out. A rate of 0 lies on the lower end.
    corp : DataFrame, optional
        Isotonic curves ``bucket, score_low, score_high, rate, ci_low, ci_high``, drawn as steps with their band.
    errors : DataFrame, optional
        Smooth calibration error ``bucket, value, ci_low, ci_high``, written into the names of the curves.
    height : int, default 430

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table.empty or not table["n"].any():
        return empty_figure("No row has a score in this split.", height=height)
    axis = rate_axis(table, scale, limit)
    drawn, named = drawn_buckets(len(names))
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.8, 0.2], vertical_spacing=0.04)
    traces: list[Any] = [diagonal(axis)]
    for bucket in drawn:
        name, color = names[bucket] + error_text(errors, bucket), bucket_color(bucket, len(names))
        if corp is not None:
            traces += isotonic_steps(corp[corp["bucket"] == bucket], name, color, axis)
        traces.append(bin_curve(table[table["bucket"] == bucket], name, color, axis))
        traces[-1].showlegend = bucket in named
    figure.add_traces(traces, rows=1, cols=1)
    for bucket in drawn:
        bars = count_bars(table[table["bucket"] == bucket], names[bucket], bucket_color(bucket, len(names)), axis)
        figure.add_traces(bars, rows=2, cols=1)
    if len(drawn) < len(names):
        figure.update_layout(legend_title={"text": f"{len(drawn)} of {len(names)} are drawn, from first to last:"})
    level = float(axis.place(base_rate))
    figure.add_hline(y=level, line={"color": LINE, "width": 1, "dash": "dot"}, row=1, col=1)
    label = {"text": f"base rate {number(base_rate)}", "showarrow": False, "font": {"size": 11}}
    ends = {"x": axis.range[1], "y": level, "xanchor": "right", "yanchor": "bottom"}
    figure.add_annotation(label | ends, row=1, col=1)
    _finish(figure, axis, height)
    return figure


def _finish(figure: go.Figure, axis: RateAxis, height: int) -> None:
    """Set axes, legend and margins of the reliability figure."""
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "itemclick": False, "itemdoubleclick": False}
    base = plotly_layout(height=height, showlegend=True, legend=legend, bargap=0, barmode="overlay")
    axes = {name: base.pop(name) for name in ("xaxis", "yaxis")}
    figure.update_layout(base | {"margin": {"l": 8, "r": 16, "t": 8, "b": 8}})
    figure.update_xaxes(axes["xaxis"] | {"zeroline": False} | axis.settings())
    figure.update_yaxes(axes["yaxis"] | {"zeroline": False})
    figure.update_yaxes(axis.settings() | {"title": {"text": "Observed rate of positives"}}, row=1, col=1)
    figure.update_yaxes(title={"text": "Rows"}, nticks=3, rangemode="tozero", row=2, col=1)
    figure.update_xaxes(title={"text": "Mean predicted probability in the bin"}, row=2, col=1)


__all__ = ["RAMP", "Scale", "bucket_color", "reliability_curves", "reliability_limit"]
