"""What leaves for other tools can be read back, and says what the run says."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import networkx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError, DataError
from engine.graph import export
from engine.graph.config import GraphConfig
from engine.graph.data import load
from engine.graph.run import run
from engine.graph.simulate import SimulationConfig, simulate, simulate_nodes
from engine.graph.whatif import parameters
from engine.result import DatasetInfo
from engine.runs import Run, read_run, write_run

HOSTILE = "\x00<b>&]]>\x0b \ufffe \U0001f600 é ‮"


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> Run:
    """A small run, one of whose nodes has a hostile name, with evidence on its edges."""
    config = SimulationConfig(groups=4, seed=1)
    nodes, edges = simulate_nodes(700, config), simulate(700, config)
    nodes.loc[3, "label"] = HOSTILE
    edges = edges.assign(kind=HOSTILE, type="x", weight=1.5, first_seen=pd.Timestamp("2020-01-31"))
    info = DatasetInfo(name="made", origin="simulated", data_id="0" * 8)
    settings = GraphConfig(epochs=4, dimension=8, negatives=32, resamples=20, methods=("dual", "popularity"))
    folder = tmp_path_factory.mktemp("export") / "graph-made"
    return read_run(write_run(run(load(edges, nodes=nodes, info=info), settings), folder, command=["python"]))


@pytest.fixture(scope="module")
def table(stored) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(export.parquet_bytes(export.embedding_table(stored, neighbours=5))))


def test_every_node_has_a_row_per_role_with_its_vector_and_place(table, stored):
    places = stored.curve("projection")
    count = len(places)
    assert table["id"].tolist() == list(range(2 * count))
    assert table["role"].tolist() == ["source"] * count + ["target"] * count
    for role, rows in (("source", table[:count]), ("target", table[count:])):
        assert np.stack(rows["vector"]) == pytest.approx(stored.embedding(role).astype(np.float32))
        assert rows["x"].tolist() == places[f"{role}_x"].tolist() and rows["y"].tolist() == places[f"{role}_y"].tolist()
        assert rows["target_y"].tolist() == places["target_y"].tolist()
    assert table["label"][3] == HOSTILE and table["text"][3] == f"{HOSTILE} (as a source)"


@pytest.mark.parametrize("row", [0, 17, -1, -40])
def test_neighbours_are_the_nearest_of_the_other_role(table, row):
    mine = table.iloc[row]
    others = table[table["role"] != mine["role"]]
    vectors = np.stack(others["vector"])
    cosine = vectors @ mine["vector"] / np.linalg.norm(vectors, axis=1) / np.linalg.norm(mine["vector"])
    expected = others["id"].to_numpy()[np.argsort(-np.where(others["node"] == mine["node"], -np.inf, cosine))[:5]]
    found = mine["neighbors"]
    assert list(found["ids"]) == expected.tolist()
    nearest = np.sort(cosine[others["node"] != mine["node"]])[::-1][:5]
    assert np.asarray(found["distances"]) == pytest.approx(1 - nearest, abs=1e-5)


def test_the_score_of_a_neighbour_is_that_of_the_pair_as_it_points(table, stored):
    source, target = (stored.embedding(name).astype(np.float64) for name in ("source", "target"))
    offsets = stored.embedding("target_offset"), stored.embedding("source_offset")
    edges = stored.curve("edges").query("split == 'train'")
    training = set(zip(edges["source"], edges["target"], strict=True))
    level, slope = (float(parameters(stored)[f"dual.{name}"]) for name in ("reciprocity", "reciprocity_slope"))
    assert level and slope
    for row in (2, -3):
        mine = table.iloc[row]
        for place, other in enumerate(table["node"][mine["neighbors"]["ids"]]):
            u, v = (mine["node"], other) if mine["role"] == "source" else (other, mine["node"])
            gain = level + slope * np.log1p(sum(tail == u for _, tail in training))
            score = source[u] @ target[v] + offsets[0][v] + offsets[1][u] + gain * ((v, u) in training)
            assert mine["neighbor_scores"][place] == pytest.approx(score, abs=1e-4)


def test_more_neighbours_than_nodes_are_cut(stored):
    table = export.embedding_table(stored, neighbours=10**6)
    assert {len(found["ids"]) for found in table["neighbors"]} == {len(table) // 2 - 1}


def reached_by_hand(edges: pd.DataFrame, node: int, hops: int) -> dict[int, int]:
    graph = networkx.Graph(edges[["source", "target"]].to_numpy().tolist())
    return networkx.single_source_shortest_path_length(graph, node, cutoff=hops)


@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("kind", ["graphml", "gexf"])
def test_a_neighbourhood_can_be_read_back_with_scores_both_ways(stored, kind, hops):
    edges, node = stored.curve("edges"), 3
    content = export.graph_bytes(export.neighbourhood_graph(stored, node, hops=hops), kind)
    read = (networkx.read_graphml if kind == "graphml" else networkx.read_gexf)(io.BytesIO(content))
    steps = reached_by_hand(edges, node, hops)
    found = {int(name): data["hops"] for name, data in read.nodes(data=True)}
    predicted = [(u, v) for u, v, data in read.edges(data=True) if data["kind"] == "predicted"]
    assert predicted and all(str(node) in pair for pair in predicted)
    beside = {int(name) for pair in predicted for name in pair} - {node}
    assert found == steps | dict.fromkeys(beside, 1)
    inside = edges[edges["source"].isin(list(found)) & edges["target"].isin(list(found))]
    assert read.number_of_edges() == len(inside) + len(predicted)
    row = inside.iloc[0]
    data = read.edges[str(row["source"]), str(row["target"])]
    assert (data["score"], data["back_rank"]) == pytest.approx((row["score"], row["back_rank"]))
    assert data["split"] == row["split"] and bool(data["is_mutual"]) == row["is_mutual"]
    assert data["kind"] == ("held_out" if row["split"] == "test" else "observed")
    assert data["first_seen"].startswith("2020-01-31") and data["input_type"] == "x"


@pytest.mark.parametrize("kind", ["graphml", "gexf"])
def test_hostile_labels_stay_text(stored, kind):
    content = export.graph_bytes(export.neighbourhood_graph(stored, 3), kind)
    ElementTree.fromstring(content)
    text = content.decode()
    assert "\x00" not in text and "\x0b" not in text and "<b>" not in text and "\U0001f600" in text
    read = (networkx.read_graphml if kind == "graphml" else networkx.read_gexf)(io.BytesIO(content))
    assert read.nodes["3"]["label"] == "\ufffd<b>&]]>\ufffd \ufffd \U0001f600 é ‮"


@given(st.text())
def test_cleaned_text_is_always_xml(text):
    element = ElementTree.Element("a")
    element.text = export.xml_text(text)
    back = ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8")).text or ""
    assert back.replace("\n", "\r") == element.text.replace("\r\n", "\r").replace("\n", "\r")


def test_a_neighbourhood_too_large_for_any_viewer_is_refused(stored, monkeypatch):
    monkeypatch.setattr(export, "MOST_NODES", 3)
    with pytest.raises(ConfigError, match=r"nodes lie within 2 hops of .* at most 3 are exported"):
        export.neighbourhood_graph(stored, 0, hops=2)


def test_hops_have_a_range(stored):
    with pytest.raises(ConfigError, match="'hops' is 4; allowed are 1, 2, 3"):
        export.neighbourhood_graph(stored, 0, hops=4)


def test_nodes_are_found_by_name_and_by_label(stored):
    scene = export.opened_scene(stored)
    assert export.node_position(scene, str(scene.nodes["name"][5])) == 5
    assert export.node_position(scene, scene.names[7]) == 7
    with pytest.raises(ConfigError, match="There is no node 'nobody'"):
        export.node_position(scene, "nobody")


def test_runs_of_other_kinds_have_nothing_to_export(stored):
    with pytest.raises(DataError, match="of the kind 'delay'"):
        export.embedding_table(Run(stored.folder, stored.manifest | {"kind": "delay"}))
