"""Judge every method on final labels, with paired intervals over units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.delay.auxiliary import FLIP_GROUPS
from engine.delay.claims import claims_table
from engine.delay.config import METHODS, DelayConfig
from engine.delay.data import Prepared
from engine.delay.panel import Measured, Panel
from engine.delay.train import Fitted
from engine.delay.weight_tables import weight_histogram, weight_metrics, weight_tails
from engine.metrics.calibration import reliability_table
from engine.result import DIFFERENCE_COLUMNS, METRIC_COLUMNS
from engine.seeding import generator

PAIRS = (
    *((method, "oracle") for method in METHODS if method != "oracle"),
    *((method, "vanilla") for method in METHODS if method not in ("oracle", "vanilla")),
    ("dress_style", "wait"),
    ("dress_style", "exact_joint"),
    ("dress_style", "entire_space"),
    ("entire_space", "exact_joint"),
)
"""Method and baseline of the stored differences. The last two part what signals buy from what the network buys."""
TO_OURS = tuple((method, "dress_style") for method in METHODS if method != "dress_style")
"""The same over all rows only: whether a method can be told from ours."""
_BINS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Tables of one run."""

    metrics: pd.DataFrame
    """Columns `METRIC_COLUMNS`; splits ``test`` (exposures from the snapshot day on), ``holdout`` (earlier ones of
    units kept out of training), ``pending`` (negatives of the snapshot day: will they flip?), ``train`` (weights)."""
    differences: pd.DataFrame
    claims: pd.DataFrame
    reliability: pd.DataFrame
    weights: pd.DataFrame
    """Histogram of the weights by method, segment and label."""
    tails: pd.DataFrame
    """The largest weights of every method."""
    predictions: pd.DataFrame
    """Exposures that training has not seen with a final label, one column ``prob_…`` per method."""


def evaluate(fitted: Fitted, prepared: Prepared, config: DelayConfig, flip_by_segment: np.ndarray) -> Evaluation:
    """Compute every figure that needs the trained networks.

    Parameters
    ----------
    fitted : Fitted
    prepared : Prepared
    config : DelayConfig
    flip_by_segment : ndarray of shape (n_rows,)
        Flip probability from the Kaplan-Meier curve of the segment, the baseline without a network.

    Returns
    -------
    Evaluation
    """
    rng = generator(config.seed, "bootstrap")
    test = _later_exposures(fitted, prepared).measure(resamples=config.resamples, rng=rng)
    holdout_panel = _held_out_units(fitted, prepared)
    holdout = holdout_panel.measure(resamples=config.resamples, rng=rng) if holdout_panel else None
    pending_panel = _pending_labels(fitted, prepared, flip_by_segment)
    pending = pending_panel.measure(resamples=config.resamples, rng=rng) if pending_panel else None
    parts = [part for part in (test, holdout, pending) if part is not None]
    rows = [row for part in parts for row in part.rows()]
    rows += test.relative_rows()
    weighted = (fitted.streams, fitted.probability, prepared)
    rows += weight_metrics(*weighted, resamples=config.resamples, rng=rng)
    differences = [test.differences(PAIRS), test.differences(TO_OURS, segments=("all",))]
    if holdout is not None:
        differences.append(holdout.differences(PAIRS))
    if pending is not None:
        differences.append(pending.differences((("dress_style", "exact_joint"), ("dress_style", "kaplan_meier"))))
    return Evaluation(
        metrics=pd.DataFrame(rows, columns=list(METRIC_COLUMNS)),
        differences=pd.concat(differences, ignore_index=True)[list(DIFFERENCE_COLUMNS)],
        claims=claims_table(prepared, test, pending, resamples=config.resamples, rng=rng),
        reliability=_reliability(fitted, prepared),
        weights=weight_histogram(*weighted),
        tails=weight_tails(*weighted),
        predictions=_predictions(fitted, prepared),
    )


def pending_rows(prepared: Prepared) -> np.ndarray:
    """Return which exposures were still without conversion, and inside their window, on the snapshot day."""
    return ~prepared.test & ~prepared.matured & ~prepared.seen


def _later_exposures(fitted: Fitted, prepared: Prepared) -> Panel:
    """Exposures from the snapshot day on, by segment."""
    rows = np.flatnonzero(prepared.test)
    names = sorted(set(prepared.segment[rows]))
    segments = {"all": np.ones(rows.size, dtype=bool)}
    if len(names) > 1:
        segments |= {f"segment:{name}": prepared.segment[rows] == name for name in names}
    return _panel("test", _cut(fitted.members, rows), prepared, rows, segments)


def _held_out_units(fitted: Fitted, prepared: Prepared) -> Panel | None:
    """Earlier exposures of units that training never saw, by age on the snapshot day."""
    rows = np.flatnonzero(prepared.holdout)
    if rows.size == 0:
        return None
    matured = prepared.matured[rows]
    segments = {"all": np.ones(rows.size, dtype=bool), "age:immature": ~matured, "age:matured": matured}
    return _panel("holdout", _cut(fitted.members, rows), prepared, rows, segments)


def _pending_labels(fitted: Fitted, prepared: Prepared, flip_by_segment: np.ndarray) -> Panel | None:
    """Negatives of the snapshot day; the flip model learned from matured exposures only, so all of them count."""
    rows = np.flatnonzero(pending_rows(prepared))
    if rows.size == 0:
        return None
    flips = fitted.flip_model.flip(rows, prepared.age[rows])
    members = {
        "dress_style": flips[FLIP_GROUPS[1]],
        "exact_joint": flips[FLIP_GROUPS[0]],
        "kaplan_meier": flip_by_segment[np.newaxis, rows],
    }
    engaged = prepared.state[rows] > 0
    segments = {"all": np.ones(rows.size, dtype=bool), "engagement:engaged": engaged, "engagement:none": ~engaged}
    return _panel("pending", members, prepared, rows, segments)


def _cut(members: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Cut predictions of shape (members, n_rows) to some rows."""
    return {method: values[:, rows] for method, values in members.items()}


def _panel(
    split: str,
    members: Mapping[str, np.ndarray],
    prepared: Prepared,
    rows: np.ndarray,
    segments: Mapping[str, np.ndarray],
) -> Panel:
    """Cut labels and units to the rows of a split."""
    return Panel(
        split,
        label=prepared.label[rows],
        unit=prepared.unit[rows],
        members=members,
        segments=segments,
    )


def _reliability(fitted: Fitted, prepared: Prepared) -> pd.DataFrame:
    """Compare predicted and observed rates per bin of every method on the test rows."""
    label = prepared.label[prepared.test]
    parts = [
        pd.DataFrame({"method": method} | reliability_table(label, values[prepared.test], _BINS))
        for method, values in fitted.probability.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _predictions(fitted: Fitted, prepared: Prepared) -> pd.DataFrame:
    """List test and held-out exposures with what was seen, what became of them, and every method's probability."""
    rows = np.flatnonzero(prepared.test | prepared.holdout)
    pending = pending_rows(prepared)[rows]
    frame = pd.DataFrame(
        {
            "exposure_id": prepared.exposure_id[rows],
            "split": np.where(prepared.test[rows], "test", "holdout"),
            "segment": prepared.segment[rows],
            "age_days": prepared.age[rows].astype(np.float32),
            "y_observed": (prepared.seen & ~prepared.test)[rows].astype(np.int8),
            "y_true": prepared.label[rows].astype(np.int8),
            "prob_flip": np.where(pending, fitted.outlook.flip_signals[rows], np.nan).astype(np.float32),
        }
    )
    probabilities = {f"prob_{name}": p[rows].astype(np.float32) for name, p in fitted.probability.items()}
    return frame.assign(**probabilities)


__all__ = ["PAIRS", "Evaluation", "Measured", "evaluate", "pending_rows"]
