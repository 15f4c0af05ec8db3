"""Parts that the curves over the age of labels share: bands, two-part lines, numbers at risk, marks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

import numpy as np
import pandas as pd

from engine.figures.common import keyed, plain_text
from engine.figures.theme import LINE, TEXT

FEW_ROWS = 30
"""A group with fewer exposures is named, not drawn."""
HEIGHT = 470
_MARKUP = re.compile("<[^>]*>")
_SHADE = "rgba(128, 136, 146, 0.13)"
_COLUMNS = 6
"""Columns of the numbers at risk at most: with more, those of a narrow chart overlap."""
_CLOSEST = 0.1
"""Columns of the numbers at risk are at least this share of the axis apart."""
_LETTER, _LINE = 0.0225, 0.07
"""Width of a letter and height of a line of a corner label, in parts of the panel of a window 1280 pixels wide."""
_NEAR_END = 0.75
"""From here on, in parts of the axis, the name of the window stands left of its line."""
_MOST_VISIBLE = 0.5
"""Lines are solid where the snapshot day could look at this share of the exposures, else dotted."""


def corner_label(text: str, color: str | None, height: float, anchor: str, *, size: int = 13) -> dict[str, Any]:
    """Return a label of a curve at the right edge, `height` in parts of the panel; the colour is that of its stroke."""
    place = {"x": 1, "xref": "paper", "xanchor": "right", "y": height, "yref": "y domain", "yanchor": anchor}
    written = text if color is None else keyed(text, color)
    return place | {"text": written, "font": {"color": TEXT, "size": size}, "showarrow": False}


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


def two_part_line(
    line: pd.DataFrame, name: str, key: str, color: str, words: str, risk_words: str
) -> list[dict[str, Any]]:
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
                f"<b>{plain_text(key)}</b>, day %{{x:.3g}}<br>"
                f"%{{y:.1%}} [%{{customdata[0]:.1%}}, %{{customdata[1]:.1%}}] {words}<br>"
                f"%{{customdata[2]:,.0f}} at risk {risk_words}<extra></extra>"
            ),
        }
        for rows, dash in parts
        if rows.any()
    ]


def numbers_at_risk(lines: Mapping[str, pd.DataFrame], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return the numbers at risk below the curves, as survival plots write them, a row per key."""
    ticks = _risk_days(lines)
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
                "textfont": {"color": TEXT, "size": 11},
                "hoverinfo": "skip",
                "cliponaxis": False,
                "name": f"at risk: {key}",
            }
        )
    return traces


def _risk_days(lines: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """Return the days of the columns: evenly over the longest line, as long as anybody is followed, none too close."""
    longest = max((line["elapsed_days"].to_numpy() for line in lines.values()), key=len)
    # After the last day every window is over: nobody is followed, whatever became of them.
    followed = max(float(line.loc[line["at_risk"] > 0, "elapsed_days"].max()) for line in lines.values())
    days = longest[longest <= followed]
    days = days[:: max(1, -(-len(days) // _COLUMNS))]
    apart = _CLOSEST * float(longest[-1] - longest[0])
    kept: list[float] = []
    for day in days:
        if not kept or day - kept[-1] >= apart:
            kept.append(float(day))
    return np.array(kept)


def strip_height(count: int) -> float:
    """Return which part of a figure the numbers at risk of so many lines take."""
    return 0.055 * (count + 1)


def strip_axis(colors: Sequence[str]) -> dict[str, Any]:
    """Return the axis of the numbers at risk; a row has the stroke of its line's colour, first one on top."""
    count = len(colors)
    strokes = [keyed("", color).rstrip() for color in reversed(colors)]
    return {
        "domain": [0.0, strip_height(count)],
        "range": [-0.6, count - 0.4],
        "showgrid": False,
        "zeroline": False,
        "tickvals": list(range(count)),
        "ticktext": [f"at risk {stroke}" if row == count - 1 else stroke for row, stroke in enumerate(strokes)],
        "tickfont": {"color": TEXT, "size": 11},
        "automargin": True,
        "fixedrange": True,
    }


def window_marks(
    waiting_days: float | None,
    immature_from: float | None,
    horizon: float,
    *,
    note_at: float,
    labels: Sequence[dict[str, Any]] = (),
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return shapes and notes for the window of the slider and the ages that not every exposure had reached.

    The line of the window leaves out the heights of the corner `labels` that it would run through.
    """
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    if immature_from is not None and immature_from < horizon:
        shape = {"type": "rect", "x0": immature_from, "x1": horizon, "fillcolor": _SHADE, "line": {"width": 0}}
        shapes.append(shape | {"y0": 0, "y1": 1, "yref": "y domain", "layer": "below"})
        notes.append(corner_label("shaded: over 10 % were not this old yet", None, note_at, "middle", size=11))
    if waiting_days is not None:
        # The axes start a little before 0.
        share = (waiting_days / horizon + 0.05) / 1.05
        line = {"type": "line", "x0": waiting_days, "x1": waiting_days, "yref": "y domain"}
        line |= {"line": {"color": LINE, "width": 2, "dash": "dash"}}
        shapes += [line | {"y0": low, "y1": high} for low, high in _clear_of([*labels, *notes], share)]
        side = {"xanchor": "right", "xshift": 4} if share > _NEAR_END else {"xanchor": "left", "xshift": -4}
        place = {"x": waiting_days, "y": 1.0, "yref": "y domain", "yanchor": "bottom"} | side
        font = {"color": TEXT, "size": 12}
        notes.append(place | {"text": f"window {waiting_days:g} d", "font": font, "showarrow": False})
    return shapes, notes


def _clear_of(labels: Sequence[dict[str, Any]], share: float) -> list[tuple[float, float]]:
    """Return the heights at which an upright line at a share of the axis runs through no corner label."""
    below = {"top": 1.0, "middle": 0.5, "bottom": 0.0}
    taken = [
        (label["y"] - _LINE * below[label["yanchor"]], label["y"] + _LINE * (1.0 - below[label["yanchor"]]))
        for label in labels
        if share > 1.0 - _LETTER * label["font"]["size"] / 13 * len(unescape(_MARKUP.sub("", label["text"])))
    ]
    parts, start = [], 0.0
    for low, high in sorted(taken):
        if low - start > _LINE:
            parts.append((start, low))
        start = max(start, high)
    return [*parts, (start, 1.0)] if 1.0 - start > _LINE or not parts else parts
