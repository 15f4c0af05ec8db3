"""Judge ways to set thresholds on rows that they were not tuned on, under draws of the rows' units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from engine.benchmark.uncertainty_methods import Score, Way
from engine.uncertainty.boundaries import Bools
from engine.uncertainty.compare import matched_recall
from engine.uncertainty.draws import DrawnCounts, selected_counts, unit_index
from engine.uncertainty.grid import Floats
from engine.uncertainty.planes import Plane
from engine.uncertainty.rows import Rows

METRICS = ("tuning_recall", "recall", "precision", "recall_at_matched_precision", "seconds")
PART_COLUMNS = ("data", "scorer", "rows", "buckets", "method", "target", "metric", "draws")
MATCHED = METRICS[3]


def judge(way: Way, tune: Rows, test: Rows, taken: Floats) -> list[dict[str, object]]:
    """Measure one way at all its targets.

    Parameters
    ----------
    way : Way
    tune, test : Rows
    taken : ndarray of shape (n_units, d), float64
        How often each test unit counts in every draw; ones for the sample itself.

    Returns
    -------
    list of dict
        ``method, buckets, target, metric, draws``; draws is a list of d values, or of one for what does not depend
        on the test rows. Precision is NaN where nothing is selected.
    """
    found = []
    counts = None if way.order is None else _counted(way.order, test, taken)
    everything = _by_unit(test, np.ones(test.label.size, dtype=bool), taken)[0]
    for target, select in way.select.items():
        chosen = select(tune)
        won, all_won = float((tune.weight * tune.label)[chosen].sum()), float((tune.weight * tune.label).sum())
        positives, selected = _by_unit(test, select(test), taken)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = {
                "tuning_recall": np.array([won / all_won]),
                "recall": positives / everything,
                "precision": np.where(selected > 0, positives / selected, np.nan),
                "seconds": np.array([way.seconds]),
            }
        if counts is not None:
            values[MATCHED] = matched_recall(*counts, target, everything)
        key = {"method": way.method, "buckets": way.buckets, "target": f"{target:.2f}"}
        found += [key | {"metric": metric, "draws": draws.tolist()} for metric, draws in values.items()]
    return found


def judge_order(
    method: str, score: Score, test: Rows, targets: Sequence[float], taken: Floats
) -> list[dict[str, object]]:
    """Measure how a score ranks, without any tuning.

    Returns
    -------
    list of dict
        As `judge`, metric recall at matched precision alone.
    """
    counts = _ranked(score(test), test, taken)
    everything = counts[0][-1]
    key = {"method": method, "buckets": 1, "metric": MATCHED}
    return [
        key | {"target": f"{target:.2f}", "draws": matched_recall(*counts, target, everything).tolist()}
        for target in targets
    ]


def table(rows: Sequence[dict[str, object]], *, data: str, scorer: str, size: int) -> pd.DataFrame:
    """Return measured rows as a table with the columns `PART_COLUMNS`; `size` counts the tuning rows."""
    frame = pd.DataFrame(rows).assign(data=data, scorer=scorer, rows=size)
    return frame[list(PART_COLUMNS)]


def _by_unit(rows: Rows, chosen: Bools, taken: Floats) -> tuple[Floats, Floats]:
    """Count positives and rows among the chosen ones, each of shape (d,)."""
    unit, n_units = unit_index(rows.unit)
    weight = rows.weight.astype(float) * chosen
    positives, totals = (np.bincount(unit, w, minlength=n_units) @ taken for w in (weight * rows.label, weight))
    return positives, totals


def _counted(order: Score | Plane, rows: Rows, taken: Floats) -> tuple[Floats, Floats]:
    """Count positives and rows along a ranking, each of shape (S, d)."""
    if not isinstance(order, Plane):
        return _ranked(order(rows), rows, taken)
    positives, totals = DrawnCounts(order.cell(rows), rows, order.layout.shape)(taken)
    (path,) = order.paths.values()
    return selected_counts(positives, path.cuts), selected_counts(totals, path.cuts)


def _ranked(score: Floats, rows: Rows, taken: Floats) -> tuple[Floats, Floats]:
    """Count positives and rows above every different score, from none to all."""
    _, place = np.unique(-score, return_inverse=True)
    unit, n_units = unit_index(rows.unit)
    size = int(place.max()) + 1
    found = []
    for weight in (rows.weight * rows.label, rows.weight):
        sums = csr_array((weight.astype(np.float64), (place, unit)), shape=(size, n_units)) @ taken
        found.append(np.concatenate([np.zeros((1, taken.shape[1])), np.cumsum(sums, axis=0)]))
    return found[0], found[1]
