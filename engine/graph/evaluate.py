"""Judge every method on the test edges, with intervals over query nodes, and test the claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.graph.config import GraphConfig
from engine.graph.contrasts import claims_table, contrasts
from engine.graph.data import Prepared
from engine.graph.intervals import Floats, Resamples
from engine.graph.ranks import excluded_candidates, pair_ranks
from engine.graph.scoring import InnerProductScorer, Scorer
from engine.graph.segments import TestEdges, ranked_test_edges
from engine.graph.train import Fitted
from engine.metrics.inputs import query_share
from engine.metrics.ranking import hit_at, ndcg_at, reciprocal_rank_at
from engine.metrics.resampling import percentile_interval
from engine.result import DIFFERENCE_COLUMNS, METRIC_COLUMNS
from engine.seeding import generator

CUTS = (5, 10, 20)
DIRECTION_ONLY = ("degree_head",)
"""Methods that score the direction of a pair, not whether it exists: they have no other metric."""

Draws = dict[tuple[str, str, str], Floats]
"""Method, segment and metric to its value on the sample (first) and on every resample."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the test edges say."""

    metrics: pd.DataFrame
    """Columns `METRIC_COLUMNS`; `n` counts query nodes."""
    differences: pd.DataFrame
    """Columns `DIFFERENCE_COLUMNS`, from the same resamples as the metrics."""
    claims: pd.DataFrame
    """Columns of `engine.claims.CLAIM_COLUMNS`."""
    ranks: pd.DataFrame
    """One row per ranked test edge: ``source, target`` (positions), then one column of ranks per ranking method."""


def evaluate(fitted: Fitted, prepared: Prepared, config: GraphConfig) -> Evaluation:
    """Rank the test edges, tell them from non-edges and from their reversals, and compare methods.

    Parameters
    ----------
    fitted : Fitted
    prepared : Prepared
    config : GraphConfig
        `max_queries`, `resamples` and `seed` are read.

    Returns
    -------
    Evaluation

    Notes
    -----
    *Ranking*: each test edge (u, v) asks for v among all nodes but u and the known targets of u: those of training
    and validation edges, which are known by the time anything is recommended. Other test targets of u stay in, as ten
    places are ten places. Ties take their mean rank. HitRate, MRR and NDCG are means over test edges (each has one
    true target, so the ideal gain is 1); Recall is a mean over query nodes.
    *Existence*: test edges against as many uniform non-edges, and against degree-corrected ones.
    *Direction*: one-way test edges against their reversals, pooled, by a method's direction head where it has one and
    by its score otherwise; for every method also by the difference of its scores in both directions, which suits those
    without a head better; where it has embeddings, also by their inner products alone. One embedding per node gives
    both directions the same product, so it earns one half there whatever it learned.
    *Interval*: 2.5 and 97.5 % quantiles over resampled query nodes, the same for all methods, so differences are
    paired. Fitted models are held fixed.

    References
    ----------
    Virinchi et al. (2022), arXiv 2211.11583, section on tasks; its filter and its treatment of ties are not given.
    """
    edges = ranked_test_edges(prepared, config)
    resamples = Resamples.draw(edges.query, config.resamples, generator(config.seed, "graph", "resamples"))
    ranks = _ranks(fitted.scorers, prepared, edges)
    draws: Draws = {}
    for method, scorer in fitted.scorers.items():
        if method in ranks:
            draws |= _ranking_draws(method, ranks[method], edges, resamples)
            draws |= _existence_draws(method, scorer, edges, resamples)
        draws |= _direction_draws(method, scorer, edges, resamples)
    units = {name: len(np.unique(edges.query[member])) for name, member in edges.segments.items()}
    one_way = {name: len(np.unique(edges.query[member & edges.is_one_way])) for name, member in edges.segments.items()}
    metrics = _table({(method, "", segment, metric): value for (method, segment, metric), value in draws.items()})
    metrics["n"] = [_units(row.metric, row.segment, units, one_way) for row in metrics.itertuples()]
    differences = _table(contrasts(draws, config))
    differences["n"] = [_units(row.metric, row.segment, units, one_way) for row in differences.itertuples()]
    return Evaluation(
        metrics=metrics[list(METRIC_COLUMNS)],
        differences=differences[list(DIFFERENCE_COLUMNS)],
        claims=claims_table(differences),
        ranks=pd.DataFrame({"source": edges.edge_index[0], "target": edges.edge_index[1]} | ranks),
    )


def _ranks(scorers: Mapping[str, Scorer], prepared: Prepared, edges: TestEdges) -> dict[str, Floats]:
    """Return the filtered ranks of the test edges under every method that ranks."""
    training = prepared.training
    known = np.concatenate([training.edge_index, training.validation_edge_index], axis=1)
    excluded = excluded_candidates(known, training.num_nodes)
    return {
        method: pair_ranks(scorer, edges.edge_index, excluded)
        for method, scorer in scorers.items()
        if method not in DIRECTION_ONLY
    }


def _ranking_draws(method: str, ranks: Floats, edges: TestEdges, resamples: Resamples) -> Draws:
    """Return the ranking metrics of one method in every segment."""
    per_edge = {f"hit_rate_at_{k}": hit_at(ranks, k) for k in CUTS}
    per_edge |= {f"mrr_at_{k}": reciprocal_rank_at(ranks, k) for k in CUTS}
    per_edge |= {f"ndcg_at_{k}": ndcg_at(ranks, k) for k in CUTS} | {"mrr": reciprocal_rank_at(ranks)}
    keys, above, below = [], [], []
    for segment, member in edges.segments.items():
        inside = member.astype(np.float64)
        share = np.zeros(len(member))
        share[member] = query_share(edges.query[member])
        for metric, value in per_edge.items():
            keys.append((method, segment, metric))
            above.append(value * inside)
            below.append(inside)
        for k in CUTS:
            keys.append((method, segment, f"recall_at_{k}"))
            above.append(per_edge[f"hit_rate_at_{k}"] * share)
            below.append(share)
    values = resamples.ratios(np.stack(above, axis=1), np.stack(below, axis=1))
    return dict(zip(keys, values.T, strict=True))


def _existence_draws(method: str, scorer: Scorer, edges: TestEdges, resamples: Resamples) -> Draws:
    """Return how well one method tells test edges from pairs without an edge."""
    positive = scorer.pairs(*edges.edge_index).astype(np.float64)
    draws: Draws = {}
    for metric, others in (
        ("existence_auc", edges.non_edge_index),
        ("existence_auc_degree_corrected", edges.degree_corrected_index),
    ):
        negative = scorer.pairs(*others).astype(np.float64)
        for segment, member in edges.segments.items():
            rows = np.flatnonzero(member)
            draws[method, segment, metric] = resamples.areas(positive[rows], negative[rows], rows)
    return draws


def _direction_draws(method: str, scorer: Scorer, edges: TestEdges, resamples: Resamples) -> Draws:
    """Return how well one method tells one-way test edges from their reversals."""
    ahead, back = (scorer.pairs(*ends).astype(np.float64) for ends in (edges.edge_index, edges.edge_index[::-1]))
    readings = {"direction_auc": (ahead, back), "direction_auc_difference": (ahead - back, back - ahead)}
    if isinstance(scorer, InnerProductScorer) and scorer.direction_head is not None:
        logit = scorer.direction(*edges.edge_index).astype(np.float64)
        readings["direction_auc"] = (logit, -logit)
    draws: Draws = {}
    for segment, member in edges.segments.items():
        if segment in ("one_way", "mutual"):
            continue
        rows = np.flatnonzero(member & edges.is_one_way)
        for metric, (forward, backward) in readings.items():
            draws[method, segment, metric] = resamples.areas(forward[rows], backward[rows], rows)
    if isinstance(scorer, InnerProductScorer) and scorer.source.shape[1] > 0:
        rows = np.flatnonzero(edges.is_one_way)
        one_way = edges.edge_index[:, rows]
        ahead, back = (scorer.inner_products(*ends).astype(np.float64) for ends in (one_way, one_way[::-1]))
        draws[method, "all", "direction_auc_embeddings"] = resamples.areas(ahead, back, rows)
    return draws


def _table(draws: Mapping[tuple[str, str, str, str], Floats]) -> pd.DataFrame:
    """Turn draws by (method, baseline, segment, metric) into values with intervals."""
    table = pd.DataFrame(list(draws), columns=["method", "baseline", "segment", "metric"]).assign(split="test")
    if table.empty:
        return table.assign(value=[], ci_low=[], ci_high=[])
    values = np.stack(list(draws.values()), axis=1)
    low, high = percentile_interval(values[1:])
    return table.assign(value=values[0], ci_low=low, ci_high=high)


def _units(metric: str, segment: str, units: Mapping[str, int], one_way: Mapping[str, int]) -> int:
    """Return the number of query nodes behind a figure: direction is asked of one-way edges alone."""
    return one_way[segment] if metric.startswith("direction_auc") else units[segment]
