"""The score histogram of one uncertainty bucket, small enough to stand above its slider."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd

from engine.figures.theme import BLUE, VERMILION

WIDTH, HEIGHT = 280, 48
"""Units of the drawing, which stretches to the width of its place."""
MOST_BARS = 40
"""Bars at most: single bins hold very different numbers of rows, which hides the shape."""
GREY = "#8A94A0"
LEFT_OUT = 0.4
"""Opacity of what is not selected."""


def bucket_histogram(table: pd.DataFrame, cut: int) -> str:
    """Draw rows by score with the positives among them in blue, and the threshold as a line.

    A bin has the same width as a step of the slider, so the line stands above the thumb; neighbouring bins share a bar.
    Heights are square roots of counts, so that the few rows at the top can be seen. No script, no text: the same in
    words belongs beside it.

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
    step, first = WIDTH / size, size - cut
    # Bars end at the threshold, so that none is half selected.
    edges = sorted({*(round(i * size / MOST_BARS) for i in range(MOST_BARS + 1)), first})
    counts = [[float(table[name].iloc[low:high].sum()) for name in ("n", "positives")] for low, high in pairwise(edges)]
    # A bar is as high as its rows per bin, whatever number of bins it pools.
    highest = max((n / (high - low) for (n, _), (low, high) in zip(counts, pairwise(edges), strict=True)), default=1.0)
    bars = []
    for (low, high), pair in zip(pairwise(edges), counts, strict=True):
        opacity = "" if low >= first else f' opacity="{LEFT_OUT}"'
        for count, color in zip(pair, (GREY, BLUE), strict=True):
            if count > 0:
                height = HEIGHT * (count / (high - low) / highest) ** 0.5
                bars.append(
                    f'<rect x="{low * step:.2f}" y="{HEIGHT - height:.2f}" width="{(high - low) * step * 0.86:.2f}" '
                    f'height="{height:.2f}" fill="{color}"{opacity}/>'
                )
    x = min(max(first * step, 1.0), WIDTH - 1.0)
    line = f'<line x1="{x:.2f}" x2="{x:.2f}" y1="0" y2="{HEIGHT}" stroke="{VERMILION}" stroke-width="2"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">{"".join(bars)}{line}</svg>'
    )
