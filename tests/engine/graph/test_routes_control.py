"""The negative control: routes flown both ways are directed in form only, and no asymmetry is claimed of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.datasets import load
from engine.graph.config import GraphConfig
from engine.graph.explain import explain_edges, explanation_summary
from engine.graph.readout import direction_probability
from engine.graph.run import run
from engine.result import RunResult

pytestmark = pytest.mark.slow
CONFIG = GraphConfig(methods=("dual", "single", "degree_head"), dimension=16, epochs=20, resamples=100)
SURE = 0.8
"""Probability from which on a pair is reported as pointing one way."""


@pytest.fixture(scope="module")
def routes():
    return load("graph", "airline-routes")


@pytest.fixture(scope="module")
def result(routes) -> RunResult:
    return run(routes, CONFIG)


def test_almost_every_route_is_flown_both_ways(routes):
    rows = routes.info.rows
    assert (rows["nodes"], rows["edges"], rows["one-way edges"]) == (352, 6022, 12)


def test_no_claim_about_direction_is_supported(result):
    claims = result.curves["claims"]
    direction = claims[claims["claim"] == "C1"]
    assert len(direction) == 3
    assert not (direction["verdict"] == "supported").any()


def test_two_embeddings_rank_mutual_routes_no_better_than_one_because_of_direction(result):
    # A handful of the test routes is one-way: whatever sets the two forms apart, it is not the direction of edges.
    metrics = result.metrics
    hits = metrics[(metrics["metric"] == "hit_rate_at_10") & (metrics["method"] == "dual")].set_index("segment")
    assert hits.loc["one_way", "n"] <= 12 < hits.loc["mutual", "n"]
    assert hits.loc["all", "value"] == pytest.approx(hits.loc["mutual", "value"], abs=0.01)


def test_hardly_any_route_is_reported_as_one_way(result):
    edges = result.curves["edges"]
    probability = direction_probability(edges)
    assert (np.maximum(probability, 1 - probability) >= SURE).mean() < 0.01


def test_the_explanations_of_routes_find_no_asymmetry_in_998_of_1000(routes):
    summary = explanation_summary(explain_edges(routes.edges)).set_index("explanation")
    assert summary.loc["none", "share"] > 0.997
    assert summary.loc[["season", "time_order", "rest"], "edges"].sum() == 0
