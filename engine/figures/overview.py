"""The claims figure of the overview."""

from __future__ import annotations

import math
from html import escape

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate, interval_bar
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
    figure = go.Figure()
    labels = []
    twins = rows.duplicated(["claim", "effect", "segment"], keep=False)
    for place, (row, twin) in enumerate(zip(rows.itertuples(), twins, strict=True)):
        turn = math.copysign(1 / row.margin, row.sign or row.value)
        ends = sorted((row.ci_low * turn, row.ci_high * turn))
        value, low, high = (min(max(x, -_LIMIT), _LIMIT) for x in (row.value * turn, *ends))
        color = VERDICT[row.verdict]
        symbol = "circle-open" if row.verdict == "inconclusive" else "circle"
        where = f"against {row.baseline} · {row.segment}" if twin else row.segment
        labels.append(
            f"<b>{row.claim}</b>  {escape(row.effect)}<br><span style='font-size:11px'>{escape(where)}</span>"
        )
        figure.add_trace(
            go.Scatter(
                x=[value],
                y=[place],
                mode="markers",
                marker={"color": color, "size": 12, "symbol": symbol},
                error_x=interval_bar(value, low, high, color),
                hovertemplate=(
                    f"{escape(row.comparison)} − {escape(row.baseline)}<br>"
                    f"{estimate(row.value, row.ci_low, row.ci_high, row.n, unit=row.unit)} {escape(row.n_unit)}<br>"
                    f"{row.verdict}<extra></extra>"
                ),
            )
        )
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
