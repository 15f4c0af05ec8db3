"""Curves of what remains when rows are left out, and their mean heights, draw the numbers of their tables."""

import numpy as np
import pandas as pd
import pytest

from engine.figures.theme import GREY, OURS, RIVAL
from engine.figures.uncertainty_abstain import abstention_areas, abstention_curves

NAMES = {"uncertainty": "By uncertainty", "score_ambiguity": "By ambiguity", "random": "At random"}
ENDS = {"uncertainty": 0.10, "score_ambiguity": 0.11, "random": 0.30}


def curve(method, end):
    coverage = np.array([0.25, 0.5, 1.0])
    value = np.array([end, (end + 0.3) / 2, 0.3])
    ends = {"value": value, "ci_low": value - 0.02, "ci_high": value + 0.03}
    return pd.DataFrame({"method": method, "coverage": coverage, "n": 800} | ends)


TABLE = pd.concat([curve(method, end) for method, end in ENDS.items()])
AREAS = TABLE.groupby("method", as_index=False).first()


def lines(figure):
    return {trace.name: trace for trace in figure.data if trace.fill is None}


def test_curves_run_from_all_rows_to_the_fewest():
    figure = abstention_curves(TABLE, names=NAMES, axis_title="Log loss")
    shown = lines(figure)
    assert set(shown) == set(NAMES.values())
    for method, name in NAMES.items():
        assert list(shown[name].x) == [0, 0.5, 0.75]
        assert list(shown[name].y) == pytest.approx([0.3, (ENDS[method] + 0.3) / 2, ENDS[method]])
        assert shown[name].customdata[0].tolist() == pytest.approx([0.28, 0.33, 800])


def test_every_curve_has_its_band():
    bands = [trace for trace in abstention_curves(TABLE, names=NAMES, axis_title="x").data if trace.fill == "toself"]
    assert len(bands) == 3
    assert all(max(band.y) == pytest.approx(0.33) for band in bands)


def test_chance_is_dashed_and_grey_and_colours_mean_the_same_everywhere():
    shown = lines(abstention_curves(TABLE, names=NAMES, axis_title="x"))
    assert shown["At random"].line.dash == "dash" and shown["By uncertainty"].line.dash == "solid"
    colors = {"By uncertainty": OURS, "By ambiguity": RIVAL, "At random": GREY}
    assert {name: trace.line.color for name, trace in shown.items()} == colors
    areas = abstention_areas(AREAS, names=NAMES, axis_title="x")
    assert {trace.name: trace.marker.color for trace in areas.data} == colors


def test_names_at_the_ends_do_not_lie_on_each_other():
    figure = abstention_curves(TABLE, names=NAMES, axis_title="x")
    heights = {note.text: note.y for note in figure.layout.annotations}
    low, high = figure.layout.yaxis.range
    assert set(heights) == set(NAMES.values())
    assert heights["By ambiguity"] - heights["By uncertainty"] >= 0.069 * (high - low)
    same = abstention_curves(TABLE.assign(value=0.3, ci_low=0.2, ci_high=0.3), names=NAMES, axis_title="x")
    ends = sorted(note.y for note in same.layout.annotations)
    assert np.diff(ends).min() >= 0.069 * 0.1 and ends[-1] <= same.layout.yaxis.range[1] + 1e-9


def test_coverages_without_a_value_are_left_out_and_nothing_is_said():
    missing = TABLE.assign(value=TABLE["value"].where(TABLE["coverage"] > 0.25))
    assert list(lines(abstention_curves(missing, names=NAMES, axis_title="x"))["At random"].x) == [0, 0.5]
    for figure in (
        abstention_curves(TABLE.assign(value=np.nan), names=NAMES, axis_title="x"),
        abstention_areas(AREAS.assign(value=np.nan), names=NAMES, axis_title="x"),
    ):
        assert "No value" in figure.layout.annotations[0].text


def test_areas_show_their_interval_and_n_in_the_order_of_the_names():
    figure = abstention_areas(AREAS, names=NAMES, axis_title="Mean log loss")
    assert [trace.name for trace in figure.data] == list(NAMES.values())
    for trace, method in zip(figure.data, NAMES, strict=True):
        assert list(trace.x) == [ENDS[method]] and "n 800" in trace.hovertemplate
        assert trace.error_x.array[0] == pytest.approx(0.03) and trace.error_x.arrayminus[0] == pytest.approx(0.02)
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
