"""What the page says a sampler drew is what training drew, and chances follow sizes and weights."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from engine.graph import train, train_common
from engine.graph.config import GraphConfig
from engine.graph.data import load, prepare
from engine.graph.sampled import DRAWS, SAMPLERS, sampled, sampler_of
from engine.graph.simulate import SimulationConfig, simulate
from engine.result import DatasetInfo


def graph(pairs: list[tuple[int, int]]) -> pd.DataFrame:
    """Return stored training edges."""
    return pd.DataFrame(pairs, columns=["source", "target"]).assign(split="train")


@pytest.fixture
def star() -> pd.DataFrame:
    """Node 0 leads to 1 to 8; 1 leads to 9, which 10 to 15 lead to as well; so 9 is popular and two steps from 0."""
    return graph([*((0, other) for other in range(1, 9)), (1, 9), *((other, 9) for other in range(10, 16))])


def settings(**changes: float) -> dict[str, float]:
    return {"seed": 3, "max_neighbours": 6, "min_neighbours": 2, "neighbour_bias": 1.0} | changes


def test_the_shown_draw_is_the_one_of_training(monkeypatch):
    info = DatasetInfo(name="made", origin="simulated", data_id="0" * 8, description="Made up.")
    dataset = load(simulate(900, SimulationConfig(groups=4, seed=1)), info=info)
    config = GraphConfig(
        seed=5, epochs=2, dimension=4, negatives=8, methods=("dual", "adaptive", "fixed"), max_neighbours=9,
        min_neighbours=2,
    )  # fmt: skip
    prepared = prepare(dataset, config)
    calls = []
    real = train_common.operators

    def recorded(edge_index, num_nodes, fan, rng):
        result = real(edge_index, num_nodes, fan, rng)
        if edge_index.shape[1] == prepared.training.edge_index.shape[1]:
            calls.append((fan.sampling, result))
        return result

    monkeypatch.setattr(train_common, "operators", recorded)
    train.fit(prepared, config)
    final = dict(calls)
    assert {"adaptive", "uniform"} <= set(final)
    names = np.array(["train", "validation", "test"])[prepared.split]
    stored = dataset.edges[["source", "target"]].assign(split=names)
    sampler = sampler_of(stored, len(dataset.nodes), {"seed": 5, "max_neighbours": 9, "min_neighbours": 2})
    for name, (place, role) in itertools.product(SAMPLERS, enumerate(("target", "source"))):
        shown, drawn = sampler.reach[role].drawn[name], final[name][place]
        assert (shown != drawn).nnz == 0 and shown.nnz > len(dataset.nodes)
        for node in range(0, len(dataset.nodes), 7):
            table = sampled(sampler, node, role, draws=2).neighbours
            taken = drawn.indices[drawn.indptr[node] : drawn.indptr[node + 1]]
            assert sorted(table.loc[table[f"{name}_drawn"], "other"]) == sorted(taken)


def test_a_node_takes_all_its_neighbours_before_any_at_two_steps(star):
    result = sampled(sampler_of(star, 16, settings(max_neighbours=9)), 0, "target")
    assert result.available == (8, 1)
    table = result.neighbours.set_index("other")
    # Node 0 has no in-edge, so it may take nine: eight neighbours, and node 9 behind them.
    assert table.loc[range(1, 9), "adaptive"].tolist() == [1.0] * 8
    assert table.loc[9, ["step", "adaptive", "weight"]].tolist() == [2, 1.0, 7.0]
    assert result.sizes.set_index("sampler").loc["adaptive", ["size", "first", "second"]].tolist() == [9, 8, 1]


def test_equal_neighbours_are_drawn_equally_often(star):
    result = sampled(sampler_of(star, 16, settings(min_neighbours=4, max_neighbours=4)), 0, "target", draws=4000)
    # Four of eight neighbours with one in-edge each; standard error 0.008.
    assert set(result.neighbours["other"]) == set(range(1, 9)), "no node at two steps is ever needed"
    assert result.neighbours["adaptive"].to_numpy() == pytest.approx(np.full(8, 0.5), abs=0.04)


def test_chances_follow_the_weights_where_one_is_drawn():
    # Node 0 leads to 1, 2, 3 with 1, 2 and 3 in-edges.
    edges = graph([(0, 1), (0, 2), (0, 3), (4, 2), (4, 3), (5, 3)])
    one = settings(max_neighbours=1, min_neighbours=1)
    chance = sampled(sampler_of(edges, 6, one), 0, "target", draws=6000).neighbours.set_index("other")["adaptive"]
    assert chance.loc[[1, 2, 3]].tolist() == pytest.approx([1 / 6, 2 / 6, 3 / 6], abs=0.03)
    flat = sampler_of(edges, 6, one | {"neighbour_bias": 0.0})
    even = sampled(flat, 0, "target", draws=6000).neighbours.set_index("other")["adaptive"]
    assert even.loc[[1, 2, 3]].tolist() == pytest.approx([1 / 3] * 3, abs=0.03)


def test_sources_are_drawn_by_how_much_they_lead_to():
    edges = graph([(1, 0), (2, 0), (2, 3), (2, 4)])
    table = sampled(sampler_of(edges, 5, settings()), 0, "source").neighbours
    assert table.set_index("other")["weight"].to_dict() == {2: 3.0, 1: 1.0}


def test_both_samplers_spend_the_same_in_the_whole_graph():
    edges = simulate(900, SimulationConfig(groups=4, seed=1))
    names = pd.unique(pd.concat([edges["source"], edges["target"]]))
    code = pd.Series(np.arange(len(names)), index=names)
    stored = edges.assign(source=code[edges["source"]].to_numpy(), target=code[edges["target"]].to_numpy())
    sampler = sampler_of(stored.assign(split="train"), len(names), settings())
    for role in ("target", "source"):
        assert len({matrix.nnz for matrix in sampler.reach[role].drawn.values()}) == 1
        spent = {name: 0.0 for name in SAMPLERS}
        for node in range(len(names)):
            result = sampled(sampler, node, role, draws=60)
            for row in result.sizes.itertuples():
                spent[row.sampler] += row.first + row.second
        # The fixed size takes one more for some nodes, drawn at random.
        assert spent["uniform"] == pytest.approx(spent["adaptive"], rel=0.01)


def test_chances_are_shares_of_the_draws_and_sum_to_what_is_taken(star):
    sampler = sampler_of(star, 16, settings())
    for node, role in itertools.product(range(16), ("target", "source")):
        result = sampled(sampler, node, role)
        table = result.neighbours
        assert result.draws == DRAWS and len(table) == sum(result.available)
        for row in result.sizes.itertuples():
            chance = table[row.sampler]
            assert ((chance >= 0) & (chance <= 1)).all()
            assert chance.sum() == pytest.approx(row.first + row.second)
            assert row.first + row.second == pytest.approx(min(row.size, sum(result.available)), abs=1.0)


def test_a_node_without_neighbours_draws_nothing(star):
    result = sampled(sampler_of(star, 16, settings()), 0, "source")
    assert result.available == (0, 0) and result.neighbours.empty
    assert result.sizes[["first", "second"]].to_numpy().tolist() == [[0, 0], [0, 0]]


def test_validation_and_test_edges_are_never_drawn(star):
    mixed = star.assign(split=["validation", "test", *["train"] * (len(star) - 2)])
    others = set(sampled(sampler_of(mixed, 16, settings()), 0, "target").neighbours["other"])
    assert others == set(range(3, 9))


def test_the_same_seed_draws_the_same(star):
    first, second = (sampled(sampler_of(star, 16, settings()), 0, "target") for _ in range(2))
    pd.testing.assert_frame_equal(first.neighbours, second.neighbours)
    other = sampled(sampler_of(star, 16, settings(seed=4)), 0, "target").neighbours
    assert not other.sort_values("other")["adaptive"].equals(first.neighbours.sort_values("other")["adaptive"])
