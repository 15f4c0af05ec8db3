"""Curves by the age of labels and by group: how many will flip, and how fast they do."""

from __future__ import annotations

import itertools

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, plain_text
from engine.figures.delay_parts import (
    FEW_ROWS,
    HEIGHT,
    band,
    corner_label,
    numbers_at_risk,
    strip_axis,
    strip_height,
    two_part_line,
    window_marks,
)
from engine.figures.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, plotly_layout

_GROUP_COLORS = {
    "all": (BLUE,),
    "engagement": (GREEN, GREY),
    "segment": (SKY, GREEN, PURPLE, ORANGE, GREY),
    # Older to newer, from green to violet: time is an order, not a set of names.
    "cohort": ("#44A88F", "#2E93C4", "#4F79D0", "#8E6BC9"),
}
_STEP = 0.085
"""Distance between two labels, in parts of the panel."""


def flip_curves(table: pd.DataFrame, *, group: str, waiting_days: float, immature_from: float | None) -> go.Figure:
    """Draw the share of still-negative labels that will flip, by elapsed time, with the numbers at risk below.

    Parameters
    ----------
    table : DataFrame
        Columns ``key, elapsed_days, flip, flip_low, flip_high, at_risk, visible_share, n``; one line per key. A key
        with fewer than `FEW_ROWS` exposures is named as such and not drawn.
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
    return _age_curves(
        table,
        name="flip",
        words=("still flip", "after it"),
        axis_title="Flip rate of the labels still negative",
        group=group,
        waiting_days=waiting_days,
        immature_from=immature_from,
    )


def hazard_curves(table: pd.DataFrame, *, group: str, waiting_days: float, immature_from: float | None) -> go.Figure:
    """Draw the share of the still-negative exposures that convert within each week of elapsed time.

    Parameters
    ----------
    table : DataFrame
        As for `flip_curves`, with ``hazard, hazard_low, hazard_high``.
    group : {"all", "segment", "cohort"}
    waiting_days : float
    immature_from : float, optional

    Returns
    -------
    plotly.graph_objects.Figure
    """
    return _age_curves(
        table,
        name="hazard",
        words=("convert within a week", "at the start of the week"),
        axis_title="Hazard: converting within a week",
        group=group,
        waiting_days=waiting_days,
        immature_from=immature_from,
    )


def _age_curves(
    table: pd.DataFrame,
    *,
    name: str,
    words: tuple[str, str],
    axis_title: str,
    group: str,
    waiting_days: float,
    immature_from: float | None,
) -> go.Figure:
    """Draw one line with band per key over elapsed time."""
    every = {str(key): line for key, line in table.groupby("key", sort=False)}
    colors = dict(zip(every, itertools.cycle(_GROUP_COLORS[group]), strict=False))
    lines = {key: line[line[name].notna()] for key, line in every.items() if line["n"].max() >= FEW_ROWS}
    lines = {key: line for key, line in lines.items() if len(line)}
    if not lines:
        return empty_figure(
            "No exposure was followed to the end of its window here; choose another view.", height=HEIGHT
        )
    # Highest curve first, so that labels and numbers at risk stand in the order of the curves.
    keys = sorted(lines, key=lambda key: -float(lines[key][name].iloc[0]))
    labels: list[tuple[str, str | None]] = [(_named(key, lines[key]), colors[key]) for key in keys if len(every) > 1]
    labels += [(_too_few(key, line), None) for key, line in every.items() if key not in lines]
    horizon = max(float(line["elapsed_days"].max()) for line in lines.values())
    strip = strip_height(len(keys))
    corner = [corner_label(text, color, 1 - _STEP * place, "top") for place, (text, color) in enumerate(labels)]
    note_at = 0.95 - _STEP * len(labels)
    shapes, notes = window_marks(waiting_days, immature_from, horizon, note_at=note_at, labels=corner)
    traces = [
        part
        for key in keys
        for part in (
            band(lines[key], name, colors[key]),
            *two_part_line(lines[key], name, key, colors[key], *words),
        )
    ]
    return go.Figure(
        data=[*traces, *numbers_at_risk(lines, keys)],
        layout=plotly_layout(
            height=HEIGHT,
            xaxis={"title": {"text": "Days since exposure"}, "range": [-0.05 * horizon, horizon], "anchor": "y2"},
            yaxis={
                "title": {"text": axis_title},
                "tickformat": ".0%" if name == "flip" else ".1%",
                "rangemode": "tozero",
                "domain": [strip + 0.05, 1.0],
            },
            yaxis2=strip_axis([colors[key] for key in keys]),
            shapes=shapes,
            annotations=[*corner, *notes],
            margin={"l": 8, "r": 16, "t": 26, "b": 8},
        ),
    )


def _named(key: str, line: pd.DataFrame) -> str:
    """Return the label of a curve."""
    return f"<b>{plain_text(key)}</b> · n {int(line['n'].max()):,}"


def _too_few(key: str, line: pd.DataFrame) -> str:
    """Say why a group has no curve."""
    n = int(line["n"].max())
    return f"{plain_text(key)} · n {n:,}: " + ("too few rows" if n < FEW_ROWS else "not followed to the end")
