"""The command `describe graph`: one answer whatever the form of the data, and a run that opens."""

from __future__ import annotations

import json
import sys

import duckdb
import numpy as np
import pandas as pd
import pytest

from engine.cli import main
from engine.graph.simulate import simulate
from engine.runs import read_run


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    edges = simulate(1500)[["source", "target"]]
    return pd.concat([edges, edges.head(40)], ignore_index=True)


def said(capsys, *words):
    assert main(["describe", "graph", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words):
    assert main(["describe", "graph", *words]) == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.startswith("Error: ") and output.err.count("\n") == 1
    return output.err


def test_every_form_of_the_data_gives_the_same_answer(frame, tmp_path, capsys):
    frame.to_csv(tmp_path / "e.csv", index=False)
    (tmp_path / "parts").mkdir()
    frame.to_parquet(tmp_path / "e.parquet", index=False)
    frame.head(700).to_parquet(tmp_path / "parts" / "a-1.parquet", index=False)
    frame.tail(len(frame) - 700).to_parquet(tmp_path / "parts" / "a-2.parquet", index=False)
    with duckdb.connect(str(tmp_path / "e.duckdb")) as connection:
        connection.execute(f"CREATE TABLE edges AS SELECT * FROM '{tmp_path / 'e.parquet'}'")
    answers = [
        said(capsys, "--data", str(tmp_path / form))
        for form in ("e.parquet", "e.csv", "e.duckdb", "parts", "parts/a-*.parquet")
    ]
    for answer in answers:
        assert answer.pop("source")
    assert answers[0]["facts"]["repeated"] == 40 == answers[0]["rows"]["repeated rows merged"]
    assert all(answer == answers[0] for answer in answers[1:])


def test_the_run_opens_and_the_answer_is_printed(frame, tmp_path, capsys):
    own = frame.rename(columns={"source": "von", "target": "nach"})
    own.to_parquet(tmp_path / "e.parquet", index=False)
    words = ["--data", str(tmp_path / "e.parquet"), "--column", "source=von", "target=nach"]
    assert main(["describe", "graph", *words, "--out", str(tmp_path / "own-graph")]) == 0
    printed = capsys.readouterr().out
    assert "of 1,500 edges point one way; with the same numbers" in printed and "is a run" in printed
    run = read_run(tmp_path / "own-graph")
    assert run.kind == "graph" and run.manifest["embeddings"] == [] and run.curve("claims").empty
    assert run.manifest["dataset"]["rows"]["edges"] == 1500
    assert main(["show", str(tmp_path / "own-graph")]) == 0
    assert "all · all · one_way_share" in capsys.readouterr().out


def test_bundled_data_bring_their_nodes(tmp_path, capsys):
    assert main(["describe", "graph", "--data", "airline-routes", "--out", str(tmp_path / "air")]) == 0
    run = read_run(tmp_path / "air")
    assert run.manifest["dataset"]["origin"] == "real"
    assert (run.curve("nodes")["label"] != run.curve("nodes")["name"]).any()
    assert run.curve("described")["one_way"].iloc[0] == 12
    capsys.readouterr()
    assert "is bundled" in refused(capsys, "--data", "airline-routes", "--nodes", "n.csv")


def test_an_own_node_table_gives_labels(frame, tmp_path):
    frame.to_csv(tmp_path / "e.csv", index=False)
    names = pd.unique(frame[["source", "target"]].to_numpy().ravel())
    pd.DataFrame({"node": names, "label": [f"Label {name}" for name in names]}).to_csv(tmp_path / "n.csv", index=False)
    words = ["--data", str(tmp_path / "e.csv"), "--nodes", str(tmp_path / "n.csv"), "--out", str(tmp_path / "own")]
    assert main(["describe", "graph", *words]) == 0
    nodes = read_run(tmp_path / "own").curve("nodes")
    assert (nodes["label"] == "Label " + nodes["name"].astype(str)).all()


def test_events_become_edges_with_what_replicates(tmp_path, capsys):
    rng = np.random.default_rng(0)
    day, user = rng.integers(0, 80, 3000), rng.integers(0, 200, 3000)
    item = np.arange(3000) % 6
    events = pd.DataFrame({"who": np.r_[user, user], "what": np.r_[item, (item + 1) % 6], "time": np.r_[day, day + 3]})
    events.to_csv(tmp_path / "v.csv", index=False)
    words = ("--data", str(tmp_path / "v.csv"), "--column", "user=who", "item=what", "--set", "window_days=10")
    answer = said(capsys, *words, "minimum_score=0.1")
    assert answer["facts"]["form"] == "events" and answer["rows"]["users"] == 200
    assert {row["quantity"] for row in answer["replication"]} >= {"direction_replicates", "time_order"}
    assert "in both halves of the users" in answer["sentences"][0]


def test_bad_input_is_one_sentence(frame, tmp_path, capsys):
    frame.assign(weight=-1).to_csv(tmp_path / "e.csv", index=False)
    assert "Column 'weight' of e.csv has '-1' in data row 1" in refused(capsys, "--data", str(tmp_path / "e.csv"))
    assert "neither a file" in refused(capsys, "--data", str(tmp_path / "none.csv"))
    assert "is delay data" in refused(capsys, "--data", "journey-coupons")
    assert "'stored_nodes' is 1" in refused(capsys, "--data", "airline-routes", "--set", "stored_nodes=1")
    assert "no role of graph data" in refused(capsys, "--data", str(tmp_path / "e.csv"), "--column", "label=source")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    assert "broken.parquet" in refused(capsys, "--data", str(tmp_path / "broken.parquet"))


def test_nothing_that_trains_is_loaded(tmp_path, frame, capsys):
    before = set(sys.modules)
    frame.to_csv(tmp_path / "e.csv", index=False)
    said(capsys, "--data", str(tmp_path / "e.csv"))
    assert "torch" not in set(sys.modules) - before
