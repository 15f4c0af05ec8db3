"""Ranking of unseen nodes: candidates by hand, and features that know everything or nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from engine.graph import coldstart
from engine.graph.coldsplit import split_by_nodes
from engine.graph.coldstart import RANK_COLUMNS, cold_start
from engine.graph.config import GraphConfig
from engine.graph.data import load
from engine.graph.scoring import offset_scorer
from engine.result import DatasetInfo

INFO = DatasetInfo(name="made", origin="simulated", data_id="0" * 8)
QUICK = GraphConfig(epochs=30, dimension=16, negatives=64, resamples=40)


def grouped(*, informative: bool):
    """Return a ring of groups, each leading to the next, with the group, or a random word, as a feature."""
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(12), 25)
    source = np.repeat(np.arange(300), 6)
    target = (group[source] + 1) % 12 * 25 + rng.integers(25, size=len(source))
    edges = pd.DataFrame({"source": source, "target": target}).drop_duplicates().astype(str)
    word = group if informative else rng.permutation(group)
    nodes = pd.DataFrame({"node": np.arange(300).astype(str), "kind": [f"kind {place}" for place in word]})
    return load(edges, nodes=nodes, info=INFO)


def hit_rates(table):
    """Return HitRate@10 by kind of knowledge, revealed edges, method and role."""
    return (
        table.assign(hit=table["rank"] <= 10).groupby(["known", "revealed", "method", "role"])["hit"].mean().to_dict()
    )


@pytest.fixture(scope="module")
def telling():
    """Return the hit rates where the feature decides every edge."""
    return hit_rates(cold_start(grouped(informative=True), QUICK))


@pytest.fixture(scope="module")
def random():
    """Return the hit rates where the feature is noise."""
    return hit_rates(cold_start(grouped(informative=False), QUICK))


@pytest.mark.parametrize("role", ["source", "target"])
def test_features_that_decide_the_edges_beat_popularity_by_far(telling, role):
    assert telling["features", 0, "dual", role] > telling["features", 0, "popularity", role] + 0.2


@pytest.mark.parametrize("role", ["source", "target"])
def test_random_features_are_no_better_than_chance(random, role):
    # Ten places among 225 seen nodes, or among 60 new ones.
    chance = {"source": 10 / 225, "target": 10 / 60}[role]
    assert random["features", 0, "dual", role] < chance + 0.08


@pytest.mark.parametrize("role", ["source", "target"])
def test_known_edges_tell_what_random_features_do_not(random, role):
    assert random["edges", 4, "dual", role] > random["features", 0, "dual", role] + 0.1


def test_every_kind_of_knowledge_and_method_is_ranked_once_per_tested_edge(dataset, quick):
    table = cold_start(dataset, quick)
    tested = split_by_nodes(dataset, quick).test.tested().shape[1]
    assert list(table) == list(RANK_COLUMNS)
    sizes = table.groupby(["known", "revealed", "method"]).size()
    assert (sizes == tested).all()
    assert set(sizes.index) >= {
        ("features", 0, "feature_neighbours"),
        ("features and edges", 2, "no_propagation"),
        ("edges", 4, "single"),
        ("edges", 1, "cocitation"),
    }


def test_without_features_only_edges_tell_of_new_nodes(dataset, quick):
    table = cold_start(dataclasses.replace(dataset, features=None), quick)
    assert set(table["known"]) == {"edges"}
    assert set(table["method"]) == {"dual", "single", "popularity", "cocitation"}


def test_sources_choose_among_seen_nodes_and_targets_among_new_ones(dataset, quick):
    split = split_by_nodes(dataset, quick)
    rng = np.random.default_rng(0)
    score = rng.random(split.num_nodes)
    ranks = coldstart.tested_ranks(offset_scorer(score, 0 * score), split, split.test, split.test.revealed(2))
    known = set(map(tuple, np.concatenate([split.edge_index, split.test.revealed(2)], axis=1).T.tolist()))
    score = score.astype(np.float32)
    for row in ranks.itertuples():
        pool = split.seen if row.role == "source" else np.flatnonzero(split.test.is_new)
        left = [v for v in pool if v != row.source and (row.source, v) not in known]
        assert row.rank == 1 + sum(score[v] > score[row.target] for v in left)
        assert row.node == (row.source if row.role == "source" else row.target)


def test_the_feature_baseline_is_chosen_on_validation_nodes(dataset, quick, monkeypatch):
    split, real, asked = split_by_nodes(dataset, quick), coldstart.tested_ranks, []

    def recorded(scorer, split, arrivals, revealed):
        asked.append(arrivals is split.validation)
        ranks = real(scorer, split, arrivals, revealed)
        # On validation nodes the second candidate ranks best.
        best = 1.0 if arrivals is split.validation and len(asked) == 2 else 1e3
        return ranks.assign(rank=best) if arrivals is split.validation else ranks

    likeness, used = coldstart.feature_neighbours, []

    def spied(split, nodes, count):
        used.append(count)
        return likeness(split, nodes, count)

    monkeypatch.setattr(coldstart, "tested_ranks", recorded)
    monkeypatch.setattr(coldstart, "feature_neighbours", spied)
    coldstart._feature_baseline(split)
    first, others = len(coldstart.FEATURE_NEIGHBOURS), len(coldstart.REVEALED)
    assert asked == [True] * first + [False] * others
    assert used == [*coldstart.FEATURE_NEIGHBOURS, *[coldstart.FEATURE_NEIGHBOURS[1]] * others]


def test_the_feature_baseline_knows_no_hidden_edge(dataset, quick):
    split = split_by_nodes(dataset, quick)
    nodes, revealed = np.arange(split.num_nodes), split.test.revealed(1)
    turned = dataclasses.replace(split.test, edge_index=split.test.edge_index[::-1])
    scores = coldstart._alike(split, split.test, revealed, 10).rows(nodes)
    assert np.array_equal(scores, coldstart._alike(split, turned, revealed, 10).rows(nodes))
    # A node of training alone has its own known edges, and what leads to new nodes by likeness.
    known = np.concatenate([split.edge_index, revealed], axis=1)
    assert (scores[np.ix_(split.seen, split.seen)] > 0).sum() == np.isin(known, split.seen).all(axis=0).sum()
