"""Reliability curves side by side: one panel per bucket or slice, all on the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, number
from engine.figures.theme import LINE, plotly_layout
from engine.figures.uncertainty_parts import (
    RateAxis,
    Scale,
    bin_curve,
    bucket_color,
    count_bars,
    diagonal,
    error_text,
    isotonic_steps,
    rate_axis,
)

_MOST_COLUMNS = 3
_BAND = 330
"""Pixels of a row of panels: title, curve, strip and ticks."""
_CURVE_TOP, _CURVE_END, _STRIP_TOP, _STRIP_END = 0.13, 0.69, 0.72, 0.83
"""Where curve and strip lie in a row of panels, from its top."""
_GAP = 0.06


def reliability_panels(
    table: pd.DataFrame,
    *,
    names: Sequence[str],
    base_rates: Sequence[float],
    scale: Scale = "linear",
    corp: pd.DataFrame | None = None,
    errors: pd.DataFrame | None = None,
) -> go.Figure:
    """Draw one panel per curve: observed against predicted rate over a strip of counts.

    Parameters
    ----------
    table : DataFrame
        As `engine.figures.uncertainty.reliability_curves` takes it.
    names : sequence of str
        Title of every panel, in the order of ``bucket``.
    base_rates : sequence of float
        Share of positives in every panel, NaN where it has no row.
    scale : {"linear", "log", "logit"}, default "linear"
    corp, errors : DataFrame, optional
        As there.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table.empty or not table["n"].any():
        return empty_figure("No row has a score in this split.")
    axis = rate_axis(table, scale, None)
    columns = min(len(names), _MOST_COLUMNS)
    bands = -(-len(names) // columns)
    layout = plotly_layout(height=_BAND * bands, margin={"l": 8, "r": 8, "t": 0, "b": 0}, bargap=0, barmode="overlay")
    base = {"x": layout.pop("xaxis") | {"zeroline": False}, "y": layout.pop("yaxis") | {"zeroline": False}}
    layout |= {"annotations": [], "shapes": []}
    data: list[Any] = []
    for bucket, name in enumerate(names):
        color, own = bucket_color(bucket, len(names)), table[table["bucket"] == bucket]
        keys = tuple("" if place == 0 else str(place + 1) for place in (2 * bucket, 2 * bucket + 1))
        layout |= _axes(base, axis, divmod(bucket, columns), (bands, columns), keys)
        curves: list[Any] = [diagonal(axis)]
        if corp is not None:
            curves += isotonic_steps(corp[corp["bucket"] == bucket], name, color, axis)
        curves.append(bin_curve(own, name, color, axis))
        for key, traces in zip(keys, (curves, count_bars(own, name, color, axis)), strict=True):
            data += [trace.update(xaxis=f"x{key}", yaxis=f"y{key}") for trace in traces]
        layout["annotations"] += _texts(name, error_text(errors, bucket), base_rates[bucket], axis, keys[0])
        layout["shapes"] += _base_rate(base_rates[bucket], axis, keys[0])
    return go.Figure({"data": data, "layout": layout})


def _axes(
    base: dict[str, Any], axis: RateAxis, place: tuple[int, int], size: tuple[int, int], keys: tuple[str, ...]
) -> dict[str, Any]:
    """Return the axes of one panel, given its row and column and how many there are, and of the strip below it."""
    (row, column), (bands, columns) = place, size
    width = (1 - _GAP * (columns - 1)) / columns
    left = column * (width + _GAP)
    x = {"domain": [left, left + width]} | axis.settings()

    def heights(top: float, end: float) -> list[float]:
        return [1 - (row + end) / bands, 1 - (row + top) / bands]

    curve, strip = keys
    first = column == 0
    rate = axis.settings() | {"title": {"text": "Observed rate" if first else ""}, "showticklabels": first}
    predicted = {"title": {"text": "Mean predicted", "standoff": 4}, "matches": f"x{curve}"}
    count = {"title": {"text": "Rows" if first else ""}, "nticks": 2, "rangemode": "tozero"}
    return {
        f"xaxis{curve}": base["x"] | x | {"anchor": f"y{curve}", "showticklabels": False},
        f"yaxis{curve}": base["y"] | rate | {"anchor": f"x{curve}", "domain": heights(_CURVE_TOP, _CURVE_END)},
        f"xaxis{strip}": base["x"] | x | predicted | {"anchor": f"y{strip}"},
        f"yaxis{strip}": base["y"] | count | {"anchor": f"x{strip}", "domain": heights(_STRIP_TOP, _STRIP_END)},
    }


def _texts(name: str, error: str, rate: float, axis: RateAxis, key: str) -> list[dict[str, Any]]:
    """Return the title of a panel and the name of its base rate."""
    place = {"xref": f"x{key} domain", "x": 0, "xanchor": "left", "showarrow": False, "align": "left"}
    text = f"<b>{name}</b>" + (f"<br>{error.removeprefix(' · ')}" if error else "")
    title = {
        "text": text,
        "yref": f"y{key} domain",
        "y": 1.02,
        "yanchor": "bottom",
        "font": {"size": 12},
    }
    if rate != rate:
        return [place | title]
    told = {"text": f"base rate {number(rate)}", "yref": f"y{key}", "y": float(axis.place(rate)), "yanchor": "bottom"}
    return [place | title, place | told | {"x": 1, "xanchor": "right", "font": {"size": 10}}]


def _base_rate(rate: float, axis: RateAxis, key: str) -> list[dict[str, Any]]:
    """Return the level line of a base rate."""
    if rate != rate:
        return []
    level = float(axis.place(rate))
    ends = {"x0": 0, "x1": 1, "xref": f"x{key} domain", "y0": level, "y1": level, "yref": f"y{key}"}
    return [{"type": "line", "line": {"color": LINE, "width": 1, "dash": "dot"}} | ends]
