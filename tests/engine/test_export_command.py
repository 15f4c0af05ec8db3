"""The command writes one file for another tool, or says what is wrong."""

from __future__ import annotations

import networkx
import pandas as pd
import pytest

from engine.cli import main
from engine.graph.config import GraphConfig
from engine.graph.data import load
from engine.graph.run import run
from engine.graph.simulate import SimulationConfig, simulate
from engine.result import DatasetInfo
from engine.runs import write_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run trained in haste."""
    info = DatasetInfo(name="made", origin="simulated", data_id="0" * 8)
    config = GraphConfig(epochs=2, dimension=4, negatives=16, resamples=20, methods=("dual", "popularity"))
    result = run(load(simulate(400, SimulationConfig(groups=3, seed=2)), info=info), config)
    return write_run(result, tmp_path_factory.mktemp("runs") / "graph-made", command=["python"])


def test_embeddings_are_written_as_parquet(folder, tmp_path, capsys):
    target = tmp_path / "new" / "all.parquet"
    assert main(["export", str(folder), "--out", str(target)]) == 0
    table = pd.read_parquet(target)
    assert {"x", "y", "text", "vector", "neighbors"} <= set(table.columns)
    assert f"{len(table):,} rows, one per node and role" in capsys.readouterr().out
    assert [path.name for path in target.parent.iterdir()] == ["all.parquet"]


@pytest.mark.parametrize(("ending", "read"), [(".graphml", networkx.read_graphml), (".gexf", networkx.read_gexf)])
def test_a_neighbourhood_is_written_as_a_graph(folder, tmp_path, capsys, ending, read):
    name = str(pd.read_parquet(folder / "curves" / "nodes.parquet")["name"][0])
    sizes = []
    for hops in (1, 2):
        target = tmp_path / f"around-{hops}{ending}"
        assert main(["export", str(folder), "--out", str(target), "--node", name, "--hops", str(hops)]) == 0
        graph = read(target)
        assert f"{graph.number_of_nodes():,} nodes, {graph.number_of_edges():,} edges" in capsys.readouterr().out
        sizes.append(graph.number_of_nodes())
    assert 1 < sizes[0] < sizes[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "x.csv"], "has the ending '.csv'; allowed are .parquet, .graphml, .gexf"),
        (["--out", "x.parquet", "--node", "a"], "'--node' and '--hops' belong to .graphml and .gexf"),
        (["--out", "x.gexf"], "'--node' is missing"),
        (["--out", "x.gexf", "--node", "nobody"], "There is no node 'nobody'"),
        (["--out", "x.gexf", "--node", "nobody", "--hops", "many"], "invalid int value"),
    ],
)
def test_a_wrong_word_is_refused_in_one_sentence(folder, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(folder), *words]) == 2
    assert said in capsys.readouterr().err and list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(folder, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["export", str(folder), "--out", str(tmp_path / "file" / "x.parquet")]) == 2
    assert "cannot be written" in capsys.readouterr().err
