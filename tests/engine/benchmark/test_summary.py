"""Figures over all splits, by hand and against a slow oracle."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.benchmark.measure import ANSWER_COLUMNS, Measured
from engine.benchmark.summary import Split, best_peer, summarise
from engine.graph.segments import TestEdges

RNG = np.random.default_rng(0)


def answered(rank, score=None, backward=None, non_edge=None, logit=None) -> Measured:
    """Return what a method says of some test edges; scores are random where they are not given."""
    size = len(rank)
    given = [RNG.random(size) if column is None else column for column in (score, backward, non_edge, None)]
    columns = [rank, *given, np.full(size, np.nan) if logit is None else logit]
    return Measured(pd.DataFrame(dict(zip(ANSWER_COLUMNS, columns, strict=True))).astype(float), 2.0, 30.0)


def some_edges(source, is_one_way=None) -> TestEdges:
    """Return test edges from some sources, in the segments all, one_way and mutual."""
    source = np.array(source)
    one_way = np.ones(len(source), dtype=bool) if is_one_way is None else np.array(is_one_way)
    index = np.stack([source, source + 100])
    segments = {"all": np.ones(len(source), dtype=bool), "one_way": one_way, "mutual": ~one_way}
    return TestEdges(index, index, index, one_way, np.unique(source, return_inverse=True)[1], segments)


def figure(table, **wanted):
    """Return the one row of a table that has some values."""
    rows = table.loc[np.logical_and.reduce([table[name] == value for name, value in wanted.items()])]
    assert len(rows) == 1, rows
    return rows.iloc[0]


@pytest.fixture
def splits() -> list[Split]:
    """Return two splits of four and two test edges, with one method of ours and two peers."""
    first = some_edges([1, 1, 2, 3], [True, True, False, True])
    second = some_edges([1, 4], [True, True])
    return [
        Split(
            first,
            {
                "dual": answered([1, 20, 2, 1]),
                "hope": answered([1, 11, 30, 4], score=[4, 3, 2, 1], backward=[0, 5, 9, 1], non_edge=[0, 0, 3, 0]),
                "popularity": answered([40, 40, 40, 40]),
            },
        ),
        Split(
            second,
            {
                "dual": answered([4, 5]),
                "hope": answered([8, 12], score=[1, 1], backward=[0, 0], non_edge=[0, 2]),
                "popularity": answered([40, 40]),
            },
        ),
    ]


def test_a_figure_is_the_mean_of_its_values_on_the_splits(splits):
    table = summarise("graph", splits, resamples=20)
    values = dict(method="hope", statistic="value", segment="all")
    assert figure(table, **values, metric="hit_rate_at_10").value == pytest.approx((2 / 4 + 1 / 2) / 2)
    assert figure(table, **values, metric="hit_rate_at_20").value == pytest.approx((3 / 4 + 2 / 2) / 2)
    expected = (np.mean([1, 1 / 11, 1 / 30, 1 / 4]) + np.mean([1 / 8, 1 / 12])) / 2
    assert figure(table, **values, metric="mrr").value == pytest.approx(expected)
    # Node 1 has two edges in the first split and counts once: (1/2 + 0 + 1) / 3, then (1 + 0) / 2.
    assert figure(table, **values, metric="recall_at_10").value == pytest.approx((0.5 + 0.5) / 2)
    gain = (np.mean([1, 0, 0, 1 / np.log2(5)]) + np.mean([1 / np.log2(9), 0])) / 2
    assert figure(table, **values, metric="ndcg_at_10").value == pytest.approx(gain)
    # 16 pairs of which (4,3) (2,3) are ... score 4, 3, 2, 1 against 0, 0, 3, 0: 12 + 1 + 0.5 of 16; then 1, 1 / 0, 2.
    assert figure(table, **values, metric="existence_auc").value == pytest.approx((13.5 / 16 + 0.5) / 2)
    # One-way edges 4, 3, 1 against 0, 5, 1: 4 > 0, 1; 3 > 0, 1; 1 > 0, = 1.
    assert figure(table, **values, metric="direction_auc").value == pytest.approx((5.5 / 9 + 1) / 2)


def test_a_method_with_a_direction_head_is_judged_by_it_and_by_its_scores():
    edges = some_edges([1, 2])
    measured = {
        "dual": answered([1, 1], score=[3, 1], backward=[2, 0], logit=[-1, 2]),
        "hope": answered([1, 1], score=[3, 1], backward=[2, 0]),
    }
    table = summarise("graph", [Split(edges, measured)], resamples=10)
    values = dict(statistic="value", segment="all")
    # -1 and 2 against 1 and -2; 3 and 1 against 2 and 0; 1 and 1 against -1 and -1.
    assert figure(table, **values, method="dual", metric="direction_auc").value == 3 / 4
    assert figure(table, **values, method="hope", metric="direction_auc").value == 3 / 4
    assert figure(table, **values, method="dual", metric="direction_auc_difference").value == 1
    assert figure(table, **values, method="hope", metric="direction_auc_difference").value == 1


def test_ratio_and_difference_are_to_the_best_peer_of_the_metric(splits):
    table = summarise("graph", splits, resamples=20)
    ours = dict(method="dual", baseline="hope", segment="all", metric="hit_rate_at_10")
    assert figure(table, **ours, statistic="ratio").value == pytest.approx((3 / 4 + 1) / (1 / 2 + 1 / 2))
    assert figure(table, **ours, statistic="difference").value == pytest.approx((3 / 4 + 1) / 2 - 1 / 2)
    assert "popularity" not in set(table.loc[table["metric"] == "hit_rate_at_10", "baseline"])


def test_query_nodes_are_counted_once_over_all_splits(splits):
    table = summarise("graph", splits, resamples=20)
    values = dict(method="hope", statistic="value", metric="hit_rate_at_10")
    assert figure(table, **values, segment="all").n == 4
    assert figure(table, **values, segment="mutual").n == 1
    assert figure(table, method="hope", statistic="value", metric="direction_auc", segment="all").n == 3
    assert set(table["splits"]) == {2}


def test_a_segment_without_edges_in_a_split_is_left_out_of_the_mean(splits):
    table = summarise("graph", splits, resamples=20)
    assert figure(table, method="dual", statistic="value", segment="mutual", metric="mrr").value == 0.5


def test_the_interval_resamples_nodes_across_splits_together():
    """A node that hits in one split and misses in the other makes no figure uncertain where all nodes do so."""
    sources = list(range(50))
    one = Split(some_edges(sources), {"dual": answered([1] * 25 + [99] * 25)})
    other = Split(some_edges(sources), {"dual": answered([99] * 25 + [1] * 25)})
    joint = figure(summarise("g", [one, other], resamples=200), method="dual", segment="all", metric="hit_rate_at_10")
    assert joint.ci_low == joint.value == joint.ci_high == 0.5
    again = figure(summarise("g", [one, one], resamples=2000), method="dual", segment="all", metric="hit_rate_at_10")
    # The same half twice is no more certain than once: a binomial share of 50 nodes.
    assert again.ci_high - again.ci_low == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 50), rel=0.1)


def test_the_same_draws_serve_all_methods_so_that_ratios_are_paired():
    sources = list(range(40))
    ranks = np.where(np.arange(40) % 2 == 0, 1, 99)
    split = Split(some_edges(sources), {"dual": answered(ranks), "hope": answered(ranks)})
    row = figure(summarise("g", [split], resamples=100), statistic="ratio", segment="all", metric="hit_rate_at_10")
    assert row.value == row.ci_low == row.ci_high == 1


def test_areas_alone_and_direction_alone_are_all_that_some_methods_are_judged_by(splits):
    ranks = [np.nan] * 4
    measured = {"dual": answered([1, 1, 1, 1]), "magnet": answered(ranks), "degree_head": answered(ranks)}
    table = summarise("graph", [Split(splits[0].edges, measured)], resamples=10)
    costs = {"seconds", "megabytes"}
    direction = {"direction_auc", "direction_auc_difference"}
    areas = {"existence_auc", "existence_auc_degree_corrected"} | direction
    assert set(table.loc[table["method"] == "magnet", "metric"]) == areas | costs
    assert set(table.loc[table["method"] == "degree_head", "metric"]) == direction | costs
    compared = table[(table["metric"] == "direction_auc") & (table["statistic"] == "difference")]
    assert "degree_head" in set(compared["baseline"])


def test_the_cost_is_the_mean_with_the_least_and_the_most_of_any_split(splits):
    splits[1].measured["hope"] = Measured(splits[1].measured["hope"].answers, 4.0, 50.0)
    row = figure(summarise("graph", splits, resamples=10), method="hope", metric="seconds")
    assert (row.value, row.ci_low, row.ci_high, row.n) == (3.0, 2.0, 4.0, 2)


def test_the_best_peer_is_none_of_ours_and_has_a_value():
    assert best_peer({"dual": 0.9, "hope": 0.3, "strap": 0.3, "als": float("nan")}) == "hope"
    assert best_peer({"dual": 0.9}) is None
