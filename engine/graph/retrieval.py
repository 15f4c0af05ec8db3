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
    # Pairs with a bonus are no inner products: they are left out of the search, too, and scored one by one.
    single = sparse.csr_array(excluded.shape) if scorer.pair_bonus is None else scorer.pair_bonus
    left_out = sparse.csr_array(excluded[nodes] + (single[nodes] != 0))
    single = sparse.csr_array((single[nodes] != 0) > excluded[nodes])
    k = min(k, len(stored))
    candidates = np.zeros((len(nodes), k), dtype=np.int64)
    scores = np.full((len(nodes), k), -np.inf, dtype=np.float32)
    for rows, depth in _searches(np.diff(left_out.indptr), k, len(stored)):
        searched, searched_scores = _found(index, scorer, nodes[rows], depth, left_out[rows])
        added, added_scores = _scored(scorer, nodes[rows], single[rows])
        found = np.concatenate([searched, added], axis=1)
        values = np.concatenate([searched_scores, added_scores], axis=1)
        order = np.lexsort((found, -values), axis=1)[:, :k]
        candidates[rows], scores[rows] = np.take_along_axis(found, order, 1), np.take_along_axis(values, order, 1)
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
    index: Any, scorer: InnerProductScorer, nodes: NDArray[np.int64], depth: int, left_out: sparse.csr_array
) -> tuple[NDArray[np.int64], Scores]:
    """Search the best inner products of some nodes; what is left out gets -inf."""
    asked = np.column_stack([scorer.source[nodes], np.ones(len(nodes))]).astype(np.float32)
    values, found = index.search(asked, depth)
    known = np.repeat(np.arange(len(nodes)), np.diff(left_out.indptr)) * left_out.shape[1] + left_out.indices
    codes = np.arange(len(nodes))[:, np.newaxis] * left_out.shape[1] + found
    values = np.where(np.isin(codes, known), -np.inf, values + scorer.source_offset[nodes, np.newaxis])
    return found, values.astype(np.float32)


def _scored(
    scorer: InnerProductScorer, nodes: NDArray[np.int64], single: sparse.csr_array
) -> tuple[NDArray[np.int64], Scores]:
    """Score the pairs with a bonus; rows are padded with -inf to the same length."""
    count = np.diff(single.indptr)
    row = np.repeat(np.arange(len(nodes)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    candidates = np.zeros((len(nodes), int(count.max(initial=0))), dtype=np.int64)
    values = np.full(candidates.shape, -np.inf, dtype=np.float32)
    candidates[row, place] = single.indices
    values[row, place] = scorer.pairs(nodes[row], single.indices.astype(np.int64))
    return candidates, values
