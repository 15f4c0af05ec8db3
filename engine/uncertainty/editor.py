"""Move thresholds over stored counts: what the threshold editor shows, without raw rows or solvers' libraries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from engine.errors import ConfigError, RunError
from engine.metrics.calibration import wilson_interval
from engine.uncertainty.decision import Decision, decide, outcome_row
from engine.uncertainty.grid import Floats, Grid, Ints, Layout
from engine.uncertainty.isotonic import headroom, upper_bound
from engine.uncertainty.methods import Solver
from engine.uncertainty.objectives import solve_cost

MAP_TOP_ROWS = 40
MAP_GROWTH = 1.4
EVERYTHING, NOTHING = "all", "none"


class Editor:
    """Answer every question of the threshold editor for one scorer of one run.

    Parameters
    ----------
    layout : Layout
        Edges frozen on the tuning rows.
    grids : mapping of str to Grid
        Counts of the splits ``tune`` and ``test`` on this layout.
    score_sums : mapping of str to ndarray of shape (K, L)
        Sums of the scores per cell, for the bias.

    Notes
    -----
    A boundary is a vector of cuts, one per uncertainty bucket: bucket k selects its top
    ``cuts[k]`` score bins. Intervals treat rows as independent; the tables of a run resample units.
    """

    def __init__(self, layout: Layout, grids: Mapping[str, Grid], score_sums: Mapping[str, Floats]) -> None:
        self.layout, self.grids, self.score_sums = layout, grids, score_sums

    @property
    def n_buckets(self) -> int:
        """Number of uncertainty buckets."""
        return self.layout.shape[0]

    @cached_property
    def thresholds(self) -> Floats:
        """Score threshold of every cut 0 .. L: infinite for none, minus infinite for all."""
        return self.layout.thresholds(np.arange(self.layout.shape[1] + 1))

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Text of every cut 0 .. L, all different: ``none``, score thresholds, ``all``."""
        return (NOTHING, *_shortest_texts(self.thresholds[1:-1]), EVERYTHING)

    @cached_property
    def solver(self) -> Solver:
        """Every method on the tuning rows; each is solved once."""
        return Solver(self.grids["tune"])

    def decide(self, cuts: Sequence[int], split: str) -> Decision:
        """Count the outcome of a boundary.

        Parameters
        ----------
        cuts : sequence of K int, 0 .. L
        split : {"tune", "test"}

        Returns
        -------
        Decision

        Raises
        ------
        ConfigError
            If there is not one cut per bucket, or a cut lies outside the grid.
        """
        return decide(self.grids[split], self._checked(cuts))

    def snap(self, method: str, target: float, *, locks: Mapping[int, int] | None = None) -> list[int]:
        """Find a method's boundary for a precision target on the tuning rows.

        Parameters
        ----------
        method : str
            One of `engine.uncertainty.methods.METHODS`.
        target : float, in (0, 1)
        locks : mapping of int to int, optional
            Bucket to the cut that it keeps while the others are solved anew.

        Returns
        -------
        list of K int
            All 0 if no selection reaches the target.

        Raises
        ------
        ConfigError
            If the method is unknown, a lock lies outside the grid, or what is locked already breaks the target.
        """
        return self.solver.family(method, locks).solve(target).tolist()

    def fill(self, method: str, budget: int, *, locks: Mapping[int, int] | None = None) -> list[int]:
        """Find a method's boundary with most positives among at most ``budget`` tuning rows.

        Raises
        ------
        ConfigError
            As `snap`.
        """
        return self.solver.family(method, locks).within(budget).tolist()

    def weigh(self, *, value: float, cost: float, locks: Mapping[int, int] | None = None) -> list[int]:
        """Find the boundary of most value: a true positive gains ``value``, a false one loses ``cost``."""
        cuts: list[int] = solve_cost(self.grids["tune"], value=value, cost=cost).tolist()
        return [(locks or {}).get(bucket, cut) for bucket, cut in enumerate(cuts)]

    def headroom(self, cuts: Sequence[int], target: float) -> float:
        """Say by how many percent more positives any boundary of these bins could find at most, on tuning rows."""
        return headroom(self.decide(cuts, "tune").true_positive, upper_bound(self.grids["tune"], target))

    def thresholds_of(self, cuts: Sequence[int]) -> Floats:
        """Return the score threshold of every bucket, shape (K,)."""
        return self.layout.thresholds(self._checked(cuts))

    def cut_of(self, label: str) -> int | None:
        """Find the cut that a text names, or None."""
        return self.labels.index(label) if label in self.labels else None

    def outcomes(self, boundaries: Mapping[str, Sequence[int]]) -> pd.DataFrame:
        """Tabulate the outcomes of several boundaries on both splits.

        Returns
        -------
        DataFrame
            ``boundary, split, true_positive, false_positive, false_negative, true_negative,
            precision, precision_low, precision_high, recall, recall_low, recall_high, coverage``.
        """
        return pd.DataFrame(
            [
                outcome_row(name, split, self.decide(cuts, split))
                for name, cuts in boundaries.items()
                for split in ("tune", "test")
            ]
        )

    def lines(self, boundaries: Mapping[str, Sequence[int]]) -> pd.DataFrame:
        """Draw boundaries as steps on the score x uncertainty map.

        Returns
        -------
        DataFrame
            ``boundary, bucket, level, column, label``, two points per bucket; level runs from 0
            (most certain) to K, column is the place among the columns of `map_table`.
        """
        edges = self._map_edges
        rows = []
        for name, cuts in boundaries.items():
            columns = np.interp(self.thresholds_of(cuts), edges, np.arange(edges.size))
            for bucket, (column, cut) in enumerate(zip(columns, cuts, strict=True)):
                rows += [(name, bucket, bucket + end, float(column), self.labels[cut]) for end in (0, 1)]
        return pd.DataFrame(rows, columns=["boundary", "bucket", "level", "column", "label"])

    def map_table(self, split: str = "tune") -> pd.DataFrame:
        """Pool score bins until each holds enough rows to colour, finer towards the top.

        Returns
        -------
        DataFrame
            ``bucket, column, score_low, score_high, n, positives, rate, ci_low, ci_high, bias``;
            rate and bias (observed minus mean predicted) are NaN where n = 0.
        """
        column = self._map_columns
        grid = self.grids[split]
        size = int(column.max()) + 1
        low, high = self._map_edges[:-1], self._map_edges[1:]
        parts = []
        for bucket in range(self.n_buckets):
            n, won, promised = (
                np.bincount(column, values[bucket], minlength=size)
                for values in (grid.totals, grid.positives, self.score_sums[split])
            )
            share = np.divide(won, n, out=np.full(size, np.nan), where=n > 0)
            mean = np.divide(promised, n, out=np.full(size, np.nan), where=n > 0)
            ci_low, ci_high = wilson_interval(won, n)
            columns = {"bucket": bucket, "column": np.arange(size), "score_low": low, "score_high": high}
            columns |= {"n": n.astype(np.int64), "positives": won.astype(np.int64), "rate": share}
            parts.append(pd.DataFrame(columns | {"ci_low": ci_low, "ci_high": ci_high, "bias": share - mean}))
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def _map_columns(self) -> Ints:
        """Map column of every score bin, ascending, shape (L,)."""
        totals = self.grids["tune"].totals.sum(axis=0)[::-1]
        wanted, filled, column = float(MAP_TOP_ROWS * self.n_buckets), 0, 0
        from_top = np.zeros(totals.size, dtype=np.int64)
        for place, count in enumerate(totals):
            from_top[place] = column
            filled += int(count)
            if filled >= wanted and place < totals.size - 1:
                wanted, filled, column = wanted * MAP_GROWTH, 0, column + 1
        return column - from_top[::-1]

    @cached_property
    def _map_edges(self) -> Floats:
        """Score edges of the map columns, shape (columns + 1,), from 0 to 1."""
        column = self._map_columns
        bounds = np.concatenate([[0.0], self.layout.score_edges, [1.0]])
        first = np.searchsorted(column, np.arange(int(column.max()) + 1))
        return bounds[np.append(first, column.size)]

    def bucket_labels(self, split: str | None = None) -> list[str]:
        """Name the buckets for reading; with a split, say which of them hold no row of it."""
        if self.n_buckets == 1:
            return ["the same for all rows"]
        ends = {0: " · most certain", self.n_buckets - 1: " · least certain"}
        names = [f"{k + 1} of {self.n_buckets}{ends.get(k, '')}" for k in range(self.n_buckets)]
        if split is None:
            return names
        return [name if n else f"{name} · n 0" for name, n in zip(names, self.bucket_rows(split), strict=True)]

    def bucket_rows(self, split: str) -> list[int]:
        """Count the rows of every bucket on a split."""
        counts: list[int] = self.grids[split].totals.sum(axis=1).tolist()
        return counts

    def _checked(self, cuts: Sequence[int]) -> Ints:
        """Refuse cuts that are not on the grid."""
        chosen = np.asarray(cuts, dtype=np.int64)
        if chosen.shape != (self.n_buckets,) or chosen.min() < 0 or chosen.max() > self.layout.shape[1]:
            raise ConfigError(
                f"'cuts' is {list(cuts)}; allowed are {self.n_buckets} whole numbers from 0 to {self.layout.shape[1]}."
            )
        return chosen


def _shortest_texts(values: Floats) -> list[str]:
    """Write sorted, distinct numbers with at least two decimals, and more only where neighbours would look alike."""
    texts = []
    for place, value in enumerate(values):
        near = values[max(place - 1, 0) : place + 2]
        digits = next((d for d in range(2, 17) if np.unique(np.round(near, d)).size == near.size), 17)
        texts.append(f"{value:.{digits}f}")
    return texts


def open_editor(cells: pd.DataFrame, edges: pd.DataFrame, scorer: str) -> Editor:
    """Make the editor of one scorer from the tables of a run.

    Parameters
    ----------
    cells : DataFrame
        ``scorer, split, bucket, bin, n, positives, score_sum``.
    edges : DataFrame
        ``scorer, axis, index, edge``.
    scorer : str

    Returns
    -------
    Editor

    Raises
    ------
    RunError
        If the run has no such scorer.
    """
    own = cells[cells["scorer"] == scorer].sort_values(["split", "bucket", "bin"])
    if own.empty:
        raise RunError(f"This run has no scorer '{scorer}'; it has {', '.join(cells['scorer'].unique())}.")
    axes = edges[edges["scorer"] == scorer].sort_values("index")
    layout = Layout(
        uncertainty_edges=axes.loc[axes["axis"] == "uncertainty", "edge"].to_numpy(float),
        score_edges=axes.loc[axes["axis"] == "score", "edge"].to_numpy(float),
    )
    counts = {split: part for split, part in own.groupby("split")}
    return Editor(
        layout=layout,
        grids={
            split: Grid(
                positives=part["positives"].to_numpy(np.int64).reshape(layout.shape),
                totals=part["n"].to_numpy(np.int64).reshape(layout.shape),
            )
            for split, part in counts.items()
        },
        score_sums={split: part["score_sum"].to_numpy(float).reshape(layout.shape) for split, part in counts.items()},
    )
