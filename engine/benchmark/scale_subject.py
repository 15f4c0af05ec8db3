"""What the benchmark of scale measures: simulated data of a kind, and the work that several tools do on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from engine.result import Kind

OURS = "ours"
SIMULATE, DESCRIBE = "simulate", "describe"
QUESTION = "_question.json"
"""File beside the data with what every tool is told; readers of Parquet folders leave out such names."""
Answer = Mapping[str, pd.DataFrame]
"""Name of a table to the table; tables of one name are the same, whoever worked them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One work of one tool."""

    tool: str
    step: str
    work: Callable[[Path], Answer] | None
    """From the folder of the data to its answer; none: `engine.benchmark.survival_peer` does it elsewhere."""
    needs: tuple[str, ...] = ()
    """Modules that are loaded before the clock starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Data of one kind, of any size, and what is done with them; the first task simulates."""

    kind: Kind
    data: str
    """What its rows are, in the plural."""
    tasks: tuple[Task, ...]
    keys: Mapping[str, tuple[str, ...]]
    """Name of an answer's table to the columns that name its rows."""

    @property
    def simulation(self) -> Task:
        """The task that makes the data."""
        return self.tasks[0]


def question(folder: Path) -> dict[str, Any]:
    """Read what every tool is told of the data."""
    return json.loads((folder / QUESTION).read_text(encoding="utf-8"))


def tell(folder: Path, **facts: Any) -> None:
    """Add to what every tool is told of the data."""
    folder.mkdir(parents=True, exist_ok=True)
    known = question(folder) if (folder / QUESTION).exists() else {}
    (folder / QUESTION).write_text(json.dumps(known | facts), encoding="utf-8")


def difference(ours: pd.DataFrame, theirs: pd.DataFrame, keys: tuple[str, ...]) -> float:
    """Return the largest absolute difference between two tables.

    Parameters
    ----------
    ours, theirs : DataFrame
        Columns `keys` and numbers; numbers that only one of them has are not compared.
    keys : tuple of str

    Returns
    -------
    float
        Infinite if the rows have other names, or a number is missing on one side.
    """
    left, right = (table.set_index(list(keys)).sort_index() for table in (ours, theirs))
    if len(left) != len(right) or not (left.index == right.index).all():
        return float("inf")
    shared = [name for name in left.columns if name in right.columns]
    gap = np.abs(left[shared].to_numpy(dtype=float) - right[shared].to_numpy(dtype=float))
    return float("inf") if np.isnan(gap).any() else float(gap.max(initial=0.0))
