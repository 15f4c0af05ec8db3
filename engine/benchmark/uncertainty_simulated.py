"""The simulated part of the uncertainty benchmark: scores of an oracle network, and the best possible score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.benchmark.uncertainty_judge import judge, judge_order, table
from engine.benchmark.uncertainty_methods import CEILING, bucket_ways, chosen_way, plain_ways
from engine.benchmark.uncertainty_peers import peer_ways
from engine.uncertainty.rows import Rows
from engine.uncertainty.simulate import SimulationConfig, simulate

BUCKETS = (1, 3, 10)
SIZES = (20_000, 100_000)
"""Numbers of tuning rows; the smaller are the first of the larger."""
TEST_ROWS = 200_000
CONFIDENCE = 0.9
FLAT = (1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One way to draw rows."""

    prior: tuple[float, float]
    """Beta distribution of the true rate."""
    tau: float
    """One in tau negatives was kept when the evidence was gathered."""
    targets: tuple[float, ...]
    """Precisions."""
    model_prior: tuple[float, float] = FLAT
    has_mismatch: bool = False
    """Whether the goals of prior mismatch are judged here."""
    most_seeds: int | None = None
    """More seeds than that are not drawn; none: no limit."""


SETTINGS = {
    "base rate .25, tau 1": Setting(prior=(0.75, 2.25), tau=1, targets=(0.7, 0.8), has_mismatch=True),
    "base rate .10, tau 1": Setting(prior=(0.3, 2.7), tau=1, targets=(0.7,), has_mismatch=True),
    "base rate .25, tau 3": Setting(prior=(0.75, 2.25), tau=3, targets=(0.7,), most_seeds=5),
    "base rate .25, tau 10": Setting(prior=(0.75, 2.25), tau=10, targets=(0.7,), most_seeds=5),
    "matched prior, base rate .25, tau 1": Setting(
        prior=(0.75, 2.25), tau=1, targets=(0.7,), model_prior=(0.75, 2.25), most_seeds=5
    ),
}


def draw(setting: Setting, seed: int, rows: int) -> pd.DataFrame:
    """Draw rows of a setting."""
    config = SimulationConfig(seed=seed, prior=setting.prior, model_prior=setting.model_prior, tau=setting.tau)
    return simulate(rows, config)


def rows_of(frame: pd.DataFrame, *, is_one_unit: bool = False) -> Rows:
    """Read simulated rows, each a unit of its own or all of them one; a column ``weight`` counts equal rows."""
    size = len(frame)
    weight = frame["weight"].to_numpy(np.int64) if "weight" in frame else np.ones(size, dtype=np.int64)
    return Rows(
        score=frame["score"].to_numpy(np.float64),
        uncertainty=frame["uncertainty"].to_numpy(np.float64),
        label=frame["label"].to_numpy(np.int64),
        weight=weight,
        unit=np.zeros(size, dtype=np.int64) if is_one_unit else np.arange(size),
    )


def lines_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Count simulated rows that no way can tell apart: one line per evidence and label, with its ``weight``."""
    columns = ["score", "uncertainty", "true_best_score", "label"]
    return frame.groupby(["k_all", "n_all", "label"], as_index=False).agg(
        **{name: (name, "first") for name in columns[:3]}, weight=("score", "size")
    )


def measure(name: str, seed: int) -> pd.DataFrame:
    """Tune and judge every way on one draw of a setting.

    Parameters
    ----------
    name : str
        Key of `SETTINGS`.
    seed : int

    Returns
    -------
    DataFrame
        Columns `engine.benchmark.uncertainty_judge.PART_COLUMNS`, one value per row: a new draw of all rows is what
        intervals resample.
    """
    setting = SETTINGS[name]
    frame = draw(setting, seed, max(SIZES) + TEST_ROWS)
    held_out = frame.iloc[max(SIZES) :]
    lines = lines_of(held_out)
    best = lines["true_best_score"].to_numpy(np.float64)
    test, every_row = rows_of(lines, is_one_unit=True), rows_of(held_out, is_one_unit=True)
    taken = np.ones((1, 1))
    parts = []
    for size in SIZES:
        tune = rows_of(frame.iloc[:size])
        ways = plain_ways(tune, setting.targets)
        for k in BUCKETS:
            ways += bucket_ways(tune, k, setting.targets, seed=seed, confidence=CONFIDENCE)
        ways.append(chosen_way(tune, setting.targets, seed=seed))
        ways += peer_ways(tune, setting.targets, buckets=BUCKETS, confidence=CONFIDENCE)
        # A shuffle moves lines, so only single rows keep how often each uncertainty occurs.
        found = [row for way in ways for row in judge(way, tune, every_row if way.method == "placebo" else test, taken)]
        found += judge_order(CEILING, lambda rows: best, test, setting.targets, taken)
        parts.append(table(found, data=name, scorer="simulated", size=size))
    return pd.concat(parts, ignore_index=True)
