"""Metrics agree with naive loops and scikit-learn through the whole path; claims follow from their intervals."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from engine.graph.contrasts import claims_table, contrasts
from engine.graph.data import TrainingGraph
from engine.graph.evaluate import Evaluation, evaluate
from engine.graph.segments import DEGREE_BUCKETS, ranked_test_edges
from engine.result import DIFFERENCE_COLUMNS, METRIC_COLUMNS


@pytest.fixture(scope="module")
def evaluation(fitted, prepared, quick) -> Evaluation:
    """Judge the hasty fits once."""
    return evaluate(fitted, prepared, quick)


def value_of(evaluation, method, metric, segment="all"):
    """Return one value of the metrics table."""
    table = evaluation.metrics
    rows = table[(table["method"] == method) & (table["metric"] == metric) & (table["segment"] == segment)]
    assert len(rows) == 1
    return float(rows["value"].iloc[0])


def naive_ranks(scorer, prepared):
    """Rank every test edge by looking at every candidate, one at a time."""
    training, count = prepared.training, prepared.training.num_nodes
    known = set(map(tuple, np.concatenate([training.edge_index, training.validation_edge_index], axis=1).T))
    ranks = []
    for u, v in prepared.heldout.edge_index.T:
        scores = scorer.rows(np.array([u]))[0]
        better = tied = 0
        for other in range(count):
            if other in (u, v) or (u, other) in known:
                continue
            better += scores[other] > scores[v]
            tied += scores[other] == scores[v]
        ranks.append(1 + better + tied / 2)
    return np.array(ranks)


@pytest.mark.parametrize("method", ["dual", "single", "popularity", "cocitation"])
def test_hit_rate_and_reciprocal_rank_agree_with_a_naive_loop(method, evaluation, fitted, prepared):
    ranks = naive_ranks(fitted.scorers[method], prepared)
    assert evaluation.ranks[method].tolist() == pytest.approx(ranks)
    for k in (5, 10, 20):
        assert value_of(evaluation, method, f"hit_rate_at_{k}") == pytest.approx((ranks <= k).mean())
        cut = np.where(ranks <= k, 1 / ranks, 0)
        assert value_of(evaluation, method, f"mrr_at_{k}") == pytest.approx(cut.mean())
    assert value_of(evaluation, method, "mrr") == pytest.approx((1 / ranks).mean())
    source = prepared.heldout.edge_index[0]
    for k in (5, 10, 20):
        gain = np.where(ranks <= k, 1 / np.log2(1 + ranks), 0)
        assert value_of(evaluation, method, f"ndcg_at_{k}") == pytest.approx(gain.mean())
        recall = np.mean([(ranks[source == u] <= k).mean() for u in np.unique(source)])
        assert value_of(evaluation, method, f"recall_at_{k}") == pytest.approx(recall)


@pytest.mark.parametrize("segment", ["one_way", "mutual", "in_degree:4-7", "out_degree:2-3"])
def test_recall_and_gain_of_a_segment_are_those_of_its_edges_alone(segment, evaluation, fitted, prepared):
    ranks, (source, target) = naive_ranks(fitted.scorers["dual"], prepared), prepared.heldout.edge_index
    inside = {
        "one_way": prepared.heldout.is_one_way,
        "mutual": ~prepared.heldout.is_one_way,
        "in_degree:4-7": np.isin(prepared.training.in_degree[target], range(4, 8)),
        "out_degree:2-3": np.isin(prepared.training.out_degree[source], (2, 3)),
    }[segment]
    ranks, source = ranks[inside], source[inside]
    recall = np.mean([(ranks[source == u] <= 20).mean() for u in np.unique(source)])
    assert value_of(evaluation, "dual", "recall_at_20", segment) == pytest.approx(recall)
    gain = np.where(ranks <= 5, 1 / np.log2(1 + ranks), 0)
    assert value_of(evaluation, "dual", "ndcg_at_5", segment) == pytest.approx(gain.mean())


@pytest.mark.parametrize("method", ["dual", "paper", "popularity", "hope"])
def test_areas_under_the_curve_agree_with_scikit_learn(method, evaluation, fitted, prepared):
    scorer, heldout = fitted.scorers[method], prepared.heldout
    edges = heldout.edge_index

    def area(positive, negative, score=scorer.pairs):
        scores = np.concatenate([score(*positive), score(*negative)])
        return roc_auc_score(np.repeat([1, 0], [positive.shape[1], negative.shape[1]]), scores)

    assert value_of(evaluation, method, "existence_auc") == pytest.approx(area(edges, heldout.non_edge_index))
    assert value_of(evaluation, method, "existence_auc_degree_corrected") == pytest.approx(
        area(edges, heldout.degree_corrected_index)
    )
    one_way = edges[:, heldout.is_one_way]
    has_head = method in ("dual", "paper")
    expected = area(one_way, one_way[::-1], scorer.direction if has_head else scorer.pairs)
    assert value_of(evaluation, method, "direction_auc") == pytest.approx(expected, abs=1e-4)
    expected = area(one_way, one_way[::-1], lambda u, v: scorer.pairs(u, v) - scorer.pairs(v, u))
    assert value_of(evaluation, method, "direction_auc_difference") == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("method", ["dual", "hope"])
def test_embeddings_alone_are_judged_without_the_offsets(method, evaluation, fitted, prepared):
    scorer, heldout = fitted.scorers[method], prepared.heldout
    source, target = heldout.edge_index[:, heldout.is_one_way]
    ends = [(scorer.source[u] * scorer.target[v]).sum(axis=1) for u, v in ((source, target), (target, source))]
    expected = roc_auc_score(np.repeat([1, 0], len(source)), np.concatenate(ends))
    assert value_of(evaluation, method, "direction_auc_embeddings") == pytest.approx(expected, abs=1e-4)


def test_one_embedding_alone_cannot_tell_a_direction(evaluation):
    table = evaluation.metrics[evaluation.metrics["metric"] == "direction_auc_embeddings"]
    assert value_of(evaluation, "single", "direction_auc_embeddings") == pytest.approx(0.5, abs=1e-3)
    assert "popularity" not in set(table["method"])


def test_repeating_every_test_edge_changes_no_value_and_no_interval(fitted, prepared, quick):
    heldout = prepared.heldout
    fields = {field.name: getattr(heldout, field.name) for field in dataclasses.fields(heldout)}
    doubled = dataclasses.replace(heldout, **{name: np.repeat(field, 2, axis=-1) for name, field in fields.items()})
    few = dataclasses.replace(fitted, scorers={"dual": fitted.scorers["dual"]})
    one = evaluate(few, prepared, quick).metrics
    other = evaluate(few, dataclasses.replace(prepared, heldout=doubled), quick).metrics
    assert other["n"].tolist() == one["n"].tolist()
    for column in ("value", "ci_low", "ci_high"):
        np.testing.assert_allclose(other[column], one[column], rtol=1e-9)


def test_the_degree_head_claims_nothing_but_direction(evaluation):
    table = evaluation.metrics
    assert set(table.loc[table["method"] == "degree_head", "metric"]) == {"direction_auc", "direction_auc_difference"}


def test_segments_are_means_over_their_own_edges(evaluation, prepared):
    ranks = evaluation.ranks["dual"].to_numpy()
    degree = prepared.training.out_degree[prepared.heldout.edge_index[0]]
    inside = (degree >= 4) & (degree <= 7)
    assert value_of(evaluation, "dual", "hit_rate_at_10", "out_degree:4-7") == pytest.approx(
        (ranks[inside] <= 10).mean()
    )
    one_way = prepared.heldout.is_one_way
    assert value_of(evaluation, "dual", "mrr", "mutual") == pytest.approx((1 / ranks[~one_way]).mean())


def test_every_bucket_stays_and_an_empty_one_has_no_value(evaluation, fitted, prepared, quick):
    segments = set(evaluation.metrics["segment"])
    assert segments == {"all", "one_way", "mutual"} | {
        f"{kind}:{bucket}" for kind in ("in_degree", "out_degree") for bucket in DEGREE_BUCKETS
    }
    table = evaluation.metrics
    empty = table[table["n"] == 0]
    assert len(empty) and empty[["value", "ci_low", "ci_high"]].isna().all(axis=None)


def test_n_counts_query_nodes_and_direction_those_with_one_way_edges(evaluation, prepared):
    edges, one_way = prepared.heldout.edge_index, prepared.heldout.is_one_way
    table = evaluation.metrics.set_index(["method", "segment", "metric"])["n"]
    assert table["dual", "all", "mrr"] == len(np.unique(edges[0]))
    assert table["dual", "all", "direction_auc"] == len(np.unique(edges[0, one_way]))
    assert table["dual", "mutual", "mrr"] == len(np.unique(edges[0, ~one_way]))


def test_the_tables_have_their_columns_and_intervals_hold_the_values(evaluation):
    assert tuple(evaluation.metrics.columns) == METRIC_COLUMNS
    assert tuple(evaluation.differences.columns) == DIFFERENCE_COLUMNS
    rows = evaluation.metrics[evaluation.metrics["n"] >= 50]
    # A percentile interval of 40 resamples of a mean over 50 units and more lies around it, save for a hair.
    assert (rows["ci_low"] <= rows["value"] + 0.02).all() and (rows["ci_high"] >= rows["value"] - 0.02).all()


def test_differences_are_paired(evaluation):
    metrics = evaluation.metrics.set_index(["method", "segment", "metric"])
    rows = evaluation.differences.set_index(["method", "baseline", "segment", "metric"])
    row = rows.loc["adaptive", "fixed", "all", "hit_rate_at_10"]
    one, other = metrics.loc["adaptive", "all", "hit_rate_at_10"], metrics.loc["fixed", "all", "hit_rate_at_10"]
    assert row["value"] == pytest.approx(one["value"] - other["value"])
    # Unpaired, the interval would be about as wide as both together.
    width = row["ci_high"] - row["ci_low"]
    assert width < (one["ci_high"] - one["ci_low"]) + (other["ci_high"] - other["ci_low"])


def test_the_best_peer_of_each_metric_is_compared(evaluation):
    metrics, differences = evaluation.metrics, evaluation.differences
    for metric in ("hit_rate_at_10", "existence_auc"):
        all_edges = metrics[(metrics["segment"] == "all") & (metrics["metric"] == metric)]
        peers = all_edges[all_edges["method"].isin(["popularity", "cocitation", "hope"])]
        best = peers.loc[peers["value"].idxmax(), "method"]
        rows = differences[(differences["segment"] == "all") & (differences["metric"] == metric)]
        assert set(rows.loc[rows["method"] == "dual", "baseline"]) == {"single", best}
    direction = differences[(differences["metric"] == "direction_auc") & (differences["method"] == "dual")]
    assert {"single", "degree_head"} <= set(direction["baseline"])


def test_methods_that_were_not_fitted_leave_no_difference_and_no_claim(quick):
    config = dataclasses.replace(quick, methods=("dual", "popularity"))
    values = np.array([0.5, 0.4, 0.6])
    draws = {(method, "all", "hit_rate_at_10"): values for method in config.methods}
    assert set(contrasts(draws, config)) == {("dual", "popularity", "all", "hit_rate_at_10")}


def test_claims_are_judged_on_the_lowest_and_highest_bucket_with_enough_queries(evaluation):
    claims = evaluation.claims
    assert set(claims["claim"]) == {"C1", "C2"}
    assert claims.loc[claims["claim"] == "C1", "effect"].tolist() == [
        "HitRate@10 on one-way edges",
        "Direction AUC, embeddings alone",
        "Direction AUC, with degrees",
    ]
    changed = evaluation.differences.copy()
    is_bucket = changed["segment"].str.startswith("in_degree:")
    changed.loc[is_bucket, "n"] = changed.loc[is_bucket, "segment"].map(
        {"in_degree:0": 29, "in_degree:1": 30, "in_degree:4-7": 99, "in_degree:8-15": 31, "in_degree:32+": 5}
    )
    claims = claims_table(changed.fillna({"n": 0}))
    assert claims.loc[claims["claim"] == "C2", "segment"].tolist() == [
        "targets with 1 training in-edges",
        "targets with 8-15 training in-edges",
        "all test edges",
    ]


def test_a_claim_follows_from_its_difference(evaluation):
    changed = evaluation.differences.copy()
    chosen = (changed["method"] == "dual") & (changed["baseline"] == "single") & (changed["metric"] == "direction_auc")
    for low, high, verdict in (
        (0.01, 0.05, "supported"),
        (-0.03, 0.01, "not supported"),
        (-0.03, 0.03, "inconclusive"),
    ):
        changed.loc[chosen, ["value", "ci_low", "ci_high"]] = [(low + high) / 2, low, high]
        claims = claims_table(changed)
        row = claims[claims["effect"] == "Direction AUC, with degrees"].iloc[0]
        assert (row["verdict"], row["baseline"]) == (verdict, "single")


def test_a_sample_of_query_nodes_is_ranked_whole(prepared, quick):
    config = dataclasses.replace(quick, max_queries=100)
    edges = ranked_test_edges(prepared, config)
    assert 60 < edges.edge_index.shape[1] <= 100
    source = prepared.heldout.edge_index[0]
    for node in np.unique(edges.edge_index[0]):
        assert (edges.edge_index[0] == node).sum() == (source == node).sum()
    again = ranked_test_edges(prepared, config)
    assert (again.edge_index == edges.edge_index).all()


def test_equal_scores_earn_no_hit_by_luck(prepared, quick, fitted):
    class Constant:
        def rows(self, nodes):
            return np.zeros((len(nodes), prepared.training.num_nodes), dtype=np.float32)

        def pairs(self, source, target):
            return np.zeros(len(source), dtype=np.float32)

    constant = dataclasses.replace(fitted, scorers={"dual": Constant()})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = evaluate(constant, prepared, dataclasses.replace(quick, methods=("dual",)))
    assert value_of(result, "dual", "hit_rate_at_20") == 0.0
    assert value_of(result, "dual", "direction_auc") == 0.5 == value_of(result, "dual", "existence_auc")


def test_training_graphs_have_no_field_for_test_edges():
    assert {field.name for field in dataclasses.fields(TrainingGraph)} == {
        "num_nodes",
        "edge_index",
        "validation_edge_index",
        "in_degree",
        "out_degree",
        "is_one_way",
        "features",
    }
