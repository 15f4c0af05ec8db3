"""How often edges are answered by chance, against graphs solved node by node and against draws."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from engine.graph.described_chance import Chance, degree_chance
from engine.graph.described_counts import class_sums
from engine.graph.described_kept import collect


def of_degrees(out: np.ndarray, into: np.ndarray) -> tuple[pd.DataFrame, Chance]:
    """Return classes and chance of nodes with given degrees."""
    frame = pd.DataFrame({"node": np.arange(len(out)), "out": out, "into": into, "mutual": 0})
    classes = collect(class_sums(ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False)))).sort_values(
        ["out_class", "in_class"], ignore_index=True
    )
    return classes, degree_chance(classes)


def solved_node_by_node(out: np.ndarray, into: np.ndarray) -> np.ndarray:
    """Return the edge probabilities of the directed configuration model by plain iteration over all pairs."""
    x, y = out / np.sqrt(out.sum()), into / np.sqrt(out.sum())
    for _ in range(5000):
        for own, other, wanted, axis in ((x, y, out, 1), (y, x, into, 0)):
            rate = (other[np.newaxis] if axis == 1 else other[:, np.newaxis]) / (1 + x[:, np.newaxis] * y[np.newaxis])
            np.fill_diagonal(rate, 0.0)
            total = rate.sum(axis=axis)
            own[:] = np.divide(wanted, total, out=np.zeros_like(own), where=total > 0)
    share = x[:, np.newaxis] * y[np.newaxis] / (1 + x[:, np.newaxis] * y[np.newaxis])
    np.fill_diagonal(share, 0.0)
    return share


@pytest.fixture(scope="module")
def degrees() -> tuple[np.ndarray, np.ndarray]:
    """Return the degrees of a skewed random graph of 60 nodes whose sources are targets too."""
    rng = np.random.default_rng(3)
    pull = rng.pareto(1.5, 60) + 0.3
    edges = rng.random((60, 60)) < np.clip(np.outer(pull, pull) / 40, 0, 0.9)
    np.fill_diagonal(edges, False)
    return edges.sum(axis=1), edges.sum(axis=0)


def test_expected_mutual_edges_are_those_of_the_model_solved_node_by_node(degrees):
    out, into = degrees
    share = solved_node_by_node(out.astype(float), into.astype(float))
    assert share.sum(axis=1) == pytest.approx(out, abs=1e-3)
    both = share * share.T
    _, chance = of_degrees(out, into)
    assert chance.total == pytest.approx(both.sum(), rel=0.01)
    variance = 4 * np.triu(both * (1 - both)).sum()
    assert chance.deviation == pytest.approx(np.sqrt(variance), rel=0.01)
    assert chance.gap < 1e-5


def test_the_range_covers_drawn_graphs(degrees):
    share = solved_node_by_node(*(part.astype(float) for part in degrees))
    rng = np.random.default_rng(0)
    drawn = [(edges & edges.T).sum() for edges in (rng.random((400, *share.shape)) < share)]
    _, chance = of_degrees(*degrees)
    assert np.mean(drawn) == pytest.approx(chance.total, abs=4 * chance.deviation / 20)
    assert np.std(drawn) == pytest.approx(chance.deviation, rel=0.15)


def test_a_node_expects_what_its_class_says(degrees):
    out, into = degrees
    both = solved_node_by_node(out.astype(float), into.astype(float))
    both = (both * both.T).sum(axis=1)
    classes, chance = of_degrees(out, into)
    assert (chance.mutual * classes["nodes"]).sum() == pytest.approx(chance.total)
    small = classes[(classes["out_class"] < 20) & (classes["in_class"] < 20)]
    for place, row in small.iterrows():
        members = (out == row["out_class"]) & (into == row["in_class"])
        assert chance.mutual[place] == pytest.approx(both[members].mean(), rel=0.05, abs=0.02)


def test_equal_degrees_give_the_density():
    count, degree = 500, 6
    _, chance = of_degrees(np.full(count, degree), np.full(count, degree))
    share = degree / (count - 1)
    assert chance.total == pytest.approx(count * (count - 1) * share**2, rel=1e-6)


def test_what_the_degrees_force_is_certain():
    _, whole = of_degrees(np.full(5, 4), np.full(5, 4))
    assert whole.total == pytest.approx(20, rel=1e-3) and whole.deviation < 0.5
    out, into = np.r_[8, np.zeros(8, int)], np.r_[0, np.ones(8, int)]
    _, star = of_degrees(out, into)
    assert star.total < 1e-9 and star.deviation < 1e-6
