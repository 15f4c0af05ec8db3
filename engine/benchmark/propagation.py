"""Normalised adjacency matrices of directed graphs."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from engine.graph.data import adjacency
from engine.graph.pairs import Edges


def normalised_adjacency(edge_index: Edges, num_nodes: int, *, out_power: float, in_power: float) -> sparse.csr_array:
    """Return D_out^-out_power (A + I) D_in^-in_power with the degrees of A + I.

    Parameters
    ----------
    edge_index : ndarray of shape (2, n_edges), int64
    num_nodes : int
    out_power, in_power : float, >= 0

    Returns
    -------
    csr_array of shape (num_nodes, num_nodes), float32
    """
    looped = adjacency(edge_index, num_nodes) + sparse.eye_array(num_nodes, dtype=np.float32, format="csr")
    out_degree, in_degree = looped.sum(axis=1), looped.sum(axis=0)
    scaled = sparse.diags_array(out_degree**-out_power) @ looped @ sparse.diags_array(in_degree**-in_power)
    return sparse.csr_array(scaled, dtype=np.float32)


def undirected(edge_index: Edges) -> Edges:
    """Return every edge in both directions, each once."""
    return np.unique(np.concatenate([edge_index, edge_index[::-1]], axis=1), axis=1)
