"""The claims figure of the overview."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate
from engine.figures.theme import LINE, VERDICT, plotly_layout

_LIMIT = 12.0


def claim_effects(claims: pd.DataFrame, *, height: int | None = None) -> go.Figure:
    """Draw every measured effect in multiples of the smallest effect worth having.

    The claim predicts the right side of 0, and an effect of a claim without a direction is drawn there too; the
    dashed line at 1 is the smallest effect worth having. Effects beyond ±12 are drawn at the edge, with their true
    figures in the hover and in the table.

    Parameters
    ----------
    claims : DataFrame
        Columns of `engine.claims.CLAIM_COLUMNS`.
    height : int, optional

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = claims[claims["value"].notna()]
    if rows.empty:
        return empty_figure("No claim has been measured yet: train a run first.")
    twins = rows.duplicated(["claim", "effect", "segment"], keep=False)
    labels = [_label(row, twin) for row, twin in zip(rows.itertuples(), twins, strict=True)]
    figure = go.Figure()
    for key in VERDICT:
        figure.add_trace(_marks(rows, key))
    figure.add_vline(x=0, line={"color": LINE, "width": 1.5})
    figure.add_vline(x=1, line={"color": LINE, "width": 1, "dash": "dash"})
    figure.update_layout(
        plotly_layout(
            height=height or 80 + 46 * len(rows),
            xaxis={"title": {"text": "Effect ÷ smallest effect worth having (right of 0: as claimed)"}},
            yaxis={
                "range": [len(labels) - 0.5, -0.5],
                "tickvals": list(range(len(labels))),
                "ticktext": labels,
                "showgrid": False,
                "zeroline": False,
            },
        )
    )
    return figure


def _label(row: Any, twin: bool) -> str:
    """Name an effect by claim, measure and rows; by its baseline too where another differs in that alone."""
    where = f"against {row.baseline} · {row.segment}" if twin else row.segment
    return f"<b>{row.claim}</b>  {escape(row.effect)}<br><span style='font-size:11px'>{escape(where)}</span>"


def _marks(rows: pd.DataFrame, key: str) -> go.Scatter:
    """Draw the effects with one verdict, each on the line of its place in the table; one trace draws fastest."""
    x, y, below, above, texts = [], [], [], [], []
    for place, row in enumerate(rows.itertuples()):
        if row.verdict == key:
            turn = math.copysign(1 / row.margin, row.sign or row.value)
            ends = sorted((row.ci_low * turn, row.ci_high * turn))
            value, low, high = (min(max(end, -_LIMIT), _LIMIT) for end in (row.value * turn, *ends))
            x.append(value)
            y.append(place)
            below.append(max(value - low, 0))
            above.append(max(high - value, 0))
            texts.append(_hover(row))
    bar = {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "thickness": 2, "width": 0}
    return go.Scatter(
        x=x,
        y=y,
        mode="markers",
        name=key,
        marker={"color": VERDICT[key], "size": 12, "symbol": "circle-open" if key == "inconclusive" else "circle"},
        error_x=bar | {"color": VERDICT[key]},
        hovertext=texts,
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _hover(row: Any) -> str:
    """Write one effect out."""
    return (
        f"{escape(row.comparison)} − {escape(row.baseline)}<br>"
        f"{estimate(row.value, row.ci_low, row.ci_high, row.n, unit=row.unit)} {escape(row.n_unit)}<br>{row.verdict}"
    )
