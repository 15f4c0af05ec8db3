"""Settings and small fixtures that every test may use."""

from __future__ import annotations

import os

# Before NumPy and torch are imported: tests run side by side, one thread each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from engine.claims import claim_row
from engine.result import DIFFERENCE_COLUMNS, DatasetInfo, RunResult, metric_row

# The same examples every time, and no clock: a busy machine is not a defect.
settings.register_profile("house", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("house")


ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def sources() -> Callable[..., dict[str, str]]:
    """Return dotted name to text of the Python files below some folders of the project."""

    def _sources(*folders: str) -> dict[str, str]:
        paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
        names = (".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)
        return {
            name.removesuffix(".__init__"): path.read_text(encoding="utf-8")
            for name, path in zip(names, paths, strict=True)
        }

    return _sources


@dataclass(frozen=True, kw_only=True)
class TinyConfig:
    """Stands in for the settings of a model."""

    seed: int = 7
    epochs: int = 2


@pytest.fixture
def tiny_result() -> RunResult:
    """Two methods, one claim, one embedding: the smallest complete result."""
    rows = [
        metric_row(
            method=method, split="test", segment="all", metric="mrr", value=value, ci_low=low, ci_high=high, n=12
        )
        for method, value, low, high in (("dual", 0.5, 0.4, 0.6), ("popularity", 0.2, 0.1, 0.3))
    ]
    claim = claim_row(
        "C1",
        effect="MRR",
        comparison="dual",
        baseline="popularity",
        segment="all test edges",
        value=0.3,
        ci_low=0.1,
        ci_high=0.5,
        n=120,
        n_unit="queries",
        margin=0.02,
    )
    difference = ("dual", "popularity", "test", "all", "mrr", 0.3, 0.1, 0.5, 12)
    return RunResult(
        kind="graph",
        config=TinyConfig(),
        dataset=DatasetInfo(name="tiny", origin="simulated", data_id="0123456789abcdef", rows={"edges": 12}),
        metrics=pd.DataFrame(rows),
        curves={
            "claims": pd.DataFrame([claim]),
            "differences": pd.DataFrame([difference], columns=list(DIFFERENCE_COLUMNS)),
        },
        predictions=pd.DataFrame({"source": ["a", "b"], "target": ["b", "c"], "score": [0.9, float("nan")]}),
        embeddings={"source": np.arange(6, dtype=np.float32).reshape(3, 2)},
        model={"weight": np.ones((2, 2)), "scale": np.float64(3.0)},
        history=pd.DataFrame({"stage": ["dual"], "epoch": [1], "loss": ["total"], "value": [0.5]}),
        seconds=1.25,
    )


LONGEST_FIRST = (
    "tests/browser",
    "tests/engine/test_shipped_runs.py",
    "tests/engine/test_spark.py",
    "tests/engine/test_cli_process.py",
)
"""Files go whole to one of the processes: a long one that starts last leaves the others with nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; the order within a file stays."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(ROOT).as_posix() if item.path.is_relative_to(ROOT) else ""
        return next((k for k, start in enumerate(LONGEST_FIRST) if path.startswith(start)), len(LONGEST_FIRST))

    items.sort(key=place)
