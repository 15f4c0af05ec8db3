"""Dumbbells join the value before with the value after, on one axis for all recalibrations."""

from itertools import pairwise

import pandas as pd
import pytest

from engine.figures.theme import GREY, OURS
from engine.figures.uncertainty_recalibration import recalibration_dumbbells

SEGMENTS = {"all": "All rows", "uncertainty bucket 1 of 2": "1 of 2", "uncertainty bucket 2 of 2": "2 of 2"}
REPAIRS = {"isotonic": "Isotonic", "temperature": "Temperature"}
VALUES = {"raw": (5.0, 2.0, 9.0), "isotonic": (0.5, -1.0, 3.0), "temperature": (4.0, 1.0, 8.0)}


def rows():
    return pd.DataFrame(
        [
            {"method": method, "segment": segment, "value": v, "ci_low": v - 1, "ci_high": v + 2, "n": 1200}
            for method, values in VALUES.items()
            for segment, v in zip(SEGMENTS, values, strict=True)
        ]
    )


def drawn(**changes):
    return recalibration_dumbbells(
        rows(), **{"segments": SEGMENTS, "repairs": REPAIRS, "axis_title": "Bias (points)"} | changes
    )


def by_name(figure, axis):
    return {trace.name: trace for trace in figure.data if trace.xaxis == axis and trace.mode == "markers"}


def test_every_panel_shows_before_and_its_own_after_with_intervals():
    figure = drawn()
    for axis, method in (("x", "isotonic"), ("x2", "temperature")):
        dots = by_name(figure, axis)
        assert len(dots) == 6
        for segment, name, place in zip(SEGMENTS, SEGMENTS.values(), range(3), strict=True):
            for key, word in (("raw", "before"), (method, "after")):
                value = rows().set_index(["method", "segment"]).loc[(key, segment), "value"]
                dot = dots[f"{name}, {word}"]
                assert list(dot.x) == [value]
                assert (dot.error_x.array[0], dot.error_x.arrayminus[0]) == (2, 1)
                assert "n 1,200" in dot.hovertemplate and abs(dot.y[0] - place) < 0.5


def test_a_line_joins_before_and_after():
    lines = [trace for trace in drawn().data if trace.mode == "lines" and trace.xaxis == "x"]
    assert [tuple(line.x) for line in lines] == list(zip(VALUES["raw"], VALUES["isotonic"], strict=True))


def test_after_is_ours_and_before_hollow_and_grey():
    dots = by_name(drawn(), "x")
    assert dots["1 of 2, after"].marker.color == OURS and dots["1 of 2, after"].marker.symbol == "circle"
    assert dots["1 of 2, before"].marker.color == GREY and dots["1 of 2, before"].marker.symbol == "circle-open"


def test_both_panels_have_one_axis_that_holds_every_interval_and_the_reference():
    layout = drawn().layout
    assert list(layout.xaxis.range) == list(layout.xaxis2.range)
    low, high = layout.xaxis.range
    assert low < -2 and high > 11
    assert [shape.x0 for shape in layout.shapes] == [0, 0]
    away = drawn(reference=None)
    assert len(away.layout.shapes) == 0


def test_the_first_segment_is_on_top():
    layout = drawn().layout
    assert list(layout.yaxis.ticktext) == list(SEGMENTS.values())
    assert layout.yaxis.range[0] > layout.yaxis.range[1]


def test_a_bucket_without_rows_gets_no_line_and_nothing_at_all_is_said():
    kept = rows()[rows()["segment"] != "uncertainty bucket 2 of 2"]
    figure = recalibration_dumbbells(kept, segments=SEGMENTS, repairs=REPAIRS, axis_title="Bias")
    assert list(figure.layout.yaxis.ticktext) == ["All rows", "1 of 2"]
    nothing = recalibration_dumbbells(
        rows().assign(value=float("nan")), segments=SEGMENTS, repairs=REPAIRS, axis_title="Bias"
    )
    assert "No value" in nothing.layout.annotations[0].text


@pytest.mark.parametrize("count", [1, 2])
def test_the_panels_share_the_width(count):
    figure = drawn(repairs=dict(list(REPAIRS.items())[:count]))
    domains = [figure.layout[f"xaxis{'' if place == 0 else place + 1}"].domain for place in range(count)]
    assert domains[0][0] == 0 and domains[-1][1] == pytest.approx(1)
    assert all(left[1] < right[0] for left, right in pairwise(domains))
