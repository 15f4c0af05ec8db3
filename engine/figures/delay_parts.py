"""Parts that the curves over the age of labels share: bands, two-part lines, numbers at risk, marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from engine.figures.theme import GREY, LINE

FEW_ROWS = 30
"""A group with fewer exposures is named, not drawn."""
HEIGHT = 470
_SHADE = "rgba(128, 136, 146, 0.13)"
_TICKS = 7
_MOST_VISIBLE = 0.5
"""Lines are solid where the snapshot day could look at this share of the exposures, else dotted."""


def corner_label(text: str, color: str, height: float, anchor: str) -> dict[str, Any]:
    """Return a label of a curve at the right edge, `height` in parts of the panel."""
    place = {"x": 1, "xref": "paper", "xanchor": "right", "y": height, "yref": "y domain", "yanchor": anchor}
    return place | {"text": text, "font": {"color": color, "size": 13}, "showarrow": False}


def faint(color: str, strength: float = 0.17) -> str:
    """Return a hexadecimal colour with most of its strength taken away."""
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {strength:g})"


def band(line: pd.DataFrame, name: str, color: str, *, x: str = "elapsed_days", **changes: Any) -> dict[str, Any]:
    """Return the filled interval ``{name}_low … {name}_high`` of a line, where it has one."""
    known = line[line[f"{name}_low"].notna()]
    days = known[x].to_numpy()
    return {
        "type": "scatter",
        "x": np.concatenate((days, days[::-1])),
        "y": np.concatenate((known[f"{name}_high"].to_numpy(), known[f"{name}_low"].to_numpy()[::-1])),
        "fill": "toself",
        "fillcolor": faint(color),
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
        "name": "95 % band",
    } | changes


def two_part_line(line: pd.DataFrame, name: str, key: str, color: str, words: str) -> list[dict[str, Any]]:
    """Return a line that is solid where the snapshot day could see it, dotted beyond."""
    visible = line["visible_share"].fillna(1.0).to_numpy() >= _MOST_VISIBLE
    # The dotted part starts at the last solid point, so that the line has no gap.
    dotted = ~visible | (visible & ~np.append(visible[1:], False))
    parts = [(visible, "solid")] if visible.all() else [(visible, "solid"), (dotted, "dot")]
    return [
        {
            "type": "scatter",
            "x": line["elapsed_days"].to_numpy()[rows],
            "y": line[name].to_numpy()[rows],
            "mode": "lines",
            "name": key,
            "line": {"color": color, "width": 2.5, "dash": dash},
            "customdata": line[[f"{name}_low", f"{name}_high", "at_risk"]].to_numpy()[rows],
            "hovertemplate": (
                f"<b>{key}</b>, day %{{x:.3g}}<br>%{{y:.1%}} [%{{customdata[0]:.1%}}, %{{customdata[1]:.1%}}] "
                f"{words}<br>%{{customdata[2]:,.0f}} at risk<extra></extra>"
            ),
        }
        for rows, dash in parts
        if rows.any()
    ]


def numbers_at_risk(
    lines: Mapping[str, pd.DataFrame], keys: Sequence[str], colors: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the numbers at risk below the curves, as survival plots write them."""
    longest = max((line["elapsed_days"].to_numpy() for line in lines.values()), key=len)
    ticks = longest[:: max(1, round(len(longest) / _TICKS))]
    traces = []
    for place, key in enumerate(keys):
        days = lines[key]["elapsed_days"].to_numpy()
        # A thinned line has other days: each number stands at the last day before the tick.
        before = np.searchsorted(days, ticks[ticks <= days[-1]], side="right") - 1
        shown = np.unique(before[before >= 0])
        traces.append(
            {
                "type": "scatter",
                "x": days[shown],
                "y": np.full(shown.size, len(keys) - 1 - place),
                "yaxis": "y2",
                "mode": "text",
                "text": [f"{value:,.0f}" for value in lines[key]["at_risk"].to_numpy()[shown]],
                "textfont": {"color": colors[key], "size": 11},
                "hoverinfo": "skip",
                "cliponaxis": False,
                "name": f"at risk: {key}",
            }
        )
    return traces


def strip_height(count: int) -> float:
    """Return which part of a figure the numbers at risk of so many lines take."""
    return 0.055 * (count + 1)


def strip_axis(count: int) -> dict[str, Any]:
    """Return the axis of the numbers at risk of so many lines."""
    return {
        "domain": [0.0, strip_height(count)],
        "range": [-0.6, count - 0.4],
        "showgrid": False,
        "zeroline": False,
        "tickvals": [(count - 1) / 2],
        "ticktext": ["at risk"],
        "tickfont": {"size": 11},
        "automargin": True,
        "fixedrange": True,
    }


def window_marks(
    waiting_days: float | None, immature_from: float | None, horizon: float, *, note_at: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return shapes and notes for the window of the slider and the ages that not every exposure had reached."""
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    if immature_from is not None and immature_from < horizon:
        shape = {"type": "rect", "x0": immature_from, "x1": horizon, "fillcolor": _SHADE, "line": {"width": 0}}
        shapes.append(shape | {"y0": 0, "y1": 1, "yref": "y domain", "layer": "below"})
        note = corner_label("shaded: over 10 % were not this old yet", GREY, note_at, "middle")
        notes.append(note | {"font": {"size": 11, "color": GREY}})
    if waiting_days is not None:
        line = {"type": "line", "x0": waiting_days, "x1": waiting_days, "y0": 0, "y1": 1, "yref": "y domain"}
        shapes.append(line | {"line": {"color": LINE, "width": 2, "dash": "dash"}})
        place = {"x": waiting_days, "xanchor": "left", "xshift": -4, "y": 1.0, "yref": "y domain", "yanchor": "bottom"}
        notes.append(place | {"text": f"window {waiting_days:g} d", "font": {"size": 12}, "showarrow": False})
    return shapes, notes
