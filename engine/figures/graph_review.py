"""Figures of the asymmetry review: what carries an asymmetry, and where in the catalogue it lies."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate, interval_bar, number
from engine.figures.graph_network import plain
from engine.figures.theme import GREY, LINE, OURS, TRUTH, plotly_layout

_FACTORS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_NAME_LIMIT = 34


def explanation_bars(
    terms: pd.DataFrame, *, labels: Mapping[str, str], carrier: str | None, height: int = 190
) -> go.Figure:
    """Draw the factors whose product is the asymmetry of a pair, the one that carries it in colour.

    Parameters
    ----------
    terms : DataFrame
        ``term, value, low, high``: natural logarithms of the factors, bounds where they are known.
    labels : mapping of str to str
        Term to what it is called.
    carrier : str, optional
        The term that explains the pair.
    height : int, default 190

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = terms[terms["value"].notna()]
    if rows.empty:
        return empty_figure("No explanation for this pair.", height=height)
    figure = go.Figure()
    for row in rows.itertuples():
        color = OURS if row.term == carrier else GREY
        bounds = f" [{_factor(row.low)}, {_factor(row.high)}]" if not math.isnan(row.low) else ""
        figure.add_trace(
            go.Bar(
                x=[row.value],
                y=[labels[row.term]],
                orientation="h",
                name=labels[row.term],
                width=0.62,
                marker={"color": color},
                error_x=None if math.isnan(row.low) else interval_bar(row.value, row.low, row.high, LINE),
                hovertemplate=f"{labels[row.term]}: × {_factor(row.value)}{bounds}<extra></extra>",
            )
        )
        figure.add_trace(
            go.Scatter(
                x=[np.nanmax([0.0, row.value, row.high])],
                y=[labels[row.term]],
                mode="text",
                text=[f"  × {_factor(row.value)}{bounds}"],
                textposition="middle right",
                cliponaxis=False,
                hoverinfo="skip",
            )
        )
    ends = [*rows["value"], *rows["low"].dropna(), *rows["high"].dropna(), -math.log(2), math.log(2)]
    low, high = min(ends), max(ends)
    room = 0.05 * (high - low)
    ticks = [factor for factor in _FACTORS if low - 1e-9 <= math.log(factor) <= high + 1e-9]
    figure.update_layout(
        plotly_layout(
            height=height,
            xaxis={
                "range": [low - room, high + 8 * room],
                "tickvals": [math.log(factor) for factor in ticks],
                "ticktext": [f"× {factor:g}" for factor in ticks],
                "title": {"text": "Factor on the asymmetry (log scale)"},
            },
            yaxis={"autorange": "reversed", "showgrid": False},
        )
    )
    return figure


def category_dots(table: pd.DataFrame, *, height: int | None = None) -> go.Figure:
    """Draw, per category, the share of linked pairs with a claimed direction beside the share that is one-way in fact.

    Parameters
    ----------
    table : DataFrame
        ``category, value, ci_low, ci_high, one_way, n``, first row on top.
    height : int, optional
        Pixels; by default grows with the number of categories.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table.empty:
        return empty_figure("No pair of nodes is linked.")
    names = [plain(str(name)[:_NAME_LIMIT]) for name in table["category"]]
    hover = [
        f"claimed {estimate(row.value, row.ci_low, row.ci_high, row.n)} pairs<br>one-way in the data "
        f"{number(row.one_way)}"
        for row in table.itertuples()
    ]
    # Equal names of shortened categories would share a row.
    places = list(range(len(table)))
    common = {"y": places, "mode": "markers", "customdata": hover}
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=table["one_way"],
            name="one-way in the data",
            marker={"color": "rgba(0,0,0,0)", "size": 12, "symbol": "diamond", "line": {"color": TRUTH, "width": 2}},
            hovertemplate="%{customdata}<extra></extra>",
            **common,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=table["value"],
            name="claimed by the model",
            marker={"color": OURS, "size": 10},
            error_x=interval_bar(0, 0, 0, OURS)
            | {"array": table["ci_high"] - table["value"], "arrayminus": table["value"] - table["ci_low"]},
            hovertemplate="%{customdata}<extra></extra>",
            **common,
        )
    )
    labels = [f"{name} · n {n:,}" for name, n in zip(names, table["n"], strict=True)]
    figure.update_layout(
        plotly_layout(
            height=height or 120 + 26 * len(table),
            xaxis={"title": {"text": "Share of linked pairs"}, "range": [-0.02, 1.02], "tickformat": ".0%"},
            yaxis={"tickvals": places, "ticktext": labels, "autorange": "reversed", "showgrid": False},
            showlegend=True,
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        )
    )
    figure.update_layout(margin={"t": 40})
    return figure


def _factor(value: float) -> str:
    """Write a logarithm as the factor it stands for."""
    return number(math.exp(min(max(value, -50.0), 50.0)))
