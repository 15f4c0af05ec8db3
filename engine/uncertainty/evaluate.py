"""Judge every scorer and every boundary: test labels are read here for the first time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.result import METRIC_COLUMNS
from engine.seeding import generator
from engine.uncertainty.cells import cell_table
from engine.uncertainty.claims import claim_rows, difference_rows
from engine.uncertainty.compare import Measurement, measure_split
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import Prepared
from engine.uncertainty.estimators import estimator_curves, estimator_table
from engine.uncertainty.grid import Floats, Layout
from engine.uncertainty.names import segment_of
from engine.uncertainty.reliability import classifier_metrics, reliability
from engine.uncertainty.train import Fitted
from engine.uncertainty.trend import trend_table
from engine.uncertainty.tuning import Plane, Rows, default_targets, tune

SPLITS = ("tune", "test")
STORED_PREDICTIONS = 3_000
"""Test rows kept in the run folder, drawn at random."""


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
    planes = {name: tune(part["tune"], config, targets) for name, part in rows.items()}
    boundary, draws = _measure(planes, rows, config, targets)
    test = boundary[boundary["split"] == "test"].reset_index(drop=True)
    classifier, trends = _by_scorer(planes, rows, config)
    curves = _curves(planes, rows, prepared, config, targets) | {
        "scorers": scorer_table(fitted, prepared, planes, rows),
        "trend": trends,
        "differences": difference_rows(test, draws, targets),
    }
    curves |= estimator_curves(rows, {name: own[0].layout for name, own in planes.items()}, targets[0], config)
    curves["estimators"] = estimator_table(classifier, trends, (test, draws), curves)
    curves["claims"] = claim_rows(test, draws, trends, curves["scorers"], targets, prepared.unit_name)
    return Evaluation(
        metrics=pd.concat([classifier, _tidy(boundary)], ignore_index=True)[list(METRIC_COLUMNS)],
        curves=curves,
        predictions=_sample(first["test"], config),
    )


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
    planes: Mapping[str, Sequence[Plane]],
    rows: Mapping[str, Mapping[str, Rows]],
    config: UncertaintyConfig,
    targets: Sequence[float],
) -> tuple[pd.DataFrame, Floats]:
    """Measure all boundaries on both splits; return the draws of the test split."""
    tables, draws = [], np.empty((0, 0))
    for split in SPLITS:
        measurements = {
            name: Measurement(planes[name], rows[name][split], targets, matched=split == "test") for name in planes
        }
        some = next(iter(rows.values()))[split]
        rng = generator(config.seed, "uncertainty", "bootstrap", split)
        table, draws = measure_split(measurements, some, split=split, resamples=config.resamples, rng=rng)
        tables.append(table)
    return pd.concat(tables, ignore_index=True), draws


def _by_scorer(
    planes: Mapping[str, Sequence[Plane]], rows: Mapping[str, Mapping[str, Rows]], config: UncertaintyConfig
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judge each score as a probability, and how positivity moves with its uncertainty, on the test rows."""
    judged, trends = [], []
    for name, part in rows.items():
        rng = generator(config.seed, "uncertainty", "classifier", name)
        table = classifier_metrics(
            part["test"],
            planes[name][0].layout,
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


def _curves(
    planes: Mapping[str, Sequence[Plane]],
    rows: Mapping[str, Mapping[str, Rows]],
    prepared: Prepared,
    config: UncertaintyConfig,
    targets: Sequence[float],
) -> dict[str, pd.DataFrame]:
    """Tabulate cells, edges, boundaries and reliability of every scorer."""
    cells, edges, boundaries, curves = [], [], [], []
    for name, part in rows.items():
        plain = planes[name][0]
        cells.append(_cells(part, plain.layout).assign(scorer=name))
        edges.append(_edges(plain.layout).assign(scorer=name))
        boundaries.append(_boundaries(plain, targets).assign(scorer=name))
        table = reliability(part["tune"], dict(part), plain.layout, config.reliability_bins)
        curves.append(table.assign(scorer=name))
    tables = {"cells": cells, "edges": edges, "boundaries": boundaries, "reliability": curves}
    return {key: pd.concat(parts, ignore_index=True) for key, parts in tables.items()}


def _cells(rows: Mapping[str, Rows], layout: Layout) -> pd.DataFrame:
    """Count the cells of both splits by the aggregate that also runs on a cluster."""
    frames = [
        pd.DataFrame(
            {
                "split": split,
                "label": part.label,
                "weight": part.weight,
                "score": part.score,
                "uncertainty": part.uncertainty,
            }
        )
        for split, part in rows.items()
    ]
    return cell_table(pd.concat(frames, ignore_index=True), layout)


def _edges(layout: Layout) -> pd.DataFrame:
    """List the inner edges of a layout: ``axis, index, edge``."""
    parts = {"uncertainty": layout.uncertainty_edges, "score": layout.score_edges}
    return pd.concat(
        [pd.DataFrame({"axis": axis, "index": np.arange(e.size), "edge": e}) for axis, e in parts.items()],
        ignore_index=True,
    )


def _boundaries(plane: Plane, targets: Sequence[float]) -> pd.DataFrame:
    """List the tuned cuts: ``method, target, bucket, cut, threshold``; the threshold is in score units."""
    found = [
        {"method": method, "target": target, "bucket": bucket, "cut": int(cut), "threshold": float(threshold)}
        for method, cuts in plane.cuts.items()
        for target, cut_row in zip(targets, cuts, strict=True)
        for bucket, (cut, threshold) in enumerate(zip(cut_row, plane.layout.thresholds(cut_row), strict=True))
    ]
    return pd.DataFrame(found)


def scorer_table(
    fitted: Fitted,
    prepared: Prepared,
    planes: Mapping[str, Sequence[Plane]],
    rows: Mapping[str, Mapping[str, Rows]],
) -> pd.DataFrame:
    """Describe the scorers: ``scorer, window, prior_a, prior_b, evidence, buckets, bins``.

    ``window`` is empty and ``evidence`` (median rows seen per tuning row) NaN unless a rate.
    """
    found = []
    tune = prepared.mask("tune")
    for name in fitted.scorers:
        a, b = fitted.priors.get(name, (np.nan, np.nan))
        window = name.removeprefix("rate_").rpartition("_")[0] if name in fitted.priors else ""
        seen = np.median(prepared.dataset.rows[f"n_{window}"].to_numpy(float)[tune]) if window else np.nan
        k, bins = planes[name][0].layout.shape
        found.append(
            {
                "scorer": name,
                "window": window,
                "prior_a": a,
                "prior_b": b,
                "evidence": float(seen),
                "buckets": k,
                "bins": bins,
                "base_rate": float(np.average(rows[name]["tune"].label, weights=rows[name]["tune"].weight)),
            }
        )
    return pd.DataFrame(found)


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
