"""Ranking metrics for held-out edges: where the true item stands among all candidates.

A row is one (query, true item) pair. `filtered_ranks` turns scores into ranks; everything else
works on ranks, either per row (`hit_at`, `reciprocal_rank_at`, `ndcg_at`), so that a bootstrap can
reweight the rows, or as a weighted mean (`hit_rate`, `mrr`, `ndcg`, `recall`).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.errors import DataError
from engine.metrics.inputs import (
    Floats,
    columns,
    mask,
    positive_integer,
    query_share,
    reject,
    score_table,
    vector,
    weighted_mean,
    weights,
)


def filtered_ranks(scores: ArrayLike, truth: ArrayLike, excluded: NDArray[np.bool_] | None = None) -> Floats:
    """Rank each query's true item among the candidates that are not excluded.

    rank = 1 + #(candidates scored higher) + #(other candidates with the same score) / 2

    Parameters
    ----------
    scores : array-like of shape (n_queries, n_items), higher is better
        Infinite scores are allowed, missing ones are not.
    truth : array-like of shape (n_queries,), int, in [0, n_items)
        Column of the true item.
    excluded : ndarray of shape (n_queries, n_items), bool, optional
        Candidates to leave out: known training edges, other true items, the query itself. The true
        item always takes part, even if it is marked here.

    Returns
    -------
    ndarray of shape (n_queries,), float64, in [1, n_items]
        1 is best. Ties get their mean rank, so a constant score earns no hit by luck of order.

    Raises
    ------
    DataError
        If shapes disagree, a score is missing, or a true item is not a column; names the first
        bad row.

    Examples
    --------
    >>> filtered_ranks([[0.9, 0.5, 0.5, 0.1]], [1])
    array([2.5])
    >>> filtered_ranks([[0.9, 0.5, 0.5, 0.1]], [1], np.array([[True, False, False, False]]))
    array([1.5])
    """
    table = score_table(scores)
    column = columns("truth", truth, table.shape)
    rows = np.arange(table.shape[0])
    true_score = table[rows, column][:, np.newaxis]
    better, tied = table > true_score, table == true_score
    if excluded is not None:
        kept = ~mask("excluded", excluded, table.shape)
        better &= kept
        tied &= kept
    tied[rows, column] = False
    return 1.0 + better.sum(axis=1) + tied.sum(axis=1) / 2.0


def hit_at(ranks: ArrayLike, k: int) -> Floats:
    """Return 1 for each row whose true item is among the first k, else 0.

    Parameters
    ----------
    ranks : array-like of shape (n_queries,), >= 1
        Ranks from `filtered_ranks`; a tied mean rank of 10.5 is no hit at 10.
    k : int, >= 1

    Returns
    -------
    ndarray of shape (n_queries,), float64, 0 or 1

    Raises
    ------
    DataError
        If a rank is missing or below 1.
    ConfigError
        If k is not a whole number of at least 1.

    Examples
    --------
    >>> hit_at([1, 2.5, 11], 10)
    array([1., 1., 0.])
    """
    return (_checked_ranks(ranks) <= positive_integer("k", k)).astype(np.float64)


def reciprocal_rank_at(ranks: ArrayLike, k: int | None = None) -> Floats:
    """Return 1 / rank for each row, zero beyond rank k.

    Parameters
    ----------
    ranks : array-like of shape (n_queries,), >= 1
    k : int, >= 1, optional
        Cut-off; without it every rank counts.

    Returns
    -------
    ndarray of shape (n_queries,), float64, in [0, 1]

    Raises
    ------
    DataError, ConfigError
        As `hit_at`.

    Examples
    --------
    >>> reciprocal_rank_at([1, 2.5, 20], 10)
    array([1. , 0.4, 0. ])
    """
    checked = _checked_ranks(ranks)
    return _cut(1.0 / checked, checked, k)


def ndcg_at(ranks: ArrayLike, k: int) -> Floats:
    """Return the normalised discounted gain of each row: 1 / log2(1 + rank), zero beyond rank k.

    The row has one relevant item, so the ideal gain is 1 and no further normalisation is needed.

    Parameters
    ----------
    ranks : array-like of shape (n_queries,), >= 1
    k : int, >= 1

    Returns
    -------
    ndarray of shape (n_queries,), float64, in [0, 1]

    Raises
    ------
    DataError, ConfigError
        As `hit_at`.

    References
    ----------
    Järvelin and Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques, with base 2.
    Deviation: other true items of the query are excluded beforehand rather than graded.

    Examples
    --------
    >>> ndcg_at([1, 3, 11], 10)
    array([1. , 0.5, 0. ])
    """
    checked = _checked_ranks(ranks)
    return _cut(1.0 / np.log2(1.0 + checked), checked, k)


def hit_rate(ranks: ArrayLike, k: int, sample_weight: ArrayLike | None = None) -> float:
    """Return the share of rows whose true item is among the first k.

    Parameters
    ----------
    ranks : array-like of shape (n_queries,), >= 1
    k : int, >= 1
    sample_weight : array-like of shape (n_queries,), >= 0, optional

    Returns
    -------
    float in [0, 1]
        NaN with `UndefinedMetricWarning` if no row carries weight.

    Raises
    ------
    DataError, ConfigError
        As `hit_at`; also if a weight is negative or lengths differ.

    Examples
    --------
    >>> hit_rate([1, 3, 20, 2], 2)
    0.5
    """
    return _mean("hit_rate", hit_at(ranks, k), sample_weight)


def mrr(ranks: ArrayLike, k: int | None = None, sample_weight: ArrayLike | None = None) -> float:
    """Return the mean reciprocal rank, counting rows beyond rank k as zero.

    Parameters
    ----------
    ranks : array-like of shape (n_queries,), >= 1
    k : int, >= 1, optional
    sample_weight : array-like of shape (n_queries,), >= 0, optional

    Returns
    -------
    float in [0, 1]
        NaN with `UndefinedMetricWarning` if no row carries weight.

    Raises
    ------
    DataError, ConfigError
        As `hit_at`; also if a weight is negative or lengths differ.

    Examples
    --------
    >>> mrr([1, 2, 4, 4])
    0.5
    """
    return _mean("mrr", reciprocal_rank_at(ranks, k), sample_weight)


def ndcg(ranks: ArrayLike, k: int, sample_weight: ArrayLike | None = None) -> float:
    """Return the mean normalised discounted gain at k; see `ndcg_at`.

    Parameters
    ----------
    ranks : array-like of shape (n_queries,), >= 1
    k : int, >= 1
    sample_weight : array-like of shape (n_queries,), >= 0, optional

    Returns
    -------
    float in [0, 1]
        NaN with `UndefinedMetricWarning` if no row carries weight.

    Raises
    ------
    DataError, ConfigError
        As `hit_at`; also if a weight is negative or lengths differ.

    Examples
    --------
    >>> ndcg([1, 3], 10)
    0.75
    """
    return _mean("ndcg", ndcg_at(ranks, k), sample_weight)


def recall(ranks: ArrayLike, k: int, queries: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """Return the mean over queries of the share of a query's true items among the first k.

    `hit_rate` counts every true item once; here every query counts once, however many it has.

    Parameters
    ----------
    ranks : array-like of shape (n_rows,), >= 1
        One row per (query, true item), each ranked with the query's other true items excluded.
    k : int, >= 1
    queries : array-like of shape (n_rows,)
        The query of each row, any labels.
    sample_weight : array-like of shape (n_rows,), >= 0, optional
        Equal within a query (as in a bootstrap over queries).

    Returns
    -------
    float in [0, 1]
        NaN with `UndefinedMetricWarning` if no row carries weight.

    Raises
    ------
    DataError, ConfigError
        As `hit_at`; also if a weight is negative or lengths differ.

    Examples
    --------
    >>> recall([1, 99, 1], 10, ["a", "a", "b"])
    0.75
    """
    hits = hit_at(ranks, k)
    share = query_share(queries)
    if share.shape != hits.shape:
        raise DataError(f"`queries` has shape {share.shape}; {hits.size} rows are expected.")
    return weighted_mean("recall", hits, weights(sample_weight, hits.size) * share)


def _checked_ranks(ranks: ArrayLike) -> Floats:
    """Ranks as float64 values of at least 1."""
    checked = vector("ranks", ranks)
    reject("ranks", checked, checked < 1, "ranks start at 1")
    return checked


def _cut(gain: Floats, ranks: Floats, k: int | None) -> Floats:
    """Gain of each row, zero beyond rank k."""
    if k is None:
        return gain
    return np.where(ranks <= positive_integer("k", k), gain, 0.0)


def _mean(metric: str, values: Floats, sample_weight: ArrayLike | None) -> float:
    """Weighted mean of per-row contributions."""
    return weighted_mean(metric, values, weights(sample_weight, values.size))
