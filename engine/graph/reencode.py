"""The cosine form's formula for single nodes, in NumPy: what a page needs to see an edge come or go.

The same arithmetic as `engine.graph.model.DirectedEncoder` without its training; a test holds both together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Nodes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Weights:
    """The small parameters of a trained cosine form, as its stored scores count them.

    ``score(u, v) = kappa (tau cos(s_u, t_v) + b_v + c(u) [v -> u is a training edge]) + a_u`` with
    ``c(u) = c0 + c' log(1 + d_in(u))``.
    """

    source_role: Floats
    """W_s, shape (dimension, dimension)."""
    target_role: Floats
    """W_t, shape (dimension, dimension)."""
    mix: Floats
    """c1 to c4, shape (4,)."""
    length: float
    """kappa tau, the length of every stored source vector."""
    popularity: float
    """kappa w: what log(1 + in-degree) adds to the target offset."""
    reciprocity: float
    """kappa c0: what a pair gains whose reversal is a training edge, before the in-degree of its source counts."""
    reciprocity_slope: float
    """kappa c': what log(1 + in-degree) of the source adds to this gain."""
    activity: Floats
    """What log(1 + out-degree) and having no out-edge add to the source offset, shape (2,)."""
    direction_scale: float
    """lambda: weight of the difference of the inner products in the log-odds of a direction."""
    direction: Floats
    """Weights of `engine.graph.heads.degree_features` in these log-odds, shape (4,)."""

    @classmethod
    def of(cls, parameters: Mapping[str, NDArray[np.float32]], form: str) -> Weights:
        """Pick the parameters of a form, stored under ``form.name``; kappa is in them already."""

        def stored(name: str) -> Floats:
            return np.asarray(parameters[f"{form}.{name}"], dtype=np.float32)

        return cls(
            source_role=stored("source_role"),
            target_role=stored("target_role"),
            mix=stored("mix"),
            length=float(stored("scale")),
            popularity=float(stored("popularity_weight")),
            reciprocity=float(stored("reciprocity")),
            # A run from before the in-degree counted has no slope: its gain is the same for all sources.
            reciprocity_slope=float(parameters.get(f"{form}.reciprocity_slope", 0.0)),
            activity=stored("activity_weight")[:2],
            direction_scale=float(stored("direction_scale")),
            direction=stored("direction_weight"),
        )

    def reversal_gain(self, in_degree: int) -> np.float32:
        """Return kappa c(u): what a pair gains whose reversal is a training edge, from the in-degree of its source."""
        return np.float32(self.reciprocity + self.reciprocity_slope * np.log1p(in_degree))


def encode_node(
    node_input: Floats, weights: Weights, node: int, *, targets: Nodes, sources: Nodes
) -> tuple[Floats, Floats]:
    """Embed one node in both roles from the neighbours that it has.

    ``s = x W_s + c1 mean(x of targets) W_t + c2 mean(x of sources) W_s``,
    ``t = x W_t + c3 mean(x of sources) W_s + c4 mean(x of targets) W_t``, both scaled to length 1, s times kappa tau.

    Parameters
    ----------
    node_input : ndarray of shape (num_nodes, dimension)
        x of every node.
    weights : Weights
    node : int
    targets, sources : ndarray of shape (n,), int64
        Nodes that `node` leads to, and nodes that lead to it; a mean over none is zero.

    Returns
    -------
    source, target : ndarray of shape (dimension,), float32

    References
    ----------
    `engine.graph.model.DirectedEncoder`, with all neighbours.
    """
    given = node_input[node].astype(np.float32)
    following = _mean(node_input, targets) @ weights.target_role
    preceding = _mean(node_input, sources) @ weights.source_role
    first, second, third, fourth = weights.mix
    source = given @ weights.source_role + first * following + second * preceding
    target = given @ weights.target_role + third * preceding + fourth * following
    return weights.length * _unit(source), _unit(target)


def offset_change(weights: Weights, *, in_degree: tuple[int, int], out_degree: tuple[int, int]) -> tuple[float, float]:
    """Return by how much the offsets of a node change with its degrees.

    Parameters
    ----------
    weights : Weights
    in_degree, out_degree : tuple of int
        Training degrees before and after.

    Returns
    -------
    target_offset, source_offset : float
        To be added to the stored offsets.
    """
    popularity = weights.popularity * float(np.log1p(in_degree[1]) - np.log1p(in_degree[0]))
    outward = float(np.log1p(out_degree[1]) - np.log1p(out_degree[0]))
    alone = float(out_degree[1] == 0) - float(out_degree[0] == 0)
    return popularity, float(weights.activity[0]) * outward + float(weights.activity[1]) * alone


def potential(weights: Weights, *, in_degree: int, out_degree: int) -> float:
    """Return how much a node is a target rather than a source, from its training degrees."""
    features = np.array([np.log1p(in_degree), np.log1p(out_degree), in_degree == 0, out_degree == 0])
    return float(weights.direction @ features)


def _mean(node_input: Floats, nodes: Nodes) -> Floats:
    """Average the inputs of some nodes; of none it is zero."""
    if len(nodes) == 0:
        return np.zeros(node_input.shape[1], dtype=np.float32)
    return np.asarray(node_input[nodes].astype(np.float32).mean(axis=0))


def _unit(vector: Floats) -> Floats:
    """Scale a vector to length 1; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return vector / np.float32(max(length, 1e-12))
