"""Methods side by side: reliability, calibration by age, and the weights they train with."""

from __future__ import annotations

import altair as alt
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate
from engine.figures.theme import GREEN, GREY, GRID, LINE, METHOD_LABEL, ORANGE, method_color, plotly_layout

_STRONG = ("oracle", "vanilla", "dress_style")
_LABEL_COLORS = {"positive": ORANGE, "negative": GREY, "pending": GREEN}


def reliability_curves(table: pd.DataFrame) -> go.Figure:
    """Draw predicted against observed rate per bin of equally many rows; the three methods that matter stand out.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, mean_predicted, observed_rate, ci_low, ci_high, n``.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["n"] > 0]
    if rows.empty:
        return empty_figure("There is no later exposure to judge.", height=420)
    top = float(max(rows["mean_predicted"].max(), rows["ci_high"].max())) * 1.03
    figure = go.Figure(
        go.Scatter(
            x=[0, top], y=[0, top], mode="lines", line={"color": LINE, "dash": "dot"}, hoverinfo="skip", name="ideal"
        )
    )
    methods = sorted(dict.fromkeys(rows["method"]), key=lambda method: method in _STRONG)
    for place, method in enumerate(methods):
        line = rows[rows["method"] == method].sort_values("mean_predicted")
        figure.add_trace(_reliability_line(line, method, method_color(method, rival="vanilla", position=place)))
    figure.update_layout(
        plotly_layout(
            height=420,
            xaxis={"title": {"text": "Predicted rate (mean of the bin)"}, "tickformat": ".0%", "range": [0, top]},
            yaxis={"title": {"text": "Observed final rate"}, "tickformat": ".0%", "range": [0, top]},
            showlegend=True,
            legend={"x": 1, "y": 0.01, "xanchor": "right", "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
        )
    )
    return figure


def _reliability_line(line: pd.DataFrame, method: str, color: str) -> go.Scatter:
    """Return the line of one method; bars only where the method stands out."""
    strong = method in _STRONG
    label = METHOD_LABEL.get(method, method)
    return go.Scatter(
        x=line["mean_predicted"],
        y=line["observed_rate"],
        mode="lines+markers" if strong else "lines",
        name=label,
        line={"color": color, "width": 2.5 if strong else 1, "dash": "dash" if method == "oracle" else "solid"},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": line["ci_high"] - line["observed_rate"],
            "arrayminus": line["observed_rate"] - line["ci_low"],
            "width": 0,
            "thickness": 1,
            "color": color,
            "visible": strong,
        },
        hovertemplate=[
            f"{label}<br>predicted {row.mean_predicted:.3f}<br>observed "
            f"{estimate(row.observed_rate, row.ci_low, row.ci_high, row.n)}<extra></extra>"
            for row in line.itertuples()
        ],
        showlegend=strong,
    )


def calibration_by_age(table: pd.DataFrame, *, titles: dict[str, str]) -> go.Figure:
    """Draw predicted ÷ observed conversions per method, one panel per age on the snapshot day.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, bucket, value, ci_low, ci_high, n``.
    titles : dict of str to str
        Bucket to panel title, in order.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["value"].notna()]
    buckets = [bucket for bucket in titles if (rows["bucket"] == bucket).any()]
    if not buckets:
        return empty_figure("No exposures of these ages were held out.", height=360)
    low, high = min(float(rows["ci_low"].min()), 0.95), max(float(rows["ci_high"].max()), 1.05)
    figure = go.Figure()
    figure.update_layout(
        plotly_layout(
            height=360,
            yaxis={"autorange": "reversed", "showgrid": False},
            margin={"l": 8, "r": 16, "t": 36, "b": 8},
        )
    )
    width = 1 / len(buckets)
    for place, bucket in enumerate(buckets):
        axis = "" if place == 0 else str(place + 1)
        _age_panel(figure, rows[rows["bucket"] == bucket], axis)
        figure.add_annotation(
            text=f"<b>{titles[bucket]}</b>", x=place * width + 0.01, y=1.02, xref="paper", yref="paper",
            xanchor="left", yanchor="bottom", showarrow=False,
        )  # fmt: skip
        figure.layout[f"xaxis{axis}"] = {
            "domain": [place * width + 0.01, (place + 1) * width - 0.02],
            "range": [low, high],
            "title": {"text": "Predicted ÷ observed" if place == len(buckets) // 2 else ""},
            "nticks": 4,
            "gridcolor": GRID,
            "automargin": True,
        }
    return figure


def _age_panel(figure: go.Figure, rows: pd.DataFrame, axis: str) -> None:
    """Draw one dot per method, and the line of perfect calibration."""
    for place, row in enumerate(rows.itertuples()):
        label = METHOD_LABEL.get(row.method, row.method)
        color = method_color(row.method, rival="vanilla", position=place)
        figure.add_trace(
            go.Scatter(
                x=[row.value],
                y=[label],
                xaxis=f"x{axis}",
                mode="markers",
                name=label,
                marker={"color": color, "size": 10, "symbol": "diamond" if row.method == "oracle" else "circle"},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [row.ci_high - row.value],
                    "arrayminus": [row.value - row.ci_low],
                    "color": color,
                    "width": 0,
                    "thickness": 2,
                },
                hovertemplate=f"{label}<br>{estimate(row.value, row.ci_low, row.ci_high, row.n)}<extra></extra>",
            )
        )
    figure.add_shape(
        type="line", x0=1, x1=1, y0=0, y1=1, xref=f"x{axis}", yref="paper", line={"color": LINE, "dash": "dot"}
    )


def weight_histograms(table: pd.DataFrame, *, panel_width: int = 165) -> alt.FacetChart:
    """Draw how the weights are spread, one panel per method and kind of label, on a square-root scale.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, label, bin_low, bin_high, n, share, rows``.
    panel_width : int, default 165

    Returns
    -------
    altair.FacetChart
    """
    rows = table.assign(name=[METHOD_LABEL.get(method, method) for method in table["method"]])
    order = list(dict.fromkeys(rows["name"]))
    bars = (
        alt.Chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("bin_low:Q", title="Weight", bin="binned"),
            x2="bin_high:Q",
            y=alt.Y(
                "share:Q",
                title=None,
                scale=alt.Scale(type="sqrt"),
                axis=alt.Axis(format=".0%", values=[0, 0.01, 0.1, 0.3, 0.6, 1]),
            ),
            color=alt.Color(
                "label:N",
                scale=alt.Scale(domain=list(_LABEL_COLORS), range=list(_LABEL_COLORS.values())),
                legend=None,
            ),
            tooltip=[
                alt.Tooltip("name:N", title="Method"),
                alt.Tooltip("label:N", title="Label"),
                alt.Tooltip("bin_low:Q", title="Weight above", format=".2f"),
                alt.Tooltip("bin_high:Q", title="up to", format=".2f"),
                alt.Tooltip("n:Q", title="Rows", format=","),
                alt.Tooltip("share:Q", title="Share", format=".2%"),
            ],
        )
        .properties(width=panel_width, height=90)
    )
    return bars.facet(
        column=alt.Column("name:N", sort=order, title=None, header=alt.Header(labelFontSize=13)),
        row=alt.Row("label:N", sort=list(_LABEL_COLORS), title=None, header=alt.Header(labelFontSize=12)),
    )
