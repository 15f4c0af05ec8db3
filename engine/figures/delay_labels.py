"""Single labels and their effect: flips before and after, influence against a refit, and the funnel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, plain_text
from engine.figures.theme import BLUE, GREY, LINE, ORANGE, TEXT, TRUTH, plotly_layout

_FLIP_LOOKS = ((0, "stayed negative", GREY, "circle-open"), (1, "flipped", ORANGE, "circle"))
_FUNNEL = (("observed", "Observed", TRUTH), ("predicted", "Predicted, ours", BLUE))
_HEIGHT = 400


def score_changes(table: pd.DataFrame) -> go.Figure:
    """Draw the score of open labels before and after their final label was learned.

    Parameters
    ----------
    table : DataFrame
        Columns ``exposure_id, flipped, score_before, score_after, prob_flip``.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["score_after"].notna()]
    if rows.empty:
        return empty_figure("No label was open on the snapshot day.", height=_HEIGHT)
    top = float(rows[["score_before", "score_after"]].to_numpy().max()) * 1.04
    traces: list[dict[str, Any]] = [_diagonal(0.0, top)]
    for value, label, color, symbol in _FLIP_LOOKS:
        part = rows[rows["flipped"] == value]
        traces.append(
            {
                "type": "scatter",
                "x": part["score_before"].to_numpy(),
                "y": part["score_after"].to_numpy(),
                "mode": "markers",
                "name": f"{label} · n {len(part):,}",
                "marker": {"color": color, "size": 7, "symbol": symbol, "opacity": 0.85},
                "customdata": part.assign(exposure_id=part["exposure_id"].map(plain_text))[
                    ["exposure_id", "prob_flip"]
                ].to_numpy(),
                "hovertemplate": "<b>%{customdata[0]}</b><br>before %{x:.1%}, after %{y:.1%}<br>flip probability "
                "%{customdata[1]:.1%}<extra></extra>",
            }
        )
    axis = {"tickformat": ".0%", "range": [0, top]}
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=_HEIGHT,
            xaxis=axis | {"title": {"text": "Score as of the snapshot day"}},
            yaxis=axis | {"title": {"text": "Score with the final labels"}},
            showlegend=True,
            legend={"x": 0.01, "y": 0.99, "yanchor": "top", "bgcolor": "rgba(0,0,0,0)"},
        ),
    )


def influence_scatter(table: pd.DataFrame, *, quantity: str) -> go.Figure:
    """Draw the predicted effect of one flipped label against that of training again with it.

    Parameters
    ----------
    table : DataFrame
        Columns ``exposure_id, delta_{quantity}, refit_{quantity}``.
    quantity : {"own", "mean"}
        Effect on the exposure's own score, or on the mean score.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table[f"refit_{quantity}"].notna()]
    if rows.empty:
        return empty_figure("No flip was checked by training again.", height=_HEIGHT)
    x, y = rows[f"delta_{quantity}"].to_numpy(), rows[f"refit_{quantity}"].to_numpy()
    low, high = float(min(x.min(), y.min(), 0.0)), float(max(x.max(), y.max(), 0.0))
    room = 0.05 * (high - low)
    axis = {"tickformat": "+.2p", "range": [low - room, high + room], "exponentformat": "power"}
    return go.Figure(
        data=[
            _diagonal(low - room, high + room),
            {
                "type": "scatter",
                "x": x,
                "y": y,
                "mode": "markers",
                "name": "flips",
                "marker": {"color": BLUE, "size": 9},
                "customdata": rows["exposure_id"].map(plain_text).to_numpy(),
                "hovertemplate": "<b>%{customdata}</b><br>predicted %{x:.3p}<br>trained again %{y:.3p}<extra></extra>",
            },
        ],
        layout=plotly_layout(
            height=_HEIGHT,
            xaxis=axis | {"title": {"text": "Change predicted from the Hessian"}},
            yaxis=axis | {"title": {"text": "Change after training again"}},
        ),
    )


def _diagonal(low: float, high: float) -> dict[str, Any]:
    """Return the line on which both values are the same."""
    return {
        "type": "scatter",
        "x": [low, high],
        "y": [low, high],
        "mode": "lines",
        "line": {"color": LINE, "dash": "dot"},
        "hoverinfo": "skip",
        "name": "equal",
        "showlegend": False,
    }


def funnel_bars(table: pd.DataFrame) -> go.Figure:
    """Draw observed and predicted share of the exposures at every stage of the funnel.

    Parameters
    ----------
    table : DataFrame
        Columns ``label`` (of the stage), ``observed, ci_low, ci_high, predicted`` (shares of the exposures; NaN
        without a model), ``n``; first stage first.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    if table.empty:
        return empty_figure("This segment has no later exposure.", height=_HEIGHT)
    ends = table[["observed", "ci_high", "predicted"]].max(axis=1).to_numpy()
    data: list[dict[str, Any]] = [
        _bars(table, column, name, color) for column, name, color in _FUNNEL if table[column].notna().any()
    ]
    data.append(
        {
            "type": "scatter",
            "mode": "text",
            "x": ends,
            "y": table["label"].to_numpy(),
            "text": [
                f"  {row.observed:.1%} observed"
                + ("" if np.isnan(row.predicted) else f",<br>  {row.predicted:.1%} predicted")
                for row in table.itertuples()
            ],
            "textposition": "middle right",
            "textfont": {"color": TEXT},
            "hoverinfo": "skip",
            "cliponaxis": False,
            "showlegend": False,
            "name": "values",
        }
    )
    return go.Figure(
        data=data,
        layout=plotly_layout(
            height=_HEIGHT,
            barmode="group",
            bargap=0.3,
            xaxis={
                "title": {"text": f"Share of {int(table['n'].max()):,} exposures"},
                "tickformat": ".0%",
                "range": [0, 1.45 * float(np.nanmax(ends))],
            },
            yaxis={"autorange": "reversed", "showgrid": False},
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        ),
    )


def _bars(table: pd.DataFrame, column: str, name: str, color: str) -> dict[str, Any]:
    """Return the bars of what was observed, with their intervals, or of what was predicted."""
    bar: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "x": table[column].to_numpy(),
        "y": table["label"].to_numpy(),
        "name": name,
        "marker": {"color": color},
        "customdata": table["n"].to_numpy(),
        "hovertemplate": f"%{{y}}<br>{name} %{{x:.2%}} of %{{customdata:,}} exposures<extra></extra>",
    }
    if column == "observed":
        bar["error_x"] = {
            "type": "data",
            "symmetric": False,
            "array": (table["ci_high"] - table[column]).to_numpy(),
            "arrayminus": (table[column] - table["ci_low"]).to_numpy(),
            "color": LINE,
            "thickness": 2,
            "width": 3,
        }
    return bar
