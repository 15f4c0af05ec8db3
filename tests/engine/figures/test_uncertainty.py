"""Reliability curves draw the numbers of their table, one colour per bucket."""

import numpy as np
import pandas as pd
import pytest

from engine.figures.theme import BLUE, VERMILION
from engine.figures.uncertainty import RAMP, bucket_color, reliability_curves, reliability_limit

NAMES = ["1 of 2 · most certain", "2 of 2 · least certain"]


def bin_row(bucket, low, high, n, predicted, observed, ci_low, ci_high):
    values = (bucket, low, high, n, predicted, observed, ci_low, ci_high)
    names = ("bucket", "bin_low", "bin_high", "n", "mean_predicted", "observed_rate", "ci_low", "ci_high")
    return dict(zip(names, values, strict=True))


TABLE = pd.DataFrame(
    [
        bin_row(0, 0.0, 0.2, 400, 0.10, 0.12, 0.09, 0.16),
        bin_row(0, 0.2, 1.0, 20, 0.40, 0.45, 0.26, 0.66),
        bin_row(1, 0.0, 0.3, 0, np.nan, np.nan, np.nan, np.nan),
        bin_row(1, 0.3, 1.0, 300, 0.50, 0.30, 0.25, 0.35),
    ]
)


def traces(figure):
    return {(trace.type, trace.name): trace for trace in figure.data}


def test_curves_hold_the_rates_and_the_ends_of_their_intervals():
    figure = reliability_curves(TABLE, names=NAMES, base_rate=0.2)
    for bucket, name in enumerate(NAMES):
        rows = TABLE[(TABLE["bucket"] == bucket) & (TABLE["n"] > 0)]
        curve = traces(figure)["scatter", name]
        assert list(curve.x) == rows["mean_predicted"].tolist()
        assert list(curve.y) == rows["observed_rate"].tolist()
        high = np.array(curve.y) + np.array(curve.error_y.array)
        low = np.array(curve.y) - np.array(curve.error_y.arrayminus)
        np.testing.assert_allclose(high, rows["ci_high"])
        np.testing.assert_allclose(low, rows["ci_low"])


def test_the_strip_counts_every_bin_and_keeps_an_empty_one():
    figure = reliability_curves(TABLE, names=NAMES, base_rate=0.2)
    counts = {name: list(traces(figure)["bar", name].y) for name in NAMES}
    assert counts == {NAMES[0]: [400, 20], NAMES[1]: [0, 300]}
    assert np.isfinite(np.array(traces(figure)["bar", NAMES[1]].x, dtype=float)).all()


def test_bins_with_few_rows_are_hollow():
    curve = traces(reliability_curves(TABLE, names=NAMES, base_rate=0.2))["scatter", NAMES[0]]
    assert list(curve.marker.symbol) == ["circle", "circle-open"]


def test_the_base_rate_and_the_diagonal_are_drawn():
    figure = reliability_curves(TABLE, names=NAMES, base_rate=0.2)
    assert [(shape.y0, shape.y1) for shape in figure.layout.shapes] == [(0.2, 0.2)]
    diagonal = traces(figure)["scatter", "comes true"]
    assert list(diagonal.x) == list(diagonal.y)


def test_both_rate_axes_have_the_same_range():
    figure = reliability_curves(TABLE, names=NAMES, base_rate=0.2)
    assert list(figure.layout.yaxis.range) == list(figure.layout.xaxis.range) == [0, reliability_limit(TABLE)]
    assert reliability_limit(TABLE) == pytest.approx(0.56)
    fixed = reliability_curves(TABLE, names=NAMES, base_rate=0.2, limit=0.9)
    assert list(fixed.layout.yaxis.range) == [0, 0.9]


def test_a_rate_never_needs_an_axis_beyond_one():
    assert reliability_limit(TABLE.assign(observed_rate=0.98)) == 1.0
    assert reliability_limit(TABLE.assign(observed_rate=0.001, mean_predicted=0.001)) == 0.1


@pytest.mark.parametrize("table", [TABLE.iloc[:0], TABLE.assign(n=0)])
def test_nothing_to_draw_is_said(table):
    figure = reliability_curves(table, names=NAMES, base_rate=0.2)
    assert not figure.data and "No row" in figure.layout.annotations[0].text


@pytest.mark.parametrize("n", range(2, 12))
def test_buckets_run_from_blue_to_vermilion_in_different_colours(n):
    colors = [bucket_color(bucket, n) for bucket in range(n)]
    assert colors[0] == BLUE and colors[-1] == VERMILION and len(set(colors)) == n
    if n == len(RAMP):
        assert colors == list(RAMP)


def test_a_single_bucket_is_blue():
    assert bucket_color(0, 1) == BLUE
