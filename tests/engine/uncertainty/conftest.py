"""Small scored and labelled rows whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.result import DatasetInfo
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import load
from engine.uncertainty.rows import Rows
from engine.uncertainty.run import run
from engine.uncertainty.simulate import SimulationConfig, simulate

INFO = DatasetInfo(name="made up", origin="simulated", data_id="0" * 8)


@pytest.fixture(scope="session")
def as_dataset():
    """Return a function that loads a frame as a data set."""
    return lambda frame: load(frame, info=INFO)


@pytest.fixture(scope="session")
def make_rows():
    """Return a function that makes n scored rows; positives follow the score, two rows per unit."""

    def make(n=400, seed=0, weighted=False):
        rng = np.random.default_rng(seed)
        score = np.round(rng.beta(1, 3, n), 2)
        return Rows(
            score=score,
            uncertainty=rng.gamma(2, 0.1, n),
            label=(rng.random(n) < score).astype(np.int64),
            weight=rng.integers(1, 4, n) if weighted else np.ones(n, dtype=np.int64),
            unit=np.arange(n) // 2,
        )

    return make


@pytest.fixture(scope="session")
def purchases():
    """Draw 1,500 labelled rows with features, a history and a week: what a classifier trains on."""
    rng = np.random.default_rng(5)
    n = 1500
    habit = rng.beta(1, 3, n)
    seen = rng.integers(0, 5, n)
    return pd.DataFrame(
        {
            "unit": rng.integers(0, 300, n),
            "week": rng.integers(1, 31, n),
            "habit": habit + rng.normal(0, 0.05, n),
            "shelf": rng.choice(["milk", "bread", "tea"], n),
            "k_4": rng.binomial(seen, habit),
            "n_4": seen,
            "label": (rng.random(n) < habit).astype(int),
        }
    )


@pytest.fixture(scope="session")
def scored_run(as_dataset):
    """Run on scores with a flat prior where a matched one is right."""
    frame = simulate(6000, SimulationConfig(prior=(1.0, 3.0), seed=3))
    return run(as_dataset(frame), UncertaintyConfig(resamples=40, seed=1))


@pytest.fixture(scope="session")
def trained_run(as_dataset, purchases):
    """Run with a trained ensemble and rates beside it."""
    return run(as_dataset(purchases), UncertaintyConfig(resamples=20, members=2, hidden=8, epochs=2, seed=1))
