"""Nodes at two steps, found by numbering the paths instead of squaring the adjacency matrix."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engine.graph.pairs import edge_codes

_BLOCK = 2_000_000


def second_neighbours(
    first: sparse.csr_array,
    *,
    rows: NDArray[np.bool_] | None = None,
    paths: int | None = None,
    rng: np.random.Generator | None = None,
) -> sparse.csr_array:
    """Return the nodes at exactly two steps from every row: no neighbours, not the node itself.

    Parameters
    ----------
    first : csr_array of shape (num_nodes, num_nodes)
        Neighbours of every row.
    rows : ndarray of shape (num_nodes,), bool, optional
        Rows to look at, all by default; the others come back empty.
    paths : int, optional
        Most two-step paths to follow from a row; a row with more of them follows this many, drawn uniformly with
        replacement. All paths are followed by default.
    rng : numpy.random.Generator, optional
        Draws the paths; needed with `paths`.

    Returns
    -------
    csr_array of shape (num_nodes, num_nodes), float32 ones
    """
    first = first.sorted_indices()
    before = np.concatenate([[0], np.cumsum(np.diff(first.indptr).astype(np.int64)[first.indices])])
    ends = before[first.indptr]
    followed = np.diff(ends) if paths is None else np.minimum(np.diff(ends), paths)
    if rows is not None:
        followed = np.where(rows, followed, 0)
    parts = [
        _new_nodes(first, _followed_paths(ends, followed, block, rng), before, block) for block in row_blocks(followed)
    ]
    column = np.concatenate([part for part, _ in parts])
    start = np.concatenate([[0], np.cumsum(np.concatenate([count for _, count in parts]))])
    return sparse.csr_array((np.ones(len(column), dtype=np.float32), column, start), shape=first.shape)


def two_step_paths(edge_index: NDArray[np.int64], num_nodes: int) -> int:
    """Count the directed paths of two edges; following them against the arrows gives the same number.

    Examples
    --------
    >>> two_step_paths(np.array([[0, 1, 1], [1, 2, 3]]), 4)
    2
    """
    inward, outward = (np.bincount(ends, minlength=num_nodes) for ends in edge_index[::-1])
    return int((inward * outward).sum())


def row_blocks(entries: NDArray[np.int64]) -> Iterator[slice]:
    """Cut rows into blocks with about two million entries each, so that scratch arrays stay small.

    Parameters
    ----------
    entries : ndarray of shape (num_rows,), int64, >= 0
        Entries of every row.

    Returns
    -------
    iterator of slice
        Consecutive, together all rows.
    """
    block = np.cumsum(entries) // _BLOCK
    edges = np.concatenate([[0], np.flatnonzero(np.diff(block)) + 1, [len(entries)]])
    return (slice(int(begin), int(end)) for begin, end in itertools.pairwise(edges))


def _followed_paths(
    ends: NDArray[np.int64], followed: NDArray[np.int64], rows: slice, rng: np.random.Generator | None
) -> NDArray[np.int64]:
    """Return the numbers of the paths to follow from a block of rows; row u owns ends[u] up to ends[u + 1]."""
    count = followed[rows]
    begin = ends[rows.start : rows.stop]
    path = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count - begin, count)
    total = np.diff(ends[rows.start : rows.stop + 1])
    is_drawn = np.repeat(count < total, count)
    if is_drawn.any():
        if rng is None:
            raise ValueError("drawing some of the paths needs a generator")
        among = np.repeat(total, count)[is_drawn]
        path[is_drawn] = np.repeat(begin, count)[is_drawn] + (rng.random(len(among)) * among).astype(np.int64)
    return path


def _new_nodes(
    first: sparse.csr_array, path: NDArray[np.int64], before: NDArray[np.int64], rows: slice
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the ends of the paths that are neither an edge nor a loop, row after row, and their number per row."""
    num_nodes = first.shape[0]
    edge = np.searchsorted(before, path, side="right") - 1
    column = first.indices[first.indptr[first.indices[edge]] + path - before[edge]]
    row = np.searchsorted(first.indptr, edge, side="right") - 1
    codes = np.sort(edge_codes(np.stack([row, column]).astype(np.int64), num_nodes)[row != column])
    # Sorting beats the hash table of `np.unique` several times over on codes that are nearly in order.
    codes = codes[np.diff(codes, prepend=-1) > 0]
    begin, end = first.indptr[rows.start], first.indptr[rows.stop]
    own = np.repeat(np.arange(rows.start, rows.stop), np.diff(first.indptr[rows.start : rows.stop + 1]))
    known = own * num_nodes + first.indices[begin:end]
    new_row, new_column = np.divmod(codes[~np.isin(codes, known, assume_unique=True)], num_nodes)
    return new_column.astype(np.int32), np.bincount(new_row - rows.start, minlength=rows.stop - rows.start)
