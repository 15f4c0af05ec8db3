"""How often edges would be answered by chance, every node keeping its numbers of edges out and in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Z = 1.959963984540054
"""Half-width of a 95 % interval in standard deviations."""
_ROUNDS = 400
_STEPS = 6
_CONVERGED = 1e-6
_LARGEST = 60.0


@dataclass(frozen=True, slots=True)
class Chance:
    """Mutual edges of a random graph with the same degrees; an edge of a mutual pair counts, so a pair counts twice."""

    mutual: Floats
    """Expected mutual edges out of one node of each class, shape (n_classes,), in the order of the table."""
    total: float
    """Expected mutual edges of the graph."""
    deviation: float
    """Standard deviation of the mutual edges of one such graph."""
    gap: float
    """Largest relative error of an expected degree; the fit has converged where it is small."""


def degree_chance(classes: pd.DataFrame) -> Chance:
    """Fit the most random directed graph whose nodes have, in expectation, the given degrees.

    An edge u -> v exists with p(u, v) = x_u y_v / (1 + x_u y_v), independently of all others; the x and y follow from
    the degrees. The pair is mutual with p(u, v) p(v, u). Nodes of one class share their values.

    Parameters
    ----------
    classes : DataFrame
        Columns ``out_class, in_class, nodes, out, into`` (sums), as from `engine.graph.described_counts.class_sums`.

    Returns
    -------
    Chance

    Notes
    -----
    Cost: classes of out-degree times classes of in-degree, whatever the number of nodes. Nodes of one class take its
    mean degree, exactly so below `engine.graph.described_counts.EXACT_DEGREES`. A node has no edge to itself; among
    nodes of one out-class this is spread evenly.

    References
    ----------
    Squartini and Garlaschelli (2011), Analytical maximum-likelihood method to detect patterns in real networks:
    the directed configuration model.
    """
    nodes = _matrix(classes, "nodes")
    out_nodes, in_nodes = nodes.sum(axis=1), nodes.sum(axis=0)
    out, into = _matrix(classes, "out").sum(axis=1) / out_nodes, _matrix(classes, "into").sum(axis=0) / in_nodes
    # Partners of one node of a row among those of a column, without itself.
    partners = in_nodes[np.newaxis] - nodes / out_nodes[:, np.newaxis]
    sources = out_nodes[:, np.newaxis] - nodes / in_nodes[np.newaxis]
    log_x, log_y = _start(out, partners), _start(into, sources.T)
    gap = np.inf
    for _ in range(_ROUNDS):
        log_x = _solved(log_x, log_y, partners, out)
        log_y = _solved(log_y, log_x, sources.T, into)
        found = (partners * _edge_share(log_x, log_y)).sum(axis=1)
        gap = float(np.max(np.abs(found - out) / np.maximum(out, 1e-12), initial=0.0, where=out > 0))
        if gap < _CONVERGED:
            break
    share = _edge_share(log_x, log_y)
    answered = share @ nodes.T @ share - share**2
    square = share**2 @ nodes.T @ share**2 - share**4
    total, squares = float((nodes * answered).sum()), float((nodes * square).sum())
    rows, columns = _places(classes)
    return Chance(
        mutual=np.maximum(answered[rows, columns], 0.0),
        total=max(total, 0.0),
        # Pairs are independent, each adds 2 edges with probability q: variance 4 q (1 - q), here over ordered pairs.
        deviation=float(np.sqrt(max(2 * (total - squares), 0.0))),
        gap=gap,
    )


def _places(classes: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column of every class in the matrices."""
    found = [np.unique(classes[name], return_inverse=True)[1] for name in ("out_class", "in_class")]
    return found[0], found[1]


def _matrix(classes: pd.DataFrame, name: str) -> Floats:
    """Lay a column out by class of out-degree (rows) and of in-degree (columns)."""
    rows, columns = _places(classes)
    matrix = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(matrix, (rows, columns), classes[name].to_numpy(dtype=np.float64))
    return matrix


def _start(degree: Floats, partners: Floats) -> Floats:
    """Return where the fit starts: every partner alike."""
    share = np.clip(degree / np.maximum(partners.sum(axis=1), 1e-12), 1e-12, 1 - 1e-9)
    return np.asarray(np.where(degree > 0, np.log(share / (1 - share)) / 2, -np.inf))


def _edge_share(log_x: Floats, log_y: Floats) -> Floats:
    """Return p for every class of out-degree (rows) and of in-degree (columns)."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_x[:, np.newaxis] + log_y[np.newaxis], -700, 700))))


def _solved(log_x: Floats, log_y: Floats, partners: Floats, degree: Floats) -> Floats:
    """Move every x to where its expected degree is right, the y held fixed: Newton's steps on the logarithm."""
    free = (degree > 0) & np.isfinite(log_x)
    found = log_x.copy()
    for _ in range(_STEPS):
        share = _edge_share(found[free], log_y)
        expected = (partners[free] * share).sum(axis=1)
        slope = (partners[free] * share * (1 - share)).sum(axis=1)
        # On the logarithm of the degree, which is nearly straight where the graph is sparse.
        step = np.log(degree[free] / np.maximum(expected, 1e-300)) * expected / np.maximum(slope, 1e-300)
        found[free] = np.clip(found[free] + np.clip(step, -3.0, 3.0), -_LARGEST, _LARGEST)
    return found
