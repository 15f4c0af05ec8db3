"""A small simulated graph, split once, and fits in haste."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from engine.benchmark import fitting, magnet
from engine.benchmark.scale_subject import tell
from engine.graph.config import GraphConfig
from engine.graph.data import Prepared, TrainingGraph, load, prepare, training_graph
from engine.graph.simulate import SimulationConfig, simulate, simulate_nodes
from engine.result import DatasetInfo

# The hand-drawn graph of these tests: 0 -> 1, 0 -> 2, 1 -> 2, 2 -> 3, 3 -> 2 (the one mutual pair), node 4 alone.
FIVE_NODES = np.array([[0, 0, 1, 2, 3], [1, 2, 2, 3, 2]])


def simulated(rows: int, **knobs: Any) -> Prepared:
    """Return a simulated graph after its split."""
    config = SimulationConfig(**knobs)
    info = DatasetInfo(name="made", origin="simulated", data_id="0" * 8)
    dataset = load(simulate(rows, config), nodes=simulate_nodes(rows, config), info=info)
    return prepare(dataset, GraphConfig(seed=3))


@pytest.fixture(autouse=True)
def plain_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let measuring processes start from a main module that is nobody's file: page tests leave theirs behind."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


@pytest.fixture(scope="session")
def five() -> TrainingGraph:
    """Return the hand-drawn graph; its validation edges are 0 -> 3 and 1 -> 4."""
    return training_graph(FIVE_NODES, np.array([[0, 1], [3, 4]]), 5)


@pytest.fixture(scope="session")
def prepared() -> Prepared:
    """Return a graph of 500 edges after its split."""
    return simulated(500, groups=5, seed=1)


@pytest.fixture(scope="session")
def scale_data(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write the simulated data of a benchmark of scale: module, rows, and rows of a block."""

    def written(module: ModuleType, rows: int, block: int | None = None) -> Path:
        folder = tmp_path_factory.mktemp(module.SUBJECT.data)
        tell(folder, rows=rows, seed=0)
        with pytest.MonkeyPatch.context() as patch:
            if block is not None:
                patch.setattr(module, "BLOCK", block)
            module.SUBJECT.simulation.work(folder)
        return folder

    return written


@pytest.fixture
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every trained peer twenty epochs."""
    monkeypatch.setattr(fitting, "EPOCHS", 20)
    monkeypatch.setattr(magnet, "EPOCHS", 20)
