"""A command line to test without a model."""

import dataclasses
import sys
import types

import pandas as pd
import pytest

from engine import cli
from engine.result import EpochRecord


@pytest.fixture
def edges(tmp_path):
    """A file of 132 edges between 12 nodes, with names of its own for the two roles."""
    names = [f"n{i}" for i in range(12)]
    frame = pd.DataFrame([(u, v) for u in names for v in names if u != v], columns=["from", "to"])
    frame.to_csv(tmp_path / "edges.csv", index=False)
    return tmp_path / "edges.csv"


@pytest.fixture
def model(monkeypatch, tiny_result):
    """Stand in for the training of a graph: keeps what it was given, returns the tiny result or raises."""

    def run(dataset, config, *, on_epoch=None):
        stub.dataset, stub.config = dataset, config
        if stub.error is not None:
            raise stub.error
        on_epoch(EpochRecord(stage="dual", epoch=1, epochs=1, losses={"total": 0.5}))
        return dataclasses.replace(tiny_result, config=config, dataset=dataset.info)

    stub = types.ModuleType("engine.graph.run")
    stub.run, stub.error, stub.dataset, stub.config = run, None, None, None
    monkeypatch.setitem(sys.modules, "engine.graph.run", stub)
    return stub


@pytest.fixture
def train(edges, tmp_path, model):
    """Train on the file with further words; return the exit code."""

    def _train(*words, out="new-run"):
        columns = ("--column", "source=from", "target=to")
        return cli.main(["train", "graph", "--data", str(edges), *columns, "--out", str(tmp_path / out), *words])

    return _train
