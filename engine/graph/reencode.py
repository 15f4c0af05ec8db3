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
    """The small parameters of a trained cosine form."""

    source_role: Floats
    """W_s, shape (dimension, dimension)."""
    target_role: Floats
    """W_t, shape (dimension, dimension)."""
    mix: Floats
    """c1 to c4, shape (4,)."""
    scale: float
    """tau."""
    popularity_weight: float
    """w: what log(1 + in-degree) adds to the target offset."""
    activity_weight: Floats
    """w1, w2: what log(1 + in-degree) and log(1 + out-degree) add to the source offset, shape (2,)."""

    @classmethod
    def of(cls, parameters: Mapping[str, NDArray[np.float32]], form: str) -> Weights:
        """Pick the parameters of a form, stored under ``form.name``."""

        def stored(name: str) -> Floats:
            return np.asarray(parameters[f"{form}.{name}"], dtype=np.float32)

        return cls(
            source_role=stored("source_role"),
            target_role=stored("target_role"),
            mix=stored("mix"),
            scale=float(stored("scale")),
            popularity_weight=float(stored("popularity_weight")),
            activity_weight=stored("activity_weight"),
        )


def encode_node(
    node_input: Floats, weights: Weights, node: int, *, targets: Nodes, sources: Nodes
) -> tuple[Floats, Floats]:
    """Embed one node in both roles from the neighbours that it has.

    ``s = x W_s + c1 mean(x of targets) W_t + c2 mean(x of sources) W_s``,
    ``t = x W_t + c3 mean(x of sources) W_s + c4 mean(x of targets) W_t``, both scaled to length 1, s times tau.

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
    return weights.scale * _unit(source), _unit(target)


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
    inward = float(np.log1p(in_degree[1]) - np.log1p(in_degree[0]))
    outward = float(np.log1p(out_degree[1]) - np.log1p(out_degree[0]))
    activity = weights.activity_weight
    return weights.popularity_weight * inward, float(activity[0]) * inward + float(activity[1]) * outward


def _mean(node_input: Floats, nodes: Nodes) -> Floats:
    """Average the inputs of some nodes; of none it is zero."""
    if len(nodes) == 0:
        return np.zeros(node_input.shape[1], dtype=np.float32)
    return np.asarray(node_input[nodes].astype(np.float32).mean(axis=0))


def _unit(vector: Floats) -> Floats:
    """Scale a vector to length 1; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return vector / np.float32(max(length, 1e-12))
