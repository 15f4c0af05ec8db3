"""What is stored for a page agrees with the scorers it was made from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.graph import scene
from engine.graph.ranks import excluded_candidates


@pytest.fixture(scope="module")
def lists(fitted, prepared, quick):
    """Every ranked list."""
    return scene.ranked_lists(fitted.scorers, prepared, quick)


def known_of(prepared):
    """Return what is known when something is recommended."""
    return np.concatenate([prepared.training.edge_index, prepared.training.validation_edge_index], axis=1)


def test_the_node_table_counts_all_and_training_edges(prepared):
    table = scene.node_table(prepared)
    edges = prepared.dataset.edges
    assert table["in_degree"].tolist() == [int((edges["target"] == node).sum()) for node in range(len(table))]
    assert (table["training_out_degree"] == prepared.training.out_degree).all()
    assert (table["training_in_degree"] <= table["in_degree"]).all()


def test_the_edge_table_scores_both_directions(fitted, prepared):
    scorer = fitted.scorers["dual"]
    table = scene.edge_table(scorer, prepared)
    source, target = table["source"].to_numpy(), table["target"].to_numpy()
    assert table["score"].to_numpy() == pytest.approx(scorer.pairs(source, target), abs=0.0051)
    assert table["back_score"].to_numpy() == pytest.approx(scorer.pairs(target, source), abs=0.0051)
    pairs = set(zip(source, target, strict=True))
    assert table["is_mutual"].tolist() == [(v, u) in pairs for u, v in zip(source, target, strict=True)]
    assert (table["split"].cat.codes == prepared.split).all()
    # A mutual pair stands twice in the table, with its scores swapped.
    mutual = table[table["is_mutual"]].set_index(["source", "target"])
    swapped = mutual.swaplevel().reindex(mutual.index)
    assert (mutual["score"] == swapped["back_score"]).all() and (mutual["rank"] == swapped["back_rank"]).all()


def test_evidence_named_like_a_column_of_the_table_is_kept_under_another_name(fitted, prepared):
    given = np.arange(len(prepared.dataset.edges), dtype=float)
    edges = prepared.dataset.edges.assign(score=given, input_score="x", split="mine", is_mutual=7)
    named = replace(prepared, dataset=replace(prepared.dataset, edges=edges))
    table = scene.edge_table(fitted.scorers["dual"], named)
    assert table.columns.is_unique
    assert table["input_input_score"].tolist() == given.tolist() and set(table["input_score"]) == {"x"}
    assert set(table["input_split"]) == {"mine"} and set(table["input_is_mutual"]) == {7}
    plain = scene.edge_table(fitted.scorers["dual"], prepared)
    assert table[list(plain.columns)].equals(plain)


def test_targets_are_listed_by_score_without_known_edges(lists, fitted, prepared):
    scorer = fitted.scorers["dual"]
    excluded = excluded_candidates(known_of(prepared), prepared.training.num_nodes).toarray()
    rows = lists[(lists["method"] == "dual") & (lists["role"] == "target")]
    for node in (0, 17, 99):
        mine = rows[rows["node"] == node]
        scores = scorer.rows(np.array([node]))[0]
        scores[excluded[node]] = -np.inf
        assert mine["other"].tolist() == np.argsort(-scores)[: len(mine)].tolist()
        assert mine["place"].tolist() == mine["rank"].tolist() == list(range(1, len(mine) + 1))


def test_sources_are_listed_without_known_edges_and_as_documented(lists, fitted, prepared):
    scorer, training = fitted.scorers["dual"], prepared.training
    rows = lists[lists["role"] == "source"]
    assert set(rows["method"]) == {"dual"}
    known = set(map(tuple, known_of(prepared).T))
    assert not any((row.other, row.node) in known for row in rows.itertuples())
    node = 5
    value = scorer.rows(np.arange(training.num_nodes))[:, node]
    value[[node, *(u for u, v in known if v == node)]] = -np.inf
    assert rows.loc[rows["node"] == node, "other"].tolist() == np.argsort(-value)[:10].tolist()


def test_scores_ranks_and_splits_of_a_listed_source_belong_to_the_pair_as_it_points(lists, fitted, prepared):
    scorer = fitted.scorers["dual"]
    rows = lists[lists["role"] == "source"].head(50)
    scores = scorer.pairs(rows["other"].to_numpy(), rows["node"].to_numpy())
    assert rows["score"].to_numpy() == pytest.approx(scores, abs=0.0051)
    split = {(row.source, row.target): name for row, name in _edges_with_split(prepared)}
    assert rows["split"].tolist() == [split.get((row.other, row.node), "none") for row in rows.itertuples()]
    assert rows["back_split"].tolist() == [split.get((row.node, row.other), "none") for row in rows.itertuples()]


def _edges_with_split(prepared):
    """Yield every edge with the name of its part."""
    names = np.array(["train", "validation", "test"])[prepared.split]
    return zip(prepared.dataset.edges.itertuples(), names, strict=True)


def test_listed_hits_are_the_evaluation_s_hits(lists, fitted, prepared, quick):
    from engine.graph.evaluate import evaluate

    ranks = evaluate(fitted, prepared, quick).ranks
    found = lists[(lists["method"] == "dual") & (lists["role"] == "target") & (lists["split"] == "test")]
    hits = ranks[ranks["dual"] <= 10]
    assert set(zip(found["node"], found["other"], strict=True)) == set(zip(hits["source"], hits["target"], strict=True))


def test_only_methods_with_lists_are_listed(lists):
    assert set(lists["method"]) == {"dual", "single", "popularity"}
    assert lists.loc[lists["method"] != "dual", "score"].isna().all()
    assert lists.loc[lists["method"] == "dual", ["score", "rank", "back_score", "back_rank"]].notna().all(axis=None)


def test_of_a_large_graph_the_edges_of_the_best_linked_nodes_are_kept_and_the_cut_is_stated(
    fitted, prepared, quick, monkeypatch
):
    whole = scene.edge_table(fitted.scorers["dual"], prepared)
    assert len(whole) == len(prepared.dataset.edges) and scene.cut_rows(prepared) == {}
    count = prepared.training.num_nodes
    monkeypatch.setattr(scene, "EDGE_SCORES", 100 * count)
    monkeypatch.setattr(scene, "LIST_SCORES", 30 * count)
    assert scene.cut_rows(prepared) == {"edges kept for pages": 100, "nodes with ranked lists": 30}
    degree = np.bincount(prepared.dataset.edges[["source", "target"]].to_numpy().ravel(), minlength=count)
    kept = scene.edge_table(fitted.scorers["dual"], prepared)
    linked = [min(degree[row.source], degree[row.target]) for row in whole.itertuples()]
    assert min(min(degree[row.source], degree[row.target]) for row in kept.itertuples()) == sorted(linked)[-100]
    assert len(kept) == 100 and len(kept.merge(whole)) == 100
    lists = scene.ranked_lists(fitted.scorers, prepared, quick)
    assert lists["node"].nunique() == 30
    assert degree[lists["node"].unique()].min() >= sorted(degree)[-30]
