"""Values at given ranks of a column of any size, by counting in ever narrower cells: the same on every engine."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.uncertainty.grid import Floats

_BITS = (12, 22, 32, 42, 52)
"""Cells of equal width that each scan cuts the span of the column into, as powers of two."""


def values_at(column: ir.FloatingColumn, ranks: NDArray[np.int64], slack: Floats, *, upper: bool) -> Floats:
    """Find values of a column by their rank in ascending order, up to a slack.

    Approximate quantiles differ between engines, and with the number of threads; counts do not. Every scan counts the
    rows in cells of equal width; only cells that hold a rank that is asked for, and more rows than its slack, are cut
    finer. One to five scans; no more than some thousand cells leave the engine.

    Parameters
    ----------
    column : ibis column, float64
        Finite values without NULL, at least one.
    ranks : ndarray of shape (m,), int64
        From 1, the smallest value, to the number of rows.
    slack : ndarray of shape (m,), float64, >= 1
        Rows that the cell of each rank may hold. Equal values share a cell however many they are; so do values closer
        than 2 ** -52 of the span.
    upper : bool
        Whether the largest value of a rank's cell is returned, or else the smallest.

    Returns
    -------
    ndarray of shape (m,), float64
        Values that the column has.
    """
    table = column.as_table().rename(value=column.get_name())
    ends = table.aggregate(low=table.value.min(), high=table.value.max()).to_pyarrow().to_pylist()[0]
    low, high = float(ends["low"]), float(ends["high"])
    # Halves, so that the span of all floats is one; then every operation is exact or rounded as IEEE 754 says.
    span = high * 0.5 - low * 0.5
    if span == 0:
        return np.full(ranks.size, low)
    placed = table.mutate(place=(table.value * 0.5 - ibis.literal(low * 0.5, "float64")) / span)
    cells, heavy, bits = pd.DataFrame(), np.zeros(0, dtype=np.int64), 0
    for finer in _BITS:
        inside = placed.filter(_cell(placed, bits).isin(heavy.tolist())) if bits else placed
        # What is cut finer takes the place of the whole.
        kept = cells[~cells["cell"].isin(heavy)].assign(cell=-1) if bits else cells
        cells = pd.concat([kept, _counted(inside, finer)]).sort_values("least", ignore_index=True)
        held = np.searchsorted(cells["rows"].cumsum().to_numpy(), ranks)
        of_rank = cells.iloc[held]
        is_heavy = (of_rank["rows"].to_numpy() > slack) & (of_rank["most"] > of_rank["least"]).to_numpy()
        heavy, bits = np.unique(of_rank["cell"].to_numpy()[is_heavy]), finer
        if heavy.size == 0:
            break
    found: Floats = cells["most" if upper else "least"].to_numpy(dtype=float)[held]
    return found


def _cell(placed: ir.Table, bits: int) -> ir.IntegerColumn:
    """Express the cell of every row; a cell of fewer bits holds whole cells of more, as powers of two are exact."""
    return (placed.place * 2.0**bits).floor().cast("int64")


def _counted(placed: ir.Table, bits: int) -> pd.DataFrame:
    """Count the rows of every cell that holds some, with their smallest and largest value."""
    celled = placed.mutate(cell=_cell(placed, bits))
    counted = celled.group_by("cell").aggregate(
        rows=lambda t: t.count(), least=lambda t: t.value.min(), most=lambda t: t.value.max()
    )
    found: pd.DataFrame = counted.to_pyarrow().to_pandas()
    return found
