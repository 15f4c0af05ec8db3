"""The tables a page needs to show a trained graph: nodes, edges and ranked lists, small and complete."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from engine.graph.config import GraphConfig
from engine.graph.data import SPLITS, Prepared
from engine.graph.explore import PAIR_COLUMNS
from engine.graph.pairs import Edges, edge_codes
from engine.graph.ranks import excluded_candidates, pair_ranks
from engine.graph.retrieval import retrieve
from engine.graph.scoring import InnerProductScorer, Scorer

LISTED_NODES = 20_000
"""Most nodes that get ranked lists; of a larger graph, those with the most known edges."""
LIST_SCORES, EDGE_SCORES = 2_000_000_000, 10_000_000_000
"""Most scores that the lists of one method, and the ranks of the edges in one direction, may take: a node or an edge
takes one per node of the graph. Beyond them fewer nodes get lists, and the edges of the best linked nodes are kept."""
COMPARED_METHODS = ("single", "popularity")
"""Methods whose lists are kept beside those of the shown form, where they were fitted."""
SCORE_DECIMALS = 2
"""Stored scores are rounded to what is shown, which halves the size of a run; ranks come from unrounded scores."""
_UNKNOWN = "none"


def node_table(prepared: Prepared) -> pd.DataFrame:
    """Return one row per node.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    DataFrame
        ``name, label, category``, then ``in_degree, out_degree`` (all known edges) and ``training_in_degree,
        training_out_degree``; row = position of the node.
    """
    edges, nodes = prepared.dataset.edges, prepared.dataset.nodes
    count = len(nodes)
    return nodes.assign(
        in_degree=np.bincount(edges["target"], minlength=count).astype(np.int32),
        out_degree=np.bincount(edges["source"], minlength=count).astype(np.int32),
        training_in_degree=prepared.training.in_degree.astype(np.int32),
        training_out_degree=prepared.training.out_degree.astype(np.int32),
    )


def edge_table(scorer: InnerProductScorer, prepared: Prepared) -> pd.DataFrame:
    """Return one row per known edge, with the scores and ranks of both directions.

    Parameters
    ----------
    scorer : InnerProductScorer
        The shown form.
    prepared : Prepared

    Returns
    -------
    DataFrame
        ``source, target`` (positions), the evidence columns of the input, ``split`` (train, validation, test),
        ``is_mutual``, and the columns of `pair_table`. In the order of the input. Evidence that has one of these names
        in the input, such as a score, is called ``input_score`` here.

    Notes
    -----
    Where all edges would take more than `EDGE_SCORES` scores, those whose less linked end has the most known edges are
    kept; `cut_rows` states how many.
    """
    edges = prepared.dataset.edges.reset_index(drop=True)
    edge_index = edges[["source", "target"]].to_numpy(dtype=np.int64).T
    count = len(prepared.dataset.nodes)
    is_mutual = np.isin(edge_codes(edge_index[::-1], count), edge_codes(edge_index, count))
    table = (
        _evidence_renamed(edges)
        .astype({"source": np.int32, "target": np.int32})
        .assign(split=pd.Categorical.from_codes(prepared.split, categories=[*SPLITS, _UNKNOWN]), is_mutual=is_mutual)
    )
    kept = _kept_edges(prepared)
    pairs = pair_table(scorer, edge_index[:, kept], _known_targets(prepared))
    return pd.concat([table.iloc[kept].reset_index(drop=True), pairs], axis=1)


def _evidence_renamed(edges: pd.DataFrame) -> pd.DataFrame:
    """Put ``input_`` before evidence columns that are named like what the model says of a pair."""
    renamed: dict[str, str] = {}
    for name in ("split", "is_mutual", *PAIR_COLUMNS):
        if name in edges.columns:
            free = f"input_{name}"
            while free in edges.columns:
                free = f"input_{free}"
            renamed[name] = free
    return edges.rename(columns=renamed)


def cut_rows(prepared: Prepared) -> dict[str, int]:
    """Return how much of a large graph the tables hold, by the kind of row.

    Parameters
    ----------
    prepared : Prepared

    Returns
    -------
    dict of str to int
        Empty if they hold all of it.
    """
    kept = {"edges kept for pages": len(_kept_edges(prepared)), "nodes with ranked lists": len(_listed(prepared))}
    whole = (len(prepared.dataset.edges), len(prepared.dataset.nodes))
    return {name: count for (name, count), all_rows in zip(kept.items(), whole, strict=True) if count < all_rows}


def pair_table(scorer: InnerProductScorer, edge_index: Edges, excluded: sparse.csr_array) -> pd.DataFrame:
    """Return scores and ranks of pairs in both directions.

    Parameters
    ----------
    scorer : InnerProductScorer
    edge_index : ndarray of shape (2, n), int64
    excluded : csr_array of shape (num_nodes, num_nodes), bool
        Known targets of every node, and itself.

    Returns
    -------
    DataFrame
        ``score`` of source -> target, rounded to `SCORE_DECIMALS`, and ``rank`` of the target after the source;
        ``back_score`` of target -> source and ``back_rank`` of the source after the target. Ranks are filtered: other
        known targets are left out. ``direction``: log-odds that the pair points this way if it points one way only,
        rounded likewise; of the reversal it is the negative.
    """
    return pd.DataFrame(
        {
            "score": scorer.pairs(*edge_index).round(SCORE_DECIMALS),
            "rank": pair_ranks(scorer, edge_index, excluded).astype(np.float32),
            "back_score": scorer.pairs(*edge_index[::-1]).round(SCORE_DECIMALS),
            "back_rank": pair_ranks(scorer, edge_index[::-1], excluded).astype(np.float32),
            "direction": scorer.direction(*edge_index).round(SCORE_DECIMALS),
        }
    )


def ranked_lists(scorers: Mapping[str, Scorer], prepared: Prepared, config: GraphConfig) -> pd.DataFrame:
    """Return what to recommend after every node, and what it is recommended after.

    Parameters
    ----------
    scorers : mapping of str to Scorer
    prepared : Prepared
    config : GraphConfig
        Reads `top_k`, `retrieval` and `form`.

    Returns
    -------
    DataFrame
        ``method``; ``role``, what ``other`` is to ``node``: a target (recommended after it) or a source (it is
        recommended after that); ``node, place, other``; ``split`` and ``back_split`` (the part of the split that the
        pair and its reversal belong to, or none); for the shown form the columns of `pair_table` for the pair that
        points from source to target. Sources are listed for the shown form alone.

    Notes
    -----
    Training and validation edges are left out of the lists, as in the evaluation: they hold what is new. Both roles
    are ordered by the score, the log-odds of an edge.
    """
    known = _known_edges(prepared)
    count = prepared.training.num_nodes
    targets, sources = excluded_candidates(known, count), excluded_candidates(known[::-1], count)
    nodes = _listed(prepared)
    shown = shown_scorer(scorers, config)
    parts = []
    for method in dict.fromkeys((config.shown_method, *COMPARED_METHODS)):
        if method in scorers:
            top = retrieve(scorers[method], nodes, config.top_k, targets, method=config.retrieval)
            parts.append(_list_rows(method, "target", nodes, *top))
    top = retrieve(shown.transposed(), nodes, config.top_k, sources, method=config.retrieval)
    parts.append(_list_rows(config.shown_method, "source", nodes, *top))
    table = pd.concat(parts, ignore_index=True)
    role_is_target = (table["role"] == "target").to_numpy()
    node, other = table["node"].to_numpy(dtype=np.int64), table["other"].to_numpy(dtype=np.int64)
    edge_index = np.where(role_is_target, np.stack([node, other]), np.stack([other, node]))
    table = table.assign(split=_split_of(edge_index, prepared), back_split=_split_of(edge_index[::-1], prepared))
    ours = np.flatnonzero((table["method"] == config.shown_method).to_numpy())
    detail = pair_table(shown, edge_index[:, ours], targets).set_index(ours).reindex(table.index)
    return pd.concat([table.astype({"method": "category", "role": "category"}), detail], axis=1)


def _list_rows(
    method: str, role: str, nodes: NDArray[np.int64], candidates: NDArray[np.int64], scores: NDArray[np.float32]
) -> pd.DataFrame:
    """Write ranked candidates as rows; excluded ones fall away."""
    k = candidates.shape[1]
    table = pd.DataFrame(
        {
            "method": method,
            "role": role,
            "node": np.repeat(nodes, k).astype(np.int32),
            "place": np.tile(np.arange(1, k + 1), len(nodes)).astype(np.int16),
            "other": candidates.ravel().astype(np.int32),
        }
    )
    return table[np.isfinite(scores.ravel())]


def _split_of(edge_index: Edges, prepared: Prepared) -> pd.Categorical:
    """Return the part of the split that each pair belongs to, or none."""
    count = len(prepared.dataset.nodes)
    codes = edge_codes(prepared.dataset.edges[["source", "target"]].to_numpy(dtype=np.int64).T, count)
    order = np.argsort(codes)
    wanted = edge_codes(edge_index, count)
    at = np.minimum(np.searchsorted(codes[order], wanted), len(codes) - 1)
    part = np.where(codes[order[at]] == wanted, prepared.split[order[at]], len(SPLITS))
    return pd.Categorical.from_codes(part, categories=[*SPLITS, _UNKNOWN])


def _known_edges(prepared: Prepared) -> Edges:
    """Return what is known when something is recommended: training and validation edges."""
    return np.concatenate([prepared.training.edge_index, prepared.training.validation_edge_index], axis=1)


def _known_targets(prepared: Prepared) -> sparse.csr_array:
    """Return the candidates to leave out of every node's ranking."""
    return excluded_candidates(_known_edges(prepared), prepared.training.num_nodes)


def _listed(prepared: Prepared) -> NDArray[np.int64]:
    """Return the nodes that get lists, in their order."""
    degree = _degree(prepared)
    most = min(LISTED_NODES, max(LIST_SCORES // len(degree), 1))
    return np.sort(np.argsort(-degree, kind="stable")[:most])


def _kept_edges(prepared: Prepared) -> NDArray[np.int64]:
    """Return the rows of the edges that the edge table holds, in their order."""
    edges, degree = prepared.dataset.edges, _degree(prepared)
    most = max(EDGE_SCORES // len(degree), 1)
    if len(edges) <= most:
        return np.arange(len(edges))
    linked = np.minimum(degree[edges["source"].to_numpy()], degree[edges["target"].to_numpy()])
    return np.sort(np.argsort(-linked, kind="stable")[:most])


def _degree(prepared: Prepared) -> NDArray[np.int64]:
    """Return the known edges of every node, in both directions."""
    ends = prepared.dataset.edges[["source", "target"]].to_numpy().ravel()
    return np.bincount(ends, minlength=len(prepared.dataset.nodes))


def shown_scorer(scorers: Mapping[str, Scorer], config: GraphConfig) -> InnerProductScorer:
    """Return the scorer of the shown form; both forms are inner products."""
    scorer = scorers[config.shown_method]
    if not isinstance(scorer, InnerProductScorer):
        raise TypeError(f"the form '{config.shown_method}' has no embeddings")
    return scorer
