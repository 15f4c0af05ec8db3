"""Methods, weights and cohorts are drawn as their tables say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.figures.delay_cohorts import cohort_heatmap, cohort_panels
from engine.figures.delay_methods import calibration_by_age, reliability_curves, weight_histograms
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
    assert not drawn[METHOD_LABEL["wait"]].error_y.visible and not drawn[METHOD_LABEL["wait"]].showlegend
    assert "n 12" in ours.hovertemplate[0]


def test_without_rows_there_is_a_reason(reliability):
    assert not reliability_curves(reliability.assign(n=0)).data
    empty = pd.DataFrame(columns=["method", "bucket", "value", "ci_low", "ci_high", "n"])
    assert not calibration_by_age(empty, titles={"later": "Later"}).data


def test_calibration_has_one_panel_per_age_with_one_range():
    rows = [
        {"method": method, "bucket": bucket, "value": value, "ci_low": value - 0.1, "ci_high": value + 0.2, "n": 9}
        for bucket, value in (("young", 0.7), ("later", 1.1))
        for method in ("oracle", "dress_style")
    ]
    titles = {"old": "Old", "young": "Young", "later": "Later"}
    figure = calibration_by_age(pd.DataFrame(rows), titles=titles)
    assert [(trace.xaxis, trace.x[0]) for trace in figure.data] == [("x", 0.7), ("x", 0.7), ("x2", 1.1), ("x2", 1.1)]
    assert figure.data[1].error_x.array[0] == pytest.approx(0.2)
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range
    assert [note.text for note in figure.layout.annotations] == ["<b>Young</b>", "<b>Later</b>"]
    ones = [(shape.x0, shape.x1) for shape in figure.layout.shapes]
    assert ones == [(1, 1), (1, 1)]


def test_weight_histograms_keep_every_bin():
    table = pd.DataFrame(
        {
            "method": ["fnw", "fnw", "dress_style"],
            "label": ["positive", "negative", "pending"],
            "bin_low": [1.0, 0.5, 0.0],
            "bin_high": [1.1, 0.6, 0.1],
            "n": [3, 0, 2],
            "share": [0.6, 0.0, 0.4],
            "rows": [5, 5, 5],
        }
    )
    chart = weight_histograms(table).to_dict()
    (data,) = chart["datasets"].values()
    assert [(row["name"], row["n"]) for row in data] == [("FNW", 3), ("FNW", 0), (METHOD_LABEL["dress_style"], 2)]
    assert chart["facet"]["column"]["sort"] == ["FNW", METHOD_LABEL["dress_style"]]


def test_the_heat_map_shows_each_cell_where_it_belongs():
    table = pd.DataFrame(
        {
            "label": ["w1", "w2", "w2", "w1", "w2"],
            "age_days": [7.0, 7.0, 14.0, 7.0, 14.0],
            "stage": ["seen", "seen", "projected", "final", "final"],
            "rate": [0.1, 0.2, 0.3, 0.1, 0.25],
            "ci_low": 0.0,
            "ci_high": 0.5,
            "n": 10,
        }
    )
    panels = cohort_panels(table).groupby("panel")["rate"].apply(list).to_dict()
    assert panels == {
        "Seen on the snapshot day": [0.1, 0.2],
        "Seen, then projected": [0.1, 0.2, 0.3],
        "Final": [0.1, 0.25],
    }
    chart = cohort_heatmap(table).to_dict()
    (data,) = chart["datasets"].values()
    assert len(data) == 7
    cells, dots = chart["spec"]["layer"]
    assert cells["mark"]["type"] == "rect" and cells["encoding"]["color"]["field"] == "rate"
    assert dots["transform"] == [{"filter": "(datum.stage === 'projected')"}]
    assert cells["encoding"]["y"]["sort"] == ["w1", "w2"]
