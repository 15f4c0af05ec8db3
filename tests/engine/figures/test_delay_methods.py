"""Methods are drawn as their tables say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.figures.delay_methods import calibration_by_age, grouped_dots, reliability_curves
from engine.figures.theme import METHOD_LABEL, OURS, RIVAL


@pytest.fixture
def reliability() -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "method": method,
                "mean_predicted": [0.3, 0.1, np.nan],
                "observed_rate": [0.4, 0.2, np.nan],
                "ci_low": [0.3, 0.1, np.nan],
                "ci_high": [0.5, 0.3, np.nan],
                "n": [10, 12, 0],
            }
        )
        for method in ("oracle", "wait", "vanilla", "dress_style")
    ]
    return pd.concat(parts, ignore_index=True)


def test_reliability_is_drawn_in_order_of_the_prediction_without_empty_bins(reliability):
    drawn = {trace.name: trace for trace in reliability_curves(reliability).data}
    ours = drawn[METHOD_LABEL["dress_style"]]
    assert list(ours.x) == [0.1, 0.3] and list(ours.y) == [0.2, 0.4] and ours.line.color == OURS
    assert list(ours.error_y.array) == pytest.approx([0.1, 0.1])
    assert drawn[METHOD_LABEL["vanilla"]].line.color == RIVAL
    assert drawn[METHOD_LABEL["oracle"]].line.dash == "dash"
    assert not drawn[METHOD_LABEL["wait"]].error_y.visible
    assert all(trace.showlegend is not False for trace in drawn.values()), "every line has its name in the legend"
    assert "n 12" in ours.hovertemplate[0]


def test_without_rows_there_is_a_reason(reliability):
    assert not reliability_curves(reliability.assign(n=0)).data
    empty = pd.DataFrame(columns=["method", "bucket", "value", "ci_low", "ci_high", "n"])
    assert not calibration_by_age(empty, titles={"later": "Later"}, groups=GROUPS).data


GROUPS = {"Ours": ("dress_style",), "Simple": ("wait", "vanilla"), "Upper bound": ("oracle",)}


def dots(**values: float) -> pd.DataFrame:
    rows = [
        {"method": method, "value": value, "ci_low": value - 0.1, "ci_high": value + 0.2, "n": 9}
        for method, value in values.items()
    ]
    return pd.DataFrame(rows)


def test_methods_stand_below_their_heading_with_their_values_and_intervals():
    figure = grouped_dots(dots(vanilla=0.7, oracle=0.4, dress_style=0.5), groups=GROUPS, axis_title="Log loss")
    assert list(figure.layout.yaxis.categoryarray) == [
        "<b>Ours</b>",
        METHOD_LABEL["dress_style"],
        "<b>Simple</b>",
        METHOD_LABEL["vanilla"],
        "<b>Upper bound</b>",
        METHOD_LABEL["oracle"],
    ]
    drawn = {trace.name: trace for trace in figure.data}
    assert drawn[METHOD_LABEL["vanilla"]].x[0] == 0.7 and drawn[METHOD_LABEL["vanilla"]].marker.color == RIVAL
    assert drawn[METHOD_LABEL["dress_style"]].error_x.array[0] == pytest.approx(0.2)
    assert drawn[METHOD_LABEL["dress_style"]].error_x.arrayminus[0] == pytest.approx(0.1)
    assert not grouped_dots(dots().reindex(columns=["method", "value"]), groups=GROUPS, axis_title="x").data


def test_a_value_beyond_the_axis_is_named_at_the_edge_it_left():
    figure = grouped_dots(
        dots(vanilla=3.0, wait=-1.0, dress_style=0.5), groups=GROUPS, axis_title="x", x_range=(0.0, 1.0)
    )
    notes = {note.y: (note.text, note.x) for note in figure.layout.annotations}
    assert notes == {METHOD_LABEL["vanilla"]: ("3.00 →", 1.0), METHOD_LABEL["wait"]: ("← -1.00", 0.0)}
    assert tuple(figure.layout.xaxis.range) == (0.0, 1.0)


def test_charts_side_by_side_can_keep_a_row_for_a_method_without_a_value():
    figure = grouped_dots(dots(dress_style=0.1), groups=GROUPS, axis_title="x", reference=0.0, listed=("oracle",))
    assert METHOD_LABEL["oracle"] in figure.layout.yaxis.categoryarray and len(figure.data) == 1
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(0.0, 0.0)]


def test_calibration_has_one_panel_per_age_with_one_range():
    table = pd.concat(
        [
            dots(oracle=value, dress_style=value).assign(bucket=bucket)
            for bucket, value in (("young", 0.7), ("later", 1.1))
        ]
    )
    titles = {"old": "Old", "young": "Young", "later": "Later"}
    figure = calibration_by_age(table, titles=titles, groups=GROUPS)
    assert [(trace.xaxis, trace.x[0]) for trace in figure.data] == [("x", 0.7), ("x", 0.7), ("x2", 1.1), ("x2", 1.1)]
    assert figure.data[1].error_x.array[0] == pytest.approx(0.2)
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range
    assert [note.text for note in figure.layout.annotations] == ["<b>Young</b>", "<b>Later</b>"]
    ones = [(shape.x0, shape.x1) for shape in figure.layout.shapes]
    assert ones == [(1, 1), (1, 1)]
