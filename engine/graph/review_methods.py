"""What every fitted method says of the pairs to review, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from engine.graph.data import Prepared
from engine.graph.explain import explain_edges
from engine.graph.explore import Scene
from engine.graph.pairs import Edges
from engine.graph.ranks import excluded_candidates, pair_ranks
from engine.graph.review_pairs import review_pairs
from engine.graph.scoring import Scorer

SCORE_DIGITS = 3
"""Significant digits of a stored score: methods have scales of their own."""
NOISE = 1e-6
"""Share of a method's largest score below which a score is rounding error, and stored as 0."""


def review_scores(
    scorers: Mapping[str, Scorer],
    prepared: Prepared,
    curves: Mapping[str, pd.DataFrame],
    lists: pd.DataFrame,
    *,
    form: str,
) -> pd.DataFrame:
    """Return scores and ranks of the pairs to review under each method.

    Parameters
    ----------
    scorers : mapping of str to Scorer
    prepared : Prepared
    curves : mapping of str to DataFrame
        Tables of this run as they are stored: ``nodes, edges`` are read.
    lists : DataFrame
        From `scene.ranked_lists`.
    form : str
        The shown form, which chooses the pairs.

    Returns
    -------
    DataFrame
        One row per method and pair of `review_pairs.review_pairs`: ``method, source, target``; ``score,
        back_score, direction`` (above 0 if the method prefers this way) to `SCORE_DIGITS` digits; ``rank, back_rank``.
        Ranks are filtered as in `scene.pair_table`.
    """
    tables = Scene(curves["nodes"], curves["edges"], lists, form)
    pairs = review_pairs(tables, explain_edges(tables.edges, in_degree=tables.nodes["in_degree"].to_numpy()))
    edge_index = pairs[["source", "target"]].to_numpy(dtype=np.int64).T
    training = prepared.training
    known = np.concatenate([training.edge_index, training.validation_edge_index], axis=1)
    excluded = excluded_candidates(known, training.num_nodes)
    parts = []
    for method, scorer in scorers.items():
        # Both directions together, so that noise is measured by the same yardstick.
        scores = _rounded(np.stack([scorer.pairs(*edge_index), scorer.pairs(*edge_index[::-1])]))
        parts.append(
            pd.DataFrame(
                {
                    "method": method,
                    "source": edge_index[0].astype(np.int32),
                    "target": edge_index[1].astype(np.int32),
                    "score": scores[0],
                    "back_score": scores[1],
                    "direction": _rounded(_direction(scorer, edge_index)),
                    "rank": pair_ranks(scorer, edge_index, excluded).astype(np.float32),
                    "back_rank": pair_ranks(scorer, edge_index[::-1], excluded).astype(np.float32),
                }
            )
        )
    return pd.concat(parts, ignore_index=True).astype({"method": "category"})


def _direction(scorer: Scorer, edge_index: Edges) -> np.ndarray:
    """Return by how much a method prefers each pair to its reversal; most tell it by their scores."""
    head: Callable[..., np.ndarray] | None = getattr(scorer, "direction", None)
    return head(*edge_index) if head else scorer.pairs(*edge_index) - scorer.pairs(*edge_index[::-1])


def _rounded(scores: np.ndarray) -> np.ndarray:
    """Round to significant digits; what is noise beside the largest becomes 0."""
    scores = scores.astype(np.float64)
    scores = np.where(np.abs(scores) <= NOISE * np.abs(scores).max(initial=0.0), 0.0, scores)
    size = np.floor(np.log10(np.abs(scores), out=np.zeros_like(scores), where=scores != 0))
    unit = 10.0 ** (size - SCORE_DIGITS + 1)
    return np.asarray((scores / unit).round() * unit, dtype=np.float32)
