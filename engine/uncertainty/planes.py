"""Coordinate systems on which boundaries are solved and judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from engine.seeding import generator
from engine.uncertainty.boundaries import Path
from engine.uncertainty.equal_weight import NestedLayout
from engine.uncertainty.grid import Floats, Grid, Ints, Layout, grid_from_cells
from engine.uncertainty.rows import Rows


class Folded(Protocol):
    """What turns score and uncertainty into one score."""

    def predict(self, score: Floats, uncertainty: Floats) -> Floats:
        """Return one score per row, shape (n,), in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Hold one coordinate system with the boundaries solved on it.

    The plain plane is score x uncertainty. A recalibrator folds both into one score, so its
    plane has a single bucket; the placebo keeps the score and shuffles the uncertainty.
    """

    layout: Layout | NestedLayout
    paths: Mapping[str, Path] = field(default_factory=dict)
    """Method to its boundaries from nothing to everything, made on the tuning rows."""
    cuts: Mapping[str, Ints] = field(default_factory=dict)
    """Method to its cuts, shape (T, K), one row per precision target."""
    recalibrator: Folded | None = None
    shuffle: tuple[int, int] | None = None
    """Seed and number of a shuffle of the uncertainty."""

    @property
    def is_plain(self) -> bool:
        """Whether its boundaries are thresholds on the score by uncertainty."""
        return self.recalibrator is None and self.shuffle is None

    def cell(self, rows: Rows) -> Ints:
        """Index the cell of each row, shape (n,); labels are not read."""
        if self.recalibrator is not None:
            folded = self.recalibrator.predict(rows.score, rows.uncertainty)
            return self.layout.cell(folded, np.zeros_like(folded))
        if self.shuffle is not None:
            return self.layout.cell(rows.score, shuffled(rows.uncertainty, *self.shuffle))
        return self.layout.cell(rows.score, rows.uncertainty)

    def grid(self, rows: Rows) -> Grid:
        """Count the rows of a split on this plane."""
        return grid_from_cells(self.cell(rows), rows.label, rows.weight, shape=self.layout.shape)


def shuffled(values: Floats, seed: int, number: int = 0) -> Floats:
    """Permute values, the same way for the same seed, number and length."""
    name = ("placebo",) if number == 0 else ("placebo", str(number))
    return generator(seed, "uncertainty", *name).permutation(values)
