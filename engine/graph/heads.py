"""What a trained form is read with: log-odds of an edge, and of its direction, fitted on the validation edges.

Both heads come after the training, so neither can change an embedding, and the first cannot change a ranking.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.graph.data import TrainingGraph
from engine.graph.pairs import Edges, edge_codes, is_known
from engine.graph.scoring import DirectionHead, InnerProductScorer

Floats = NDArray[np.float64]

HEAD_PENALTY = 1.0
"""Ridge penalty on every weight of a head: half the squared weight, against a sum over edges."""
RANDOM_PAIRS = 20
"""Random pairs per validation edge behind the log-odds of an edge; together they weigh as much as the edges."""
_NEWTON_STEPS = 50
_CONVERGED = 1e-9
_LEAST_SCALE = 1e-3
_SCALE_PENALTY = 1e-3
_ROUNDING = 1e-5


def with_heads(
    scorer: InnerProductScorer, training: TrainingGraph, rng: np.random.Generator
) -> tuple[InnerProductScorer, dict[str, NDArray[np.float32]]]:
    """Read a trained form as log-odds.

    Parameters
    ----------
    scorer : InnerProductScorer
        Its source offset is not looked at.
    training : TrainingGraph
        Both heads are fitted on its validation edges, which no embedding and no degree has seen.
    rng : numpy.random.Generator
        Draws the random pairs.

    Returns
    -------
    scorer : InnerProductScorer
        Its score is the log-odds of an edge against a random pair, if both are equally frequent:
        ``kappa r(u, v) + w . (log(1 + d_out(u)), [d_out(u) = 0]) + c``, r being the ranking score. kappa > 0 and the
        rest is the same for all targets of a query, so rankings stay as they are. Its direction head is
        ``lambda (s_u t_v - s_v t_u) + w . (f_v - f_u)`` with the features f of `degree_features`.
    weights : dict of str to ndarray
        ``edge_scale`` (kappa), ``activity_weight`` (w and c, shape (3,)), ``direction_scale`` (lambda, for vectors that
        kappa has scaled) and ``direction_weight`` (shape (4,)).

    Notes
    -----
    The degrees alone tell most directions, so the second head starts from the peer that has nothing else
    (`baselines.degree_head`) and adds one number: by how much the embeddings prefer one way. Of tied embeddings that
    difference is 0, and the head is the peer.
    """
    weight = _edge_weight(scorer, training, rng)
    scale = np.float32(max(weight[0], _LEAST_SCALE))
    bonus = scorer.pair_bonus
    read = replace(
        scorer,
        source=scorer.source * scale,
        target_offset=scorer.target_offset * scale,
        source_offset=(_activity(training) @ weight[1:]).astype(np.float32),
        pair_bonus=None if bonus is None else bonus * scale,
    )
    direction_scale, direction_weight = fit_direction(read, training)
    potential = degree_features(training) @ direction_weight
    head = DirectionHead(np.float32(direction_scale), potential.astype(np.float32))
    weights: dict[str, NDArray[Any]] = {
        "edge_scale": np.array(scale),
        "activity_weight": weight[1:],
        "direction_scale": np.array(direction_scale),
        "direction_weight": direction_weight,
    }
    return replace(read, direction_head=head), {name: value.astype(np.float32) for name, value in weights.items()}


def fit_direction(scorer: InnerProductScorer, training: TrainingGraph) -> tuple[float, Floats]:
    """Fit what tells the direction of a one-way edge on the one-way validation edges.

    Parameters
    ----------
    scorer : InnerProductScorer
        Its inner products are read; it may have none.
    training : TrainingGraph

    Returns
    -------
    scale : float
        Weight of the difference of the inner products.
    weight : ndarray of shape (4,)
        Weights of `degree_features`. All 0 without a one-way validation edge.
    """
    features = degree_features(training)
    source, target = one_way_validation(training)
    ahead, back = scorer.inner_products(source, target), scorer.inner_products(target, source)
    inner = ahead.astype(np.float64) - back
    # Tied vectors differ by rounding alone, which is no preference. It goes with the lengths: products may cancel out.
    first, second = (np.sqrt(np.einsum("ij,ij->i", vectors, vectors)) for vectors in (scorer.source, scorer.target))
    inner[np.abs(inner) <= _ROUNDING * first[source] * second[target]] = 0.0
    # The penalty counts in units of the differences, so that a form with longer vectors is not held back less.
    unit = float(np.sqrt((inner**2).mean())) if inner.any() else 1.0
    rows = np.column_stack([inner / unit, features[target] - features[source]])
    weight = ridge_logistic(rows, np.ones(len(rows)))
    return float(weight[0]) / unit, weight[1:]


def direction_scale(difference: NDArray[np.float64]) -> float:
    """Fit the factor that turns score differences of known one-way edges into a probability.

    P(u -> v | one way) = 1 / (1 + exp(-kappa (score(u, v) - score(v, u)))), kappa by maximum likelihood with a ridge
    penalty of 0.0005 kappa² per edge. No intercept: swapping the two nodes must turn p into 1 - p.

    Parameters
    ----------
    difference : ndarray of shape (n,), float64
        score(u, v) - score(v, u) of one-way edges u -> v.

    Returns
    -------
    float
        0 without an edge or a difference. Negative if the scores point the wrong way.
    """
    scale, unit = 0.0, float(np.abs(difference).max(initial=0.0))
    if unit == 0.0:
        return scale
    # Scores of unit size keep the Newton steps on a convex loss with one unknown short.
    scaled = difference / unit
    for _ in range(_NEWTON_STEPS):
        wrong = 1.0 / (1.0 + np.exp(np.clip(scale * scaled, -500, 500)))
        gradient = (wrong * scaled).mean() - _SCALE_PENALTY * scale / unit**2
        curvature = (wrong * (1 - wrong) * scaled**2).mean() + _SCALE_PENALTY / unit**2
        scale += float(np.clip(gradient / curvature, -5, 5))
    return scale / unit


def degree_features(training: TrainingGraph) -> Floats:
    """Return log(1 + in-degree), log(1 + out-degree) and whether each is 0, shape (num_nodes, 4)."""
    degrees = (training.in_degree, training.out_degree)
    columns = [*(np.log1p(degree) for degree in degrees), *(degree == 0 for degree in degrees)]
    return np.stack(columns, axis=1).astype(np.float64)


def one_way_validation(training: TrainingGraph) -> Edges:
    """Return the validation edges whose reversal is no training or validation edge, shape (2, n)."""
    validation = training.validation_edge_index
    known = np.sort(edge_codes(np.concatenate([training.edge_index, validation], axis=1), training.num_nodes))
    return validation[:, ~is_known(validation[::-1], known, training.num_nodes)]


def ridge_logistic(features: Floats, label: Floats, weight: Floats | None = None) -> Floats:
    """Fit a logistic regression without intercept by Newton's method.

    Minimises sum_i w_i log(1 + exp(-y_i x_i b)) + `HEAD_PENALTY` |b|^2 / 2.

    Parameters
    ----------
    features : ndarray of shape (n, p), float64
    label : ndarray of shape (n,)
        1, or -1.
    weight : ndarray of shape (n,), >= 0, optional
        1 each by default.

    Returns
    -------
    ndarray of shape (p,), float64
        0 without a row.
    """
    signed = features * label[:, np.newaxis]
    weight = np.ones(len(signed)) if weight is None else weight
    found = np.zeros(features.shape[1])
    for _ in range(_NEWTON_STEPS):
        wrong = 1.0 / (1.0 + np.exp(np.clip(signed @ found, -500, 500)))
        gradient = signed.T @ (weight * wrong) - HEAD_PENALTY * found
        curvature = (signed.T * (weight * wrong * (1 - wrong))) @ signed
        step = np.linalg.solve(curvature + HEAD_PENALTY * np.eye(len(found)), gradient)
        # A long first step can leave the region where the loss is nearly quadratic.
        length = float(np.abs(step).max(initial=0.0))
        found = found + step * min(1.0, 10.0 / max(length, 1e-12))
        # Each pass reads millions of rows on a large graph.
        if length < _CONVERGED:
            break
    return found


def _activity(training: TrainingGraph) -> Floats:
    """Return what the activity of a source is made of, shape (num_nodes, 3): log out-degree, none at all, 1."""
    degree = training.out_degree
    return np.column_stack([np.log1p(degree), degree == 0, np.ones(len(degree))]).astype(np.float64)


def _edge_weight(scorer: InnerProductScorer, training: TrainingGraph, rng: np.random.Generator) -> Floats:
    """Fit the log-odds of validation edges against random pairs: a factor on the score, then the activity's weights."""
    edges = training.validation_edge_index
    count = edges.shape[1]
    known = np.sort(edge_codes(np.concatenate([training.edge_index, edges], axis=1), training.num_nodes))
    random = rng.integers(training.num_nodes, size=(2, RANDOM_PAIRS * count))
    random = random[:, (random[0] != random[1]) & ~is_known(random, known, training.num_nodes)]
    pairs = np.concatenate([edges, random], axis=1)
    score = (scorer.pairs(*pairs) - scorer.source_offset[pairs[0]]).astype(np.float64)
    label = np.repeat([1.0, -1.0], [count, random.shape[1]])
    weight = np.repeat([1.0, count / max(random.shape[1], 1)], [count, random.shape[1]])
    return ridge_logistic(np.column_stack([score, _activity(training)[pairs[0]]]), label, weight)
