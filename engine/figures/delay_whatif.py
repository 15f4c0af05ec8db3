"""What every method would learn from a made-up delay, beside the truth."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from engine.figures.theme import BASELINES, METHOD_LABEL, TRUTH, method_color, plotly_layout


def what_if_bars(table: pd.DataFrame, *, truth: float) -> go.Figure:
    """Draw the rate that every method would learn, with the truth as a line.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, learned, bias``.
    truth : float

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["learned"].notna()]
    labels = [METHOD_LABEL.get(method, method) for method in rows["method"]]
    colors = [method_color(m, rival="vanilla", position=k % len(BASELINES)) for k, m in enumerate(rows["method"])]
    far = max(float(rows["learned"].max()), truth) * 1.18
    return go.Figure(
        data=[
            {
                "type": "bar",
                "orientation": "h",
                "x": rows["learned"].to_numpy(),
                "y": labels,
                "marker": {"color": colors},
                "text": [
                    f"{value:.1%} ({bias:+.1%})" for value, bias in zip(rows["learned"], rows["bias"], strict=True)
                ],
                "textposition": "outside",
                "cliponaxis": False,
                "name": "learned",
                "hovertemplate": "%{y}<br>learns %{x:.2%}<extra></extra>",
            }
        ],
        layout=plotly_layout(
            height=70 + 26 * len(rows),
            bargap=0.35,
            xaxis={
                "title": {"text": "Rate learned with exact auxiliary models"},
                "tickformat": ".0%",
                "range": [0, far],
            },
            yaxis={"autorange": "reversed", "showgrid": False},
            shapes=[
                {
                    "type": "line",
                    "x0": truth,
                    "x1": truth,
                    "y0": 0,
                    "y1": 1,
                    "yref": "y domain",
                    "line": {"color": TRUTH, "width": 2, "dash": "dash"},
                }
            ],
            annotations=[
                {
                    "text": f"truth {truth:.1%}",
                    "x": truth,
                    "y": 1,
                    "yref": "y domain",
                    "yanchor": "bottom",
                    "showarrow": False,
                    "font": {"color": TRUTH, "size": 12},
                }
            ],
            margin={"l": 8, "r": 16, "t": 26, "b": 8},
        ),
    )
