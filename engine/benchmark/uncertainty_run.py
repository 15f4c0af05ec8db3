"""The uncertainty benchmark: every part and seed, from what is stored where it can be."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from engine.benchmark import uncertainty_guarantee, uncertainty_real, uncertainty_simulated, uncertainty_speed
from engine.benchmark.store import code_hash
from engine.benchmark.uncertainty_judge import PART_COLUMNS

PARTS = ("simulated", "real", "guarantee", "speed")
_CODE = {
    "simulated": (uncertainty_simulated.__name__, "engine.uncertainty.methods", "engine.uncertainty.simulate"),
    "real": (uncertainty_real.__name__, "engine.uncertainty.methods", "engine.uncertainty.train"),
    "guarantee": (uncertainty_guarantee.__name__, "engine.uncertainty.guaranteed", "engine.uncertainty.simulate"),
    "speed": (uncertainty_speed.__name__, "engine.uncertainty.methods", "engine.metrics.smooth_calibration"),
}
"""Part to the modules whose code decides whether a stored result still holds."""

OnStep = Callable[[str, int], None]
"""Receives what is measured and its seed, before it is measured or read."""


@dataclass(frozen=True, slots=True)
class Step:
    """One result that is stored on its own."""

    part: str
    name: str
    seed: int
    measure: Callable[[str, int], pd.DataFrame]


def steps(parts: Sequence[str], *, seeds: int, trainings: int) -> Iterator[Step]:
    """List what is to be measured.

    Parameters
    ----------
    parts : sequence of str
        Of `PARTS`.
    seeds : int
        Draws of a simulated setting, at most (some settings have fewer).
    trainings : int
        Seeds of the training on real data.

    Yields
    ------
    Step
    """
    if "simulated" in parts:
        for name, setting in uncertainty_simulated.SETTINGS.items():
            for seed in range(min(seeds, setting.most_seeds or seeds)):
                yield Step("simulated", name, seed, uncertainty_simulated.measure)
    if "real" in parts:
        for seed in range(trainings):
            yield Step("real", uncertainty_real.DATA, seed, uncertainty_real.measure)
    if "guarantee" in parts:
        yield Step("guarantee", uncertainty_guarantee.SETTING, 0, uncertainty_guarantee.measure)
    if "speed" in parts:
        yield Step("speed", uncertainty_speed.SETTING, 0, uncertainty_speed.measure)


def benchmark(
    parts: Sequence[str], *, seeds: int, trainings: int, peers: Sequence[str], folder: Path, on_step: OnStep
) -> list[pd.DataFrame]:
    """Measure all parts.

    Parameters
    ----------
    parts, seeds, trainings
        As of `steps`.
    peers : sequence of str
        Requirements that are not installed; a result is stored with what took part in it.
    folder : Path
        Holds one file per step; what is there for the same code and peers is not done again.
    on_step : callable

    Returns
    -------
    list of DataFrame
        One per step, columns `engine.benchmark.uncertainty_judge.PART_COLUMNS` and ``seed``.
    """
    found = []
    for step in steps(parts, seeds=seeds, trainings=trainings):
        on_step(step.name, step.seed)
        path = folder / _file_name(step, peers)
        if path.exists():
            table = pd.read_parquet(path)
        else:
            table = step.measure(step.name, step.seed)
            _write(path, table)
        found.append(table[list(PART_COLUMNS)].assign(seed=step.seed))
    return found


def _file_name(step: Step, peers: Sequence[str]) -> str:
    """Name the file of a step by all that it depends on."""
    text = json.dumps([[code_hash(module) for module in _CODE[step.part]], sorted(peers)])
    safe = "".join(sign if sign.isalnum() else "-" for sign in step.name)
    return f"{step.part}-{safe}-{step.seed}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.parquet"


def _write(path: Path, table: pd.DataFrame) -> None:
    """Keep a result; a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    table.to_parquet(partial, index=False)
    os.replace(partial, path)
