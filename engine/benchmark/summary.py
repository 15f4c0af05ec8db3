"""Metrics of every method over all splits, with intervals, and their ratios to the best peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.benchmark.measure import Measured
from engine.benchmark.methods import METHODS
from engine.graph.intervals import Floats, Resamples
from engine.graph.segments import TestEdges
from engine.metrics.ranking import hit_at, ndcg_at, reciprocal_rank_at
from engine.metrics.resampling import percentile_interval
from engine.seeding import generator

CUTS = (5, 10, 20)
SUMMARY_COLUMNS = (
    *("data", "method", "baseline", "statistic", "segment", "metric"),
    *("value", "ci_low", "ci_high", "n", "splits"),
)
COSTS = ("seconds", "megabytes")

Draws = dict[tuple[str, str, str], Floats]
"""Method, segment and metric to the mean over splits, on the sample (first) and on every resample."""


@dataclass(frozen=True, slots=True)
class Split:
    """The test edges of one split, and what every method said of them."""

    edges: TestEdges
    measured: Mapping[str, Measured]


def summarise(data: str, splits: Sequence[Split], *, resamples: int) -> pd.DataFrame:
    """Judge the methods on all splits of one data set.

    Parameters
    ----------
    data : str
        Name of the data set.
    splits : sequence of Split
        All with the same methods.
    resamples : int

    Returns
    -------
    DataFrame
        Columns `SUMMARY_COLUMNS`. ``statistic`` is ``value``, or ``difference`` or ``ratio`` of one of our methods
        to ``baseline``: the method of others that is best on the metric, chosen after the fact by its value on all
        test edges, which favours it, and in direction the degree-only head as well. ``n`` counts distinct query nodes.
        For seconds and megabytes the bounds are the least and the most of any split, ``n`` the number of splits.

    Notes
    -----
    ``direction_auc`` goes by a method's direction head where it has one and by its scores of an edge and its reversal
    otherwise; ``direction_auc_difference`` by the difference of the two, which suits those without a head better.

    A figure is the mean of its values on the splits. Its interval: the query nodes of all splits together are drawn
    with replacement, one draw weighs a node in every split that queries it, all methods get the same draws, and the
    2.5 and 97.5 % quantiles are taken of the mean over splits. So a node that occurs in several splits counts as one
    unit, and ratios and differences are paired. A split without a value in a segment is left out of that mean.
    Fitted models are held fixed.
    """
    draws = _mean_draws(splits, resamples)
    keyed = {(method, "", "value", segment, metric): values for (method, segment, metric), values in draws.items()}
    for (method, segment, metric), values in draws.items():
        for baseline in _baselines(draws, metric) if METHODS[method].is_ours else ():
            other = draws.get((baseline, segment, metric))
            if other is not None:
                ratio = np.divide(values, other, out=np.full_like(values, np.nan), where=other > 0)
                keyed[method, baseline, "difference", segment, metric] = values - other
                keyed[method, baseline, "ratio", segment, metric] = ratio
    rows = [*_figures(keyed, _units(splits)), *_costs(splits)]
    return pd.DataFrame(rows).assign(data=data, splits=len(splits))[list(SUMMARY_COLUMNS)]


def best_peer(values: Mapping[str, float]) -> str | None:
    """Return the method of others with the highest value, the first of equals; None if there is none."""
    peers = {name: value for name, value in values.items() if not METHODS[name].is_ours and not np.isnan(value)}
    return max(peers, key=peers.__getitem__) if peers else None


def _baselines(draws: Draws, metric: str) -> list[str]:
    """Return what our methods are compared with on a metric."""
    best = best_peer(
        {name: values[0] for (name, segment, key), values in draws.items() if (segment, key) == ("all", metric)}
    )
    heads = ["degree_head"] if metric.startswith("direction_auc") else []
    return list(dict.fromkeys([*([best] if best else []), *heads]))


def _mean_draws(splits: Sequence[Split], resamples: int) -> Draws:
    """Return the means over splits, all from the same draws of query nodes."""
    nodes = np.unique(np.concatenate([split.edges.edge_index[0] for split in splits]))
    rng = generator(0, "benchmark", "resamples")
    drawn = rng.multinomial(len(nodes), np.full(len(nodes), 1 / len(nodes)), size=resamples)
    counts = np.concatenate([np.ones((1, len(nodes))), drawn])
    total: Draws = {}
    present: Draws = {}
    for split in splits:
        queried = np.searchsorted(nodes, np.unique(split.edges.edge_index[0]))
        weights = Resamples(counts[:, queried], split.edges.query)
        for name, measured in split.measured.items():
            for (segment, metric), values in _draws(
                measured.answers, split.edges, weights, METHODS[name].scope
            ).items():
                key = name, segment, metric
                total[key] = total.get(key, 0.0) + np.nan_to_num(values)
                present[key] = present.get(key, 0.0) + ~np.isnan(values)
    return {
        key: np.divide(values, present[key], out=np.full_like(values, np.nan), where=present[key] > 0)
        for key, values in total.items()
    }


def _draws(answers: pd.DataFrame, edges: TestEdges, weights: Resamples, scope: str) -> dict[tuple[str, str], Floats]:
    """Return the metrics of one method on one split in every segment."""
    found: dict[tuple[str, str], Floats] = {}
    if scope == "ranking":
        found |= _ranking(answers["rank"].to_numpy(), edges, weights)
    score, backward = answers["score"].to_numpy(), answers["reversed"].to_numpy()
    logit = answers["direction"].to_numpy()
    readings = {
        "direction_auc": (score, backward) if np.isnan(logit).all() else (logit, -logit),
        "direction_auc_difference": (score - backward, backward - score),
    }
    for segment, member in edges.segments.items():
        rows = np.flatnonzero(member)
        if scope != "direction":
            for metric, column in (
                ("existence_auc", "non_edge"),
                ("existence_auc_degree_corrected", "degree_corrected"),
            ):
                found[segment, metric] = weights.areas(score[rows], answers[column].to_numpy()[rows], rows)
        if segment not in ("one_way", "mutual"):
            one_way = np.flatnonzero(member & edges.is_one_way)
            for metric, (ahead, back) in readings.items():
                found[segment, metric] = weights.areas(ahead[one_way], back[one_way], one_way)
    return found


def _ranking(ranks: Floats, edges: TestEdges, weights: Resamples) -> dict[tuple[str, str], Floats]:
    """Return the ranking metrics: means over test edges, but recall over query nodes."""
    per_edge = {"mrr": reciprocal_rank_at(ranks)}
    for k in CUTS:
        per_edge |= {f"hit_rate_at_{k}": hit_at(ranks, k), f"mrr_at_{k}": reciprocal_rank_at(ranks, k)}
        per_edge[f"ndcg_at_{k}"] = ndcg_at(ranks, k)
    keys, above, below = [], [], []
    for segment, member in edges.segments.items():
        inside = member.astype(np.float64)
        share = inside * _one_per_query(edges.query, member)
        measured = [(metric, value, inside) for metric, value in per_edge.items()]
        measured += [(f"recall_at_{k}", per_edge[f"hit_rate_at_{k}"], share) for k in CUTS]
        for metric, value, weight in measured:
            keys.append((segment, metric))
            above.append(value * weight)
            below.append(weight)
    return dict(zip(keys, weights.ratios(np.stack(above, axis=1), np.stack(below, axis=1)).T, strict=True))


def _one_per_query(query: NDArray[np.int64], member: NDArray[np.bool_]) -> Floats:
    """Return 1 / (edges of the same query in the segment)."""
    count = np.bincount(query[member], minlength=int(query.max()) + 1)
    weight: Floats = 1.0 / np.maximum(count, 1)[query]
    return weight


def _units(splits: Sequence[Split]) -> dict[tuple[str, bool], int]:
    """Return the distinct query nodes of every segment, and of its one-way edges, over all splits."""
    units: dict[tuple[str, bool], int] = {}
    for segment in splits[0].edges.segments:
        for only_one_way in (False, True):
            nodes = [
                split.edges.edge_index[0][split.edges.segments[segment] & (split.edges.is_one_way | (not only_one_way))]
                for split in splits
            ]
            units[segment, only_one_way] = len(np.unique(np.concatenate(nodes)))
    return units


def _figures(
    keyed: Mapping[tuple[str, str, str, str, str], Floats], units: Mapping[tuple[str, bool], int]
) -> list[dict[str, object]]:
    """Return one row per method, baseline, statistic, segment and metric, with its interval."""
    low, high = percentile_interval(np.stack(list(keyed.values()), axis=1)[1:])
    names = ("method", "baseline", "statistic", "segment", "metric")
    return [
        dict(zip(names, key, strict=True))
        | {"value": values[0], "ci_low": least, "ci_high": most, "n": units[key[3], key[4].startswith("direction_auc")]}
        for (key, values), least, most in zip(keyed.items(), low, high, strict=True)
    ]


def _costs(splits: Sequence[Split]) -> list[dict[str, object]]:
    """Return time and memory of every method: mean, least and most over the splits."""
    rows: list[dict[str, object]] = []
    for method in splits[0].measured:
        for metric in COSTS:
            values = np.array([getattr(split.measured[method], metric) for split in splits])
            key = {"method": method, "baseline": "", "statistic": "value", "segment": "all", "metric": metric}
            cost = {"value": values.mean(), "ci_low": values.min(), "ci_high": values.max(), "n": len(splits)}
            rows.append(key | cost)
    return rows
