"""The part of a described graph that is stored, against pandas and NetworkX on small random graphs."""

from __future__ import annotations

import ibis
import networkx
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph.described_counts import node_degrees, pair_counts
from engine.graph.described_kept import collect, kept
from engine.graph.described_stored import every_edge, stored_edges, stored_nodes

EDGES = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda ends: ends[0] != ends[1]), min_size=1, max_size=60
)


def weighed(edges: list[tuple[int, int]]) -> ibis.Table:
    """Return edges as a table with a weight that tells them apart."""
    source, target = zip(*edges, strict=True)
    return ibis.memtable(
        pa.table({"source": source, "target": target, "weight": [float(k % 5) for k in range(len(edges))]})
    )


@settings(max_examples=20, deadline=None)
@given(EDGES)
def test_every_edge_has_what_was_seen_and_weighed_this_way_and_back(edges):
    found = collect(every_edge(pair_counts(weighed(edges)))).sort_values(["source", "target"], ignore_index=True)
    frame = pd.DataFrame(edges, columns=["source", "target"]).assign(weight=[float(k % 5) for k in range(len(edges))])
    ours = frame.groupby(["source", "target"], as_index=False).agg(seen=("weight", "size"), weight=("weight", "sum"))
    turned = ours.rename(columns={"source": "target", "target": "source", "seen": "back", "weight": "back_weight"})
    expected = ours.merge(turned, on=["source", "target"], how="left").fillna(0)
    pd.testing.assert_frame_equal(found, expected[found.columns], check_dtype=False)


@settings(max_examples=20, deadline=None)
@given(EDGES, st.integers(2, 6), st.integers(1, 2))
def test_stored_edges_are_the_most_seen_of_their_nodes_and_keep_their_answers(edges, limit, links):
    pairs = pair_counts(weighed(edges))
    with kept(stored_nodes(node_degrees(pairs), limit=limit)) as nodes:
        inside = set(collect(nodes)["node"])
        found = collect(stored_edges(pairs, nodes, links=links))
    seen = pd.Series(edges).value_counts()
    degree = pd.Series(dict(networkx.DiGraph(edges).degree()))
    assert sorted(degree[list(inside)], reverse=True) == sorted(degree, reverse=True)[:limit]
    ends = [tuple(row) for row in found[["source", "target"]].to_numpy().tolist()]
    assert len(ends) == len(set(ends)) and {end for edge in ends for end in edge} <= inside
    assert found["seen"].tolist() == [seen[edge] for edge in ends]
    assert found["back"].tolist() == [seen.get(edge[::-1], 0) for edge in ends]
    for edge in {edge for edge in edges if set(edge) <= inside}:
        stronger = [other for other in set(edges) if other[0] == edge[0] and other[1] in inside]
        is_best = seen[edge] > sorted((seen[other] for other in stronger), reverse=True)[min(links, len(stronger)) - 1]
        assert edge in ends or not is_best
        assert (edge in ends) == (edge[::-1] in ends) or edge[::-1] not in seen
