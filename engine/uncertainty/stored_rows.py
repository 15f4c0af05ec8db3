"""Keep some test rows of data of any size as they are, for tables of cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.seeding import generator
from engine.uncertainty.compress import split_rows
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.evaluate import STORED_PREDICTIONS
from engine.uncertainty.grid import Ints, Layout
from engine.uncertainty.relation import Scored
from engine.uncertainty.slice_counts import draw

OVERSAMPLED = 4
"""A backend samples rows only about as often as it is asked to, and some of them may tune."""


def stored_rows(
    scored: Scored, layout: Layout, cells: pd.DataFrame, config: UncertaintyConfig, tune_share: float
) -> pd.DataFrame:
    """Draw test rows at random from all over the data.

    Without a split or units the run drew how many rows of a cell test. Which ones these are is drawn here, so no cell
    has more of them than the run counted.

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
        ``y_true, prob, uncertainty``, a column per slice, ``sample_id, split``; at most `STORED_PREDICTIONS` rows.
    """
    rows = split_rows(scored, tune_share)
    is_split = "split" in rows.columns
    lines = float(scored.lines)
    if is_split:
        rows = rows.filter(rows.split == "test")
        lines *= float(cells.loc[cells["split"] == "test", "n"].sum()) / scored.total
    share = min(1.0, OVERSAMPLED * STORED_PREDICTIONS / lines)
    # Ibis hands no seed to Spark: there, other rows are stored each time.
    seed = None if rows.get_backend().name == "pyspark" else config.seed
    drawn = rows.sample(share, method="row", seed=seed) if share < 1 else rows
    columns = {"y_true": drawn.label, "prob": drawn.score, "uncertainty": drawn.uncertainty}
    found = drawn.select(**columns, **{name: drawn[name] for name in scored.slices}).to_pyarrow().to_pandas()
    rng = generator(config.seed, "uncertainty", "describe", "predictions")
    if not is_split:
        cell = layout.cell(found["prob"].to_numpy(float), found["uncertainty"].to_numpy(float))
        found = found[drawn_test(cell, found["y_true"].to_numpy(np.int64), cells, rng)]
    kept = np.sort(rng.choice(len(found), size=min(STORED_PREDICTIONS, len(found)), replace=False))
    types = {"y_true": np.int8, "prob": np.float32, "uncertainty": np.float32}
    return found.iloc[kept].astype(types).assign(sample_id=np.arange(kept.size), split="test").reset_index(drop=True)


def drawn_test(cell: Ints, label: Ints, cells: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw which of some rows test, given how many rows of every cell and class tune and test.

    Parameters
    ----------
    cell, label : ndarray of shape (n,), int64
        Of rows drawn from all rows: the cell, counted bucket by bucket, and the class.
    cells : DataFrame
        ``split, bucket, bin, n, positives`` of all rows.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n,), bool
        As a split of all rows with these counts would split them.
    """
    ordered = cells.sort_values(["split", "bucket", "bin"])
    sizes = {}
    for split, part in ordered.groupby("split"):
        positives = part["positives"].to_numpy(np.int64)
        sizes[split] = np.stack([part["n"].to_numpy(np.int64) - positives, positives])
    found = np.zeros(cell.size, dtype=bool)
    order = rng.permutation(cell.size)
    for (class_, place), own in pd.Series(order).groupby([label[order], cell[order]]):
        both = np.array([sizes["test"][class_, place], sizes["tune"][class_, place]])
        found[own.to_numpy()[: draw(both, len(own), rng)[0]]] = True
    return found
