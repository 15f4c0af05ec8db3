"""What the edges say of a pair without a model: neighbours in common, ways in two steps, and what the input holds.

Needs NumPy and pandas alone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.graph.explore import PAIR_COLUMNS
from engine.graph.whatif import Encoded, Nodes, has_edge


def evidence(encoded: Encoded, source: int, target: int) -> dict[str, int]:
    """Count what the training edges say of a pair, without a model.

    Returns
    -------
    dict
        ``edge, edge_back`` (0 or 1); ``shared_targets, shared_sources``; ``two_steps, two_steps_back`` (ways of two
        edges); ``cocitation, cocitation_back`` ((A Aᵀ A) of the pair and of its reversal); ``out_degree, in_degree`` of
        the source and ``target_out_degree, target_in_degree``.
    """
    out = {node: encoded.targets(node) for node in (source, target)}
    into = {node: encoded.sources(node) for node in (source, target)}

    def common(first: Nodes, second: Nodes) -> int:
        return len(np.intersect1d(first, second, assume_unique=True))

    return {
        "edge": int(has_edge(encoded, source, target)),
        "edge_back": int(has_edge(encoded, target, source)),
        "shared_targets": common(out[source], out[target]),
        "shared_sources": common(into[source], into[target]),
        "two_steps": common(out[source], into[target]),
        "two_steps_back": common(out[target], into[source]),
        "cocitation": _cocitation(encoded.edges, out[source], into[target], encoded.count),
        "cocitation_back": _cocitation(encoded.edges, out[target], into[source], encoded.count),
        "out_degree": len(out[source]),
        "in_degree": len(into[source]),
        "target_out_degree": len(out[target]),
        "target_in_degree": len(into[target]),
    }


def _cocitation(edges: Nodes, targets: Nodes, sources: Nodes, count: int) -> int:
    """Count the edges from the sources of one node to the targets of the other: (A Aᵀ A) of the pair."""
    is_source, is_target = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    is_source[sources], is_target[targets] = True, True
    return int((is_source[edges[0]] & is_target[edges[1]]).sum())


def input_counts(edges: pd.DataFrame, source: int, target: int) -> pd.DataFrame:
    """Return what the input says of a pair, one row per direction that is a known edge.

    Parameters
    ----------
    edges : DataFrame
        See `scene.edge_table`.
    source, target : int

    Returns
    -------
    DataFrame
        ``way`` (forward, backward), ``split`` and the evidence columns of the input.
    """
    left_out = {"source", "target", *PAIR_COLUMNS, "is_mutual"}
    is_forward = (edges["source"] == source) & (edges["target"] == target)
    is_backward = (edges["source"] == target) & (edges["target"] == source)
    rows = edges[is_forward | is_backward]
    way = np.where(is_forward[rows.index], "forward", "backward")
    return rows.drop(columns=[name for name in left_out if name in rows]).assign(way=way).reset_index(drop=True)
