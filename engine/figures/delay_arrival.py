"""How conversions arrive: estimated, counted naively, fitted by a law, and as it turned out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.figures.common import empty_figure
from engine.figures.delay_parts import (
    HEIGHT,
    band,
    corner_label,
    numbers_at_risk,
    strip_axis,
    strip_height,
    window_marks,
)
from engine.figures.theme import GREEN, OURS, PURPLE, RIVAL, TRUTH, plotly_layout

_AXIS = {"seen": "Share of the final positives seen so far", "converted": "Share of exposures converted so far"}
_LAWS = {"exponential": ("Exponential", PURPLE), "weibull": ("Weibull", GREEN)}


def seen_curves(
    snapshot: pd.DataFrame,
    final: pd.DataFrame | None,
    *,
    name: str,
    waiting_days: float | None,
    immature_from: float | None,
    top: float | None = None,
    height: int = HEIGHT,
) -> go.Figure:
    """Draw how conversions arrive: estimated on a day, counted naively then, and as it turned out.

    Parameters
    ----------
    snapshot, final : DataFrame
        Columns ``elapsed_days``, `name`, ``at_risk, n``, and for the snapshot `name` with ``_low, _high, _naive``.
        No final table where it is not known yet how it turns out.
    name : {"seen", "converted"}
        Share of the final positives, or share of all exposures.
    waiting_days : float, optional
        Window of the slider, marked by a vertical line.
    immature_from : float, optional
    top : float, optional
        End of the vertical axis, where it must not move with the day.
    height : int, optional
        Pixels.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    known = snapshot[snapshot[name].notna()]
    if known.empty:
        return empty_figure("No exposure was followed to the end of its window on this day.", height=height)
    lines = [
        ("Counted naively", snapshot, f"{name}_naive", RIVAL, "solid"),
        ("Kaplan–Meier", known, name, OURS, "solid"),
    ]
    if final is not None:
        lines.insert(0, ("Final", final, name, TRUTH, "dash"))
    horizon = float((snapshot if final is None else final)["elapsed_days"].max())
    traces, corner = [band(known, name, OURS)], []
    for place, (label, rows, column, color, dash) in enumerate(lines):
        traces.append(_line(rows, column, label, color, dash))
        count = f"{rows['n'].max():,.0f}" if column == name else _naive_count(snapshot, name)
        corner.append(corner_label(f"<b>{label}</b> · n {count}", color, 0.12 + 35 / height * place, "bottom"))
    shapes, notes = window_marks(waiting_days, immature_from, horizon, note_at=0.05, labels=corner)
    risk = {"Kaplan–Meier": snapshot} | ({} if final is None else {"Final": final})
    traces += numbers_at_risk(risk, list(risk))
    layout = _above_strip(horizon, [OURS, TRUTH][: len(risk)], _AXIS[name], top, height)
    return go.Figure({"data": traces, "layout": layout | {"shapes": shapes, "annotations": [*corner, *notes]}})


def _naive_count(snapshot: pd.DataFrame, name: str) -> str:
    """Say what the naive curve is a share of: conversions so far, or all exposures, whatever their age."""
    exposures = float(snapshot["n"].max())
    if name == "converted":
        return f"{exposures:,.0f}"
    return f"{exposures * float(snapshot['converted_naive'].max()):,.0f} conversions"


def _line(rows: pd.DataFrame, column: str, label: str, color: str, dash: str) -> dict[str, Any]:
    """Return one line over elapsed time."""
    return {
        "type": "scatter",
        "x": rows["elapsed_days"].to_numpy(),
        "y": rows[column].to_numpy(),
        "mode": "lines",
        "name": label,
        "line": {"color": color, "width": 2.5 if dash == "solid" else 2, "dash": dash},
        "hovertemplate": f"{label}<br>day %{{x:.3g}}: %{{y:.1%}}<extra></extra>",
    }


def _above_strip(horizon: float, colors: Sequence[str], title: str, top: float | None, height: int) -> dict[str, Any]:
    """Return the layout of curves over elapsed time above their numbers at risk."""
    end = {"rangemode": "tozero"} if top is None else {"range": [0, top]}
    return plotly_layout(
        height=height,
        xaxis={"title": {"text": "Days since exposure"}, "range": [-0.05 * horizon, horizon], "anchor": "y2"},
        yaxis={"title": {"text": title}, "tickformat": ".0%", "domain": [strip_height(len(colors)) + 0.05, 1.0]} | end,
        yaxis2=strip_axis(colors),
        margin={"l": 8, "r": 16, "t": 26, "b": 8},
    )


def cure_curves(table: pd.DataFrame, *, immature_from: float | None) -> go.Figure:
    """Draw fitted delay laws over the Kaplan–Meier curve, and below it by how much they miss.

    Parameters
    ----------
    table : DataFrame
        Columns ``elapsed_days, converted, converted_low, converted_high, cure_exponential, cure_weibull`` and
        ``miss_exponential, miss_weibull`` (law − Kaplan–Meier, share of exposures), ``n``.
    immature_from : float, optional

    Returns
    -------
    plotly.graph_objects.Figure
    """
    known = table[table["converted"].notna()]
    laws = {law: look for law, look in _LAWS.items() if known[f"cure_{law}"].notna().any()}
    if known.empty or not laws:
        return empty_figure("No delay law could be fitted here; choose another segment.", height=HEIGHT)
    horizon = float(known["elapsed_days"].max())
    shapes, notes = window_marks(None, immature_from, horizon, note_at=0.05)
    traces = [
        band(known, "converted", OURS),
        _line(known, "converted", "Kaplan–Meier", OURS, "solid"),
        # The misfit that the data would allow: the band of the curve itself, moved to zero.
        _zero_band(known),
    ]
    notes.append(corner_label(f"<b>Kaplan–Meier</b> · n {int(known['n'].max()):,}", OURS, 0.29, "bottom"))
    for place, (law, (label, color)) in enumerate(laws.items()):
        traces.append(_line(known, f"cure_{law}", label, color, "solid"))
        miss = _line(known, f"miss_{law}", f"{label} − Kaplan–Meier", color, "solid") | {"yaxis": "y2"}
        traces.append(miss | {"hovertemplate": f"{label}<br>day %{{x:.3g}}: %{{y:+.2%}}<extra></extra>"})
        notes.append(corner_label(f"<b>{label} mixture cure</b>", color, 0.21 - 0.08 * place, "bottom"))
    return go.Figure(
        data=traces,
        layout=plotly_layout(
            height=HEIGHT,
            xaxis={"title": {"text": "Days since exposure"}, "range": [0, horizon], "anchor": "y2"},
            yaxis={
                "title": {"text": _AXIS["converted"]},
                "tickformat": ".0%",
                "rangemode": "tozero",
                "domain": [0.38, 1.0],
            },
            yaxis2={
                "title": {"text": "Law − curve"},
                "tickformat": "+.1%",
                "domain": [0.0, 0.3],
                "automargin": True,
                "gridcolor": "rgba(128, 136, 146, 0.22)",
                "zerolinecolor": OURS,
            },
            shapes=shapes,
            annotations=notes,
            margin={"l": 8, "r": 16, "t": 26, "b": 8},
        ),
    )


def _zero_band(known: pd.DataFrame) -> dict[str, Any]:
    """Return the band of the curve around zero."""
    shifted = known.assign(
        gap_low=known["converted_low"] - known["converted"], gap_high=known["converted_high"] - known["converted"]
    )
    return band(shifted[np.isfinite(shifted["gap_low"])], "gap", OURS, yaxis="y2")
