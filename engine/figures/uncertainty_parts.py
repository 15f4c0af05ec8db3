"""Parts of reliability figures: rate axes, curves with intervals, isotonic steps, counts by class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import number
from engine.figures.theme import BLUE, LINE, VERMILION

Scale = Literal["linear", "log", "logit"]
RAMP = (BLUE, "#56B4E9", "#CC79A7", "#E69F00", VERMILION)
"""From the most to the least certain bucket."""
FEW = 30
"""Bins with fewer rows are drawn hollow."""
_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0)


@dataclass(frozen=True, slots=True)
class RateAxis:
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


def reliability_limit(table: pd.DataFrame) -> float:
    """Return the upper end of the rate axes that shows every point and most intervals, at most 1."""
    highest = float(table[["mean_predicted", "observed_rate"]].max().max())
    return min(1.0, 1.12 * highest) if highest > 0 else 0.1


def rate_axis(table: pd.DataFrame, scale: Scale, limit: float | None) -> RateAxis:
    """Choose the ends of the rate axes: whole powers of ten below, on the curved scales."""
    if scale == "linear":
        return RateAxis(scale, 0.0, limit if limit is not None else reliability_limit(table))
    rates = table[["mean_predicted", "observed_rate"]].to_numpy(float)
    least = rates[rates > 0].min() if (rates > 0).any() else 0.01
    low = 10.0 ** np.floor(np.log10(min(least, 0.1)))
    if scale == "log":
        return RateAxis(scale, low, limit if limit is not None else max(reliability_limit(table), min(10 * low, 1.0)))
    below_one = 1 - rates[rates < 1]
    return RateAxis(scale, low, 1 - 10.0 ** np.floor(np.log10(min(below_one.min(), 0.1))) if below_one.size else 0.999)


def error_text(errors: pd.DataFrame | None, bucket: int) -> str:
    """Write the smooth calibration error of a bucket with its interval; of a handful of rows there is none."""
    own = None if errors is None else errors[errors["bucket"] == bucket]
    if own is None or own.empty or own["ci_low"].isna().all():
        return ""
    row = own.iloc[0]
    return f" · smECE {number(row['value'], 2)} [{number(row['ci_low'], 2)}, {number(row['ci_high'], 2)}]"


def diagonal(axis: RateAxis) -> go.Scatter:
    """Draw where predictions come true exactly: a straight line on every scale."""
    return go.Scatter(
        x=axis.range,
        y=axis.range,
        mode="lines",
        name="comes true",
        line={"color": LINE, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
    )


def bin_curve(rows: pd.DataFrame, name: str, color: str, axis: RateAxis) -> go.Scatter:
    """Draw the curve of one bucket with its intervals; bins with few rows are hollow, no rows leave a name."""
    filled = rows[rows["n"] > 0]
    if filled.empty:  # A point that is nowhere: a curve without points has no entry in the legend.
        return go.Scatter(x=[None], y=[None], mode="lines+markers", name=name, line={"color": color, "width": 2})
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


def isotonic_steps(rows: pd.DataFrame, name: str, color: str, axis: RateAxis) -> list[go.Scatter]:
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


def count_bars(rows: pd.DataFrame, name: str, color: str, axis: RateAxis) -> list[Any]:
    """Draw how many rows stand behind every bin, positives in full colour; a cross marks the place of an empty bin."""
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
    empty = rows["n"].to_numpy() == 0
    return [*bars, _empty_bins(rows[empty], x[empty], name, color)] if empty.any() else bars


def _empty_bins(rows: pd.DataFrame, x: np.ndarray, name: str, color: str) -> go.Scatter:
    """Mark the bins that hold no row."""
    return go.Scatter(
        x=x,
        y=np.zeros(len(rows)),
        mode="markers",
        name=f"{name}, empty bins",
        showlegend=False,
        cliponaxis=False,
        marker={"symbol": "x-thin-open", "size": 7, "color": color, "line": {"width": 1.5, "color": color}},
        customdata=rows[["bin_low", "bin_high"]],
        hovertemplate=f"{name}<br>no row from %{{customdata[0]:.3g}} to %{{customdata[1]:.3g}}<extra></extra>",
    )
