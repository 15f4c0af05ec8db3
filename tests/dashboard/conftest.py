"""A stored run on made-up tables, small enough to read, and the runs folder that the dashboard looks into."""

import base64
import functools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

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
SHIPPED = Path(__file__).resolve().parents[2] / "sample_data" / "runs"
OLD_CURVES = ("claims", "differences", "arrival", "windows", "cohorts", "reliability", "weights", "snapshot")
"""Curves that runs on delayed labels have held from the first version on."""
CLAIM_OF = {"graph": "C1", "delay": "C3", "uncertainty": "C7"}

StoreRun = Callable[..., Path]


@pytest.fixture(autouse=True, scope="session")
def _packages_are_read_once() -> Iterator[None]:
    """Let every page of a test take the components of installed packages from the first: reading them takes longest."""
    with pytest.MonkeyPatch.context() as patch:
        search = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", search)
        yield


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


@pytest.fixture
def delay_run(runs: Path) -> Run:
    """Put the shipped run on delayed labels where the dashboard finds it: all tables of a real training."""
    shutil.copytree(SHIPPED / "journey-coupons", runs / "delay-one")
    return read_run(runs / "delay-one")


@pytest.fixture
def short_run(delay_run: Run) -> Run:
    """Leave only the tables that every run on delayed labels has, as an older version did."""
    folder = delay_run.folder
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["curves"] = [name for name in manifest["curves"] if name in OLD_CURVES]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    arrival, weights = delay_run.curve("arrival"), delay_run.curve("weights")
    newer = ("hazard", "flip_unit", "cure_")
    arrival[[name for name in arrival if not name.startswith(newer)]].to_parquet(folder / "curves/arrival.parquet")
    old = weights[weights["segment"] == "all"].drop(columns=["segment", "weight_sum", "weight_square_sum"])
    old.to_parquet(folder / "curves/weights.parquet")
    metrics = delay_run.metrics
    metrics = metrics[(metrics["split"] != "stream") & ~metrics["metric"].str.startswith("relative")]
    metrics.to_parquet(folder / "metrics.parquet")
    cache.forget_list()
    return read_run(folder)


def _delay_page() -> None:
    from dashboard.views import delay

    delay.render()


@pytest.fixture
def opened() -> Callable[..., AppTest]:
    """Return a function that opens the page on delayed labels; its words become those of the address."""

    def open_page(**query: str) -> AppTest:
        app = AppTest.from_function(_delay_page, default_timeout=60)
        for name, value in query.items():
            app.query_params[name.replace("_", "-")] = value
        return app.run()

    return open_page


@pytest.fixture
def figure() -> Callable[[AppTest, int], dict]:
    """Return a function that reads the drawn figure at a place of the page, its arrays as lists."""

    def decoded(part: Any) -> Any:
        if isinstance(part, dict) and {"dtype", "bdata"} <= set(part):
            array = np.frombuffer(base64.b64decode(part["bdata"]), dtype=part["dtype"])
            shape = [int(size) for size in str(part.get("shape", array.size)).split(",")]
            return array.reshape(shape).tolist()
        if isinstance(part, dict):
            return {name: decoded(value) for name, value in part.items()}
        return [decoded(value) for value in part] if isinstance(part, list) else part

    return lambda app, place: decoded(json.loads(app.get("plotly_chart")[place].proto.spec))
