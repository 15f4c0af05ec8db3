"""Traces hold the values of their tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.figures.graph import asymmetry, direction_reliability
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


@pytest.mark.parametrize(("ci_low", "least"), [(0.6, 0.4), (0.2, 0.18)])
def test_the_axis_of_reliability_reaches_below_every_bar(ci_low, least):
    table = pd.DataFrame({"predicted": [0.55], "observed": [0.65], "ci_low": [ci_low], "ci_high": [0.7], "n": [9]})
    assert direction_reliability(table).layout.yaxis.range[0] == pytest.approx(least)


@pytest.mark.parametrize(
    "figure",
    [
        lambda: asymmetry(pd.DataFrame({"score": []}), pd.DataFrame()),
        lambda: direction_reliability(pd.DataFrame({"observed": [np.nan]})),
    ],
)
def test_an_empty_table_gives_a_figure_that_says_so(figure):
    drawn = figure()
    assert not drawn.data and len(drawn.layout.annotations[0].text) > 10
