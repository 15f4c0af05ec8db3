"""Reliability curves draw the numbers of their table, one colour per bucket."""

import numpy as np
import pandas as pd
import pytest

from engine.figures.theme import BLUE, VERMILION
from engine.figures.uncertainty import RAMP, bucket_color, drawn_buckets, reliability_curves, reliability_limit

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
    # Rare positives fill their axes, too.
    rare = TABLE.assign(observed_rate=0.001, mean_predicted=0.002)
    assert reliability_limit(rare) == pytest.approx(0.00224)
    assert reliability_limit(rare.assign(observed_rate=0.0, mean_predicted=0.0)) == 0.1
    for table in (rare, rare.assign(observed_rate=0.0, mean_predicted=0.0)):
        low, high = reliability_curves(table, names=NAMES, base_rate=0.001, scale="log").layout.xaxis.range
        assert low < high


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


RARE = pd.DataFrame(
    [
        bin_row(0, 0.0, 0.002, 5000, 0.001, 0.002, 0.001, 0.004),
        bin_row(0, 0.002, 0.02, 800, 0.01, 0.0, 0.0, 0.005),
        bin_row(0, 0.02, 1.0, 40, 0.10, 0.15, 0.07, 0.29),
    ]
).assign(positives=[10, 0, 6])


def test_a_log_scale_places_rates_by_their_powers_of_ten_and_labels_them_as_rates():
    figure = reliability_curves(RARE, names=["all"], base_rate=0.003, scale="log")
    curve = traces(figure)["scatter", "all"]
    np.testing.assert_allclose(curve.x, np.log10([0.001, 0.01, 0.1]))
    # A rate of 0 has no logarithm: it lies on the lower end.
    np.testing.assert_allclose(curve.y, np.log10([0.002, 0.001, 0.15]))
    assert figure.layout.yaxis.range[0] == pytest.approx(-3)
    assert list(figure.layout.xaxis.ticktext) == ["0.001", "0.01", "0.1"]
    np.testing.assert_allclose(figure.layout.xaxis.tickvals, [-3, -2, -1])
    assert figure.layout.shapes[0].y0 == pytest.approx(np.log10(0.003))


def test_a_logit_scale_reaches_as_near_to_one_as_the_rates_do():
    table = TABLE.assign(observed_rate=[0.12, 0.995, np.nan, 0.30], ci_high=[0.16, 1.0, np.nan, 0.35])
    figure = reliability_curves(table, names=NAMES, base_rate=0.2, scale="logit")
    curve = traces(figure)["scatter", NAMES[0]]
    np.testing.assert_allclose(curve.y, np.log10(np.array([0.12, 0.995]) / np.array([0.88, 0.005])))
    assert figure.layout.yaxis.range[1] == pytest.approx(np.log10(0.999 / 0.001))
    assert "0.999" in figure.layout.yaxis.ticktext


@pytest.mark.parametrize("scale", ["linear", "log", "logit"])
def test_the_diagonal_is_a_straight_line_on_every_scale(scale):
    figure = reliability_curves(RARE, names=["all"], base_rate=0.003, scale=scale)
    line = traces(figure)["scatter", "comes true"]
    assert list(line.x) == list(line.y) == list(figure.layout.xaxis.range)


def test_the_hover_keeps_the_rates_whatever_the_scale():
    curve = traces(reliability_curves(RARE, names=["all"], base_rate=0.003, scale="log"))["scatter", "all"]
    assert [row[4] for row in curve.customdata] == [0.002, 0.0, 0.15]


def test_the_strip_shows_positives_within_the_rows():
    figure = reliability_curves(RARE, names=["all"], base_rate=0.003)
    assert list(traces(figure)["bar", "all, positives"].y) == [10, 0, 6]
    assert figure.layout.barmode == "overlay"


def test_the_isotonic_curve_is_drawn_as_level_stretches_with_its_band():
    corp = pd.DataFrame(
        {"bucket": 0, "score_low": [0.0, 0.2], "score_high": [0.1, 0.6], "rate": [0.05, 0.4]}
        | {"ci_low": [0.02, 0.3], "ci_high": [0.1, 0.5]}
    )
    figure = reliability_curves(TABLE, names=NAMES, base_rate=0.2, corp=corp)
    steps = traces(figure)["scatter", f"{NAMES[0]}, isotonic"]
    assert list(steps.x) == [0.0, 0.1, 0.2, 0.6]
    assert list(steps.y) == [0.05, 0.05, 0.4, 0.4]
    band = traces(figure)["scatter", f"{NAMES[0]}, band"]
    assert list(band.y) == [0.1, 0.1, 0.5, 0.5, 0.3, 0.3, 0.02, 0.02]
    assert ("scatter", f"{NAMES[1]}, isotonic") not in traces(figure)


def test_the_smooth_error_stands_in_the_name_of_its_curve():
    errors = pd.DataFrame({"bucket": [1], "value": [0.2], "ci_low": [0.15], "ci_high": [0.25]})
    figure = reliability_curves(TABLE, names=NAMES, base_rate=0.2, errors=errors)
    assert ("scatter", f"{NAMES[1]} · smECE 0.20 [0.15, 0.25]") in traces(figure)
    assert ("scatter", NAMES[0]) in traces(figure)


@pytest.mark.parametrize(("n", "drawn", "named"), [(1, 1, 1), (5, 5, 5), (10, 10, 3), (12, 12, 3), (81, 12, 3)])
def test_of_many_curves_the_outermost_and_one_between_are_named(n, drawn, named):
    buckets, shown = drawn_buckets(n)
    assert (len(buckets), len(shown)) == (drawn, named) and buckets == sorted(set(buckets))
    assert {0, n - 1} <= shown <= set(buckets)


def test_curves_that_are_left_out_are_counted():
    many = pd.concat([TABLE[TABLE["bucket"] == 0].assign(bucket=bucket) for bucket in range(20)])
    figure = reliability_curves(many, names=[f"bucket {bucket}" for bucket in range(20)], base_rate=0.2)
    curves = [trace for trace in figure.data if trace.type == "scatter" and trace.name.startswith("bucket")]
    assert len(curves) == 12 and sum(trace.showlegend for trace in curves) == 3
    assert "12 of 20 are drawn" in figure.layout.legend.title.text
