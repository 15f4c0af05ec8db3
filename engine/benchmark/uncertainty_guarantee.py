"""How often the guaranteed precision is kept, and what it costs in recall, beside MAPIE's guarantee."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from engine.benchmark.uncertainty_judge import PART_COLUMNS
from engine.benchmark.uncertainty_methods import Way, guaranteed_way
from engine.benchmark.uncertainty_peers import mapie_buckets, mapie_one, missing
from engine.benchmark.uncertainty_simulated import CONFIDENCE, SETTINGS, draw, lines_of, rows_of
from engine.uncertainty.grid import Floats
from engine.uncertainty.rows import Rows

SETTING = "base rate .25, tau 1"
TARGET = 0.7
BUCKETS = 3
ROWS = 20_000
"""Tuning rows of a repetition."""
REPETITIONS = 200
FEWER = {"mapie_one": 100, "mapie_buckets": 100, "mapie_sequence": 20}
"""Repetitions of what takes longer than all of ours."""
JUDGE_ROWS = 1_000_000
_JUDGE_SEED = 1_000_000
PRECISION, RECALL = "true_precision", "true_recall"


def measure(name: str, seed: int) -> pd.DataFrame:
    """Guarantee a precision on fresh tuning rows again and again, and judge it by the true rates.

    Parameters
    ----------
    name : str
        Key of the settings of the simulation.
    seed : int
        Of the first repetition; the others follow.

    Returns
    -------
    DataFrame
        Columns `engine.benchmark.uncertainty_judge.PART_COLUMNS`; draws hold one value per repetition. Precision and
        recall are means of the best possible score over the selection among `JUDGE_ROWS` other rows, which leaves out
        the chance of their labels; selecting nothing keeps every precision and has a recall of 0.
    """
    setting = SETTINGS[name]
    frame = lines_of(draw(setting, _JUDGE_SEED, JUDGE_ROWS))
    best = frame["true_best_score"].to_numpy(np.float64)
    judged = rows_of(frame, is_one_unit=True)
    values: dict[str, list[tuple[float, float]]] = {method: [] for method in methods()}
    for repetition in range(REPETITIONS):
        tune = rows_of(draw(setting, seed + 1 + repetition, ROWS))
        for method, tuned in methods().items():
            if repetition < FEWER.get(method, REPETITIONS):
                way = tuned(tune, repetition)
                values[method].append(_outcome(way, judged, best))
    found = []
    for method, outcomes in values.items():
        key = {"data": "guarantee", "scorer": name, "rows": ROWS, "target": f"{TARGET:.2f}", "method": method}
        key["buckets"] = 1 if method == "mapie_one" else BUCKETS
        for metric, column in zip((PRECISION, RECALL), zip(*outcomes, strict=True), strict=True):
            found.append(key | {"metric": metric, "draws": list(column)})
    return pd.DataFrame(found)[list(PART_COLUMNS)]


def methods() -> dict[str, Callable[[Rows, int], Way]]:
    """Return what is repeated: ours, and MAPIE's where it is installed."""
    targets = (TARGET,)
    found: dict[str, Callable[[Rows, int], Way]] = {
        "guaranteed": lambda tune, seed: guaranteed_way(tune, BUCKETS, targets, seed=seed, confidence=CONFIDENCE),
        "mapie_one": lambda tune, seed: mapie_one(tune, targets, CONFIDENCE),
        "mapie_buckets": lambda tune, seed: mapie_buckets(tune, targets, BUCKETS, CONFIDENCE),
        "mapie_sequence": lambda tune, seed: mapie_buckets(tune, targets, BUCKETS, CONFIDENCE, seed=seed),
    }
    absent = {method for labels in missing().values() for method in labels}
    return {method: tuned for method, tuned in found.items() if method not in absent}


def _outcome(way: Way, rows: Rows, best: Floats) -> tuple[float, float]:
    """Return precision and recall by the best possible score."""
    chosen = way.select[TARGET](rows)
    won, taken = float((rows.weight * best)[chosen].sum()), float(rows.weight[chosen].sum())
    return (won / taken if taken else 1.0), won / float(rows.weight @ best)
