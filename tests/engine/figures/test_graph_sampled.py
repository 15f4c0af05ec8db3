"""Every neighbour has one row with two marks at its two chances."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.figures.graph_sampled import inclusion
from engine.figures.theme import OURS, RIVAL


@pytest.fixture
def neighbours():
    return pd.DataFrame(
        {
            "name": ["<b>near</b>", "far"],
            "step": [1, 2],
            "adaptive": [1.0, 0.25],
            "uniform": [0.5, 0.0],
            "adaptive_drawn": [True, False],
            "uniform_drawn": [True, False],
        }
    )


def test_each_sampler_has_a_mark_per_neighbour(neighbours):
    fixed, adaptive = (trace for trace in inclusion(neighbours).data if trace.mode == "markers")
    assert (list(adaptive.x), list(fixed.x)) == ([1.0, 0.25], [0.5, 0.0])
    assert (adaptive.marker.color, fixed.marker.color) == (OURS, RIVAL)
    assert list(adaptive.marker.symbol) == list(fixed.marker.symbol) == ["circle", "circle-open"]


def test_the_first_row_is_on_top_and_two_steps_are_marked(neighbours):
    axis = inclusion(neighbours).layout.yaxis
    assert axis.range[0] > axis.range[1]
    assert list(axis.ticktext) == ["&lt;b&gt;near&lt;/b&gt;", "far ··"]


def test_the_hover_tells_chance_and_draw(neighbours):
    (trace,) = [trace for trace in inclusion(neighbours).data if trace.name == "Degree-adaptive"]
    assert list(trace.text) == [
        "&lt;b&gt;near&lt;/b&gt;<br>Degree-adaptive: 100 %<br>drawn in this run",
        "far (two steps)<br>Degree-adaptive: 25 %<br>not drawn in this run",
    ]


def test_the_height_grows_with_the_rows(neighbours):
    assert inclusion(pd.concat([neighbours] * 4)).layout.height - inclusion(neighbours).layout.height == 6 * 24


def test_nothing_to_draw_is_said(neighbours):
    assert "No training edge on this side" in inclusion(neighbours.iloc[:0]).layout.annotations[0].text
