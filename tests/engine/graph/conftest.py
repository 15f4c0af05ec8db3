"""Small simulated graphs, split and fitted once for the whole session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.graph.config import GraphConfig
from engine.graph.data import Dataset, Prepared, TrainingGraph, load, prepare, training_graph
from engine.graph.simulate import SimulationConfig, simulate, simulate_nodes
from engine.graph.train import Fitted, fit
from engine.result import DatasetInfo

INFO = DatasetInfo(name="made", origin="simulated", data_id="0" * 8)

# The hand-drawn graph of these tests: 0 -> 1, 0 -> 2, 1 -> 2, 2 -> 3, 3 -> 2 (the one mutual pair), node 4 alone.
FIVE_NODES = np.array([[0, 0, 1, 2, 3], [1, 2, 2, 3, 2]])


def simulated(rows: int, **knobs: Any) -> Dataset:
    """Return a simulated graph as a data set."""
    config = SimulationConfig(**knobs)
    return load(simulate(rows, config), nodes=simulate_nodes(rows, config), info=INFO)


def edge_frame(edge_index: np.ndarray) -> pd.DataFrame:
    """Return an edge table with the positions as names."""
    return pd.DataFrame({"source": edge_index[0].astype(str), "target": edge_index[1].astype(str)})


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Dataset]:
    """Return the function that simulates a data set."""
    return simulated


@pytest.fixture(scope="session")
def five() -> TrainingGraph:
    """Return the hand-drawn graph; its validation edges are 0 -> 3 and 1 -> 4."""
    return training_graph(FIVE_NODES, np.array([[0, 1], [3, 4]]), 5)


@pytest.fixture(scope="session")
def quick() -> GraphConfig:
    """Return settings for a fit of a fraction of a second."""
    return GraphConfig(epochs=6, dimension=8, negatives=64, resamples=40, seed=3)


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """Return a graph of 1,200 edges."""
    return simulated(1200, groups=5, seed=1)


@pytest.fixture(scope="session")
def prepared(dataset: Dataset, quick: GraphConfig) -> Prepared:
    """Return the graph after its split."""
    return prepare(dataset, quick)


@pytest.fixture(scope="session")
def fitted(prepared: Prepared, quick: GraphConfig) -> Fitted:
    """Return every method, fitted in haste."""
    return fit(prepared, quick)
