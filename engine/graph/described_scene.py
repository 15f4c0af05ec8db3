"""Look around in a described graph: its stored edges, by what was seen, without scores.

Needs NumPy and pandas alone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.graph.explore import PAIR_COLUMNS, Scene
from engine.runs import Run

FORM = "observed"


def is_described(run: Run) -> bool:
    """Tell whether a run was described without a training: it has no embeddings and no methods."""
    return "described" in run.manifest["curves"]


def described_scene(run: Run) -> Scene:
    """Return the stored part of a described graph as pages look around in it.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Scene
        Every edge is observed and nothing is predicted. ``score`` is what was seen of an edge (its weight, where the
        data give one, else its rows); of equals, the one to the node with more edges has a little more. There are no
        ranks and no directions.
    """
    nodes, edges = run.curve("nodes"), run.curve("edges")
    strength = edges["weight" if "weight" in edges else "seen"].to_numpy(dtype=np.float64)
    degree = (nodes["in_degree"] + nodes["out_degree"]).to_numpy(dtype=np.float64)
    ends = degree[edges["source"].to_numpy()] + degree[edges["target"].to_numpy()]
    # Less than the least difference between counts.
    tie = 0.5 * ends / (ends.max(initial=0.0) + 1)
    table = edges.assign(split="train", **{name: np.nan for name in PAIR_COLUMNS}).assign(score=strength + tie)
    return Scene(nodes, table, run.predictions, FORM)


def seen_both_ways(links: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """Add to links what was seen of each as it points, and of the edge back.

    Parameters
    ----------
    links : DataFrame
        ``node, other, role``, as from `engine.graph.explore.links`.
    edges : DataFrame
        Edges of a scene: ``source, target, seen, back_seen`` and perhaps ``weight, back_weight``.

    Returns
    -------
    DataFrame
        The links with these columns.
    """
    names = [name for name in ("seen", "back_seen", "weight", "back_weight") if name in edges]
    is_target = (links["role"] == "target").to_numpy(dtype=bool)
    ends = {"source": ("node", "other"), "target": ("other", "node")}
    keys = {end: np.where(is_target, links[one], links[two]) for end, (one, two) in ends.items()}
    found = pd.DataFrame(keys).merge(edges[["source", "target", *names]], how="left", on=["source", "target"])
    return links.assign(**{name: found[name].to_numpy() for name in names})
