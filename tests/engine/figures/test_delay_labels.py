"""Figures on weights, single labels, the funnel and made-up delays show the numbers of their tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.figures.delay_labels import funnel_bars, influence_scatter, score_changes
from engine.figures.delay_weights import clip_curves, weight_histograms
from engine.figures.delay_whatif import what_if_bars, what_if_sweep
from engine.figures.theme import BASELINES, METHOD_LABEL, OURS, RIVAL


def traces(figure) -> dict:
    return {trace.name: trace for trace in figure.data}


@pytest.fixture
def weights() -> pd.DataFrame:
    return pd.DataFrame(
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


@pytest.fixture
def limits_table() -> pd.DataFrame:
    columns = {"clip": [0.5, 1.0], "mean_weight": [0.5, 0.9], "ess_share": [1.0, 0.9], "clipped_share": [0.5, 0.0]}
    methods = ("es_dfm", "defer", "vanilla", "dress_style")
    return pd.concat([pd.DataFrame({"method": method} | columns) for method in methods], ignore_index=True)


def test_weight_histograms_keep_every_bin_and_the_order_of_the_methods(weights):
    chart = weight_histograms(weights, order=["fnw", "dress_style"]).to_dict()
    (data,) = chart["datasets"].values()
    assert [(row["name"], row["n"]) for row in data] == [("FNW", 3), ("FNW", 0), (METHOD_LABEL["dress_style"], 2)]
    assert chart["facet"]["column"]["sort"] == ["FNW", METHOD_LABEL["dress_style"]]


def test_a_limit_is_drawn_and_bins_above_it_are_pale(weights):
    (data,) = weight_histograms(weights, order=["fnw"], clip=0.5).to_dict()["datasets"].values()
    assert [row["is_clipped"] for row in data] == [True, True, False] and {row["limit"] for row in data} == {0.5}
    (free,) = weight_histograms(weights, order=["fnw"]).to_dict()["datasets"].values()
    assert not any(row["is_clipped"] for row in free) and all(row["limit"] is None for row in free)


def test_what_a_limit_does_is_drawn_per_method_in_two_panels():
    table = pd.DataFrame(
        {
            "method": ["es_dfm", "es_dfm", "dress_style"],
            "clip": [1.0, 2.0, 1.0],
            "mean_weight": [0.8, 1.0, 0.9],
            "ess_share": [0.99, 0.9, 1.0],
            "clipped_share": [0.2, 0.0, 0.0],
        }
    )
    figure = clip_curves(table, clip=1.0)
    share, _, mean, _ = figure.data
    assert (list(share.x), list(share.y), share.xaxis) == ([1.0, 2.0], [0.99, 0.9], "x")
    assert (list(mean.y), mean.xaxis, mean.yaxis) == ([0.8, 1.0], "x2", "y2")
    assert [(shape.x0, shape.xref) for shape in figure.layout.shapes] == [(1.0, "x"), (1.0, "x2")]
    assert not clip_curves(table, clip=None).layout.shapes and not clip_curves(table[:0], clip=None).data


def test_scores_before_and_after_are_split_by_what_became_of_the_label():
    table = pd.DataFrame(
        {
            "exposure_id": ["a", "b", "c"],
            "flipped": [True, False, True],
            "score_before": [0.1, 0.2, 0.3],
            "score_after": [0.4, 0.1, 0.5],
            "prob_flip": 0.2,
        }
    )
    drawn = traces(score_changes(table))
    assert (list(drawn["flipped · n 2"].x), list(drawn["flipped · n 2"].y)) == ([0.1, 0.3], [0.4, 0.5])
    assert list(drawn["stayed negative · n 1"].y) == [0.1]
    assert not score_changes(table[:0]).data


def test_influence_shows_only_flips_that_were_checked():
    table = pd.DataFrame(
        {
            "exposure_id": ["a", "b"],
            "delta_own": [0.01, 0.02],
            "refit_own": [0.011, np.nan],
            "delta_mean": [0.001, 0.002],
            "refit_mean": [0.0012, np.nan],
        }
    )
    drawn = traces(influence_scatter(table, quantity="own"))
    assert (list(drawn["flips"].x), list(drawn["flips"].y)) == ([0.01], [0.011])
    assert list(traces(influence_scatter(table, quantity="mean"))["flips"].y) == [0.0012]
    assert not influence_scatter(table.assign(refit_own=np.nan), quantity="own").data


def test_the_funnel_shows_observed_shares_with_intervals_beside_predicted_ones():
    table = pd.DataFrame(
        {
            "label": ["Engaged", "Converted"],
            "observed": [0.5, 0.1],
            "ci_low": [0.45, 0.08],
            "ci_high": [0.55, 0.13],
            "predicted": [0.48, 0.12],
            "n": 1200,
        }
    )
    figure = funnel_bars(table)
    drawn = traces(figure)
    assert list(drawn["Observed"].x) == [0.5, 0.1] and list(drawn["Predicted, ours"].x) == [0.48, 0.12]
    assert list(drawn["Observed"].error_x.array) == pytest.approx([0.05, 0.03])
    assert list(drawn["Observed"].error_x.arrayminus) == pytest.approx([0.05, 0.02])
    assert "1,200" in figure.layout.xaxis.title.text and "10.0% observed" in drawn["values"].text[1]
    assert not funnel_bars(table[:0]).data


def test_what_methods_would_learn_is_drawn_against_the_truth():
    table = pd.DataFrame(
        {"method": ["dress_style", "vanilla"], "learned": [0.2, 0.1], "truth": 0.2, "bias": [0.0, -0.1]}
    )
    figure = what_if_bars(table, truth=0.2)
    bars, values = figure.data
    assert list(bars.x) == [0.2, 0.1] and list(bars.marker.color) == [OURS, RIVAL]
    assert list(values.text) == ["20.0% (+0.0)", "10.0% (-10.0)"]
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(0.2, 0.2)]


def test_the_bias_over_the_engagement_rate_is_one_line_per_method():
    table = pd.DataFrame(
        {"method": ["dress_style"] * 2 + ["vanilla"] * 2, "engagement": [0.0, 1.0] * 2, "bias": [0.0, 0.0, -0.1, -0.2]}
    )
    figure = what_if_sweep(table, over="engagement", here=0.4)
    drawn = traces(figure)
    assert list(drawn[METHOD_LABEL["vanilla"]].y) == pytest.approx([-10.0, -20.0])
    assert list(drawn[METHOD_LABEL["dress_style"]].x) == [0.0, 1.0]
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(0.4, 0.4)]


def test_methods_have_the_colours_they_have_elsewhere_and_lines_of_their_own(limits_table):
    drawn = {trace.name: trace for trace in clip_curves(limits_table, clip=None).data if trace.xaxis == "x"}
    assert drawn[METHOD_LABEL["dress_style"]].line.color == OURS
    assert drawn[METHOD_LABEL["es_dfm"]].line.color in BASELINES
    assert len({(trace.line.color, trace.line.dash) for trace in drawn.values()}) == len(drawn) == 4
    assert drawn[METHOD_LABEL["vanilla"]].line.color == RIVAL


def test_the_bias_over_the_delays_stands_on_an_axis_of_factors():
    table = pd.DataFrame({"method": "vanilla", "delay_factor": [0.25, 1.0, 4.0], "bias": [0.0, -0.1, -0.2]})
    figure = what_if_sweep(table, over="delay_factor", here=2.0)
    assert list(traces(figure)[METHOD_LABEL["vanilla"]].x) == [0.25, 1.0, 4.0]
    assert figure.layout.xaxis.type == "log" and "Delays" in figure.layout.xaxis.title.text
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(2.0, 2.0)]


def test_ids_from_data_are_shown_letter_by_letter():
    table = pd.DataFrame({"exposure_id": ["<b>a</b>"], "flipped": [1], "score_before": 0.1, "score_after": 0.2})
    drawn = traces(score_changes(table.assign(prob_flip=0.1)))
    assert drawn["flipped · n 1"].customdata[0][0] == "&lt;b&gt;a&lt;/b&gt;"
    effect = influence_scatter(table.assign(delta_own=0.1, refit_own=0.2), quantity="own").data[1]
    assert list(effect.customdata) == ["&lt;b&gt;a&lt;/b&gt;"]
