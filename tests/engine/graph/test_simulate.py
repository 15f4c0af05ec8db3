"""The simulated graph holds the relations that it says it holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.graph.simulate import SimulationConfig, simulate, simulate_edge_index, simulate_nodes


@pytest.fixture(scope="module")
def edges():
    """Twelve thousand edges."""
    return simulate(12_000, SimulationConfig(seed=2))


def test_as_many_edges_as_asked_in_the_asked_shares(edges):
    assert len(edges) == 12_000
    share = edges["true_relation"].value_counts(normalize=True)
    assert share["mutual"] == pytest.approx(0.3, abs=1e-3) and share["random"] == pytest.approx(0.1, abs=1e-3)


def test_one_way_edges_lead_to_the_next_group_and_have_no_reverse(edges):
    pairs = set(zip(edges["source"], edges["target"], strict=True))
    one_way = edges[edges["true_relation"] == "one_way"]
    assert ((one_way["true_source_group"] + 1) % 12 == one_way["true_target_group"]).all()
    assert not any((v, u) in pairs for u, v in zip(one_way["source"], one_way["target"], strict=True))


def test_mutual_edges_come_both_ways_inside_one_group(edges):
    mutual = edges[edges["true_relation"] == "mutual"]
    pairs = set(zip(mutual["source"], mutual["target"], strict=True))
    assert all((v, u) in pairs for u, v in pairs)
    assert (mutual["true_source_group"] == mutual["true_target_group"]).all()


def test_the_rows_tell_neither_kind_nor_group_by_their_order(edges):
    position = np.arange(len(edges))
    for column in ("true_source_group", "true_target_group"):
        assert abs(np.corrcoef(position, edges[column])[0, 1]) < 0.04
    assert abs(np.corrcoef(position, edges["true_relation"] == "mutual")[0, 1]) < 0.04


def test_degrees_have_a_heavy_tail(edges):
    degree = edges["target"].value_counts()
    assert degree.max() > 8 * degree.mean()


def test_sources_of_planted_directions_are_more_active_and_targets_more_popular(edges):
    nodes = simulate_nodes(12_000, SimulationConfig(seed=2)).set_index("node")
    one_way = edges[edges["true_relation"] == "one_way"]
    source, target = nodes.loc[one_way["source"]], nodes.loc[one_way["target"]]
    assert source["true_activity"].mean() > 1.2 * target["true_activity"].mean()
    assert target["true_popularity"].mean() > 1.2 * source["true_popularity"].mean()


@settings(max_examples=15)
@given(st.integers(200, 2000), st.integers(0, 5), st.integers(3, 8))
def test_edges_are_distinct_without_self_loops_and_equal_seeds_are_equal(rows, seed, groups):
    config = SimulationConfig(seed=seed, groups=groups)
    frame = simulate(rows, config)
    assert len(frame) == rows
    assert not frame.duplicated(["source", "target"]).any()
    assert (frame["source"] != frame["target"]).all()
    assert frame.equals(simulate(rows, config))
    nodes = simulate_nodes(rows, config)
    assert set(frame["source"]) | set(frame["target"]) <= set(nodes["node"])
    assert nodes["true_popularity"].mean() == pytest.approx(1) and nodes["true_activity"].mean() == pytest.approx(1)


def test_the_node_table_knows_the_groups_of_the_edges(edges):
    group = simulate_nodes(12_000, SimulationConfig(seed=2)).set_index("node")["true_group"]
    assert (group.loc[edges["source"]].to_numpy() == edges["true_source_group"]).all()


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"groups": 2}, "'groups' is 2"),
        ({"mean_degree": "8"}, "'mean_degree' is '8'"),
        ({"mutual_share": 0.8, "random_share": 0.3}, "'mutual_share' plus 'random_share' is above 1"),
        ({"seed": 1.5}, "'seed' is 1.5; allowed is a whole number"),
        ({"tail_exponent": 1.0}, "'tail_exponent' is 1.0"),
    ],
)
def test_a_knob_out_of_range_is_refused(knobs, words):
    with pytest.raises(ConfigError) as raised:
        SimulationConfig(**knobs)
    assert words in str(raised.value)


def test_too_few_edges_for_the_groups_are_refused():
    with pytest.raises(ConfigError, match=r"10 edges make \d+ nodes; 12 groups need at least 24"):
        simulate(10)


def test_positions_are_those_of_the_named_edges():
    config = SimulationConfig(seed=4, groups=5)
    edge_index, num_nodes = simulate_edge_index(1500, config)
    names = simulate_nodes(1500, config)["node"].to_numpy()
    edges = simulate(1500, config)
    assert num_nodes == len(names)
    assert (names[edge_index] == edges[["source", "target"]].to_numpy().T).all()
