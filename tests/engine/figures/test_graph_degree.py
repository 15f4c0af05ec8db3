"""Figures of the degree tab: traces hold the table's values, colours follow the verdict."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.figures.graph_degree import arrival_lines, degree_lines, difference_dots
from engine.figures.theme import VERDICT


def test_degree_lines_keep_empty_buckets_on_the_axis():
    table = pd.DataFrame(
        {
            "method": ["adaptive"] * 3 + ["fixed"] * 3,
            "bucket": ["0", "1", "2–3"] * 2,
            "value": [0.2, np.nan, 0.4, 0.1, np.nan, 0.5],
            "ci_low": [0.1, np.nan, 0.3, 0.05, np.nan, 0.4],
            "ci_high": [0.4, np.nan, 0.5, 0.2, np.nan, 0.6],
            "n": [10, 0, 30, 10, 0, 30],
        }
    )
    figure = degree_lines(table, metric="hit_rate_at_10", axis_title="Out-degree")
    assert [list(np.round(np.nan_to_num(trace.y, nan=-1), 3)) for trace in figure.data] == [
        [0.2, -1, 0.4],
        [0.1, -1, 0.5],
    ]
    assert figure.data[0].error_y.array[0] == pytest.approx(0.2)
    assert figure.data[0].error_y.arrayminus[0] == pytest.approx(0.1)
    assert list(figure.layout.xaxis.ticktext) == ["0<br>n 10", "1<br>n 0", "2–3<br>n 30"]
    assert figure.layout.yaxis.title.text == "HitRate@10"


def test_many_methods_are_told_apart():
    methods = ["dual", "single", "paper", "popularity", "cocitation", "hope", "adaptive", "fixed"]
    table = pd.DataFrame({"method": methods, "bucket": "0", "value": 0.2, "ci_low": 0.1, "ci_high": 0.3, "n": 5})
    figure = degree_lines(table[table["method"] != "adaptive"], metric="mrr", axis_title="x")
    assert len({trace.line.color for trace in figure.data}) == len(methods) - 1
    assert len({trace.x[0] for trace in figure.data}) == len(methods) - 1


def test_new_nodes_stand_at_what_is_known_of_them_and_edges_alone_are_dotted():
    base = {"value": 0.3, "ci_low": 0.2, "ci_high": 0.5, "n": 9}
    table = pd.DataFrame(
        [
            {"line": "ours", "method": "dual", "is_dashed": False, "place": 0, "tick": "features only", **base},
            {"line": "ours", "method": "dual", "is_dashed": False, "place": 1, "tick": "up to 1 edge", **base},
            {
                "line": "ours, edges only",
                "method": "dual",
                "is_dashed": True,
                "place": 1,
                "tick": "up to 1 edge",
                **base,
            },
        ]
    )
    figure = arrival_lines(table, axis_title="HitRate@10")
    assert [trace.name for trace in figure.data] == ["ours", "ours, edges only"]
    assert [trace.line.dash for trace in figure.data] == ["solid", "dot"]
    assert [round(x) for x in figure.data[0].x] == [0, 1] and round(figure.data[1].x[0]) == 1
    assert list(figure.layout.xaxis.ticktext) == ["features only", "up to 1 edge"]
    assert figure.data[0].error_y.array[0] == pytest.approx(0.2)


def test_differences_are_coloured_by_what_they_say():
    table = pd.DataFrame(
        {
            "label": ["a", "b"],
            "value": [0.02, -0.01],
            "ci_low": [0.01, -0.02],
            "ci_high": [0.03, 0.0],
            "n": [40, 50],
            "verdict": ["supported", "not supported"],
        }
    )
    figure = difference_dots(table, axis_title="Difference", margin=0.01)
    assert [trace.marker.color for trace in figure.data] == [VERDICT["supported"], VERDICT["not supported"]]
    assert [(trace.x[0], trace.y[0]) for trace in figure.data] == [(0.02, "a"), (-0.01, "b")]
    band, zero = figure.layout.shapes
    assert (band.x0, band.x1, zero.x0) == (0, 0.01, 0)
    assert "not supported" in figure.data[1].hovertemplate


@pytest.mark.parametrize(
    "figure",
    [
        lambda: degree_lines(pd.DataFrame({"value": []}), metric="mrr", axis_title="x"),
        lambda: arrival_lines(pd.DataFrame({"value": []}), axis_title="x"),
        lambda: difference_dots(pd.DataFrame({"value": [np.nan]}), axis_title="x", margin=0.01),
    ],
)
def test_an_empty_table_gives_a_figure_that_says_so(figure):
    drawn = figure()
    assert not drawn.data and len(drawn.layout.annotations[0].text) > 10
