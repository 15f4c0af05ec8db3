"""Tabulate what a run fixed and counted: cells, edges, boundaries, frontier, reliability, scorers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from engine.seeding import generator
from engine.uncertainty.bands import RESOLVES, bound_table, frontier_table, threshold_bands
from engine.uncertainty.cells import cell_table
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.corp import corp_table
from engine.uncertainty.data import Prepared
from engine.uncertainty.grid import Layout
from engine.uncertainty.planes import Plane
from engine.uncertainty.reliability import reliability
from engine.uncertainty.rows import Rows
from engine.uncertainty.train import Fitted
from engine.uncertainty.tuning import Tuned
from engine.uncertainty.undivided import undivided


def curve_tables(
    tuned: Mapping[str, Tuned],
    rows: Mapping[str, Mapping[str, Rows]],
    config: UncertaintyConfig,
    targets: Sequence[float],
) -> dict[str, pd.DataFrame]:
    """Tabulate every scorer.

    Returns
    -------
    dict of str to DataFrame
        ``cells, edges, boundaries, reliability, corp, frontier, bounds, threshold_bands, bucket_choice``,
        each with a column ``scorer``.
    """
    parts: dict[str, list[pd.DataFrame]] = {}
    for name, part in rows.items():
        own, layout = tuned[name], tuned[name].layout
        plain = own.planes[0]
        rng = generator(config.seed, "uncertainty", "bands", name)
        tables = {
            "cells": _cells(part, layout),
            "edges": _edges(layout),
            "boundaries": pd.concat([_boundaries(plane, targets) for plane in own.planes if plane.is_plain]),
            "reliability": reliability(part["tune"], dict(part), layout, config.reliability_bins),
            "corp": corp_table(part, layout, rng=generator(config.seed, "uncertainty", "corp", name)),
            "frontier": frontier_table(plain, part, resamples=config.resamples, rng=rng),
            "bounds": bound_table(plain, part["tune"], targets),
            "threshold_bands": threshold_bands(
                plain, part["tune"], targets, rng=rng, resolves=min(RESOLVES, config.resamples)
            ),
            "bucket_choice": own.choice,
        }
        for key, table in tables.items():
            parts.setdefault(key, []).append(table.assign(scorer=name))
    return {key: pd.concat(found, ignore_index=True) for key, found in parts.items()}


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
    """List the tuned cuts with their thresholds in score units and the bucket's span of uncertainty.

    ``method, target, bucket, cut, threshold, uncertainty_low, uncertainty_high``; a cut counts bins of
    the method's own grid, a bucket holds ``low < uncertainty <= high``.
    """
    low = np.concatenate([[-np.inf], plane.layout.uncertainty_edges])
    high = np.append(plane.layout.uncertainty_edges, np.inf)
    bucket = np.arange(low.size)
    keys = [(method, target) for method in plane.cuts for target in targets]
    rows = [row for cuts in plane.cuts.values() for row in cuts]
    return pd.DataFrame(
        {
            "method": np.repeat([method for method, _ in keys], low.size),
            "target": np.repeat([target for _, target in keys], low.size),
            "bucket": np.tile(bucket, len(keys)),
            "cut": np.concatenate(rows),
            "threshold": np.concatenate([plane.layout.thresholds(row) for row in rows]),
            "uncertainty_low": np.tile(low, len(keys)),
            "uncertainty_high": np.tile(high, len(keys)),
        }
    )


def scorer_table(
    fitted: Fitted,
    prepared: Prepared,
    tuned: Mapping[str, Tuned],
    rows: Mapping[str, Mapping[str, Rows]],
    config: UncertaintyConfig,
) -> pd.DataFrame:
    """Describe the scorers.

    Columns ``scorer, window, prior_a, prior_b, evidence, buckets, bins, base_rate, undivided, n_unit``. ``window`` is
    empty and ``evidence`` (median rows seen per tuning row) NaN unless a rate; ``undivided`` says why uncertainty parts
    no rows (see `engine.uncertainty.undivided.undivided`), ``n_unit`` what is resampled.
    """
    found = []
    tune = prepared.mask("tune")
    for name in fitted.scorers:
        a, b = fitted.priors.get(name, (np.nan, np.nan))
        window = name.removeprefix("rate_").rpartition("_")[0] if name in fitted.priors else ""
        seen = np.median(prepared.dataset.rows[f"n_{window}"].to_numpy(float)[tune]) if window else np.nan
        k, bins = tuned[name].layout.shape
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
                "undivided": undivided(rows[name], tuned[name].layout.uncertainty_edges, asked=config.buckets == 1),
                "n_unit": prepared.unit_name,
            }
        )
    return pd.DataFrame(found)
