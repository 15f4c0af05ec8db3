"""Methods over calendar time: along a stream, and while labels mature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate
from engine.figures.delay_parts import band, corner_label
from engine.figures.theme import BASELINES, LINE, METHOD_LABEL, OURS, RIVAL, TRUTH, method_color, plotly_layout

HEIGHT = 420
_KINDS = (
    ("realised", "Realised, when all labels were final", TRUTH, "dash"),
    ("naive", "Measured on the labels of that day", RIVAL, "solid"),
    ("estimated", "Estimated that day", OURS, "solid"),
)


def stream_lines(table: pd.DataFrame, *, axis_title: str, reference: float | None = None) -> go.Figure:
    """Draw a metric of every method over the steps of a stream; the interval of the oracle is a band.

    Parameters
    ----------
    table : DataFrame
        Columns ``method, when`` (a date as text, or a number of days), ``value, ci_low, ci_high, n``.
    axis_title : str
    reference : float, optional
        Value of a horizontal line, 1 for calibration.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["value"].notna()]
    if rows.empty:
        return empty_figure("No step of the stream has a value for this metric.", height=HEIGHT)
    traces: list[dict[str, Any]] = []
    others = 0
    # The oracle lies below, ours on top.
    for method in sorted(dict.fromkeys(rows["method"]), key=lambda name: (name == "dress_style", name != "oracle")):
        line = rows[rows["method"] == method]
        color = method_color(method, rival="vanilla", position=others)
        others += color in BASELINES
        if method == "oracle":
            limits = line.assign(value_low=line["ci_low"], value_high=line["ci_high"])
            traces.append(band(limits, "value", color, x="when") | {"name": "95 % of the oracle"})
        label = METHOD_LABEL.get(method, method)
        traces.append(
            {
                "type": "scatter",
                "x": line["when"].to_numpy(),
                "y": line["value"].to_numpy(),
                "mode": "lines+markers",
                "name": label,
                "line": {
                    "color": color,
                    "width": 2.5 if color in (OURS, RIVAL) else 1.5,
                    "dash": "dash" if method == "oracle" else "solid",
                },
                "marker": {"size": 6},
                "hovertemplate": [
                    f"{label}<br>{estimate(row.value, row.ci_low, row.ci_high, row.n)}<extra></extra>"
                    for row in line.itertuples()
                ],
            }
        )
    for trace in traces:
        trace["showlegend"] = trace["name"] != "95 % of the oracle"
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=HEIGHT,
            xaxis={"title": {"text": "First day of the test step"}},
            yaxis={"title": {"text": axis_title}},
            shapes=_level(reference),
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            margin={"l": 8, "r": 16, "t": 40, "b": 8},
        ),
    )


def maturing_lines(
    table: pd.DataFrame, *, axis_title: str, reference: float | None = None, y_range: tuple[float, float] | None = None
) -> go.Figure:
    """Draw one metric of one method while labels mature: measured naively, estimated, and realised in the end.

    Parameters
    ----------
    table : DataFrame
        Columns ``day`` (since the snapshot), ``kind`` (``naive``, ``estimated``, ``realised``), ``value, ci_low,
        ci_high, n, seen_share``.
    axis_title : str
    reference : float, optional
        Value of a horizontal line; with it the axis is logarithmic, for the metric is a ratio.
    y_range : tuple of float, optional
        Ends of the axis; wide bands go beyond.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = table[table["value"].notna()]
    if rows.empty:
        return empty_figure("This metric was not followed for this method.", height=HEIGHT)
    traces: list[dict[str, Any]] = []
    notes = []
    for place, (kind, label, color, dash) in enumerate(_KINDS):
        line = rows[rows["kind"] == kind]
        if line.empty:
            continue
        limits = line.assign(value_low=line["ci_low"], value_high=line["ci_high"])
        if line["ci_low"].notna().any():
            traces.append(band(limits, "value", color, x="day"))
        traces.append(
            {
                "type": "scatter",
                "x": line["day"].to_numpy(),
                "y": line["value"].to_numpy(),
                "mode": "lines+markers",
                "name": label,
                "line": {"color": color, "width": 2.5, "dash": dash},
                "marker": {"size": 6},
                "customdata": line[["seen_share", "n"]].to_numpy(),
                "hovertemplate": f"{label}<br>day %{{x:g}}: %{{y:.3g}}<br>%{{customdata[0]:.0%}} of the positives "
                "seen, n %{customdata[1]:,}<extra></extra>",
            }
        )
        notes.append(corner_label(f"<b>{label}</b>", color, 0.98 - 0.08 * place, "top"))
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=HEIGHT,
            xaxis={"title": {"text": "Days after the snapshot"}},
            yaxis=_value_axis(axis_title, y_range, is_ratio=reference is not None),
            shapes=_level(reference),
            annotations=notes,
        ),
    )


def _level(reference: float | None) -> list[dict[str, Any]]:
    """Return the horizontal line at a value, if there is one."""
    if reference is None:
        return []
    ends = {"y0": reference, "y1": reference, "x0": 0, "x1": 1, "xref": "x domain"}
    return [{"type": "line", "line": {"color": LINE, "width": 1.5, "dash": "dot"}} | ends]


def _value_axis(title: str, y_range: tuple[float, float] | None, *, is_ratio: bool) -> dict[str, Any]:
    """Return the axis of a metric, logarithmic for a ratio."""
    axis: dict[str, Any] = {"title": {"text": title}}
    if is_ratio:
        axis |= {"type": "log", "tickvals": [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 50]}
    if y_range:
        axis["range"] = [float(np.log10(end)) if is_ratio else end for end in y_range]
    return axis
