"""A stored run on made-up tables, small enough to read, and the runs folder that the dashboard looks into."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from dashboard import cache
from engine.claims import claim_row
from engine.delay.config import DelayConfig
from engine.graph.config import GraphConfig
from engine.graph.data import load
from engine.graph.explore import Scene
from engine.graph.run import run
from engine.graph.simulate import SimulationConfig, simulate, simulate_nodes
from engine.result import DatasetInfo, Kind, RunResult, metric_row
from engine.runs import Run, read_run, write_run
from engine.uncertainty.config import UncertaintyConfig

CONFIGS = {"graph": GraphConfig, "delay": DelayConfig, "uncertainty": UncertaintyConfig}
NAMES = {"graph": "debian-programs", "delay": "journey-coupons", "uncertainty": "journey-purchases"}
CLAIM_OF = {"graph": "C1", "delay": "C3", "uncertainty": "C7"}

StoreRun = Callable[..., Path]


def made_up_result(kind: Kind, *, name: str, seed: int, value: float) -> RunResult:
    """Return a result with one metric, one claim of 0.05 worth having and interval value ± 0.1."""
    metric = metric_row(
        method="dual", split="test", segment="all", metric="mrr", value=0.25, ci_low=0.2, ci_high=0.3, n=40
    )
    claim = claim_row(
        CLAIM_OF[kind],
        effect="MRR on one-way edges",
        comparison="dual",
        baseline="single",
        segment="test edges",
        value=value,
        ci_low=value - 0.1,
        ci_high=value + 0.1,
        n=40,
        n_unit="queries",
        margin=0.05,
    )
    return RunResult(
        kind=kind,
        config=CONFIGS[kind](seed=seed),
        dataset=DatasetInfo(name=name, origin="simulated", data_id="0" * 8, description="Made up.", rows={"edges": 12}),
        metrics=pd.DataFrame([metric]),
        curves={"claims": pd.DataFrame([claim]), "differences": pd.DataFrame({"method": ["dual"]})},
        predictions=pd.DataFrame({"node": [1]}),
        history=pd.DataFrame({"stage": ["dual"], "epoch": [1], "loss": ["loss"], "value": [0.5]}),
        seconds=1.5,
    )


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make an empty folder the only place where the dashboard finds runs and jobs."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setattr(cache, "run_folders", lambda: (tmp_path / "shipped", folder))
    monkeypatch.setattr("dashboard.jobs.run_folders", lambda: (tmp_path / "shipped", folder))
    cache.forget_list()
    yield folder
    cache.forget_list()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def store_run(runs: Path) -> StoreRun:
    """Return a function that stores a made-up run under a given id."""

    def store(run_id: str, kind: Kind = "graph", *, name: str = "", seed: int = 0, value: float = 0.3) -> Path:
        result = made_up_result(kind, name=name or NAMES[kind], seed=seed, value=value)
        return write_run(result, runs / run_id, command=["python", "-m", "engine", "train", kind])

    return store


@pytest.fixture(scope="session")
def trained_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train every method in haste on a small simulated graph, one of whose nodes has a hostile name."""
    config = SimulationConfig(groups=4, seed=1)
    nodes = simulate_nodes(700, config)
    nodes.loc[3, "label"] = "![x](http://evil.example/x.png) <b>**bold**"
    info = DatasetInfo(name="made", origin="simulated", data_id="0" * 8, description="Made up.")
    settings = GraphConfig(epochs=4, dimension=8, negatives=32, resamples=30)
    result = run(load(simulate(700, config), nodes=nodes, info=info), settings)
    return write_run(result, tmp_path_factory.mktemp("trained") / "graph-made", command=["python", "-m", "engine"])


@pytest.fixture
def stored(trained_graph: Path, runs: Path) -> Run:
    """Put the trained run where the dashboard finds it."""
    shutil.copytree(trained_graph, runs / "graph-made")
    return read_run(runs / "graph-made")


@pytest.fixture
def shown(stored: Run) -> Scene:
    """Return the tables behind the page."""
    return Scene(stored.curve("nodes"), stored.curve("edges"), stored.predictions, "dual")
