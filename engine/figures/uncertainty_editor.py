"""The score histogram of one uncertainty bucket, small enough to stand above its slider."""

from __future__ import annotations

import pandas as pd

from engine.figures.theme import BLUE, VERMILION

WIDTH, HEIGHT = 400, 46
"""Units of the drawing, which stretches to the width of its place."""
GREY = "#8A94A0"
LEFT_OUT = 0.4
"""Opacity of what is not selected."""


def bucket_histogram(table: pd.DataFrame, cut: int) -> str:
    """Draw one bar per score bin, positives on top of each other row, and the threshold as a line.

    A bin has the same width as a step of the slider, so a bar stands above the place of its threshold. Heights are
    square roots of counts, so that the few rows at the top can be seen. No script, no text: a picture in words
    belongs beside it.

    Parameters
    ----------
    table : DataFrame
        Columns ``n, positives`` of one bucket, one row per score bin, the lowest score first.
    cut : int, 0 .. len(table)
        Bins that are selected, counted from the highest score.

    Returns
    -------
    str
        An SVG document.
    """
    size = max(len(table), 1)
    highest = max(float(table["n"].max()) if len(table) else 0.0, 1.0)
    step, first = WIDTH / size, size - cut
    bars = []
    for place, (n, positives) in enumerate(zip(table["n"], table["positives"], strict=True)):
        opacity = "" if place >= first else f' opacity="{LEFT_OUT}"'
        for count, color in ((n, GREY), (positives, BLUE)):
            if count > 0:
                height = HEIGHT * (float(count) / highest) ** 0.5
                bars.append(
                    f'<rect x="{place * step:.2f}" y="{HEIGHT - height:.2f}" width="{step * 0.86:.2f}" '
                    f'height="{height:.2f}" fill="{color}"{opacity}/>'
                )
    x = min(max(first * step, 1.0), WIDTH - 1.0)
    line = f'<line x1="{x:.2f}" x2="{x:.2f}" y1="0" y2="{HEIGHT}" stroke="{VERMILION}" stroke-width="2"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">{"".join(bars)}{line}</svg>'
    )
