"""Scored rows of one split: what boundaries are tuned and judged on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.uncertainty.grid import Floats, Ints


@dataclass(frozen=True, slots=True)
class Rows:
    """Hold scored rows of one split: arrays of shape (n,); weight is how many rows a line stands for."""

    score: Floats
    uncertainty: Floats
    label: Ints
    weight: Ints
    unit: Ints

    def take(self, kept: NDArray[np.bool_] | Ints) -> Rows:
        """Pick some rows by mask or place."""
        return Rows(self.score[kept], self.uncertainty[kept], self.label[kept], self.weight[kept], self.unit[kept])

    def split_units(self, parts: int, rng: np.random.Generator) -> Ints:
        """Assign every row to one of some parts at random, whole units together, shape (n,)."""
        distinct, index = np.unique(self.unit, return_inverse=True)
        return (rng.permutation(distinct.size) % parts)[index].astype(np.int64)
