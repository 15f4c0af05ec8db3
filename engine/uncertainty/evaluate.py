"""Judge every scorer and every boundary: test labels are read here for the first time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.result import METRIC_COLUMNS
from engine.seeding import generator
from engine.uncertainty.bucket_cut import bucket_cut
from engine.uncertainty.claims import claim_rows, difference_rows
from engine.uncertainty.compare import Measurement, measure_split
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.curves import curve_tables, scorer_table
from engine.uncertainty.data import Prepared
from engine.uncertainty.estimators import estimator_curves, estimator_table
from engine.uncertainty.grid import Floats
from engine.uncertainty.names import segment_of
from engine.uncertainty.reliability import classifier_metrics
from engine.uncertainty.rows import Rows
from engine.uncertainty.train import Fitted
from engine.uncertainty.trend import trend_table
from engine.uncertainty.tuning import Tuned, default_targets, tune
from engine.uncertainty.verdicts import verdict_rows

SPLITS = ("tune", "test")
STORED_PREDICTIONS = 3_000
"""Test rows kept in the run folder, drawn at random."""

_DRAWN = ("frontier", "corp", "risk_coverage")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Hold the tables of a run."""

    metrics: pd.DataFrame
    curves: Mapping[str, pd.DataFrame]
    predictions: pd.DataFrame


def evaluate(fitted: Fitted, prepared: Prepared, config: UncertaintyConfig) -> Evaluation:
    """Tune boundaries on the tuning rows and report them on the later test rows.

    Parameters
    ----------
    fitted : Fitted
    prepared : Prepared
    config : UncertaintyConfig

    Returns
    -------
    Evaluation
        In ``metrics``, classifier metrics carry the scorer as method and ``all`` or a bucket as
        segment; boundary metrics carry the boundary as method and scorer and target as segment,
        for example ``rate_4_flat · precision>=0.40``.
    """
    rows = {name: scored_rows(fitted, prepared, name) for name in fitted.scorers}
    first = next(iter(rows.values()))
    targets = config.precision_targets or default_targets(first["tune"])
    data = prepared.dataset
    cuts = {name: bucket_cut(config, scorer=name, span=data.span, precision=data.precision) for name in rows}
    tuned = {name: tune(part["tune"], config, targets, cuts[name]) for name, part in rows.items()}
    boundary, draws = _measure(tuned, rows, config, targets)
    test = boundary[boundary["split"] == "test"].reset_index(drop=True)
    classifier, trends = _by_scorer(tuned, rows, config)
    curves = curve_tables(tuned, rows, config, targets) | {
        "scorers": scorer_table(fitted, prepared, tuned, rows, config),
        "trend": trends,
        "differences": difference_rows(test, draws, targets),
    }
    curves |= estimator_curves(rows, {name: own.layout for name, own in tuned.items()}, targets[0], config)
    curves["estimators"] = estimator_table(classifier, trends, (test, draws), curves)
    curves["claims"] = claim_rows(test, draws, trends, curves["scorers"], targets, prepared.unit_name)
    curves["verdicts"] = verdict_rows(test, draws, curves["scorers"], curves["bucket_choice"])
    return Evaluation(
        metrics=pd.concat([classifier, _tidy(boundary)], ignore_index=True)[list(METRIC_COLUMNS)],
        curves=curves | {name: _drawn(curves[name]) for name in _DRAWN},
        predictions=_sample(first["test"], config),
    )


def _drawn(table: pd.DataFrame) -> pd.DataFrame:
    """Halve the size of a curve that is only drawn."""
    return table.astype(dict.fromkeys(table.select_dtypes("float64"), "float32"))


def scored_rows(fitted: Fitted, prepared: Prepared, scorer: str) -> dict[str, Rows]:
    """Cut the rows of one scorer into the tuning and the test split."""
    scored = fitted.scorers[scorer]
    return {
        split: Rows(
            score=scored.score[mask],
            uncertainty=scored.uncertainty[mask],
            label=prepared.label[mask],
            weight=prepared.weight[mask],
            unit=prepared.unit[mask],
        )
        for split in SPLITS
        for mask in [prepared.mask(split)]
    }


def _measure(
    tuned: Mapping[str, Tuned],
    rows: Mapping[str, Mapping[str, Rows]],
    config: UncertaintyConfig,
    targets: Sequence[float],
) -> tuple[pd.DataFrame, Floats]:
    """Measure all boundaries on both splits; return the draws of the test split."""
    tables, draws = [], np.empty((0, 0))
    for split in SPLITS:
        measurements = {
            name: Measurement(tuned[name].planes, rows[name][split], targets, matched=split == "test") for name in tuned
        }
        some = next(iter(rows.values()))[split]
        rng = generator(config.seed, "uncertainty", "bootstrap", split)
        table, draws = measure_split(measurements, some, split=split, resamples=config.resamples, rng=rng)
        tables.append(table)
    return pd.concat(tables, ignore_index=True), draws


def _by_scorer(
    tuned: Mapping[str, Tuned], rows: Mapping[str, Mapping[str, Rows]], config: UncertaintyConfig
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge each score as a probability, and how positivity moves with its uncertainty, on the test rows."""
    judged, trends = [], []
    for name, part in rows.items():
        rng = generator(config.seed, "uncertainty", "classifier", name)
        table = classifier_metrics(
            part["test"],
            tuned[name].layout,
            n_bins=config.reliability_bins,
            resamples=config.resamples,
            rng=rng,
        )
        judged.append(table.assign(method=name, split="test"))
        rng = generator(config.seed, "uncertainty", "trend", name)
        trends.append(
            trend_table(part["test"], seed=config.seed, resamples=config.resamples, rng=rng).assign(scorer=name)
        )
    return pd.concat(judged, ignore_index=True), pd.concat(trends, ignore_index=True)


def _tidy(boundary: pd.DataFrame) -> pd.DataFrame:
    """Write scorer and target into the segment."""
    segment = [segment_of(row.scorer, row.target) for row in boundary.itertuples()]
    return boundary.assign(segment=segment).drop(columns=["scorer", "target"])


def _sample(rows: Rows, config: UncertaintyConfig) -> pd.DataFrame:
    """Keep a random sample of the first scorer's test rows, in their order."""
    rng = generator(config.seed, "uncertainty", "predictions")
    size = min(STORED_PREDICTIONS, rows.label.size)
    kept = np.sort(rng.choice(rows.label.size, size=size, replace=False))
    return pd.DataFrame(
        {
            "sample_id": kept,
            "split": "test",
            "y_true": rows.label[kept].astype(np.int8),
            "prob": rows.score[kept].astype(np.float32),
            "uncertainty": rows.uncertainty[kept].astype(np.float32),
        }
    )
