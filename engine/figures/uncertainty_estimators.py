"""Estimators side by side: how good each score is, and what its uncertainty adds, in panels with common rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, estimate, interval_bar
from engine.figures.theme import GREY, LINE, OURS, plotly_layout

_SHADE = "rgba(128, 136, 146, 0.13)"
_COLUMNS = 3
_ROW = 24
_HEAD, _FOOT = 40, 34
"""Pixels above and below the rows of a panel, for its title and its ticks."""
_GAP = 0.03
_OFFSET = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One measure of the scorers."""

    metric: str
    title: str
    """Name and unit."""
    reference: float | None = None
    """Value of a vertical line, where nothing is gained."""
    margin: float | None = None
    """Smallest value worth having; what lies between it and 0 is shaded."""
    placebo: str | None = None
    """Metric of the same with shuffled uncertainty, drawn hollow beside it."""


def estimator_panels(
    table: pd.DataFrame, *, panels: Sequence[Panel], names: Mapping[str, str], chosen: str
) -> go.Figure:
    """Draw one dot with its interval per scorer and measure, three panels in a row.

    Parameters
    ----------
    table : DataFrame
        Columns ``scorer, metric, value, ci_low, ci_high, n``; without a value "not judged" stands in its place.
    panels : sequence of Panel
    names : mapping of str to str
        Scorer to its name, first one on top.
    chosen : str
        Scorer in the strong colour.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    found = {(str(row.scorer), str(row.metric)): row for row in table[table["value"].notna()].itertuples()}
    empty = {(str(row.scorer), str(row.metric)) for row in table[table["value"].isna()].itertuples()}
    if not panels or not any((name, panel.metric) in found for name in names for panel in panels):
        return empty_figure("No value for this selection.")
    bands = -(-len(panels) // _COLUMNS)
    band = _HEAD + _ROW * len(names) + _FOOT
    layout = plotly_layout(height=bands * band + 8, margin={"l": 8, "r": 16, "t": 4, "b": 4})
    base_x, base_y = layout.pop("xaxis"), layout.pop("yaxis")
    data: list[dict[str, Any]] = []
    layout |= {"annotations": [], "shapes": []}
    for place, panel in enumerate(panels):
        key = "" if place == 0 else str(place + 1)
        row, column = divmod(place, _COLUMNS)
        x_domain, y_domain = _place(row, column, bands=bands, band=band)
        layout[f"xaxis{key}"] = base_x | {"domain": x_domain, "anchor": f"y{key}", "zeroline": False, "nticks": 5}
        labels = {"tickvals": list(range(len(names))), "ticktext": list(names.values())}
        own = {"domain": y_domain, "anchor": f"x{key}", "range": [len(names) - 0.4, -0.6], "zeroline": False}
        layout[f"yaxis{key}"] = base_y | labels | own | {"showticklabels": column == 0}
        data += _dots(found, panel, names, chosen, key)
        layout["annotations"].append(_title(panel, key))
        rows = [row for row, name in enumerate(names) if (name, panel.metric) in empty]
        layout["annotations"] += [_unjudged(row, key) for row in rows]
        layout["shapes"] += _marks(panel, key)
    return go.Figure({"data": data, "layout": layout})


def _place(row: int, column: int, *, bands: int, band: int) -> tuple[list[float], list[float]]:
    """Return the domains of a panel; the first row of panels is on top."""
    width = (1 - _GAP * (_COLUMNS - 1)) / _COLUMNS
    start = column * (width + _GAP)
    top = 1 - (row + _HEAD / band) / bands
    bottom = 1 - (row + 1 - _FOOT / band) / bands
    return [start, start + width], [bottom, top]


def _dots(
    found: Mapping[tuple[str, str], Any], panel: Panel, names: Mapping[str, str], chosen: str, key: str
) -> list[dict[str, Any]]:
    """Return the dots of one panel, hollow ones for the placebo."""
    traces = []
    for place, (scorer, name) in enumerate(names.items()):
        color = OURS if scorer == chosen else GREY
        placebo = found.get((scorer, panel.placebo)) if panel.placebo else None
        row = found.get((scorer, panel.metric))
        if row is not None:
            shift = 0.0 if placebo is None else -_OFFSET / 2
            traces.append(_dot(row, place + shift, name, color, key, hollow=False))
        if row is not None and placebo is not None:
            traces.append(_dot(placebo, place + _OFFSET, f"{name}, shuffled", color, key, hollow=True))
    return traces


def _dot(row: Any, y: float, name: str, color: str, key: str, *, hollow: bool) -> dict[str, Any]:
    """Return one dot with its interval."""
    bar = interval_bar(row.value, row.ci_low, row.ci_high, color)
    return {
        "type": "scatter",
        "xaxis": f"x{key}",
        "yaxis": f"y{key}",
        "x": [row.value],
        "y": [y],
        "mode": "markers",
        "name": name,
        "marker": {"color": color, "size": 6 if hollow else 9, "symbol": "circle-open" if hollow else "circle"},
        "error_x": bar | ({"thickness": 1} if hollow else {}),
        "hovertemplate": f"{name}<br>{estimate(row.value, row.ci_low, row.ci_high, int(row.n))}<extra></extra>",
    }


def _title(panel: Panel, key: str) -> dict[str, Any]:
    """Return the title above a panel."""
    place = {"x": 0, "xref": f"x{key} domain", "xanchor": "left", "y": 1, "yref": f"y{key} domain", "yanchor": "bottom"}
    return place | {"text": f"<b>{panel.title}</b>", "showarrow": False, "align": "left", "font": {"size": 12.5}}


def _unjudged(row: int, key: str) -> dict[str, Any]:
    """Return the words in the place of a value that there is not."""
    place = {"x": 0.5, "xref": f"x{key} domain", "xanchor": "center", "y": row, "yref": f"y{key}", "yanchor": "bottom"}
    return place | {"text": "not judged", "showarrow": False, "font": {"size": 12}}


def _marks(panel: Panel, key: str) -> list[dict[str, Any]]:
    """Return the reference line and the shade of what is not worth having."""
    tall = {"xref": f"x{key}", "yref": f"y{key} domain", "y0": 0, "y1": 1, "layer": "below"}
    marks: list[dict[str, Any]] = []
    if panel.margin is not None:
        ends = {"x0": 0, "x1": panel.margin, "fillcolor": _SHADE, "line": {"width": 0}}
        marks.append({"type": "rect"} | ends | tall)
    if panel.reference is not None:
        ends = {"x0": panel.reference, "x1": panel.reference, "line": {"color": LINE, "width": 1.5, "dash": "dot"}}
        marks.append({"type": "line"} | ends | tall)
    return marks
