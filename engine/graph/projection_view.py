"""What a page draws of a stored map: groups with their counts, a stated sample, marked nodes.

Needs NumPy and pandas alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.seeding import generator

Grouping = Literal["role", "category", "in_degree", "out_degree"]

LARGEST_GROUPS = 6
"""Categories with a colour of their own; the others share one."""
DEGREE_STARTS = (0, 1, 2, 4, 8, 16, 32)
"""Smallest degree of every bucket."""
_CELLS = 48
"""Cells per axis in which points are counted to thin dense areas."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The nodes that a page draws of a map."""

    nodes: NDArray[np.int64]
    """Positions, sorted."""
    of: int
    """All nodes."""

    @property
    def is_whole(self) -> bool:
        """Whether every node is drawn."""
        return len(self.nodes) == self.of


def grouped(nodes: pd.DataFrame, by: Grouping) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Divide nodes into the groups that colours tell apart.

    Parameters
    ----------
    nodes : DataFrame
        Columns ``category, in_degree, out_degree``.
    by : {"role", "category", "in_degree", "out_degree"}
        A role is no property of a node, so it makes one group.

    Returns
    -------
    group : ndarray of shape (num_nodes,), int64
        Place of the node's group in `legend`.
    legend : DataFrame
        ``label, n``: what a group is called and how many nodes it has. The `LARGEST_GROUPS` largest categories by
        size, then one for all others, where there are any; degrees in rising order, empty buckets included.
    """
    if by == "role":
        return np.zeros(len(nodes), dtype=np.int64), pd.DataFrame({"label": ["all nodes"], "n": [len(nodes)]})
    if by == "category":
        return _by_category(nodes["category"].astype(str))
    group = np.searchsorted(DEGREE_STARTS, nodes[by].to_numpy(), side="right") - 1
    ends = [start - 1 for start in DEGREE_STARTS[1:]]
    labels = [str(a) if a == b else f"{a}–{b}" for a, b in zip(DEGREE_STARTS, ends, strict=False)]
    counts = np.bincount(group, minlength=len(DEGREE_STARTS))
    return group.astype(np.int64), pd.DataFrame({"label": [*labels, f"{DEGREE_STARTS[-1]}+"], "n": counts})


def _by_category(category: pd.Series) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Give the largest categories a group each, and the rest one together."""
    counts = category.value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    named = list(counts.index[:LARGEST_GROUPS])
    place = {name: position for position, name in enumerate(named)}
    group = category.map(place).fillna(len(named)).to_numpy(dtype=np.int64)
    labels, sizes = named, counts.iloc[: len(named)].tolist()
    if len(counts) > len(named):
        rest = len(counts) - len(named)
        labels = [*labels, f"{rest} other categories" if rest > 1 else "1 other category"]
        sizes = [*sizes, int(counts.iloc[len(named) :].sum())]
    return group, pd.DataFrame({"label": labels, "n": sizes})


def centred(coordinates: pd.DataFrame) -> pd.DataFrame:
    """Move the mean of each space to the origin; other columns stay."""
    places = ["source_x", "source_y", "target_x", "target_y"]
    return coordinates.assign(**{name: coordinates[name] - coordinates[name].mean() for name in places})


def sampled(coordinates: pd.DataFrame, *, limit: int, seed: int = 0) -> Sample:
    """Choose the nodes to draw, thinning dense areas more than sparse ones.

    A node is taken with a weight of 1 / sqrt(nodes in its cell of the map), the mean of both spaces, without
    replacement: outliers and small groups stay visible, and the order of densities is kept.

    Parameters
    ----------
    coordinates : DataFrame
        ``source_x, source_y, target_x, target_y``; row = position of the node.
    limit : int, >= 1
        Most nodes to draw.
    seed : int, >= 0

    Returns
    -------
    Sample
        The same for the same arguments.
    """
    count = len(coordinates)
    if count <= limit:
        return Sample(np.arange(count), count)
    weight = (_thinning(coordinates, "source") + _thinning(coordinates, "target")) / 2
    key = np.log(weight) + generator(seed, "graph", "drawn points").gumbel(size=count)
    return Sample(np.sort(np.argpartition(-key, limit - 1)[:limit]), count)


def with_nodes(sample: Sample, nodes: Iterable[int]) -> Sample:
    """Return a sample that holds some nodes in any case."""
    return sample if sample.is_whole else Sample(np.union1d(sample.nodes, np.fromiter(nodes, np.int64)), sample.of)


def _thinning(coordinates: pd.DataFrame, role: str) -> NDArray[np.float64]:
    """Return 1 / sqrt(number of nodes in the cell) of every node, in one space."""
    cell = np.zeros(len(coordinates), dtype=np.int64)
    for axis in ("x", "y"):
        values = coordinates[f"{role}_{axis}"].to_numpy(dtype=np.float64)
        width = max(float(np.ptp(values)), np.finfo(np.float64).tiny)
        step = np.minimum((values - values.min()) / width * _CELLS, _CELLS - 1)
        cell = cell * _CELLS + step.astype(np.int64)
    return np.asarray(1 / np.sqrt(np.bincount(cell)[cell]))


def sampling_sentence(sample: Sample) -> str:
    """Say how many of the nodes are drawn, and which.

    Examples
    --------
    >>> sampling_sentence(Sample(np.arange(2), 2))
    'Showing all 2 nodes.'
    """
    if sample.is_whole:
        return f"Showing all {sample.of:,} nodes."
    return (
        f"Showing {len(sample.nodes):,} of {sample.of:,} nodes, thinned where they are dense; selected nodes and their "
        "neighbours are always drawn."
    )
