"""The score x uncertainty map with the boundary drawn on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure, number
from engine.figures.theme import LINE, METHOD_LABEL, VERMILION, plotly_layout

Shown = Literal["rate", "n", "interval", "bias"]
TITLE: dict[str, str] = {
    "rate": "Observed rate of positives",
    "n": "Rows",
    "interval": "Width of the 95 % interval of the rate",
    "bias": "Observed minus predicted rate",
}
RARE = 0.02
"""Share of positives below which whole percentages would all be 0 or 1."""
FEW = 20
"""Cells with fewer rows are written in brackets."""
# Never opaque: the page shows through, and one ink can be read on every cell.
_RATE = [[0.0, "rgba(0, 114, 178, 0.04)"], [1.0, "rgba(0, 114, 178, 0.6)"]]
_COUNT = [[0.0, "rgba(128, 136, 146, 0.04)"], [1.0, "rgba(128, 136, 146, 0.6)"]]
_BIAS = [[0.0, "rgba(213, 94, 0, 0.6)"], [0.5, "rgba(128, 136, 146, 0.05)"], [1.0, "rgba(0, 114, 178, 0.6)"]]
INK = {False: "#1B2430", True: "#FFFFFF"}
EDITED = "edited"
"""Name of the boundary that the reader moves."""


def decision_map(
    cells: pd.DataFrame,
    lines: pd.DataFrame,
    *,
    names: Sequence[str],
    shown: Shown = "rate",
    dark: bool = False,
    row_height: int = 62,
) -> go.Figure:
    """Draw the tuning rows as a map with boundaries: right of a line rows are selected.

    Parameters
    ----------
    cells : DataFrame
        ``bucket, column, score_low, score_high, n, positives, rate, ci_low, ci_high, bias``, every
        bucket with the same columns.
    lines : DataFrame
        ``boundary, level, column, label``; the boundary ``edited`` is drawn strong, others dashed.
    names : sequence of str
        Name of every bucket.
    shown : {"rate", "n", "interval", "bias"}
    dark : bool, default False
        Whether the page behind is dark, which decides the ink of the numbers.
    row_height : int, default 62
        Pixels per bucket.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    height = 70 + row_height * max(len(names), 2)
    if cells.empty:
        return empty_figure("This run holds no counts to draw.", height=height)
    n_columns = int(cells["column"].max()) + 1
    cells = cells.assign(interval=cells["ci_high"] - cells["ci_low"])
    data: list[Any] = [_heatmap(cells, n_columns, len(names), shown), _texts(cells, shown, INK[dark])]
    data += [_line(rows, str(name)) for name, rows in lines.groupby("boundary", sort=False)]
    edges = [*cells["score_low"].iloc[:n_columns], float(cells["score_high"].iloc[n_columns - 1])]
    layout = plotly_layout(
        height=height,
        # Fixed margins and no legend halve the time a moved boundary takes in the browser.
        margin={"l": 150, "r": 16, "t": 8, "b": 56},
        xaxis={
            "automargin": False,
            "title": {"text": "Score (columns pool at least 40 rows per bucket at the top, more below)"},
            "tickvals": list(range(n_columns + 1)),
            "ticktext": [number(edge, 2) for edge in edges],
            "range": [0, n_columns],
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={
            "automargin": False,
            "tickvals": [bucket + 0.5 for bucket in range(len(names))],
            "ticktext": [f"Uncertainty {name}".replace(" · ", "<br>") for name in names],
            "range": [len(names), 0],
            "showgrid": False,
            "zeroline": False,
        },
    )
    return go.Figure(data=data, layout=layout)


def _heatmap(cells: pd.DataFrame, n_columns: int, n_buckets: int, shown: Shown) -> go.Heatmap:
    """Colour every cell and write its value into it."""
    values = [None if value != value else float(value) for value in cells[shown]]
    hovers = [
        f"score {number(row.score_low)} to {number(row.score_high)}<br>{row.positives:,} of {row.n:,} positive"
        f"<br>rate {number(row.rate)} [{number(row.ci_low)}, {number(row.ci_high)}]<br>bias {number(row.bias)}"
        for row in cells.itertuples()
    ]
    grids = [[rows[k * n_columns : (k + 1) * n_columns] for k in range(n_buckets)] for rows in (values, hovers)]
    largest = max((abs(value) for value in values if value is not None), default=1.0) or 1.0
    return go.Heatmap(
        x=list(range(n_columns + 1)),
        y=list(range(n_buckets + 1)),
        z=grids[0],
        zmin=-largest if shown == "bias" else 0,
        zmax=largest,
        colorscale={"rate": _RATE, "n": _COUNT, "interval": _COUNT, "bias": _BIAS}[shown],
        customdata=grids[1],
        hovertemplate="%{customdata}<extra></extra>",
        showscale=False,
        xgap=1,
        ygap=2,
    )


def _texts(cells: pd.DataFrame, shown: Shown, ink: str) -> go.Scatter:
    """Write the value into every cell."""
    return go.Scatter(
        x=cells["column"] + 0.5,
        y=cells["bucket"] + 0.5,
        mode="text",
        text=[_text(row, shown, _digits(cells)) for row in cells.itertuples()],
        textfont={"color": ink},
        hoverinfo="skip",
        showlegend=False,
    )


def _digits(cells: pd.DataFrame) -> int:
    """Return how many digits tell percentages apart: more where positives are rare."""
    rate = float(cells["positives"].sum() / max(cells["n"].sum(), 1))
    return 0 if rate >= RARE or rate == 0 else 1 if rate >= RARE / 10 else 2


def _text(row: Any, shown: Shown, digits: int) -> str:
    """Write a cell: percent for shares, brackets where few rows stand behind it, a dash where none do."""
    if row.n == 0:
        return "–"
    texts = {
        "rate": f"{100 * row.rate:.{digits}f} %",
        "n": f"{row.n:,}",
        "interval": f"{100 * row.ci_low:.{digits}f}–{100 * row.ci_high:.{digits}f}",
        "bias": f"{100 * row.bias:+.{digits}f}",
    }
    return texts[shown] if row.n >= FEW else f"({texts[shown]})"


def _line(rows: pd.DataFrame, name: str) -> go.Scatter:
    """Draw one boundary as steps."""
    mine = name == EDITED
    return go.Scatter(
        x=rows["column"],
        y=rows["level"],
        mode="lines",
        name="Your boundary" if mine else METHOD_LABEL.get(name, name),
        line={"color": VERMILION, "width": 4} if mine else {"color": LINE, "width": 2.5, "dash": "dash"},
        customdata=rows["label"],
        hovertemplate="threshold %{customdata}<extra></extra>",
        cliponaxis=False,
    )
