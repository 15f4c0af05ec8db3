"""Ranked lists for many nodes: by our own blocked product, or by the optional package faiss."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engine.errors import ConfigError
from engine.graph.config import Retrieval
from engine.graph.ranks import top_candidates
from engine.graph.scoring import InnerProductScorer, Scorer, Scores

_ENTRIES = 2**22
"""Most candidates that one search returns."""


def check_retrieval(method: Retrieval) -> None:
    """Refuse faiss where it is not installed, before any time is spent on training.

    Raises
    ------
    ConfigError
        If faiss is asked for and its package is not installed.
    """
    if method == "faiss" and importlib.util.find_spec("faiss") is None:
        raise ConfigError("'retrieval' is faiss, which is not installed; install faiss-cpu, or set retrieval=exact.")


def retrieve(
    scorer: Scorer, nodes: NDArray[np.int64], k: int, excluded: sparse.csr_array, *, method: Retrieval
) -> tuple[NDArray[np.int64], Scores]:
    """Return the best candidates of some nodes, best first.

    Parameters
    ----------
    scorer : Scorer
    nodes : ndarray of shape (n,), int64
    k : int
    excluded : csr_array of shape (num_nodes, num_nodes), bool
    method : {"exact", "faiss"}
        Both look at every candidate; faiss may choose others among equal scores. It searches inner products, so a
        scorer without them is answered exactly.

    Returns
    -------
    candidates : ndarray of shape (n, k), int64
    scores : ndarray of shape (n, k), float32
        See `ranks.top_candidates`.
    """
    if method == "exact" or not isinstance(scorer, InnerProductScorer):
        return top_candidates(scorer, nodes, k, excluded)
    faiss = importlib.import_module("faiss")
    # One more dimension carries the offset of the target.
    stored = np.column_stack([scorer.target, scorer.target_offset]).astype(np.float32)
    index = faiss.IndexFlatIP(stored.shape[1])
    index.add(stored)
    k = min(k, len(stored))
    candidates = np.zeros((len(nodes), k), dtype=np.int64)
    scores = np.full((len(nodes), k), -np.inf, dtype=np.float32)
    for rows, depth in _searches(np.diff(excluded.indptr)[nodes], k, len(stored)):
        candidates[rows], scores[rows] = _found(index, scorer, nodes[rows], k, depth, excluded)
    return candidates, scores


def _searches(left_out: NDArray[np.int64], k: int, num_nodes: int) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Group rows that need about equally deep lists: those left out may stand before those that stay."""
    depth = k + 2 ** np.ceil(np.log2(np.maximum(left_out, 1))).astype(np.int64)
    for value in np.unique(depth):
        rows = np.flatnonzero(depth == value)
        size = max(_ENTRIES // int(value), 1)
        for begin in range(0, len(rows), size):
            yield rows[begin : begin + size], min(int(value), num_nodes)


def _found(
    index: Any, scorer: InnerProductScorer, nodes: NDArray[np.int64], k: int, depth: int, excluded: sparse.csr_array
) -> tuple[NDArray[np.int64], Scores]:
    """Search some nodes deep enough that k candidates are left."""
    asked = np.column_stack([scorer.source[nodes], np.ones(len(nodes))]).astype(np.float32)
    values, found = index.search(asked, depth)
    own = excluded[nodes]
    known = np.repeat(np.arange(len(nodes)), np.diff(own.indptr)) * excluded.shape[0] + own.indices
    codes = np.arange(len(nodes))[:, np.newaxis] * excluded.shape[0] + found
    values = np.where(np.isin(codes, known), -np.inf, values + scorer.source_offset[nodes, np.newaxis])
    order = np.lexsort((found, -values), axis=1)[:, :k]
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(values, order, axis=1).astype(np.float32)
