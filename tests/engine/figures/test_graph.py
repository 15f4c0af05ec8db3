"""Traces hold the values of their tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.figures.graph import asymmetry, degree_lines, direction_reliability
from engine.figures.theme import MUTUAL

HOSTILE = "<img src=x onerror=alert(1)>"


def named(figure, name):
    """Return the one trace of a name."""
    (trace,) = [trace for trace in figure.data if trace.name == name]
    return trace


def test_asymmetry_draws_one_way_and_mutual_edges_with_their_scores():
    edges = pd.DataFrame(
        {
            "score": [1.0, 2.0, 3.0],
            "back_score": [0.5, 2.5, -1.0],
            "is_mutual": [False, True, False],
            "text": ["a → b", "b → c", HOSTILE],
        }
    )
    figure = asymmetry(edges, edges.iloc[[2]])
    one_way, mutual = named(figure, "One-way"), named(figure, "Mutual")
    assert list(zip(one_way.x, one_way.y, strict=True)) == [(1.0, 0.5), (3.0, -1.0)]
    assert list(zip(mutual.x, mutual.y, strict=True)) == [(2.0, 2.5)] and mutual.marker.color == MUTUAL
    assert list(named(figure, "At the selected node").x) == [3.0]
    diagonal = named(figure, "equal both ways")
    assert list(diagonal.x) == list(diagonal.y) == [-1.0, 3.0]
    assert "<img" not in figure.to_json()


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


def test_reliability_leaves_out_bins_without_edges():
    table = pd.DataFrame(
        {
            "predicted": [0.55, np.nan, 0.9],
            "observed": [0.6, np.nan, 0.8],
            "ci_low": [0.5, np.nan, 0.7],
            "ci_high": [0.7, np.nan, 0.85],
            "n": [40, 0, 60],
        }
    )
    trace = named(direction_reliability(table), "one-way test edges")
    assert list(trace.x) == [0.55, 0.9] and list(trace.y) == [0.6, 0.8]
    assert list(trace.error_y.array) == pytest.approx([0.1, 0.05])


@pytest.mark.parametrize(
    "figure",
    [
        lambda: asymmetry(pd.DataFrame({"score": []}), pd.DataFrame()),
        lambda: degree_lines(pd.DataFrame({"value": []}), metric="mrr", axis_title="x"),
        lambda: direction_reliability(pd.DataFrame({"observed": [np.nan]})),
    ],
)
def test_an_empty_table_gives_a_figure_that_says_so(figure):
    drawn = figure()
    assert not drawn.data and len(drawn.layout.annotations[0].text) > 10
