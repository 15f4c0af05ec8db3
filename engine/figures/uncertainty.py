"""The reliability figure: observed against predicted rate, with axes for rare positives and a strip by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from engine.figures.common import empty_figure, number
from engine.figures.theme import BLUE, LINE, VERMILION, plotly_layout

Scale = Literal["linear", "log", "logit"]
RAMP = (BLUE, "#56B4E9", "#CC79A7", "#E69F00", VERMILION)
"""From the most to the least certain bucket."""
FEW = 30
"""Bins with fewer rows are drawn hollow."""
_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0)


@dataclass(frozen=True, slots=True)
class _Axis:
    """Both rate axes: how a rate is placed, and from where to where."""

    scale: Scale
    low: float
    high: float

    def place(self, rate: Any) -> np.ndarray:
        """Return the place of rates; on the curved scales those outside the range lie on its end."""
        rates = np.asarray(rate, dtype=float)
        if self.scale == "linear":
            return rates
        clipped = np.clip(rates, self.low, self.high)
        return np.log10(clipped) if self.scale == "log" else np.log10(clipped / (1 - clipped))

    @property
    def range(self) -> list[float]:
        """Ends of the axis."""
        return [float(end) for end in self.place([self.low, self.high])]

    def settings(self) -> dict[str, Any]:
        """Return range and ticks; ticks are rates, wherever they lie."""
        if self.scale == "linear":
            return {"range": self.range}
        shown = [tick for tick in _TICKS if self.low <= tick <= self.high]
        return {
            "range": self.range,
            "tickmode": "array",
            "tickvals": self.place(shown).tolist(),
            "ticktext": [f"{tick:g}" for tick in shown],
        }


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
    axis = _axis(table, scale, limit)
    labels = [name + _error_text(errors, bucket) for bucket, name in enumerate(names)]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.8, 0.2], vertical_spacing=0.04)
    traces: list[Any] = [_diagonal(axis)]
    for bucket, name in enumerate(labels):
        color = bucket_color(bucket, len(names))
        if corp is not None:
            traces += _steps(corp[corp["bucket"] == bucket], name, color, axis)
        traces.append(_curve(table[table["bucket"] == bucket], name, color, axis))
    figure.add_traces(traces, rows=1, cols=1)
    for bucket, name in enumerate(names):
        bars = _counts(table[table["bucket"] == bucket], name, bucket_color(bucket, len(names)), axis)
        figure.add_traces(bars, rows=2, cols=1)
    level = float(axis.place(base_rate))
    figure.add_hline(y=level, line={"color": LINE, "width": 1, "dash": "dot"}, row=1, col=1)
    label = {"text": f"base rate {number(base_rate)}", "showarrow": False, "font": {"size": 11}}
    ends = {"x": axis.range[1], "y": level, "xanchor": "right", "yanchor": "bottom"}
    figure.add_annotation(label | ends, row=1, col=1)
    _finish(figure, axis, height)
    return figure


def reliability_limit(table: pd.DataFrame) -> float:
    """Return the upper end of the rate axes that shows every point and most intervals, at most 1."""
    highest = float(table[["mean_predicted", "observed_rate"]].max().max())
    return min(1.0, max(0.1, 1.12 * highest))


def _axis(table: pd.DataFrame, scale: Scale, limit: float | None) -> _Axis:
    """Choose the ends of the rate axes: whole powers of ten below, on the curved scales."""
    if scale == "linear":
        return _Axis(scale, 0.0, limit if limit is not None else reliability_limit(table))
    rates = table[["mean_predicted", "observed_rate"]].to_numpy(float)
    least = rates[rates > 0].min() if (rates > 0).any() else 0.01
    low = 10.0 ** np.floor(np.log10(min(least, 0.1)))
    if scale == "log":
        return _Axis(scale, low, limit if limit is not None else reliability_limit(table))
    below_one = 1 - rates[rates < 1]
    return _Axis(scale, low, 1 - 10.0 ** np.floor(np.log10(min(below_one.min(), 0.1))) if below_one.size else 0.999)


def _error_text(errors: pd.DataFrame | None, bucket: int) -> str:
    """Write the smooth calibration error of a bucket with its interval."""
    own = None if errors is None else errors[errors["bucket"] == bucket]
    if own is None or own.empty:
        return ""
    row = own.iloc[0]
    return f" · smECE {number(row['value'], 2)} [{number(row['ci_low'], 2)}, {number(row['ci_high'], 2)}]"


def _finish(figure: go.Figure, axis: _Axis, height: int) -> None:
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


def _diagonal(axis: _Axis) -> go.Scatter:
    """Draw where predictions come true exactly: a straight line on every scale."""
    return go.Scatter(
        x=axis.range,
        y=axis.range,
        mode="lines",
        name="comes true",
        line={"color": LINE, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )


def _curve(rows: pd.DataFrame, name: str, color: str, axis: _Axis) -> go.Scatter:
    """Draw the curve of one bucket with its intervals; bins with few rows are hollow."""
    filled = rows[rows["n"] > 0]
    y, low, high = (axis.place(filled[column]) for column in ("observed_rate", "ci_low", "ci_high"))
    return go.Scatter(
        x=axis.place(filled["mean_predicted"]),
        y=y,
        mode="lines+markers",
        name=name,
        line={"color": color, "width": 2},
        marker={"size": 8, "symbol": ["circle" if n >= FEW else "circle-open" for n in filled["n"]], "color": color},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": high - y,
            "arrayminus": y - low,
            "thickness": 1.2,
            "width": 3,
        },
        customdata=filled[["n", "ci_low", "ci_high", "mean_predicted", "observed_rate"]],
        hovertemplate=f"{name}<br>predicted %{{customdata[3]:.3g}}, observed %{{customdata[4]:.3g}} "
        "[%{customdata[1]:.3g}, %{customdata[2]:.3g}]<br>n %{customdata[0]:,}<extra></extra>",
    )


def _steps(rows: pd.DataFrame, name: str, color: str, axis: _Axis) -> list[go.Scatter]:
    """Draw the isotonic curve of one bucket as level stretches over its band."""
    if rows.empty:
        return []
    x = axis.place(np.stack([rows["score_low"], rows["score_high"]], axis=1).ravel())
    rate, low, high = (np.repeat(axis.place(rows[column]), 2) for column in ("rate", "ci_low", "ci_high"))
    shared = {"mode": "lines", "showlegend": False, "hoverinfo": "skip"}
    tint = "rgba({}, {}, {}, 0.15)".format(*(int(color[i : i + 2], 16) for i in (1, 3, 5)))
    return [
        go.Scatter(
            x=np.concatenate([x, x[::-1]]),
            y=np.concatenate([high, low[::-1]]),
            name=f"{name}, band",
            fill="toself",
            fillcolor=tint,
            line={"width": 0},
            **shared,
        ),
        go.Scatter(x=x, y=rate, name=f"{name}, isotonic", line={"color": color, "width": 1.5, "dash": "dot"}, **shared),
    ]


def _counts(rows: pd.DataFrame, name: str, color: str, axis: _Axis) -> list[go.Bar]:
    """Draw how many rows stand behind every bin, positives in full colour; an empty bin keeps its place, count 0."""
    middle = (rows["bin_low"] + rows["bin_high"].clip(upper=axis.high)) / 2
    x = axis.place(rows["mean_predicted"].fillna(middle))
    shared = {"x": x, "width": (axis.range[1] - axis.range[0]) / 120, "showlegend": False}
    bars = [
        go.Bar(
            y=rows["n"],
            name=name,
            marker={"color": color, "line": {"width": 0}},
            opacity=0.45 if "positives" in rows.columns else 0.75,
            hovertemplate=f"{name}<br>n %{{y:,}}<extra></extra>",
            **shared,
        )
    ]
    if "positives" in rows.columns:
        bars.append(
            go.Bar(
                y=rows["positives"],
                name=f"{name}, positives",
                marker={"color": color, "line": {"width": 0}},
                hovertemplate=f"{name}<br>positives %{{y:,}}<extra></extra>",
                **shared,
            )
        )
    return bars
