"""Count slices of scored rows of any size, split as the run on their counts split them."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd

from engine.seeding import generator
from engine.uncertainty.compress import split_rows
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.grid import Ints, Layout
from engine.uncertainty.relation import Scored
from engine.uncertainty.slices import slice_cells

MOST_DRAWN = 10**9
"""NumPy draws without replacement from fewer rows only; beyond, shares differ from a draw by a few in 100,000."""


def slice_counts(
    scored: Scored, layout: Layout, cells: pd.DataFrame, config: UncertaintyConfig, tune_share: float
) -> pd.DataFrame:
    """Count rows and positives per slice, split and cell; every column adds up to the cells of the run.

    Without a split or units the run drew how many rows of a cell tune. Which slices these come from is drawn here
    without replacement: together that is a draw of rows.

    Parameters
    ----------
    scored : Scored
    layout : Layout
        Of the run, with edges on the data's own scores.
    cells : DataFrame
        Of the run: ``split, bucket, bin, n, positives``.
    config : UncertaintyConfig
    tune_share : float, in (0, 1)

    Returns
    -------
    DataFrame
        `engine.uncertainty.slices.COLUMNS`, without empty cells.
    """
    rows = split_rows(scored, tune_share)
    if "split" in rows.columns:
        return slice_cells(rows, layout, scored.slices)
    counted = slice_cells(rows.mutate(split=ibis.literal("test")), layout, scored.slices)
    # Draws must not follow the order in which a backend returns counts.
    counted = counted.sort_values(["column", "value", "bucket", "bin"], ignore_index=True)
    rng = generator(config.seed, "uncertainty", "describe", "slices")
    tuned = cells[cells["split"] == "tune"].set_index(["bucket", "bin"])[["n", "positives"]]
    won, lost = (np.zeros(len(counted), dtype=np.int64) for _ in range(2))
    for (_, bucket, bin_), places in counted.groupby(["column", "bucket", "bin"]).indices.items():
        part, cell = counted.iloc[places], tuned.loc[(bucket, bin_)]
        positives, n = part["positives"].to_numpy(), part["n"].to_numpy()
        won[places] = draw(positives, int(cell["positives"]), rng)
        lost[places] = draw(n - positives, int(cell["n"] - cell["positives"]), rng)
    return _both(counted, won, lost)


def draw(sizes: Ints, size: int, rng: np.random.Generator) -> Ints:
    """Draw some rows of several groups without replacement: how many come from each."""
    total = int(sizes.sum())
    if total < MOST_DRAWN:
        found: Ints = rng.multivariate_hypergeometric(sizes, min(size, total), method="marginals")
        return found
    reached = np.rint(np.cumsum(sizes) * (size / total)).astype(np.int64)
    return np.diff(reached, prepend=0)


def _both(counted: pd.DataFrame, won: Ints, lost: Ints) -> pd.DataFrame:
    """Write positive and negative tuning rows as one split and the others as the other one."""
    n = won + lost
    share, sums = n / counted["n"].to_numpy(), counted["score_sum"].to_numpy()
    tune = counted.assign(split="tune", n=n, positives=won, score_sum=sums * share)
    left = {"n": counted["n"] - n, "positives": counted["positives"] - won}
    both = pd.concat([tune, counted.assign(split="test", score_sum=sums * (1 - share), **left)], ignore_index=True)
    return both[both["n"] > 0].reset_index(drop=True)
