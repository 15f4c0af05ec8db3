"""One method on one split: fit it in a process of its own, and keep what it says of every test edge."""

from __future__ import annotations

import importlib
import resource
import time
import warnings
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.benchmark.methods import Method, fit_method
from engine.graph.config import GraphConfig
from engine.graph.data import Prepared
from engine.graph.ranks import excluded_candidates, pair_ranks
from engine.graph.scoring import InnerProductScorer, Scorer
from engine.graph.segments import TestEdges, ranked_test_edges

ANSWER_COLUMNS = ("rank", "score", "reversed", "non_edge", "degree_corrected", "direction")
_KIBIBYTES_PER_MEBIBYTE = 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """What one method says of one split, and what it took."""

    answers: pd.DataFrame
    """Columns `ANSWER_COLUMNS`, one row per ranked test edge: filtered rank of its target, then the scores of the
    edge, of its reversal, of its uniform and of its degree-corrected non-edge, then the log-odds that the edge points
    this way, of methods with a head for it. NaN where the method is not judged or has no head."""
    seconds: float
    """Time to fit, with the choices on validation edges."""
    megabytes: float
    """Peak of memory while fitting, MiB above what the process held before, data and libraries included there."""


def measure(method: Method, prepared: Prepared, config: GraphConfig) -> Measured:
    """Fit one method and let it answer; to be called in a process of its own, or the memory says nothing.

    Parameters
    ----------
    method : Method
    prepared : Prepared
    config : GraphConfig
        Of the split: `seed` and `max_queries` are read.

    Returns
    -------
    Measured
    """
    _one_thread()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for name in filter(None, (method.package, method.module)):
            importlib.import_module(name)
    before = _peak()
    started = time.perf_counter()
    scorer = fit_method(method, prepared, seed=config.seed)
    seconds = time.perf_counter() - started
    megabytes = _peak() - before
    edges = ranked_test_edges(prepared, config)
    nothing = np.full(edges.edge_index.shape[1], np.nan)
    is_existence = method.scope != "direction"
    answers = {
        "rank": _ranks(scorer, prepared, edges) if method.scope == "ranking" else nothing,
        "score": scorer.pairs(*edges.edge_index),
        "reversed": scorer.pairs(*edges.edge_index[::-1]),
        "non_edge": scorer.pairs(*edges.non_edge_index) if is_existence else nothing,
        "degree_corrected": scorer.pairs(*edges.degree_corrected_index) if is_existence else nothing,
        "direction": scorer.direction(*edges.edge_index) if _has_head(scorer) else nothing,
    }
    return Measured(pd.DataFrame(answers)[list(ANSWER_COLUMNS)].astype(np.float64), seconds, megabytes)


def _has_head(scorer: Scorer) -> TypeGuard[InnerProductScorer]:
    """Say whether a method has a direction head."""
    return isinstance(scorer, InnerProductScorer) and scorer.direction_head is not None


def _ranks(scorer: Scorer, prepared: Prepared, edges: TestEdges) -> NDArray[np.float64]:
    """Return filtered ranks: known targets of a query, of training or validation, are no candidates."""
    training = prepared.training
    known = np.concatenate([training.edge_index, training.validation_edge_index], axis=1)
    return pair_ranks(scorer, edges.edge_index, excluded_candidates(known, training.num_nodes))


def _one_thread() -> None:
    """Give every method one thread, in torch and in the linear algebra below NumPy and SciPy."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(limits=1)


def _peak() -> float:
    """Return the most memory that this process ever held, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIBIBYTES_PER_MEBIBYTE
