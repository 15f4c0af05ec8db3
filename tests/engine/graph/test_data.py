"""Bad input gets one clear sentence, and the split keeps test edges away from training."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from engine.errors import DataError, NotEnoughDataError
from engine.graph.config import GraphConfig
from engine.graph.data import MINIMUM_EDGES, load, prepare, training_graph
from engine.result import DatasetInfo

INFO = DatasetInfo(name="made", origin="simulated", data_id="0" * 8)


def ring(count: int = 120) -> pd.DataFrame:
    """Return a ring of edges i -> i + 1."""
    names = [f"n{i:03d}" for i in range(count)]
    return pd.DataFrame({"source": names, "target": names[1:] + names[:1]})


def test_rows_nodes_and_relations_are_counted():
    frame = pd.concat([ring(), pd.DataFrame({"source": ["n001"], "target": ["n000"]})], ignore_index=True)
    data = load(frame, info=INFO)
    assert data.info.rows == {
        "edges": 121,
        "one-way edges": 119,
        "mutual edges": 2,
        "nodes": 120,
        "nodes without edges": 0,
    }


def test_positions_follow_the_sorted_names_and_evidence_is_kept():
    data = load(ring().assign(lift=1.5), info=INFO)
    assert data.nodes["name"].tolist() == sorted(ring()["source"])
    assert data.edges.iloc[0][["source", "target", "lift"]].tolist() == [0, 1, 1.5]


def test_a_described_node_without_edges_stays():
    nodes = pd.DataFrame({"node": [*ring()["source"], "lonely"], "section": "all things"})
    data = load(ring(), nodes=nodes, info=INFO)
    assert data.info.rows["nodes without edges"] == 1
    assert set(data.nodes["category"]) == {"all things"}


def test_a_further_column_of_the_node_table_may_be_called_name():
    nodes = pd.DataFrame({"node": ring()["source"], "name": "Product", "colour": "red"})
    data = load(ring(), nodes=nodes, info=INFO)
    assert list(data.nodes.columns) == ["name", "label", "category"]
    assert data.nodes["label"].tolist() == data.nodes["name"].tolist() == sorted(ring()["source"])
    assert list(data.features.columns) == ["name", "colour"] and set(data.features["name"]) == {"Product"}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda e: pd.concat([e, e.iloc[[3]]]), DataError, ["repeats an edge in 1 row", "data row 121", "'n003'"]),
        (lambda e: e.assign(target=e["source"].where(e.index == 7, e["target"])), DataError, ["data row 8", "itself"]),
        (lambda e: e.head(MINIMUM_EDGES - 1), NotEnoughDataError, ["99 edges", "at least 100"]),
        (lambda e: e.head(0), DataError, ["edge table"]),
        (lambda e: e.rename(columns={"target": "to"}), DataError, ["'target'"]),
        (lambda e: e.assign(source=e["source"].where(e.index != 4)), DataError, ["'source'", "data row 5"]),
        (lambda e: e.assign(weight=[-1.0, *[1.0] * (len(e) - 1)]), DataError, ["'weight'", "'-1.0'", "at least 0"]),
        (lambda e: e.assign(weight=[np.inf, *[1.0] * (len(e) - 1)]), DataError, ["'weight'", "finite"]),
    ],
)
def test_a_bad_edge_table_is_refused_in_one_sentence(change, error, words):
    with pytest.raises(error) as raised:
        load(change(ring()), info=INFO)
    assert all(word in str(raised.value) for word in words), str(raised.value)


def test_repeated_edges_are_merged_where_that_is_asked_for():
    frame = ring().assign(weight=1.5, time=np.arange(120.0), kind="a")
    again = frame.iloc[[3, 3, 7]].assign(weight=[2.0, np.nan, np.nan], time=[500.0, 1.0, 0.0], kind="b")
    merged = load(pd.concat([frame, again]), info=INFO, merge_repeats=True)
    once = load(frame, info=INFO, merge_repeats=True)
    assert merged.info.rows == once.info.rows | {"repeated rows merged": 3}
    assert merged.edges[["source", "target"]].equals(once.edges[["source", "target"]])
    assert merged.edges.loc[[3, 7], ["weight", "time", "kind"]].to_numpy().tolist() == [[3.5, 500, "a"], [1.5, 7, "a"]]


def test_merged_rows_without_a_weight_are_counted():
    merged = load(pd.concat([ring(), ring().iloc[[4, 4]]]), info=INFO, merge_repeats=True)
    assert merged.edges["weight"].tolist() == [3.0 if row == 4 else 1.0 for row in range(120)]
    assert "weight" not in load(ring(), info=INFO, merge_repeats=True).edges


def test_an_edge_to_an_undescribed_node_is_refused():
    nodes = pd.DataFrame({"node": ring()["source"].iloc[1:]})
    with pytest.raises(DataError, match="lacks 1 of the nodes that the edges name, for example 'n000'"):
        load(ring(), nodes=nodes, info=INFO)


def test_a_node_described_twice_is_refused():
    nodes = pd.DataFrame({"node": [*ring()["source"], "n005"]})
    with pytest.raises(DataError, match="repeats 'n005' in data row 121"):
        load(ring(), nodes=nodes, info=INFO)


def test_a_nearly_complete_graph_is_refused():
    source, target = np.nonzero(~np.eye(12, dtype=bool))
    frame = pd.DataFrame({"source": source.astype(str), "target": target.astype(str)})
    with pytest.raises(NotEnoughDataError, match="132 of 132 possible edges exist"):
        prepare(load(frame, info=INFO), GraphConfig())


def test_an_empty_part_of_the_split_is_refused():
    with pytest.raises(NotEnoughDataError, match="leave no edge for a part of the split"):
        prepare(load(ring(100), info=INFO), GraphConfig(validation_share=0.0999, test_share=0.9))


def test_the_parts_of_the_split_are_disjoint_complete_and_of_the_asked_sizes(dataset, prepared):
    count = np.bincount(prepared.split)
    assert count.tolist() == [900, 60, 240]
    parts = (prepared.training.edge_index, prepared.training.validation_edge_index, prepared.heldout.edge_index)
    together = np.concatenate(parts, axis=1)
    key = sorted(map(tuple, together.T))
    assert key == sorted(map(tuple, dataset.edges[["source", "target"]].to_numpy()))


def test_degrees_and_one_way_flags_come_from_training_edges_alone(five):
    assert five.in_degree.tolist() == [0, 1, 3, 1, 0]
    assert five.out_degree.tolist() == [2, 1, 1, 1, 0]
    assert five.is_one_way.tolist() == [True, True, True, False, False]


def test_a_pair_whose_reverse_is_a_test_edge_counts_as_one_way_in_training():
    graph = training_graph(np.array([[0], [1]]), np.array([[1], [0]]), 2)
    assert graph.is_one_way.tolist() == [True]


def test_non_edges_are_no_edge_of_any_part(dataset, prepared):
    edges = set(map(tuple, dataset.edges[["source", "target"]].to_numpy()))
    for pairs in (prepared.heldout.non_edge_index, prepared.heldout.degree_corrected_index):
        assert pairs.shape == prepared.heldout.edge_index.shape
        assert edges.isdisjoint(map(tuple, pairs.T))
        assert (pairs[0] != pairs[1]).all()


def test_degree_corrected_non_edges_keep_the_source_and_take_targets_of_test_edges(prepared):
    heldout = prepared.heldout
    assert (heldout.degree_corrected_index[0] == heldout.edge_index[0]).all()
    assert set(heldout.degree_corrected_index[1]) <= set(heldout.edge_index[1])


def test_one_way_test_edges_are_judged_by_all_edges(dataset, prepared):
    edges = set(map(tuple, dataset.edges[["source", "target"]].to_numpy()))
    expected = [(v, u) not in edges for u, v in prepared.heldout.edge_index.T]
    assert prepared.heldout.is_one_way.tolist() == expected


def test_another_seed_gives_another_split(dataset, quick, prepared):
    other = prepare(dataset, dataclasses.replace(quick, seed=4))
    assert (other.split != prepared.split).any()
    assert (prepare(dataset, quick).split == prepared.split).all()
