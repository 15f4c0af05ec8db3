"""Choose the number of uncertainty buckets by cross-fitting on the tuning units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine.seeding import generator
from engine.uncertainty.boundaries import score_only_threshold
from engine.uncertainty.bucket_cut import EQUAL_COUNTS, BucketCut
from engine.uncertainty.compare import matched_recall
from engine.uncertainty.grid import Floats, Layout, assign_buckets, grid_from_cells, score_edges
from engine.uncertainty.isotonic import mist_path
from engine.uncertainty.rows import Rows

CANDIDATES = (1, 2, 3, 5, 10)
FOLDS = 5
FEWEST_COMPARED = 3
"""Buckets that the tables compare where one does best: a gain that is not measured cannot be refuted."""
MOST_ROWS = 60_000
"""Rows behind the choice; of more a random part, whole units, is enough to tell a handful of numbers apart."""


def choose_buckets(rows: Rows, targets: Sequence[float], *, seed: int, cut: BucketCut = EQUAL_COUNTS) -> pd.DataFrame:
    """Judge MIST with each number of buckets on units that its edges and rates have not seen.

    Parameters
    ----------
    rows : Rows
        Tuning rows.
    targets : sequence of float
        Precisions at which recall is compared, averaged.
    seed : int
    cut : BucketCut
        Into equal counts or equal widths; with edges of the reader's own there is nothing to choose.

    Returns
    -------
    DataFrame
        ``buckets, recall, behind, error, chosen``: mean recall at matched precision over the folds,
        how far it is behind the best, the standard error of that difference over the folds, and one
        row chosen: the smallest number at most one standard error behind.
    """
    rng = generator(seed, "uncertainty", "buckets")
    fold = rows.split_units(FOLDS, rng)
    if rows.label.size > MOST_ROWS:
        parts = -(-rows.label.size // MOST_ROWS)
        kept = rows.split_units(parts, rng) == 0
        rows, fold = rows.take(kept), fold[kept]
    found = np.array([_fold_recalls(rows.take(fold != f), rows.take(fold == f), targets, cut) for f in range(FOLDS)])
    recall = found.mean(axis=0)
    best = int(np.argmax(recall))
    behind = found[:, [best]] - found
    error = behind.std(axis=0, ddof=1) / np.sqrt(FOLDS)
    near = behind.mean(axis=0) <= error
    return pd.DataFrame(
        {
            "buckets": CANDIDATES,
            "recall": recall,
            "behind": behind.mean(axis=0),
            "error": error,
            "chosen": np.arange(len(CANDIDATES)) == np.argmax(near),
        }
    )


def _fold_recalls(fitted: Rows, held_out: Rows, targets: Sequence[float], cut: BucketCut) -> Floats:
    """Recall on held-out rows with each number of buckets, mean over the targets."""
    extra = [score_only_threshold(fitted.score, fitted.label, fitted.weight, target) for target in targets]
    finest = cut.edges(fitted.uncertainty, max(CANDIDATES), fitted.weight)
    edges = score_edges(fitted.score, assign_buckets(fitted.uncertainty, finest), fitted.weight, extra=extra)
    # The score bin of a row is the same for every number of buckets: find it once.
    found_bin = {name: np.searchsorted(edges, part.score, side="right") for name, part in _named(fitted, held_out)}
    recalls = []
    for k in CANDIDATES:
        layout = Layout(cut.edges(fitted.uncertainty, k, fitted.weight), edges)
        grids = [
            grid_from_cells(
                assign_buckets(part.uncertainty, layout.uncertainty_edges) * layout.shape[1] + found_bin[name],
                part.label,
                part.weight,
                shape=layout.shape,
            )
            for name, part in _named(fitted, held_out)
        ]
        cuts = mist_path(grids[0]).cuts
        bucket = np.arange(layout.shape[0])
        won, taken = (c[bucket, cuts].sum(axis=1).astype(float)[:, None] for c in grids[1].from_top())
        total = np.array([float(grids[1].positives.sum())])
        recalls.append(np.mean([matched_recall(won, taken, target, total)[0] for target in targets]))
    return np.nan_to_num(np.array(recalls))


def _named(fitted: Rows, held_out: Rows) -> tuple[tuple[str, Rows], ...]:
    """Name the two parts of a fold."""
    return (("fitted", fitted), ("held out", held_out))
