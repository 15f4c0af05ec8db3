"""Exposures small enough to follow by hand, and one small simulated run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.delay.config import DelayConfig
from engine.delay.data import Dataset, Prepared, load, prepare
from engine.delay.simulate import SimulationConfig, simulate
from engine.result import DatasetInfo, RunResult

if TYPE_CHECKING:
    from engine.delay.train import Fitted

QUICK = {"members": 1, "hidden": 8, "steps": 60, "batch_size": 128, "resamples": 60, "landmarks": 2}
QUICK |= {"asof_days": 4, "stream_step_days": 14.0}


def info(name: str = "test data") -> DatasetInfo:
    """Describe made-up data."""
    return DatasetInfo(name=name, origin="simulated", data_id="0" * 16)


@pytest.fixture(scope="session")
def dataset_of() -> Callable[[pd.DataFrame], Dataset]:
    """Return a function that loads a frame."""
    return lambda frame: load(frame, info=info())


@pytest.fixture
def eight() -> pd.DataFrame:
    """Eight exposures; with the snapshot on day 20, waiting 3 and window 10 days.

    row  exposed  engaged  converts   on day 20
    0    0        1        2          matured positive, converted within the wait
    1    1        -        8          matured positive, converted late (after 7 days)
    2    2        -        -          matured negative
    3    12       13       14         immature, seen within the wait
    4    12       -        18         immature, seen late (after 6 days)
    5    13       15       22         immature, still negative, will flip (after 9 days)
    6    14       -        -          immature, still negative, stays
    7    19       -        24         younger than the wait, will flip
    """
    nan = np.nan
    return pd.DataFrame(
        {
            "exposure_time": [0.0, 1.0, 2.0, 12.0, 12.0, 13.0, 14.0, 19.0],
            "engagement_time": [1.0, nan, nan, 13.0, nan, 15.0, nan, nan],
            "conversion_time": [2.0, 8.0, nan, 14.0, 18.0, 22.0, nan, 24.0],
            "window_days": 10.0,
        }
    )


@pytest.fixture(scope="session")
def simulated() -> pd.DataFrame:
    """4,000 simulated exposures over 120 days with a window of 30."""
    return simulate(4000, SimulationConfig(seed=3))


@pytest.fixture(scope="session")
def quick_config() -> Callable[..., DelayConfig]:
    """Return a function that makes settings for a fast run."""
    return lambda **changes: DelayConfig(**(QUICK | changes))


@pytest.fixture(scope="session")
def quick_run(simulated: pd.DataFrame) -> RunResult:
    """One fast run on the simulated exposures."""
    from engine.delay.run import run

    return run(load(simulated, info=info()), DelayConfig(**QUICK, training_days=40.0))


@pytest.fixture(scope="session")
def quick_fit(simulated: pd.DataFrame) -> tuple[Prepared, DelayConfig, Fitted]:
    """Snapshot, settings and networks of the fast run, for tables that need more than its result."""
    from engine.delay.train import fit

    config = DelayConfig(**QUICK, training_days=40.0)
    prepared = prepare(load(simulated, info=info()), config)
    return prepared, config, fit(prepared, config)
