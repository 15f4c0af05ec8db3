"""Both spaces on one plane, by one map, with how faithful that map is."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.errors import ConfigError
from engine.graph.config import Projection as Method
from engine.graph.projection_quality import quality_table
from engine.graph.scoring import InnerProductScorer
from engine.seeding import generator

Vectors = NDArray[np.float64]

COORDINATES = ("source_x", "source_y", "target_x", "target_y")
FITTED_NODES = {"pca": None, "tsne": 3_000, "umap": 50_000}
"""Most nodes whose vectors a method is fitted to; None is all. Time grows faster than their number."""
ANCHORS = 5
"""Fitted vectors around which a vector that was not fitted is placed."""
_DECIMALS = 3
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Projection:
    """A map of both spaces."""

    coordinates: pd.DataFrame
    """`COORDINATES`, float32; row = position of the node."""
    axes: pd.DataFrame
    """``axis`` (1, 2); ``explained_variance`` in [0, 1] of the stacked vectors, NaN where the map is not linear;
    ``between_roles`` in [0, 1], the share of the axis' own variance that is the gap between the two spaces."""
    quality: pd.DataFrame
    """See `quality_table`, with ``method, parameters`` (JSON), ``seed, n_fitted, n_nodes`` on every row."""


def project(scorer: InnerProductScorer, method: Method = "pca", *, seed: int = 0) -> Projection:
    """Place the source vectors and the target vectors of all nodes on one plane.

    The vectors of both roles are scaled to unit length, stacked and mapped together, so that a node's way from its
    source to its target position means the same everywhere, and distances across roles can be read.

    Parameters
    ----------
    scorer : InnerProductScorer
        Holds source and target vectors, shape (num_nodes, dimension).
    method : {"pca", "tsne", "umap"}
        Principal components (linear, no randomness), t-SNE or UMAP (neighbourhoods; distances between far groups
        mean little).
    seed : int, >= 0

    Returns
    -------
    Projection

    Raises
    ------
    ConfigError
        If UMAP is asked for and its package is not installed.

    Notes
    -----
    On a graph of more than `FITTED_NODES` nodes, t-SNE and UMAP are fitted to a uniform seeded sample of that many
    nodes, in both roles; every other vector is placed at the mean position of its `ANCHORS` nearest fitted vectors,
    weighted by 1 / distance. ``n_fitted`` states the number.

    References
    ----------
    van der Maaten and Hinton (2008), Visualizing data using t-SNE; McInnes, Healy and Melville (2018), UMAP,
    arXiv 1802.03426.
    """
    check_available(method)
    stacked = np.concatenate([unit_rows(scorer.source), unit_rows(scorer.target)]).astype(np.float64)
    num_nodes = len(scorer.source)
    if method == "pca":
        placed, shares = _principal(stacked)
        parameters: dict[str, Any] = {"components": 2}
        n_fitted = num_nodes
    else:
        shares = np.full(2, np.nan)
        nodes = _fitted_nodes(num_nodes, FITTED_NODES[method] or num_nodes, seed)
        n_fitted, rows = len(nodes), np.concatenate([nodes, nodes + num_nodes])
        fitted, parameters = (_tsne if method == "tsne" else _umap)(stacked[rows], seed)
        placed = _with_the_rest(stacked, rows, fitted)
    placed = placed.round(_DECIMALS)
    table = quality_table(stacked, placed, seed=seed).assign(
        method=method, parameters=json.dumps(parameters), seed=seed, n_fitted=n_fitted, n_nodes=num_nodes
    )
    coordinates = pd.DataFrame(
        np.concatenate([placed[:num_nodes], placed[num_nodes:]], axis=1).astype(np.float32), columns=list(COORDINATES)
    )
    axes = pd.DataFrame({"axis": [1, 2], "explained_variance": shares, "between_roles": _between_roles(placed)})
    return Projection(coordinates, axes, table)


def check_available(method: Method) -> None:
    """Refuse a method whose package is not installed, before any time is spent.

    Raises
    ------
    ConfigError
    """
    if method == "umap" and importlib.util.find_spec("umap") is None:
        raise ConfigError(
            "'projection' is 'umap', which needs the package 'umap-learn', and that is not installed; install it, or "
            "use 'pca' or 'tsne'."
        )


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1; zero rows stay zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)


def _principal(stacked: Vectors) -> tuple[Vectors, Vectors]:
    """Return the first two principal coordinates and their shares of the variance.

    The sign of an axis is such that its largest loading is positive.
    """
    centred = stacked - stacked.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    loadings = vectors[:, ::-1][:, :2]
    loadings = loadings * np.sign(loadings[np.abs(loadings).argmax(axis=0), np.arange(2)])
    return centred @ loadings, values[::-1][:2] / max(float(values.sum()), np.finfo(np.float64).tiny)


def _between_roles(placed: Vectors) -> Vectors:
    """Return the share of each axis' variance that lies between the mean source and the mean target."""
    halves = placed.reshape(2, -1, 2)
    total = halves.reshape(-1, 2).var(axis=0)
    return np.divide(halves.mean(axis=1).var(axis=0), total, out=np.zeros(2), where=total > 0)


def _fitted_nodes(num_nodes: int, most: int, seed: int) -> NDArray[np.int64]:
    """Return the nodes that a method is fitted to: all, or a uniform sample."""
    if num_nodes <= most:
        return np.arange(num_nodes)
    return np.sort(generator(seed, "graph", "projection").choice(num_nodes, size=most, replace=False))


def _tsne(stacked: Vectors, seed: int) -> tuple[Vectors, dict[str, Any]]:
    """Fit t-SNE (Barnes-Hut), starting from the principal components."""
    from sklearn.manifold import TSNE

    # The method needs clearly more points than the perplexity counts as neighbours.
    perplexity = float(min(30.0, (len(stacked) - 1) / 3))
    model = TSNE(perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed, n_jobs=1)
    placed = np.asarray(model.fit_transform(stacked), dtype=np.float64)
    return placed, {"perplexity": perplexity, "iterations": int(model.n_iter_), "start": "pca"}


def _umap(stacked: Vectors, seed: int) -> tuple[Vectors, dict[str, Any]]:
    """Fit UMAP with its usual settings."""
    import umap

    n_neighbors = min(15, len(stacked) - 1)
    model = umap.UMAP(n_neighbors=n_neighbors, min_dist=0.1, random_state=seed, n_jobs=1)
    return np.asarray(model.fit_transform(stacked), dtype=np.float64), {"neighbours": n_neighbors, "min_dist": 0.1}


def _with_the_rest(stacked: Vectors, rows: NDArray[np.int64], fitted: Vectors) -> Vectors:
    """Place every vector: fitted ones where they are, others between their nearest fitted vectors."""
    placed = np.empty((len(stacked), 2))
    placed[rows] = fitted
    others = np.setdiff1d(np.arange(len(stacked)), rows)
    known = stacked[rows]
    for start in range(0, len(others), _BLOCK):
        block = others[start : start + _BLOCK]
        # Squared distances of unit vectors, up to rounding; zero vectors count as they are.
        squared = (stacked[block] ** 2).sum(axis=1)[:, np.newaxis] + (known**2).sum(axis=1)
        squared = np.maximum(squared - 2 * stacked[block] @ known.T, 0)
        near = np.argpartition(squared, min(ANCHORS, len(rows) - 1), axis=1)[:, :ANCHORS]
        weight = 1 / (np.sqrt(np.take_along_axis(squared, near, axis=1)) + 1e-6)
        weight /= weight.sum(axis=1, keepdims=True)
        placed[block] = np.einsum("ij,ijk->ik", weight, fitted[near])
    return placed
