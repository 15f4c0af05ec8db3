"""Figures over days, windows and calendar time show the numbers of their tables and mark where the reader stands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.figures.delay_asof import asof_rates
from engine.figures.delay_stream import maturing_lines, stream_lines
from engine.figures.delay_tradeoff import completeness_freshness, tradeoff_curves
from engine.figures.theme import METHOD_LABEL, OURS, RIVAL, TRUTH


def lines(figure) -> dict:
    return {trace.name: trace for trace in figure.data}


def test_counted_estimated_and_final_rates_stand_at_their_days_and_one_is_marked():
    table = pd.DataFrame(
        {
            "when": ["2017-01-01", "2017-02-01"],
            "rate_seen": [0.05, 0.1],
            "rate_estimated": [0.12, 0.13],
            "rate_estimated_low": [0.1, 0.11],
            "rate_estimated_high": [0.15, 0.16],
            "rate_final": [0.13, 0.14],
            "exposures": [100, 200],
        }
    )
    figure = asof_rates(table, day="2017-02-01")
    drawn = lines(figure)
    assert list(drawn["Counted so far"].y) == [0.05, 0.1] and drawn["Counted so far"].line.color == RIVAL
    assert list(drawn["Estimated that day"].y) == [0.12, 0.13] and drawn["Estimated that day"].line.color == OURS
    assert list(drawn["Final"].y) == [0.13, 0.14] and drawn["Final"].line.dash == "dash"
    assert list(drawn["95 % band"].y) == [0.15, 0.16, 0.11, 0.1]
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [("2017-02-01", "2017-02-01")]
    assert not asof_rates(table[:0], day="x").data


@pytest.fixture
def tradeoff() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "waiting_days": [1.0, 7.0, 14.0],
            "bias": [0.05, 0.02, 0.0],
            "spread": [0.01, 0.015, 0.02],
            "staleness": [0.0, 0.01, 0.03],
            "error": [0.06, 0.03, 0.036],
            "error_low": [0.05, 0.02, 0.03],
            "error_high": [0.07, 0.04, 0.05],
            "optimum": [False, True, False],
        }
    )


def test_the_parts_of_the_error_are_drawn_and_the_optimum_is_marked(tradeoff):
    figure = tradeoff_curves(tradeoff, waiting_days=14.0)
    drawn = lines(figure)
    for name, column in (("|bias|", "bias"), ("standard error", "spread"), ("|staleness|", "staleness")):
        assert list(drawn[name].y) == list(tradeoff[column])
    assert list(drawn["error"].y) == [0.06, 0.03, 0.036]
    assert (list(drawn["optimum"].x), list(drawn["optimum"].y)) == ([7.0], [0.03])
    assert list(drawn["optimum"].x) == [7.0] and drawn["optimum"].marker.symbol == "star"
    assert sum(note.text.endswith("★</span> best: 7 d") for note in figure.layout.annotations) == 1
    assert {shape.x0 for shape in figure.layout.shapes} == {14.0}
    assert not tradeoff_curves(tradeoff.assign(error=np.nan), waiting_days=1.0).data


def test_an_estimator_with_one_window_is_a_point(tradeoff):
    drawn = lines(tradeoff_curves(tradeoff[2:], waiting_days=1.0))
    assert "markers" in drawn["error"].mode and list(drawn["error"].x) == [14.0]


def test_completeness_rises_and_freshness_falls_as_the_table_says():
    table = pd.DataFrame(
        {
            "waiting_days": [1.0, 2.0],
            "seen": [0.3, 0.6],
            "seen_low": [0.2, 0.5],
            "seen_high": [0.4, 0.7],
            "readable": [1.0, 0.7],
        }
    )
    figure = completeness_freshness(table, waiting_days=2.0)
    drawn = lines(figure)
    assert list(drawn["Complete: positives seen by then"].y) == [0.3, 0.6]
    assert list(drawn["Fresh: exposures old enough to be read"].y) == [1.0, 0.7]
    assert [shape.x0 for shape in figure.layout.shapes] == [2.0]
    assert not completeness_freshness(table.assign(seen=np.nan), waiting_days=1.0).data


def test_the_stream_shows_every_step_and_the_band_of_the_oracle():
    rows = [
        {"method": method, "when": when, "value": value, "ci_low": value - 0.1, "ci_high": value + 0.1, "n": 50}
        for method, values in (("oracle", (1.0, 1.1)), ("vanilla", (0.6, 0.7)), ("dress_style", (0.9, 1.0)))
        for when, value in zip(("2017-03-01", "2017-03-08"), values, strict=True)
    ]
    figure = stream_lines(pd.DataFrame(rows), axis_title="Calibration", reference=1.0)
    drawn = lines(figure)
    assert list(drawn[METHOD_LABEL["dress_style"]].y) == [0.9, 1.0]
    assert drawn[METHOD_LABEL["dress_style"]].line.color == OURS
    assert list(drawn["95 % of the oracle"].y) == pytest.approx([1.1, 1.2, 1.0, 0.9])
    assert drawn[METHOD_LABEL["oracle"]].line.dash == "dash" and drawn[METHOD_LABEL["oracle"]].line.color == TRUTH
    assert figure.data[-1].name == METHOD_LABEL["dress_style"], "ours lies on top"
    assert [(shape.y0, shape.y1) for shape in figure.layout.shapes] == [(1.0, 1.0)]
    assert not stream_lines(pd.DataFrame(rows).assign(value=np.nan), axis_title="x").data


def test_performance_is_shown_as_measured_estimated_and_realised():
    table = pd.DataFrame(
        {
            "day": [7, 14] * 3,
            "kind": ["naive"] * 2 + ["estimated"] * 2 + ["realised"] * 2,
            "value": [3.0, 1.5, 1.1, 1.0, 1.05, 1.0],
            "ci_low": 0.5,
            "ci_high": 20.0,
            "n": 40,
            "seen_share": 0.4,
        }
    )
    figure = maturing_lines(table, axis_title="Calibration", reference=1.0, y_range=(0.1, 10.0))
    drawn = lines(figure)
    assert list(drawn["Measured on the labels of that day"].y) == [3.0, 1.5]
    assert list(drawn["Estimated that day"].y) == [1.1, 1.0]
    assert drawn["Realised, when all labels were final"].line.dash == "dash"
    assert figure.layout.yaxis.type == "log" and tuple(figure.layout.yaxis.range) == pytest.approx((-1.0, 1.0))
    plain = maturing_lines(table, axis_title="Log loss", y_range=(0.1, 10.0))
    assert plain.layout.yaxis.type is None and tuple(plain.layout.yaxis.range) == (0.1, 10.0)
    assert not maturing_lines(table[:0], axis_title="x").data
