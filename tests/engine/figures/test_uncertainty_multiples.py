"""Reliability side by side: every panel has its own curve, strip and base rate, and all have the same axes."""

import numpy as np
import pandas as pd
import pytest

from engine.figures.uncertainty import reliability_curves
from engine.figures.uncertainty_multiples import reliability_panels
from engine.figures.uncertainty_parts import bucket_color

NAMES = ["de", "fr", "us", "uk"]


def bins(bucket, observed):
    rates = {"mean_predicted": [0.1, np.nan, 0.6], "observed_rate": [0.1, np.nan, observed]}
    ends = {"ci_low": [0.05, np.nan, observed - 0.1], "ci_high": [0.2, np.nan, observed + 0.1]}
    edges = {"bin": [0, 1, 2], "bin_low": [0.0, 0.3, 0.5], "bin_high": [0.3, 0.5, 1.0]}
    counts = {"n": [100, 0, 20], "positives": [10, 0, 8]}
    return pd.DataFrame({"bucket": bucket} | edges | counts | rates | ends)


TABLE = pd.concat([bins(bucket, 0.3 + bucket / 10) for bucket in range(4)])
CORP = pd.DataFrame([{"bucket": 1, "score_low": 0.1, "score_high": 0.6, "rate": 0.2, "ci_low": 0.1, "ci_high": 0.3}])
ERRORS = pd.DataFrame([{"bucket": 2, "value": 0.031, "ci_low": 0.02, "ci_high": 0.04}])


@pytest.fixture(scope="module")
def figure():
    return reliability_panels(TABLE, names=NAMES, base_rates=[0.15, 0.2, 0.25, np.nan], corp=CORP, errors=ERRORS)


def on_axis(figure, key):
    return {trace.name: trace for trace in figure.data if trace.xaxis == f"x{key}"}


def test_every_panel_has_its_own_curve_and_strip(figure):
    for bucket, name in enumerate(NAMES):
        curve = on_axis(figure, "" if bucket == 0 else 2 * bucket + 1)[name]
        assert list(curve.y) == pytest.approx([0.1, 0.3 + bucket / 10])
        assert list(curve.marker.symbol) == ["circle", "circle-open"]
        assert curve.line.color == bucket_color(bucket, 4)
        strip = on_axis(figure, 2 * bucket + 2)
        assert list(strip[name].y) == [100, 0, 20] and list(strip[f"{name}, positives"].y) == [10, 0, 8]


def test_an_empty_bin_is_marked_in_its_middle(figure):
    cross = on_axis(figure, 2)["de, empty bins"]
    assert list(cross.x) == pytest.approx([0.4]) and list(cross.y) == [0]
    assert cross.customdata.tolist() == [[0.3, 0.5]] and "x" in cross.marker.symbol
    full = reliability_curves(TABLE[TABLE["n"] > 0], names=NAMES, base_rate=0.2)
    assert not any("empty" in trace.name for trace in full.data)


def test_all_panels_have_the_same_axes(figure):
    ranges = {tuple(figure.layout[f"{way}axis{key}"].range) for way in "xy" for key in ("", 3, 5, 7)}
    assert len(ranges) == 1 and next(iter(ranges))[1] > 0.6


def test_panels_stand_three_in_a_row_with_the_strip_below_the_curve(figure):
    layout = figure.layout
    assert layout.xaxis7.domain == layout.xaxis.domain and layout.yaxis7.domain[1] < layout.yaxis2.domain[0]
    assert layout.yaxis2.domain[1] < layout.yaxis.domain[0]
    assert 0 <= layout.yaxis8.domain[0] and layout.yaxis.domain[1] < 1


def test_the_error_of_a_handful_is_not_written():
    bare = ERRORS.assign(ci_low=np.nan, ci_high=np.nan)
    figure = reliability_panels(TABLE, names=NAMES, base_rates=[0.1] * 4, errors=bare)
    assert not any("smECE" in note.text for note in figure.layout.annotations)


def test_two_panels_take_the_whole_width():
    two = reliability_panels(TABLE[TABLE["bucket"] < 2], names=NAMES[:2], base_rates=[0.15, 0.2]).layout
    assert two.xaxis3.domain[1] == pytest.approx(1.0) and two.xaxis.domain[1] > 0.45
    assert two.yaxis3.domain == two.yaxis.domain


def test_titles_base_rates_and_smooth_errors_are_written(figure):
    texts = [note.text for note in figure.layout.annotations]
    assert [name for name in NAMES if any(f"<b>{name}</b>" in text for text in texts)] == NAMES
    assert [text for text in texts if "base rate" in text] == ["base rate 0.150", "base rate 0.200", "base rate 0.250"]
    assert [text for text in texts if "smECE" in text] == ["<b>us</b><br>smECE 0.031 [0.020, 0.040]"]
    assert [shape.y0 for shape in figure.layout.shapes] == [0.15, 0.2, 0.25]


def test_isotonic_steps_lie_in_their_panel_only(figure):
    shown = [trace for trace in figure.data if trace.name == "fr, isotonic"]
    assert [trace.xaxis for trace in shown] == ["x3"] and list(shown[0].y) == [0.2, 0.2]
    assert not any(trace.name == "de, isotonic" for trace in figure.data)


def test_no_rows_are_said():
    figure = reliability_panels(TABLE.assign(n=0), names=NAMES, base_rates=[0.1] * 4)
    assert "No row" in figure.layout.annotations[0].text
