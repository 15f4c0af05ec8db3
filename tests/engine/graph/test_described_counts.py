"""Aggregates of described graphs, against pandas and NetworkX on small random graphs."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import networkx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph import described_counts as counts
from engine.graph.described_kept import collect

EDGES = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda ends: ends[0] != ends[1]), min_size=1, max_size=60
)


def table(edges: list[tuple[int, int]], *, name: Callable[[int], object] = int) -> ibis.Table:
    """Return edges as a table with a weight that tells them apart."""
    source, target = zip(*((name(one), name(two)) for one, two in edges), strict=True)
    columns = {"source": list(source), "target": list(target), "weight": [float(k % 5) for k in range(len(edges))]}
    return ibis.memtable(pa.table(columns))


def memory(frame: pd.DataFrame) -> ibis.Table:
    return ibis.memtable(pa.Table.from_pandas(frame, preserve_index=False))


def digraph(edges: list[tuple[int, int]]) -> networkx.DiGraph:
    return networkx.DiGraph(edges)


@settings(max_examples=25, deadline=None)
@given(EDGES)
def test_pairs_hold_what_was_seen_and_weighed_either_way(edges):
    found = collect(counts.pair_counts(table(edges)))
    frame = pd.DataFrame(edges, columns=["s", "t"]).assign(w=[float(k % 5) for k in range(len(edges))])
    seen, weight = frame.groupby(["s", "t"]).size(), frame.groupby(["s", "t"])["w"].sum()
    assert len(found) == len({frozenset(edge) for edge in edges})
    for row in found.itertuples():
        there, back = (row.low, row.high), (row.high, row.low)
        assert row.low < row.high
        assert (row.there, row.back) == (seen.get(there, 0), seen.get(back, 0))
        assert (row.there_weight, row.back_weight) == (weight.get(there, 0.0), weight.get(back, 0.0))


@settings(max_examples=25, deadline=None)
@given(EDGES)
def test_totals_and_degrees_are_those_of_networkx(edges):
    graph = digraph(edges)
    pairs = counts.pair_counts(table(edges))
    total = collect(counts.totals(pairs)).iloc[0]
    assert (total["rows"], total["edges"]) == (len(edges), graph.number_of_edges())
    assert 2 * total["mutual_pairs"] / total["edges"] == pytest.approx(networkx.overall_reciprocity(graph))
    assert total["most_seen"] == pd.Series(edges).value_counts().max()
    degrees = collect(counts.node_degrees(pairs)).set_index("node")
    assert degrees["out"].to_dict() == dict(graph.out_degree())
    assert degrees["into"].to_dict() == dict(graph.in_degree())
    mutual = {node: sum(graph.has_edge(other, node) for other in graph[node]) for node in graph}
    assert degrees["mutual"].to_dict() == mutual


def test_text_ids_are_counted_like_numbers():
    rng = np.random.default_rng(0)
    edges = [(int(a), int(b)) for a, b in rng.integers(0, 12, (200, 2)) if a != b]
    found = [
        collect(counts.node_degrees(counts.pair_counts(table(edges, name=name)))).assign(
            node=lambda rows: rows["node"].astype(str)
        )
        for name in (int, str)
    ]
    first, second = (rows.sort_values("node", ignore_index=True) for rows in found)
    pd.testing.assert_frame_equal(first, second, check_dtype=False)


def test_classes_of_degrees_are_exact_up_to_their_limit_and_narrow_above():
    degree = np.arange(200_000)
    starts = np.array(counts.CLASS_STARTS)
    assert (
        starts[: counts.EXACT_DEGREES + 2].tolist() == list(range(counts.EXACT_DEGREES + 2))[: len(starts)]
        or (np.diff(starts[: counts.EXACT_DEGREES + 1]) == 1).all()
    )
    place = np.searchsorted(starts, degree, side="right") - 1
    width = starts[place + 1] - starts[place]
    assert (width[degree > 32] <= np.maximum(0.1 * starts[place[degree > 32]], 3)).all()
    frame = pd.DataFrame({"node": degree, "out": degree, "into": degree[::-1], "mutual": 0})
    found = collect(counts.class_sums(memory(frame)))
    expected = (
        frame.assign(out_class=place, in_class=np.searchsorted(starts, frame["into"], side="right") - 1, nodes=1)
        .groupby(["out_class", "in_class"], as_index=False)[["nodes", "out", "into"]]
        .sum()
    )
    columns = ["out_class", "in_class", "nodes", "out", "into"]
    pd.testing.assert_frame_equal(
        found[columns].sort_values(columns[:2], ignore_index=True), expected[columns], check_dtype=False
    )


def test_sums_of_a_class_are_those_of_its_nodes():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.integers(0, 4, (300, 3)), columns=["out", "into", "mutual"]).assign(node=np.arange(300))
    found = collect(counts.class_sums(memory(frame))).set_index(["out_class", "in_class"])
    for (out, into), part in frame.groupby(["out", "into"]):
        row = found.loc[(out, into)]
        assert row["nodes"] == len(part)
        squares = {"out_square": ("out", "out"), "in_square": ("into", "into"), "mutual_square": ("mutual", "mutual")}
        for name, (one, two) in (squares | {"out_mutual": ("out", "mutual"), "in_mutual": ("into", "mutual")}).items():
            assert row[name] == (part[one] * part[two]).sum()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=40))
def test_leaning_is_beyond_two_standard_deviations_of_a_fair_coin(pairs):
    frame = pd.DataFrame(pairs, columns=["a", "b"])
    found = collect(counts.lean_counts(memory(frame), "a", "b")).set_index("trials")
    frame = frame[frame.sum(axis=1) > 0]
    total = frame.sum(axis=1)
    z = (frame["a"] - frame["b"]) / np.sqrt(total)
    assert found["n"].to_dict() == total.value_counts().to_dict()
    for trials, row in found.iterrows():
        at = total == trials
        assert (row["to_first"], row["to_second"]) == ((z[at] > 1.96).sum(), (z[at] < -1.96).sum())
        assert (row["total"], row["larger"]) == (total[at].sum(), frame[at].max(axis=1).sum())


def test_trials_beyond_the_most_are_one_group():
    frame = pd.DataFrame({"a": [900, 5_000, 600], "b": [101, 5_000, 400]})
    found = collect(counts.lean_counts(memory(frame), "a", "b")).set_index("trials")
    assert found.loc[1001, ["n", "to_first", "total"]].tolist() == [2, 1, 11_001]
    assert found.loc[1000, ["n", "to_first"]].tolist() == [1, 1]


def test_lists_come_in_their_order_with_ties_by_name():
    edges = [(1, 2)] * 4 + [(2, 1)] * 4 + [(3, 4)] * 5 + [(5, 6)] * 2 + [(8, 7)] * 5
    pairs = counts.pair_counts(table(edges).drop("weight"))
    seen = collect(counts.listed_pairs(pairs, by="seen", limit=3))
    lean = collect(counts.listed_pairs(pairs, by="lean", limit=3))
    assert seen[["low", "high"]].to_numpy().tolist() == [[1, 2], [3, 4], [7, 8]]
    assert lean[["low", "high"]].to_numpy().tolist() == [[3, 4], [7, 8], [5, 6]]
    assert lean["order"].tolist() == [5.0, 5.0, 2.0]


def test_listed_nodes_lean_by_their_one_way_edges_alone():
    star = [("hub", f"leaf {k}") for k in range(9)]
    both = [("even", f"leaf {k}") for k in range(5)] + [(f"leaf {k}", "even") for k in range(5)]
    degrees = counts.node_degrees(counts.pair_counts(table(star + both, name=str)))
    out = collect(counts.listed_nodes(degrees, outward=True, limit=5))
    into = collect(counts.listed_nodes(degrees, outward=False, limit=3))
    assert out["node"].tolist() == ["hub"] and out["order"].tolist() == [3.0]
    assert into["node"].tolist() == ["leaf 0", "leaf 1", "leaf 2"] and set(into["order"]) == {1.0}
