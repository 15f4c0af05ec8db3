"""Looking around in a described graph: by what was seen, without scores."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from engine.errors import DataError
from engine.graph import export
from engine.graph.described import describe
from engine.graph.described_config import DescribeSettings
from engine.graph.described_scene import described_scene, is_described, seen_both_ways
from engine.graph.explore import default_node, links
from engine.graph.neighbourhood import neighbourhood
from engine.result import DatasetInfo
from engine.runs import Run, read_run, write_run

ROWS = [("a", "b")] * 5 + [("b", "a")] * 2 + [("a", "c")] * 3 + [("d", "a"), ("c", "d"), ("e", "d")]


@pytest.fixture
def run(tmp_path) -> Run:
    source, target = zip(*ROWS, strict=True)
    table = ibis.memtable(pa.table({"source": list(source), "target": list(target)}))
    info = DatasetInfo(name="made", origin="own", data_id="")
    return read_run(write_run(describe(table, {}, DescribeSettings(), info=info), tmp_path / "made", command=["x"]))


def test_links_come_by_what_was_seen_and_know_their_answer(run):
    scene = described_scene(run)
    found = links(scene, scene.position["a"])
    names = [
        (scene.names[other], role, kind)
        for other, role, kind in zip(found["other"], found["role"], found["kind"], strict=True)
    ]
    assert names == [
        ("b", "target", "observed"),
        ("c", "target", "observed"),
        ("b", "source", "observed"),
        ("d", "source", "observed"),
    ]
    assert found["is_two_way"].tolist() == [True, False, True, False]
    seen = seen_both_ways(found, scene.edges)
    assert seen["seen"].tolist() == [5, 3, 2, 1] and seen["back_seen"].tolist() == [2, 0, 5, 0]


def test_a_neighbourhood_is_placed_without_a_model(run):
    scene = described_scene(run)
    around = neighbourhood(scene, default_node(scene), k=10, hops=2)
    assert scene.names[default_node(scene)] == "a"
    assert around.drawn[0] == 3 and set(around.links["kind"]) == {"observed"}


def test_of_equals_the_better_linked_neighbour_comes_first(run):
    scene = described_scene(run)
    found = links(scene, scene.position["d"])
    sources = found[found["role"] == "source"]
    assert [scene.names[other] for other in sources["other"]] == ["c", "e"]


def test_only_a_described_run_is_told_as_such(run):
    assert is_described(run)
    assert not is_described(Run(run.folder, run.manifest | {"curves": ["nodes", "edges"]}))


def test_a_neighbourhood_leaves_for_other_tools_and_embeddings_are_refused(run):
    node = export.node_position(export.opened_scene(run), "a")
    graph = export.neighbourhood_graph(run, node)
    assert sorted(data["label"] for _, data in graph.nodes(data=True)) == ["a", "b", "c", "d"]
    label = dict(graph.nodes(data="label"))
    edges = {(label[one], label[two]): data for one, two, data in graph.edges(data=True)}
    assert edges["a", "b"] == {"seen": 5, "back_seen": 2, "is_mutual": True, "kind": "observed"}
    assert ("c", "d") in edges and export.graph_bytes(graph, "gexf").startswith(b"<")
    with pytest.raises(DataError, match="was not trained and has no embeddings"):
        export.embedding_table(run)
