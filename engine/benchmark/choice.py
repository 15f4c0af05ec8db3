"""The choice between fitted candidates, on validation edges alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.graph.data import TrainingGraph
from engine.graph.ranks import excluded_candidates, pair_ranks
from engine.graph.scoring import InnerProductScorer


def best_on_validation(candidates: Iterable[InnerProductScorer], training: TrainingGraph) -> InnerProductScorer:
    """Return the candidate with the best mean reciprocal rank on the validation edges, the first of equals.

    Parameters
    ----------
    candidates : iterable of InnerProductScorer
        At least one; only the best so far is kept.
    training : TrainingGraph

    Returns
    -------
    InnerProductScorer
    """
    excluded = excluded_candidates(training.edge_index, training.num_nodes)
    best_quality, best = -np.inf, None
    for scorer in candidates:
        quality = float((1 / pair_ranks(scorer, training.validation_edge_index, excluded)).mean())
        if best is None or quality > best_quality:
            best_quality, best = quality, scorer
    if best is None:
        raise ValueError("'candidates' is empty; give at least one.")
    return best
