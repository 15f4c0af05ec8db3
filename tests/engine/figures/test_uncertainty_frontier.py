"""The frontier draws the lines it is given, on both splits with the same axes, and the boundaries of now as points."""

import numpy as np
import pandas as pd
import pytest

from engine.figures.theme import GREY, VERMILION
from engine.figures.uncertainty_frontier import NAME, POINT_COLUMNS, frontier


def line(name, split, recalls, precisions):
    low, high = (np.array(precisions) + step if split == "test" else np.nan for step in (-0.05, 0.05))
    values = {"step": range(len(recalls)), "recall": recalls, "precision": precisions}
    return pd.DataFrame(values | {"precision_low": low, "precision_high": high}).assign(line=name, split=split)


TABLE = pd.concat(
    [
        line("mist", "test", [0.0, 0.2, 0.9], [np.nan, 0.8, 0.3]),
        line("single_threshold", "test", [0.1, 0.8], [0.7, 0.3]),
        line("mist", "tune", [0.25, 0.95], [0.85, 0.35]),
        line("bound", "tune", [0.3, 0.97], [0.9, 0.4]),
    ],
    ignore_index=True,
).assign(selected=7)
POINTS = pd.DataFrame(
    [
        ("test", "edited", 0.5, 0.6, 0.4, 0.55, 0.5, 0.72),
        ("tune", "edited", 0.52, 0.65, 0.42, 0.6, 0.6, 0.7),
        ("test", "single_threshold", 0.4, 0.6, 0.3, 0.5, 0.5, 0.7),
        ("test", "mist", np.nan, np.nan, np.nan, np.nan, np.nan, np.nan),
    ],
    columns=list(POINT_COLUMNS),
)


def drawn(figure, mode, axis, name):
    found = [t for t in figure.data if (t.mode, t.xaxis, t.name) == (mode, axis, name) and t.fill is None]
    assert len(found) <= 1
    return found[0] if found else None


def test_each_split_has_its_lines_in_a_panel_of_its_own():
    figure = frontier(TABLE, POINTS)
    for (split, name), axis in {("test", "mist"): "x", ("tune", "mist"): "x2", ("tune", "bound"): "x2"}.items():
        rows = TABLE[(TABLE["split"] == split) & (TABLE["line"] == name) & TABLE["precision"].notna()]
        curve = drawn(figure, "lines", axis, NAME[name])
        assert list(curve.x) == rows["recall"].tolist() and list(curve.y) == rows["precision"].tolist()
    assert drawn(figure, "lines", "x", NAME["bound"]) is None
    assert [text.text for text in figure.layout.annotations] == ["<b>Test rows</b>", "<b>Tuning rows</b>"]


def test_both_panels_have_the_whole_range_of_shares():
    layout = frontier(TABLE, POINTS).layout
    assert {tuple(axis.range) for axis in (layout.xaxis, layout.xaxis2, layout.yaxis, layout.yaxis2)} == {(0, 1)}


def test_a_step_that_selects_nothing_has_no_precision_and_is_not_drawn():
    assert 0.0 not in drawn(frontier(TABLE, POINTS), "lines", "x", NAME["mist"]).x


def test_the_band_runs_around_the_interval_on_the_test_rows_alone():
    bands = [trace for trace in frontier(TABLE, POINTS).data if trace.fill == "toself"]
    assert {band.xaxis for band in bands} == {"x"}
    own = next(band for band in bands if band.name.startswith(NAME["mist"]))
    assert list(own.x) == [0.2, 0.9, 0.9, 0.2]
    assert list(own.y) == pytest.approx([0.85, 0.35, 0.25, 0.75])


def test_points_carry_both_intervals_and_the_edited_one_is_strong():
    figure = frontier(TABLE, POINTS)
    mine, single = (
        drawn(figure, "markers", "x", "Your boundary"),
        drawn(figure, "markers", "x", NAME["single_threshold"]),
    )
    assert (mine.x[0], mine.y[0]) == (0.5, 0.6)
    assert mine.x[0] + mine.error_x.array[0] == pytest.approx(0.55)
    assert mine.x[0] - mine.error_x.arrayminus[0] == pytest.approx(0.4)
    assert mine.y[0] + mine.error_y.array[0] == pytest.approx(0.72)
    assert mine.y[0] - mine.error_y.arrayminus[0] == pytest.approx(0.5)
    assert (mine.marker.color, single.marker.color) == (VERMILION, GREY)


def test_a_boundary_without_a_recall_is_no_point():
    assert drawn(frontier(TABLE, POINTS), "markers", "x", NAME["mist"]) is None


def test_every_name_stands_in_the_legend_once():
    shown = [trace.name for trace in frontier(TABLE, POINTS).data if trace.showlegend]
    assert sorted(shown) == sorted({NAME["mist"], NAME["bound"], "Your boundary"})


def test_the_precision_asked_for_is_a_level_in_both_panels():
    shapes = frontier(TABLE, POINTS, target=0.6).layout.shapes
    assert {(shape.y0, shape.y1, shape.xref) for shape in shapes} == {(0.6, 0.6, "x"), (0.6, 0.6, "x2")}
    assert not frontier(TABLE, POINTS).layout.shapes


def test_a_run_without_a_frontier_says_so():
    figure = frontier(TABLE.iloc[:0], POINTS)
    assert not figure.data and "no frontier" in figure.layout.annotations[0].text
