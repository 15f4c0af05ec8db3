"""Curves of labels over elapsed time: what is seen, what will flip, and how many are behind it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, number
from engine.figures.theme import (
    BLUE,
    GREEN,
    GREY,
    LINE,
    ORANGE,
    OURS,
    PURPLE,
    RIVAL,
    SKY,
    TRUTH,
    plotly_layout,
)

_GROUP_COLORS = {
    "all": (BLUE,),
    "engagement": (GREEN, GREY),
    "segment": (SKY, GREEN, PURPLE, ORANGE, GREY),
    # Older to newer, from green to violet: time is an order, not a set of names.
    "cohort": ("#44A88F", "#2E93C4", "#4F79D0", "#8E6BC9"),
}
_HEIGHT = 470
_SHADE = "rgba(128, 136, 146, 0.13)"
_TICKS = 7
_MOST_VISIBLE = 0.5
"""Lines are solid where the snapshot day could look at this share of the exposures, else dotted."""


def flip_curves(table: pd.DataFrame, *, group: str, waiting_days: float, immature_from: float | None) -> go.Figure:
    """Draw the share of still-negative labels that will flip, by elapsed time, with the numbers at risk below.

    Parameters
    ----------
    table : DataFrame
        Columns ``key, elapsed_days, flip, flip_low, flip_high, at_risk, visible_share``; one line per key.
    group : {"all", "segment", "cohort", "engagement"}
        What the keys are; decides the colours.
    waiting_days : float
        Window of the slider, marked by a vertical line.
    immature_from : float, optional
        Age beyond which the chart is shaded: more than a tenth of the exposures were younger on the snapshot day.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["flip"].notna()]
    if rows.empty:
        return empty_figure(
            "No exposure was followed to the end of its window here; choose another view.", height=_HEIGHT
        )
    # Highest curve first, so that labels and numbers at risk stand in the order of the curves.
    lines = {str(key): line for key, line in rows.groupby("key", sort=False)}
    colors = dict(zip(lines, itertools.cycle(_GROUP_COLORS[group]), strict=False))
    keys = sorted(lines, key=lambda key: -float(lines[key]["flip"].iloc[0]))
    horizon = float(rows["elapsed_days"].max())
    strip = 0.055 * (len(keys) + 1)
    labels = keys if len(keys) > 1 else []
    shapes, notes = _window_marks(waiting_days, immature_from, horizon, note_at=0.95 - 0.085 * len(labels))
    notes += [
        _label(f"<b>{key}</b> · n {int(lines[key]['n'].max()):,}", colors[key], 1 - 0.085 * place, "top")
        for place, key in enumerate(labels)
    ]
    traces = [
        part
        for key in keys
        for part in (_band(lines[key], "flip", colors[key]), *_two_part_line(lines[key], key, colors[key]))
    ]
    return go.Figure(
        data=[*traces, *_numbers_at_risk(lines, keys, colors)],
        layout=plotly_layout(
            height=_HEIGHT,
            xaxis={"title": {"text": "Days since exposure"}, "range": [-0.05 * horizon, horizon], "anchor": "y2"},
            yaxis={
                "title": {"text": "Flip rate of the labels still negative"},
                "tickformat": ".0%",
                "rangemode": "tozero",
                "domain": [strip + 0.05, 1.0],
            },
            yaxis2=_strip_axis(keys, strip),
            shapes=shapes,
            annotations=notes,
            margin={"l": 8, "r": 16, "t": 26, "b": 8},
        ),
    )


def _label(text: str, color: str, height: float, anchor: str) -> dict[str, Any]:
    """Return a label of a curve at the right edge."""
    place = {"x": 1, "xref": "paper", "xanchor": "right", "y": height, "yref": "y domain", "yanchor": anchor}
    return place | {"text": text, "font": {"color": color, "size": 13}, "showarrow": False}


def _band(line: pd.DataFrame, name: str, color: str) -> dict[str, Any]:
    """Return the filled interval of a line, where it has one."""
    known = line[line[f"{name}_low"].notna()]
    days = known["elapsed_days"].to_numpy()
    return {
        "type": "scatter",
        "x": np.concatenate((days, days[::-1])),
        "y": np.concatenate((known[f"{name}_high"].to_numpy(), known[f"{name}_low"].to_numpy()[::-1])),
        "fill": "toself",
        "fillcolor": _faint(color),
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
        "name": "95 % band",
    }


def _faint(color: str) -> str:
    """Return a colour with most of its strength taken away."""
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.17)"


def _two_part_line(line: pd.DataFrame, key: str, color: str) -> list[dict[str, Any]]:
    """Return a line that is solid where the snapshot day could see it, dotted beyond."""
    visible = line["visible_share"].fillna(1.0).to_numpy() >= _MOST_VISIBLE
    # The dotted part starts at the last solid point, so that the line has no gap.
    dotted = ~visible | (visible & ~np.append(visible[1:], False))
    parts = [(visible, "solid")] if visible.all() else [(visible, "solid"), (dotted, "dot")]
    return [
        {
            "type": "scatter",
            "x": line["elapsed_days"].to_numpy()[rows],
            "y": line["flip"].to_numpy()[rows],
            "mode": "lines",
            "name": key,
            "line": {"color": color, "width": 2.5, "dash": dash},
            "customdata": line[["flip_low", "flip_high", "at_risk"]].to_numpy()[rows],
            "hovertemplate": (
                f"<b>{key}</b>, day %{{x:.3g}}<br>%{{y:.1%}} [%{{customdata[0]:.1%}}, %{{customdata[1]:.1%}}] "
                "still flip<br>%{customdata[2]:,.0f} at risk<extra></extra>"
            ),
        }
        for rows, dash in parts
        if rows.any()
    ]


def _numbers_at_risk(
    lines: Mapping[str, pd.DataFrame], keys: Sequence[str], colors: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the numbers at risk below the curves, as survival plots write them."""
    longest = max((line["elapsed_days"].to_numpy() for line in lines.values()), key=len)
    ticks = longest[:: max(1, round(len(longest) / _TICKS))]
    traces = []
    for place, key in enumerate(keys):
        days = lines[key]["elapsed_days"].to_numpy()
        shown = np.isin(days, ticks)
        traces.append(
            {
                "type": "scatter",
                "x": days[shown],
                "y": np.full(int(shown.sum()), len(keys) - 1 - place),
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


def _strip_axis(keys: Sequence[str], strip: float) -> dict[str, Any]:
    """Return the axis of the numbers at risk."""
    return {
        "domain": [0.0, strip],
        "range": [-0.6, len(keys) - 0.4],
        "showgrid": False,
        "zeroline": False,
        "tickvals": [(len(keys) - 1) / 2],
        "ticktext": ["at risk"],
        "tickfont": {"size": 11},
        "automargin": True,
        "fixedrange": True,
    }


def _window_marks(
    waiting_days: float, immature_from: float | None, horizon: float, *, note_at: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return shapes and notes for the window of the slider and the ages that not every exposure had reached."""
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    if immature_from is not None and immature_from < horizon:
        shape = {"type": "rect", "x0": immature_from, "x1": horizon, "fillcolor": _SHADE, "line": {"width": 0}}
        shapes.append(shape | {"y0": 0, "y1": 1, "yref": "y domain", "layer": "below"})
        note = _label("shaded: over 10 % were not this old yet", GREY, note_at, "middle")
        notes.append(note | {"font": {"size": 11, "color": GREY}})
    line = {"type": "line", "x0": waiting_days, "x1": waiting_days, "y0": 0, "y1": 1, "yref": "y domain"}
    shapes.append(line | {"line": {"color": LINE, "width": 2, "dash": "dash"}})
    place = {"x": waiting_days, "xanchor": "left", "xshift": -4, "y": 1.0, "yref": "y domain", "yanchor": "bottom"}
    notes.append(place | {"text": f"window {waiting_days:g} d", "font": {"size": 12}, "showarrow": False})
    return shapes, notes


def seen_curves(
    snapshot: pd.DataFrame, final: pd.DataFrame, *, name: str, waiting_days: float, immature_from: float | None
) -> go.Figure:
    """Draw how conversions arrive: estimated on the snapshot day, counted naively then, and as it turned out.

    Parameters
    ----------
    snapshot, final : DataFrame
        Columns ``elapsed_days``, `name`, and for the snapshot its ``…_low, …_high`` and ``…_naive``.
    name : {"seen", "converted"}
        Share of the final positives, or share of all exposures.
    waiting_days : float
    immature_from : float, optional

    Returns
    -------
    plotly.graph_objects.Figure
    """
    known = snapshot[snapshot[name].notna()]
    if known.empty:
        return empty_figure("No exposure was followed to the end of its window on the snapshot day.", height=_HEIGHT)
    lines = (
        ("Final", final, name, TRUTH, "dash"),
        ("Counted naively", snapshot, f"{name}_naive", RIVAL, "solid"),
        ("Kaplan–Meier", known, name, OURS, "solid"),
    )
    traces = [_band(known, name, OURS)]
    horizon = float(final["elapsed_days"].max())
    shapes, notes = _window_marks(waiting_days, immature_from, horizon, note_at=0.05)
    for place, (label, rows, column, color, dash) in enumerate(lines):
        traces.append(
            {
                "type": "scatter",
                "x": rows["elapsed_days"].to_numpy(),
                "y": rows[column].to_numpy(),
                "mode": "lines",
                "name": label,
                "line": {"color": color, "width": 2.5 if dash == "solid" else 2, "dash": dash},
                "hovertemplate": f"{label}<br>day %{{x:.3g}}: %{{y:.1%}}<extra></extra>",
            }
        )
        count = f" · n {number(rows['n'].max())}" if column == name else ""
        notes.append(_label(f"<b>{label}</b>{count}", color, 0.12 + 0.075 * place, "bottom"))
    title = {"seen": "Share of the final positives seen so far", "converted": "Share of exposures converted so far"}
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=_HEIGHT,
            xaxis={"title": {"text": "Days since exposure"}, "range": [-0.05 * horizon, horizon]},
            yaxis={"title": {"text": title[name]}, "tickformat": ".0%", "rangemode": "tozero"},
            shapes=shapes,
            annotations=notes,
            margin={"l": 8, "r": 16, "t": 26, "b": 8},
        ),
    )
