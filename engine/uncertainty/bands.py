"""How far chosen thresholds would move on other tuning rows, and the frontier with its bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from engine.metrics.resampling import percentile_interval
from engine.uncertainty.boundaries import Path, single_path
from engine.uncertainty.draws import DrawnCounts, selected_counts, unit_draws, unit_index
from engine.uncertainty.grid import Floats, Grid
from engine.uncertainty.isotonic import headroom, mist_group_path, mist_path, upper_bound
from engine.uncertainty.planes import Plane
from engine.uncertainty.rows import Rows

RESOLVES = 200
"""Draws of the tuning units in which thresholds are chosen again."""
MOST_POINTS = 60
"""Boundaries of a family that the frontier shows."""
BANDED = {"single_threshold": single_path, "mist": mist_path}
LINES = ("single_threshold", "mist", "exact_dp")


def threshold_bands(
    plane: Plane, rows: Rows, targets: Sequence[float], *, rng: np.random.Generator, resolves: int = RESOLVES
) -> pd.DataFrame:
    """Choose the thresholds again on resampled tuning units, edges held fixed.

    Parameters
    ----------
    plane : Plane
        The plain plane of a scorer.
    rows : Rows
        Tuning rows.
    targets : sequence of float
    rng : numpy.random.Generator
    resolves : int

    Returns
    -------
    DataFrame
        ``method, target, bucket, threshold, low, high, selects_none``: the chosen threshold, the 2.5 %
        and 97.5 % points of those of the draws (infinite where a bucket selects nothing, minus infinite
        where it selects all) and the share of draws in which the bucket selects nothing.
    """
    counts = DrawnCounts(plane.cell(rows), rows, plane.layout.shape)
    _, n_units = unit_index(rows.unit)
    drawn: dict[tuple[str, float], list[Floats]] = {(m, t): [] for m in BANDED for t in targets}
    for taken in unit_draws(n_units, resolves, rng):
        positives, totals = (np.rint(c).astype(np.int64) for c in counts(taken))
        for draw in range(taken.shape[1]):
            grid = Grid(*(np.diff(c[:, :, draw], axis=1)[:, ::-1] for c in (positives, totals)))
            for method, build in BANDED.items():
                path = build(grid)
                for target in targets:
                    drawn[method, target].append(plane.layout.thresholds(path.solve(target)))
    found = []
    for (method, target), values in drawn.items():
        chosen = plane.layout.thresholds(plane.cuts[method][list(targets).index(target)])
        low, high = np.quantile(np.stack(values), [0.025, 0.975], axis=0, method="nearest")
        none = np.isposinf(np.stack(values)).mean(axis=0)
        for bucket in range(chosen.size):
            ends = {"threshold": chosen[bucket], "low": low[bucket], "high": high[bucket]}
            found.append({"method": method, "target": target, "bucket": bucket} | ends | {"selects_none": none[bucket]})
    return pd.DataFrame(found)


def frontier_table(plane: Plane, rows: Mapping[str, Rows], *, resamples: int, rng: np.random.Generator) -> pd.DataFrame:
    """Tabulate precision and recall along families of boundaries fixed on the tuning rows.

    Parameters
    ----------
    plane : Plane
        The plain plane of a scorer.
    rows : mapping of str to Rows
        Splits ``tune`` and ``test``.
    resamples : int
        Draws of test units behind the bands, boundaries held fixed.
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        ``line, split, step, recall, precision, selected`` and for the test rows ``recall_low,
        recall_high, precision_low, precision_high``. Lines are one threshold, MIST, the exact program
        and, on the tuning rows, the linear ``bound`` that no boundary of these bins passes.
    """
    paths = {line: _thinned(plane.paths[line]) for line in LINES}
    grid = plane.grid(rows["tune"])
    parts = [_bound_line(grid)]
    for split, own in rows.items():
        counts = DrawnCounts(plane.cell(own), own, plane.layout.shape)
        _, n_units = unit_index(own.unit)
        chunks = [np.ones((n_units, 1))]
        if split == "test":
            chunks += list(unit_draws(n_units, resamples, rng))
        drawn: dict[str, list[Floats]] = {line: [] for line in LINES}
        for taken in chunks:
            positives, totals = counts(taken)
            everything = positives[:, -1].sum(axis=0)
            for line, path in paths.items():
                won, n = selected_counts(positives, path.cuts), selected_counts(totals, path.cuts)
                recall = np.divide(won, everything, out=np.full(won.shape, np.nan), where=everything > 0)
                precision = np.divide(won, n, out=np.full(won.shape, np.nan), where=n > 0)
                drawn[line].append(np.stack([recall, precision, n]))
        parts += [_line(line, split, np.concatenate(values, axis=2)) for line, values in drawn.items()]
    return pd.concat(parts, ignore_index=True)


def _line(line: str, split: str, values: Floats) -> pd.DataFrame:
    """Write one line, shape (3, S, 1 + d): its values first, then those of the draws."""
    recall, precision, selected = values[:, :, 0]
    table = pd.DataFrame(
        {"line": line, "split": split, "step": np.arange(recall.size), "recall": recall, "precision": precision}
    ).assign(selected=np.rint(selected).astype(np.int64))
    for name, drawn in zip(("recall", "precision"), values[:2, :, 1:], strict=True):
        low, high = percentile_interval(drawn.T) if drawn.shape[1] else np.full((2, recall.size), np.nan)
        table = table.assign(**{f"{name}_low": low, f"{name}_high": high})
    return table


def _bound_line(grid: Grid) -> pd.DataFrame:
    """List the corners of the linear bound; between two corners the bound mixes them."""
    corners = _thinned(mist_group_path(grid))
    total = max(int(grid.positives.sum()), 1)
    precision = np.divide(
        corners.positives, corners.selected, out=np.full(corners.selected.size, np.nan), where=corners.selected > 0
    )
    return pd.DataFrame(
        {
            "line": "bound",
            "split": "tune",
            "step": np.arange(precision.size),
            "recall": corners.positives / total,
            "precision": precision,
            "selected": corners.selected,
        }
    )


def _thinned(path: Path) -> Path:
    """Keep at most `MOST_POINTS` boundaries, evenly by the square root of the positives: finer at the top."""
    height = np.sqrt(path.positives / max(int(path.positives.max()), 1))
    wanted = np.linspace(0, 1, MOST_POINTS)
    kept = np.unique(np.minimum(np.searchsorted(height, wanted), height.size - 1))
    return Path(path.cuts[kept], path.positives[kept], path.selected[kept])


def bound_table(plane: Plane, rows: Rows, targets: Sequence[float]) -> pd.DataFrame:
    """Say for every method how much more any boundary of the same bins could find on the tuning rows.

    Returns
    -------
    DataFrame
        ``method, target, positives, bound, headroom``: positives found, the linear bound in rows, and
        "at most x % better possible".
    """
    grid = plane.grid(rows)
    positives, _ = grid.from_top()
    bucket = np.arange(grid.shape[0])
    bounds = [upper_bound(grid, target) for target in targets]
    found = []
    for method, cuts in plane.cuts.items():
        for target, bound, row in zip(targets, bounds, cuts, strict=True):
            won = int(positives[bucket, row].sum())
            key = {"method": method, "target": target}
            found.append(key | {"positives": won, "bound": bound, "headroom": headroom(won, bound)})
    return pd.DataFrame(found)
