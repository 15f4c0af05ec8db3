"""Neighbourhoods whose size follows the degree: few neighbours for hubs, farther reach for rarely linked nodes.

A reconstruction: the paper's text was not at hand. That the size falls with in-degree by a fitted power law, and
that high-degree neighbours are preferred, is reported of it by others; the formulas here are our own choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engine.graph.config import Sampling
from engine.graph.data import TrainingGraph, adjacency
from engine.graph.two_steps import row_blocks, second_neighbours, two_step_paths

EXACT_PATHS = 10_000_000
"""Most two-step paths of a graph that are all followed; in a larger graph every row follows a sample of its own."""
PATHS_PER_PLACE = 3
"""Paths that a row of a larger graph follows, per place in the largest neighbourhood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """How many neighbours every node may take, and how they are drawn."""

    sampling: Sampling
    adaptive: NDArray[np.int64]
    """K_u of the adaptive sampler, shape (num_nodes,); `uniform` spends the same total."""
    source_weight: NDArray[np.float64]
    """Weight of a node when it is drawn as an in-neighbour, shape (num_nodes,)."""
    target_weight: NDArray[np.float64]
    """Weight of a node when it is drawn as an out-neighbour, shape (num_nodes,)."""
    paths: int | None = None
    """Most two-step paths to follow from a node; None follows all of them."""


def power_law_exponent(in_degree: NDArray[np.int64]) -> float:
    """Fit the exponent of the in-degree distribution by maximum likelihood.

    alpha = 1 + n / sum(ln(d_i / (d_min - 1/2))) with d_min = 1, over the nodes with d_i > 0.

    Parameters
    ----------
    in_degree : ndarray of shape (num_nodes,), int64, >= 0
        Degrees from training edges.

    Returns
    -------
    float, > 1
        2.0 if no node has an in-edge.

    Notes
    -----
    The form is an approximation that is close from d_min = 6 on; at d_min = 1 it comes out too low, so the sizes that
    follow from it fall more slowly with degree than the true exponent would make them.

    References
    ----------
    Clauset, Shalizi and Newman (2009), Power-law distributions in empirical data, eq. 3.7 (the discrete form).

    Examples
    --------
    >>> round(power_law_exponent(np.array([1, 1, 1, 0])), 3)
    2.443
    """
    degree = in_degree[in_degree > 0]
    return 2.0 if degree.size == 0 else 1.0 + degree.size / float(np.log(degree / 0.5).sum())


def fan_out(
    in_degree: NDArray[np.int64], exponent: float, *, max_neighbours: int, min_neighbours: int
) -> NDArray[np.int64]:
    """Return the neighbourhood size of every node from its in-degree.

    K_u = clip(round(K_max * max(d_u, 1)^-(alpha - 1)), K_min, K_max), the tail of the fitted power law.

    Parameters
    ----------
    in_degree : ndarray of shape (num_nodes,), int64, >= 0
    exponent : float, > 1
        alpha, from `power_law_exponent`.
    max_neighbours, min_neighbours : int, >= 1

    Returns
    -------
    ndarray of shape (num_nodes,), int64, in [min_neighbours, max_neighbours]
        Never larger for a higher in-degree.

    Examples
    --------
    >>> fan_out(np.array([0, 1, 2, 50]), 1.58, max_neighbours=20, min_neighbours=5)
    array([20, 20, 13,  5])
    """
    tail = np.maximum(in_degree, 1).astype(np.float64) ** -(exponent - 1.0)
    return np.clip(np.rint(max_neighbours * tail), min_neighbours, max_neighbours).astype(np.int64)


def fan_out_of(
    training: TrainingGraph,
    sampling: Sampling,
    *,
    max_neighbours: int,
    min_neighbours: int,
    neighbour_bias: float,
) -> FanOut:
    """Derive the sampler of a graph from its training edges.

    Parameters
    ----------
    training : TrainingGraph
    sampling : {"full", "uniform", "adaptive", "none"}
    max_neighbours, min_neighbours : int, >= 1
    neighbour_bias : float
        Exponent on the degree of a neighbour: 1 prefers high degrees, 0 is uniform.

    Returns
    -------
    FanOut

    Notes
    -----
    In a graph of more than `EXACT_PATHS` two-step paths a node that needs neighbours of neighbours chooses among the
    ends of `PATHS_PER_PLACE` * `max_neighbours` random paths, as hubs have millions. Ends of many paths are then
    candidates more often than by the weights alone.
    """
    exponent = power_law_exponent(training.in_degree)
    is_large = two_step_paths(training.edge_index, training.num_nodes) > EXACT_PATHS
    return FanOut(
        sampling=sampling,
        adaptive=fan_out(training.in_degree, exponent, max_neighbours=max_neighbours, min_neighbours=min_neighbours),
        source_weight=np.maximum(training.out_degree, 1).astype(np.float64) ** neighbour_bias,
        target_weight=np.maximum(training.in_degree, 1).astype(np.float64) ** neighbour_bias,
        paths=PATHS_PER_PLACE * max_neighbours if is_large else None,
    )


def operators(
    edge_index: NDArray[np.int64], num_nodes: int, fan: FanOut, rng: np.random.Generator
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return the neighbourhoods of both roles as row-normalised matrices.

    Parameters
    ----------
    edge_index : ndarray of shape (2, n_edges), int64
        Edges that carry messages.
    num_nodes : int
    fan : FanOut
    rng : numpy.random.Generator
        Draws the neighbourhoods; unused if `fan.sampling` is full or none.

    Returns
    -------
    out_neighbours, in_neighbours : csr_array of shape (num_nodes, num_nodes), float32
        Row u averages over the nodes that u leads to, or that lead to u. A node without them has a zero row.
        *Direction*: ``out_neighbours @ target_embedding`` and ``in_neighbours @ source_embedding``.
    """
    if fan.sampling == "none":
        edge_index = edge_index[:, :0]
    forward = adjacency(edge_index, num_nodes)
    backward = sparse.csr_array(forward.T)
    if fan.sampling in ("full", "none"):
        return row_normalised(forward), row_normalised(backward)
    return (
        _drawn(forward, fan, fan.target_weight, rng),
        _drawn(backward, fan, fan.source_weight, rng),
    )


def draw(
    first: sparse.csr_array,
    second: sparse.csr_array,
    size: NDArray[np.int64],
    weight: NDArray[np.float64],
    rng: np.random.Generator,
) -> sparse.csr_array:
    """Draw every node's neighbourhood without replacement: neighbours first, then neighbours of neighbours.

    Parameters
    ----------
    first, second : csr_array of shape (num_nodes, num_nodes)
        Neighbours of every row, and nodes at two steps that are no neighbours (see `second_neighbours`).
    size : ndarray of shape (num_nodes,), int64, >= 0
        Most nodes to take per row. If a row has fewer neighbours it takes all of them and fills up from `second`.
    weight : ndarray of shape (num_nodes,), float64, > 0
        Probability of a candidate is proportional to its weight.
    rng : numpy.random.Generator

    Returns
    -------
    csr_array of shape (num_nodes, num_nodes), float32 ones

    Notes
    -----
    The smallest of exponential variates divided by the weights draw without replacement with probabilities
    proportional to the weights (Efraimidis and Spirakis, 2006, in another guise). Every candidate gets its variate
    whatever the sizes are, so two draws with equal seeds and other sizes differ by the sizes alone.
    """
    inverse = (1.0 / weight).astype(np.float32)
    candidates = np.diff(first.indptr).astype(np.int64) + np.diff(second.indptr)
    parts = [_taken(first, second, size, inverse, rows, rng) for rows in row_blocks(candidates)]
    column = np.concatenate([part for part, _ in parts])
    start = np.concatenate([[0], np.cumsum(np.concatenate([count for _, count in parts]))])
    return sparse.csr_array((np.ones(len(column), dtype=np.float32), column, start), shape=first.shape)


def equal_budget(available: NDArray[np.int64], budget: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Give every node the same neighbourhood size, so that all together take exactly `budget` nodes.

    Parameters
    ----------
    available : ndarray of shape (num_nodes,), int64, >= 0
        Most nodes that each node could take.
    budget : int, in [0, sum(available)]
        Total to spend.
    rng : numpy.random.Generator
        Chooses the nodes that take one more where the budget does not divide evenly.

    Returns
    -------
    ndarray of shape (num_nodes,), int64
        A constant K, plus 1 for some of the nodes that can use it; sum(min(result, available)) == budget.

    Examples
    --------
    >>> equal_budget(np.array([1, 4, 4]), 7, np.random.default_rng(0)).tolist()
    [3, 3, 3]
    """
    candidates = np.arange(int(available.max(initial=0)) + 1)
    # spent[k] = sum(min(k, available)): every size adds the nodes that have at least that many.
    at_least = available.size - np.concatenate([[0], np.cumsum(np.bincount(available, minlength=len(candidates)))])
    spent = np.concatenate([[0], np.cumsum(at_least[1 : len(candidates)])])
    size = int(candidates[spent <= budget].max())
    result = np.full(available.shape, size, dtype=np.int64)
    open_to_more = np.flatnonzero(available > size)
    result[rng.permutation(open_to_more)[: budget - int(spent[size])]] += 1
    return result


def row_normalised(matrix: sparse.csr_array) -> sparse.csr_array:
    """Divide every row by its sum; zero rows stay zero.

    Parameters
    ----------
    matrix : csr_array of shape (n, n), >= 0

    Returns
    -------
    csr_array of shape (n, n), float32
    """
    degree = np.asarray(matrix.sum(axis=1)).ravel()
    inverse = np.divide(1.0, degree, out=np.zeros_like(degree), where=degree > 0)
    return sparse.csr_array(sparse.diags_array(inverse.astype(np.float32)) @ matrix)


def _drawn(
    first: sparse.csr_array, fan: FanOut, weight: NDArray[np.float64], rng: np.random.Generator
) -> sparse.csr_array:
    """Draw the neighbourhoods of one role with the sizes of the sampler, row-normalised."""
    # The equal size never exceeds the largest adaptive one, so rows with that many neighbours need no second step.
    open_rows = np.diff(first.indptr) < fan.adaptive.max(initial=0)
    second = second_neighbours(first, rows=open_rows, paths=fan.paths, rng=rng)
    size = fan.adaptive
    if fan.sampling == "uniform":
        available = np.diff(first.indptr) + np.diff(second.indptr)
        # A stream of its own, so that both samplers draw with the same noise and differ in their sizes alone.
        size = equal_budget(available.astype(np.int64), int(np.minimum(size, available).sum()), rng.spawn(1)[0])
    return row_normalised(draw(first, second, size, weight, rng))


def _taken(
    first: sparse.csr_array,
    second: sparse.csr_array,
    size: NDArray[np.int64],
    inverse_weight: NDArray[np.float32],
    rows: slice,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Draw for a block of rows; return the columns, row after row in ascending order, and the number per row."""
    row, column, step = [], [], []
    for place, matrix in enumerate((first, second)):
        start = matrix.indptr[rows.start : rows.stop + 1]
        row.append(np.repeat(np.arange(rows.stop - rows.start), np.diff(start)))
        column.append(matrix.indices[start[0] : start[-1]].astype(np.int32))
        step.append(np.full(len(column[-1]), place, dtype=np.uint64))
    all_rows, all_columns = np.concatenate(row), np.concatenate(column)
    variate = rng.standard_exponential(len(all_columns), dtype=np.float32) * inverse_weight[all_columns]
    # The bits of positive floats are in their order, so row, step and variate sort as one whole number.
    key = (all_rows.astype(np.uint64) << np.uint64(33)) | (np.concatenate(step) << np.uint64(32))
    order = np.argsort(key | variate.view(np.uint32).astype(np.uint64), kind="stable")
    available = np.bincount(all_rows, minlength=rows.stop - rows.start)
    place_in_row = np.arange(len(order)) - np.repeat(np.cumsum(available) - available, available)
    chosen = order[place_in_row < np.repeat(size[rows], available)]
    chosen = chosen[np.lexsort((all_columns[chosen], all_rows[chosen]))]
    return all_columns[chosen], np.minimum(available, size[rows])
