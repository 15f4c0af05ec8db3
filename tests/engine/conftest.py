"""A command line to test without a model, and one Spark."""

import dataclasses
import os
import shutil
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


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """Start Spark as the product does, once: whoever asks for ``local[2]`` afterwards joins this session."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java, and there is none here")
    from engine.spark_session import session_of

    folder = tmp_path_factory.mktemp("spark")
    # As a user sets what his cluster needs. Less compiling and few partitions: the data are small.
    settings = {
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.shuffle.partitions": "2",
    }
    (folder / "spark-defaults.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(folder))
        session = session_of("local[2]")
    yield session
    session.stop()
