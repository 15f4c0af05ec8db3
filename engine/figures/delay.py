"""Curves of labels over elapsed time: what is seen, what will flip, and how many are behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
        Age of the youngest exposure on the snapshot day; beyond it the chart is shaded.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["flip"].notna()]
    if rows.empty:
        return empty_figure(
            "No exposure was followed to the end of its window here; choose another view.", height=_HEIGHT
        )
    names = list(dict.fromkeys(rows["key"]))
    colors = {key: _GROUP_COLORS[group][k % len(_GROUP_COLORS[group])] for k, key in enumerate(names)}
    # Highest curve first, so that labels and numbers at risk stand in the order of the curves.
    keys = sorted(names, key=lambda key: -float(rows.loc[rows["key"] == key, "flip"].iloc[0]))
    figure = go.Figure()
    for key in keys:
        line = rows[rows["key"] == key]
        _band(figure, line, "flip", colors[key])
        _two_part_line(figure, line, key, colors[key])
    _numbers_at_risk(figure, rows, keys, colors)
    horizon = float(rows["elapsed_days"].max())
    strip = 0.055 * (len(keys) + 1)
    figure.update_layout(
        plotly_layout(
            height=_HEIGHT,
            xaxis={"title": {"text": "Days since exposure"}, "range": [-0.05 * horizon, horizon], "anchor": "y2"},
            yaxis={
                "title": {"text": "Flip rate of the labels still negative"},
                "tickformat": ".0%",
                "rangemode": "tozero",
                "domain": [strip + 0.05, 1.0],
            },
            yaxis2=_strip_axis(keys, strip),
        )
    )
    labels = len(keys) if len(keys) > 1 else 0
    _mark_window(figure, waiting_days, immature_from, horizon, note_at=0.95 - 0.085 * labels)
    for place, key in enumerate(keys if len(keys) > 1 else []):
        n = int(rows.loc[rows["key"] == key, "n"].max())
        figure.add_annotation(
            text=f"<b>{key}</b> · n {n:,}",
            font={"color": colors[key], "size": 13},
            x=1, y=1 - 0.085 * place, xref="paper", yref="y domain", xanchor="right", yanchor="top", showarrow=False,
        )  # fmt: skip
    return figure


def _band(figure: go.Figure, line: pd.DataFrame, name: str, color: str) -> None:
    """Fill the interval of a line, where it has one."""
    known = line[line[f"{name}_low"].notna()]
    figure.add_trace(
        go.Scatter(
            x=[*known["elapsed_days"], *known["elapsed_days"][::-1]],
            y=[*known[f"{name}_high"], *known[f"{name}_low"][::-1]],
            fill="toself",
            fillcolor=_faint(color),
            line={"width": 0},
            hoverinfo="skip",
            name="95 % band",
        )
    )


def _faint(color: str) -> str:
    """Return a colour with most of its strength taken away."""
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.17)"


def _two_part_line(figure: go.Figure, line: pd.DataFrame, key: str, color: str) -> None:
    """Draw a line solid where the snapshot day could see it, dotted beyond."""
    visible = line["visible_share"].fillna(1.0) >= _MOST_VISIBLE
    # The dotted part starts at the last solid point, so that the line has no gap.
    dotted = line[~visible | (visible & ~visible.shift(-1, fill_value=True))]
    for part, dash in ((line[visible], "solid"), (dotted, "dot")):
        if part.empty or (dash == "dot" and visible.all()):
            continue
        figure.add_trace(
            go.Scatter(
                x=part["elapsed_days"],
                y=part["flip"],
                mode="lines",
                name=key,
                line={"color": color, "width": 2.5, "dash": dash},
                customdata=part[["flip_low", "flip_high", "at_risk"]].to_numpy(),
                hovertemplate=(
                    f"<b>{key}</b>, day %{{x:.3g}}<br>%{{y:.1%}} [%{{customdata[0]:.1%}}, %{{customdata[1]:.1%}}] "
                    "still flip<br>%{customdata[2]:,.0f} at risk<extra></extra>"
                ),
            )
        )


def _numbers_at_risk(figure: go.Figure, rows: pd.DataFrame, keys: Sequence[str], colors: dict[str, str]) -> None:
    """Write the numbers at risk below the curves, as survival plots do."""
    days = sorted(rows["elapsed_days"].unique())
    stride = max(1, round(len(days) / _TICKS))
    for place, key in enumerate(keys):
        shown = rows[(rows["key"] == key) & rows["elapsed_days"].isin(days[::stride])]
        figure.add_trace(
            go.Scatter(
                x=shown["elapsed_days"],
                y=[len(keys) - 1 - place] * len(shown),
                yaxis="y2",
                mode="text",
                text=[f"{value:,.0f}" for value in shown["at_risk"]],
                textfont={"color": colors[key], "size": 11},
                hoverinfo="skip",
                cliponaxis=False,
                name=f"at risk: {key}",
            )
        )


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


def _mark_window(
    figure: go.Figure, waiting_days: float, immature_from: float | None, horizon: float, *, note_at: float
) -> None:
    """Mark the window of the slider and the ages that not every exposure had reached."""
    if immature_from is not None and immature_from < horizon:
        figure.add_shape(
            type="rect", x0=immature_from, x1=horizon, y0=0, y1=1, yref="y domain", fillcolor=_SHADE,
            line={"width": 0}, layer="below",
        )  # fmt: skip
        figure.add_annotation(
            text="shaded: not every exposure was this old", x=horizon, y=note_at, yref="y domain", xanchor="right",
            yanchor="middle", showarrow=False, font={"size": 11, "color": GREY},
        )  # fmt: skip
    figure.add_shape(
        type="line", x0=waiting_days, x1=waiting_days, y0=0, y1=1, yref="y domain",
        line={"color": LINE, "width": 2, "dash": "dash"},
    )  # fmt: skip
    figure.add_annotation(
        text=f"window {waiting_days:g} d", x=waiting_days, y=1.0, yref="y domain", xanchor="left", yanchor="bottom",
        showarrow=False, font={"size": 12}, yshift=-2, xshift=-4,
    )  # fmt: skip


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
    figure = go.Figure()
    _band(figure, known, name, OURS)
    lines = (
        ("Final", final, name, TRUTH, "dash"),
        ("Counted naively", snapshot, f"{name}_naive", RIVAL, "solid"),
        ("Kaplan–Meier", known, name, OURS, "solid"),
    )
    for place, (label, rows, column, color, dash) in enumerate(lines):
        figure.add_trace(
            go.Scatter(
                x=rows["elapsed_days"],
                y=rows[column],
                mode="lines",
                name=label,
                line={"color": color, "width": 2.5 if dash == "solid" else 2, "dash": dash},
                hovertemplate=f"{label}<br>day %{{x:.3g}}: %{{y:.1%}}<extra></extra>",
            )
        )
        figure.add_annotation(
            text=f"<b>{label}</b>" + (f" · n {number(rows['n'].max())}" if column == name else ""),
            font={"color": color, "size": 13},
            x=1, y=0.12 + 0.075 * place, xref="paper", yref="y domain", xanchor="right", yanchor="bottom",
            showarrow=False,
        )  # fmt: skip
    horizon = float(final["elapsed_days"].max())
    title = {"seen": "Share of the final positives seen so far", "converted": "Share of exposures converted so far"}
    figure.update_layout(
        plotly_layout(
            height=_HEIGHT,
            xaxis={"title": {"text": "Days since exposure"}, "range": [-0.05 * horizon, horizon]},
            yaxis={"title": {"text": title[name]}, "tickformat": ".0%", "rangemode": "tozero"},
        )
    )
    _mark_window(figure, waiting_days, immature_from, horizon, note_at=0.05)
    return figure
