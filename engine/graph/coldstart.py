"""How well nodes are ranked that training never saw."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from engine.graph.arrivals import arrived_scorer, feature_neighbours
from engine.graph.coldsplit import Arrivals, NodeSplit, split_by_nodes
from engine.graph.config import GraphConfig
from engine.graph.data import Dataset, adjacency, training_graph
from engine.graph.pairs import Edges
from engine.graph.ranks import excluded_candidates, pair_ranks
from engine.graph.scoring import CocitationScorer, Scorer, Scores, offset_scorer
from engine.graph.train import fit_form

REVEALED = (0, 1, 2, 4)
"""Edges that become known of an arriving node, at most."""
KNOWLEDGE = ("features", "edges", "features and edges")
FEATURE_NEIGHBOURS = (10, 30, 100)
"""Neighbours among which the feature baseline chooses on validation nodes."""
RANK_COLUMNS = ("known", "revealed", "method", "node", "role", "source", "target", "rank")


@dataclass(frozen=True, slots=True)
class _Among:
    """A scorer whose lists hold some candidates only."""

    scorer: Scorer
    is_candidate: NDArray[np.bool_]

    def rows(self, nodes: NDArray[np.int64]) -> Scores:
        """Return the scores of every target for some sources, -inf where it is no candidate."""
        scores: Scores = np.where(self.is_candidate, self.scorer.rows(nodes), np.float32(-np.inf))
        return scores

    def pairs(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> Scores:
        """Return the scores of some pairs."""
        return self.scorer.pairs(source, target)


@dataclass(frozen=True, slots=True)
class _Alike:
    """``score(u, v) = (L A Lᵀ)[u, v]``: known edges between the nodes most like u and those most like v."""

    likeness: sparse.csr_array
    edges_to_like: sparse.csr_array
    """A Lᵀ, shape (num_nodes, num_nodes)."""

    def rows(self, nodes: NDArray[np.int64]) -> Scores:
        """Return the scores of every target for some sources, shape (len(nodes), num_nodes)."""
        scores: Scores = (self.likeness[nodes] @ self.edges_to_like).toarray()
        return scores

    def pairs(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> Scores:
        """Return the scores of some pairs, shape (len(source),)."""
        scores: Scores = self.likeness[source].multiply(sparse.csr_array(self.edges_to_like.T)[target]).sum(axis=1)
        return scores


def cold_start(dataset: Dataset, config: GraphConfig) -> pd.DataFrame:
    """Train without some nodes, let them arrive, and rank their hidden edges under every method.

    Parameters
    ----------
    dataset : Dataset
    config : GraphConfig
        Settings of the trained forms and of the split by nodes.

    Returns
    -------
    DataFrame
        One row per tested edge, method and kind of knowledge, columns `RANK_COLUMNS`: ``known`` of `KNOWLEDGE`,
        ``revealed`` edges at most, ``node`` the arriving one, ``role`` it plays in the edge, filtered ``rank``.

    Raises
    ------
    NotEnoughDataError
        If no edge is left to train on or to test.

    Notes
    -----
    *As a source*, an arriving node asks for its targets among the nodes of training. *As a target*, it is one of the
    arrivals among which a node of training chooses. Known edges are no candidates; ties take their mean rank.
    *Methods*: ``dual`` and ``single`` as in a run, embedded inductively (see `engine.graph.arrivals`);
    ``no_propagation``, the dual form trained and used without neighbours; ``popularity``, the known in-edges;
    ``cocitation`` over all known edges; ``feature_neighbours``, which gives an arriving node the edges of the nodes of
    training most like it in features, their number chosen on validation nodes. It reads features alone: edges of
    arrivals that are known add nothing to it.

    References
    ----------
    Virinchi et al. (2022), arXiv 2211.11583 (DAEMON): cold-start nodes join through their nearest neighbours in
    features. There they enter the network by such edges; here only nodes without any known edge borrow.
    """
    parts = []
    split = split_by_nodes(dataset, config)
    if split.features is not None:
        parts += _trained(split, config, known="features", counts=(0,))
        parts += _trained(split, config, known="features and edges", counts=REVEALED[1:])
        parts.append(_feature_baseline(split))
    bare = replace(split, features=None, training=replace(split.training, features=None))
    parts += _trained(bare, config, known="edges", counts=REVEALED[1:])
    for count in REVEALED:
        parts += _untrained(split, count)
    return pd.concat(parts, ignore_index=True)[list(RANK_COLUMNS)]


def tested_ranks(scorer: Scorer, split: NodeSplit, arrivals: Arrivals, revealed: Edges) -> pd.DataFrame:
    """Rank the hidden edges of arriving nodes in both roles.

    Parameters
    ----------
    scorer : Scorer
        Over all nodes of the data set.
    split : NodeSplit
    arrivals : Arrivals
    revealed : ndarray of shape (2, n), int64

    Returns
    -------
    DataFrame
        Columns ``node, role, source, target, rank``, one row per tested edge.
    """
    tested = arrivals.tested()
    excluded = excluded_candidates(np.concatenate([split.edge_index, revealed], axis=1), split.num_nodes)
    is_source = arrivals.is_new[tested[0]]
    is_seen = np.zeros(split.num_nodes, dtype=np.bool_)
    is_seen[split.seen] = True
    ranks = np.empty(tested.shape[1])
    for asked, candidates in ((is_source, is_seen), (~is_source, arrivals.is_new)):
        ranks[asked] = pair_ranks(_Among(scorer, candidates), tested[:, asked], excluded)
    return pd.DataFrame(
        {
            "node": np.where(is_source, tested[0], tested[1]),
            "role": np.where(is_source, "source", "target"),
            "source": tested[0],
            "target": tested[1],
            "rank": ranks,
        }
    )


def _trained(split: NodeSplit, config: GraphConfig, *, known: str, counts: tuple[int, ...]) -> list[pd.DataFrame]:
    """Fit our forms once and rank after each number of revealed edges."""
    alone = replace(config, sampling="none")
    forms = {"dual": ("dual", config), "single": ("single", config), "no_propagation": ("dual", alone)}
    if split.features is None:
        # Without features and without neighbours a new node is a zero vector: that is popularity again.
        del forms["no_propagation"]
    parts = []
    for method, (form, settings) in forms.items():
        fitted = fit_form(form, split.training, settings)
        for count in counts:
            revealed = split.test.revealed(count)
            scorer = arrived_scorer(fitted, split, revealed, settings)
            ranks = tested_ranks(scorer, split, split.test, revealed)
            parts.append(ranks.assign(known=known, revealed=count, method=method))
    return parts


def _untrained(split: NodeSplit, count: int) -> list[pd.DataFrame]:
    """Rank by counts over the known edges."""
    revealed = split.test.revealed(count)
    edge_index = np.concatenate([split.edge_index, revealed], axis=1)
    graph = training_graph(edge_index, edge_index[:, :0], split.num_nodes)
    scorers: dict[str, Scorer] = {
        "popularity": offset_scorer(graph.in_degree.astype(np.float64), np.zeros(split.num_nodes)),
        "cocitation": CocitationScorer.of(graph),
    }
    kinds = ("features",) if count == 0 else ("edges", "features and edges")
    return [
        tested_ranks(scorer, split, split.test, revealed).assign(known=known, revealed=count, method=method)
        for method, scorer in scorers.items()
        for known in kinds
        if split.features is not None or known == "edges"
    ]


def _feature_baseline(split: NodeSplit) -> pd.DataFrame:
    """Rank by the edges of the nodes most alike in features."""
    nothing = split.edge_index[:, :0]
    hits = {
        count: (
            tested_ranks(_alike(split, split.validation, nothing, count), split, split.validation, nothing)["rank"]
            <= 10
        ).mean()
        for count in FEATURE_NEIGHBOURS
    }
    best = max(hits, key=hits.__getitem__)
    parts = []
    for count in REVEALED:
        revealed = split.test.revealed(count)
        ranks = tested_ranks(_alike(split, split.test, revealed, best), split, split.test, revealed)
        known = "features" if count == 0 else "features and edges"
        parts.append(ranks.assign(known=known, revealed=count, method="feature_neighbours"))
    return pd.concat(parts, ignore_index=True)


def _alike(split: NodeSplit, arrivals: Arrivals, revealed: Edges, count: int) -> _Alike:
    """Return the scorer that gives arriving nodes the known edges of the nodes most like them."""
    is_seen = np.zeros(split.num_nodes, dtype=np.float32)
    is_seen[split.seen] = 1.0
    neighbours = feature_neighbours(split, np.flatnonzero(arrivals.is_new), count)
    likeness = sparse.csr_array(sparse.diags_array(is_seen) + neighbours)
    known = adjacency(np.concatenate([split.edge_index, revealed], axis=1), split.num_nodes)
    return _Alike(likeness, sparse.csr_array(known @ likeness.T))
