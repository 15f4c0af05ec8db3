"""What a pair gains whose reversal is a known edge: by the in-degree of its source, at a level that held-out edges set.

Training finds how the gain changes with the in-degree. Its level does not carry over to edges that no epoch has seen,
with all messages in place, so that is read once more from validation edges, like the heads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engine.graph.data import TrainingGraph, adjacency
from engine.graph.heads import HEAD_PENALTY
from engine.graph.pairs import Edges
from engine.graph.ranks import excluded_candidates
from engine.graph.scoring import InnerProductScorer, entries

Floats = NDArray[np.float64]
Nodes = NDArray[np.int64]

CANDIDATES = 4096
"""Most other candidates that validation edges are held against; a larger graph draws them, the same for all queries."""
QUERIES = 1024
"""Most query nodes whose validation edges are read; a larger graph draws them."""
_LEAST_FACTOR = 0.1
_STEPS = 50
_CONVERGED = 1e-8
_LEFT_OUT = -1e4


def reversal_bonus(edge_index: Edges, in_degree: NDArray[np.int64], *, level: float, slope: float) -> sparse.csr_array:
    """Return what pairs gain whose reversal is an edge: ``c(u) = c0 + c' log(1 + d_in(u))`` of their source u.

    Parameters
    ----------
    edge_index : ndarray of shape (2, n_edges), int64
        Known edges, without repeats.
    in_degree : ndarray of shape (num_nodes,), int64
    level, slope : float
        c0 and c'.

    Returns
    -------
    csr_array of shape (num_nodes, num_nodes), float32
        Entry (u, v) where v -> u is an edge.
    """
    target, source = edge_index
    gain = (level + slope * np.log1p(in_degree)).astype(np.float32)
    return sparse.csr_array((gain[source], (source, target)), shape=(len(in_degree), len(in_degree)))


def with_level(
    scorer: InnerProductScorer, training: TrainingGraph, rng: np.random.Generator
) -> tuple[InnerProductScorer, float]:
    """Move the level of reciprocity to where validation edges put it.

    Minimises, over a factor f on the score and a shift d,
    ``sum over edges i of -log(exp(p_i) / (exp(p_i) + sum over k exp(n_ik))) + HEAD_PENALTY ((f - 1)^2 + d^2) / 2``,
    ``p, n = f r + d [reversal is a training edge]``, r the ranking score. Its level then moves by d / f.

    Parameters
    ----------
    scorer : InnerProductScorer
        As training left it, with a bonus of its pairs; its source offset is not looked at.
    training : TrainingGraph
    rng : numpy.random.Generator
        Draws candidates and queries of a large graph.

    Returns
    -------
    scorer : InnerProductScorer
        With the shift in every entry of its bonus.
    shift : float
        0 without a validation edge.

    Notes
    -----
    The k of an edge u -> v are all nodes but u and its training and validation targets. Those that lead to u are always
    taken; of the others at most `CANDIDATES` are drawn and count for all. The factor leaves every ranking as it is: it
    is there because held-out scores spread less or more than in training, which must not pass for reciprocity.
    """
    if scorer.pair_bonus is None or training.validation_edge_index.shape[1] == 0:
        return scorer, 0.0
    factor, gain = _fitted(_compared(scorer, training, rng))
    shift = gain / max(factor, _LEAST_FACTOR)
    bonus = scorer.pair_bonus.copy()
    bonus.data = bonus.data + np.float32(shift)
    return replace(scorer, pair_bonus=bonus), shift


@dataclass(frozen=True, slots=True)
class _Compared:
    """Scores of validation edges, and of what they are held against."""

    others: Floats
    """Candidates that do not lead to the query, shape (n_queries, n_candidates)."""
    log_weight: Floats
    """Logarithm of how many nodes each of them counts for, next to none where it is left out; the same shape."""
    reversals: Floats
    """Candidates that lead to their query, shape (n_reversals,)."""
    reversal_query: Nodes
    edges: Floats
    """Validation edges, shape (n_edges,)."""
    edge_query: Nodes
    is_reversal: Floats
    """Whether the reversal of an edge is a training edge, 0 or 1."""


def _compared(scorer: InnerProductScorer, training: TrainingGraph, rng: np.random.Generator) -> _Compared:
    """Score the validation edges and their candidates."""
    num_nodes, edge_index = training.num_nodes, training.validation_edge_index
    queries = _some(np.unique(edge_index[0]), QUERIES, rng)
    edge_index = edge_index[:, np.isin(edge_index[0], queries)]
    known = excluded_candidates(np.concatenate([training.edge_index, edge_index], axis=1), num_nodes)
    back = adjacency(training.edge_index[::-1], num_nodes)
    row, column = (part.astype(np.int64) for part in sparse.coo_array(back[queries]).coords)
    is_open = entries(known, queries[row], column) == 0
    row, column = row[is_open], column[is_open]
    candidates = _some(np.arange(num_nodes), CANDIDATES, rng)
    others = scorer.source[queries] @ scorer.target[candidates].T + scorer.target_offset[candidates]
    is_left_out = known[queries][:, candidates].toarray() | (back[queries][:, candidates].toarray() > 0)
    return _Compared(
        others=others.astype(np.float64),
        log_weight=np.where(is_left_out, _LEFT_OUT, np.log(num_nodes / len(candidates))),
        reversals=_ranking_score(scorer, np.stack([queries[row], column])),
        reversal_query=row,
        edges=_ranking_score(scorer, edge_index),
        edge_query=np.searchsorted(queries, edge_index[0]),
        is_reversal=entries(back, *edge_index).astype(np.float64),
    )


def _some(nodes: Nodes, most: int, rng: np.random.Generator) -> Nodes:
    """Return all of some nodes, or a draw if there are too many, ascending."""
    return nodes if len(nodes) <= most else np.sort(rng.choice(nodes, size=most, replace=False))


def _ranking_score(scorer: InnerProductScorer, edge_index: Edges) -> Floats:
    """Return the scores of pairs without what is the same for all targets of a source."""
    return (scorer.pairs(*edge_index) - scorer.source_offset[edge_index[0]]).astype(np.float64)


def _fitted(compared: _Compared) -> tuple[float, float]:
    """Return factor and gain by Newton's method; the loss is convex in both."""
    start = np.array([1.0, 0.0])
    found = start
    for _ in range(_STEPS):
        gradient, curvature = _derivatives(compared, *found)
        gradient = gradient + HEAD_PENALTY * (found - start)
        step = -np.linalg.solve(curvature + HEAD_PENALTY * np.eye(2), gradient)
        found = found + np.clip(step, -1.0, 1.0)
        if float(np.abs(step).max()) < _CONVERGED:
            break
    return float(found[0]), float(found[1])


def _derivatives(compared: _Compared, factor: float, gain: float) -> tuple[Floats, Floats]:
    """Return gradient, shape (2,), and curvature, shape (2, 2), of the loss without its penalty."""
    query, count = compared.reversal_query, len(compared.others)
    others = factor * compared.others + compared.log_weight
    reversals = factor * compared.reversals + gain
    top = others.max(axis=1)
    np.maximum.at(top, query, reversals)
    others, reversals = np.exp(others - top[:, np.newaxis]), np.exp(reversals - top[query])

    def summed(values: Floats) -> Floats:
        return np.bincount(query, weights=values, minlength=count).astype(np.float64)

    mass = summed(reversals)
    total = others.sum(axis=1) + mass
    mean = np.stack([(others * compared.others).sum(axis=1) + summed(reversals * compared.reversals), mass]) / total
    square = ((others * compared.others**2).sum(axis=1) + summed(reversals * compared.reversals**2)) / total
    mixed = summed(reversals * compared.reversals) / total
    second = np.array([[square, mixed], [mixed, mean[1]]])
    spread = second - mean[:, np.newaxis] * mean[np.newaxis]

    own = np.stack([compared.edges, compared.is_reversal])
    excess = top[compared.edge_query] + np.log(total[compared.edge_query]) - factor * own[0] - gain * own[1]
    missed = 1.0 / (1.0 + np.exp(-np.clip(excess, -500, 500)))
    gap = mean[:, compared.edge_query] - own
    gradient = gap @ missed
    curvature = spread[:, :, compared.edge_query] @ missed + (gap * (missed * (1.0 - missed))) @ gap.T
    return gradient, curvature
