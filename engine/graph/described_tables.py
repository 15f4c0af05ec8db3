"""The tables that describe a graph without a training, from aggregates alone."""

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from engine.graph.described_chance import Chance, Floats, Z, degree_chance
from engine.graph.described_config import DescribeSettings
from engine.graph.described_counts import (
    class_sums,
    degree_counts,
    lean_counts,
    least_of_class,
    listed_nodes,
    listed_pairs,
    node_degrees,
    pair_counts,
    totals,
)
from engine.graph.described_kept import collect, kept
from engine.graph.described_lean import lean_table, named_nodes, named_pairs
from engine.graph.described_stored import every_edge, stored_edges, stored_nodes
from engine.metrics.calibration import wilson_interval

QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0)
DEGREE_STARTS = (1, 2, 3, 5, 10, 20, 50, 100, 1_000, 10_000)
"""Least degree of every bucket."""
MINIMUM_NODES = 20
"""With fewer nodes the spread over nodes says too little for an interval."""
_POINTS = 300
"""Most points of a stored distribution."""


def graph_tables(edges: ir.Table, settings: DescribeSettings | None = None) -> dict[str, pd.DataFrame]:
    """Describe a graph of any size; what comes back grows with its degrees and with `settings`, not with its edges.

    Parameters
    ----------
    edges : ibis table
        Columns ``source, target`` of one type, present and different, and optionally ``weight``, on any backend;
        repeated edges are merged.
    settings : DescribeSettings, optional

    Returns
    -------
    dict of str to DataFrame
        ``described``: one row of facts, see `facts_of`. ``one_way_by_degree``: see `one_way_by_degree`.
        ``degree_distribution``: ``kind, degree, nodes, share_at_least``; ``degree_quantiles``: ``kind, quantile,
        degree``. ``leaning``: see `engine.graph.described_lean.lean_table`. ``listed_pairs``, ``listed_nodes``: see the
        same module. ``nodes``: ``name, out_degree, in_degree, mutual_degree`` of the stored part; ``edges``: ``source,
        target`` (positions in it), ``seen, back_seen`` (rows this way and the other), ``is_mutual`` and, with a weight,
        ``weight, back_weight``.
    """
    settings = settings or DescribeSettings()
    with kept(pair_counts(edges)) as pairs, kept(node_degrees(pairs)) as degrees:
        total = {name: int(value) for name, value in collect(totals(pairs)).iloc[0].items()}
        classes = collect(class_sums(degrees)).sort_values(["out_class", "in_class"], ignore_index=True)
        histograms = {kind: collect(degree_counts(degrees, kind)).sort_values("degree") for kind in ("out", "into")}
        one_way = degrees.mutate(one_out=degrees.out - degrees.mutual, one_in=degrees.into - degrees.mutual)
        node_lean = collect(lean_counts(one_way, "one_out", "one_in"))
        pair_lean = collect(lean_counts(pairs, "there", "back"))
        orders = ["lean"] if total["rows"] > total["edges"] else []
        orders += ["weight"] if "there_weight" in pairs.columns else ["seen"] if orders else []
        listed = {by: collect(listed_pairs(pairs, by=by, limit=settings.listed)) for by in orders}
        tops = {side: collect(listed_nodes(degrees, outward=side == "out", limit=settings.listed)) for side in _SIDES}
        nodes, stored = _stored(pairs, degrees, total["edges"], settings)
    chance = degree_chance(classes)
    by_degree = one_way_by_degree(classes, chance)
    leaning = pd.concat([lean_table(pair_lean, "pairs"), lean_table(node_lean, "nodes")], ignore_index=True)
    return {
        "described": facts_of(total, classes, chance, stored=(len(nodes), len(stored))),
        "one_way_by_degree": by_degree,
        "degree_distribution": pd.concat([_thinned(histograms[kind], kind) for kind in histograms], ignore_index=True),
        "degree_quantiles": pd.concat([_quantiles(histograms[kind], kind) for kind in histograms], ignore_index=True),
        "leaning": leaning,
        "listed_pairs": named_pairs(listed),
        "listed_nodes": named_nodes(tops),
        "nodes": nodes,
        "edges": stored,
    }


_SIDES = ("out", "in")


def facts_of(total: dict[str, int], classes: pd.DataFrame, chance: Chance, *, stored: tuple[int, int]) -> pd.DataFrame:
    """Return what is said first about a graph, in one row.

    Parameters
    ----------
    total : dict
        From `engine.graph.described_counts.totals`.
    classes : DataFrame
        From `engine.graph.described_counts.class_sums`.
    chance : Chance
    stored : tuple of int
        Stored nodes and edges.

    Returns
    -------
    DataFrame
        ``rows, edges, repeated`` (rows beyond the first of their edge), ``nodes, pairs, mutual_pairs, one_way``
        (edges without an edge back), ``most_seen``; ``one_way_share, one_way_low, one_way_high`` (interval over source
        nodes), ``source_nodes``; ``chance_one_way`` with ``chance_low, chance_high``, the range of 95 % of such graphs;
        ``stored_nodes, stored_edges``.
    """
    edges, mutual = total["edges"], 2 * total["mutual_pairs"]
    sources = classes[classes["out"] > 0]
    low, high = _ratio_interval(sources, "out")
    spread = Z * chance.deviation / edges
    expected = 1 - chance.total / edges
    facts: dict[str, Any] = total | {
        "repeated": total["rows"] - edges,
        "nodes": int(classes["nodes"].sum()),
        "one_way": edges - mutual,
        "one_way_share": 1 - mutual / edges,
        "one_way_low": low,
        "one_way_high": high,
        "source_nodes": int(sources["nodes"].sum()),
        "chance_one_way": float(np.clip(expected, 0, 1)),
        "chance_low": float(np.clip(expected - spread, 0, 1)),
        "chance_high": float(np.clip(expected + spread, 0, 1)),
        "chance_gap": chance.gap,
        "stored_nodes": stored[0],
        "stored_edges": stored[1],
    }
    return pd.DataFrame([facts])


def one_way_by_degree(classes: pd.DataFrame, chance: Chance) -> pd.DataFrame:
    """Return the share of edges without an edge back by the degree of the node where they start, or end.

    Parameters
    ----------
    classes : DataFrame
        From `engine.graph.described_counts.class_sums`.
    chance : Chance
        Of these classes.

    Returns
    -------
    DataFrame
        ``degree`` (out_degree: edges by the degree of their source; in_degree: by that of their target), ``bucket,
        nodes, n`` (edges), ``value, ci_low, ci_high`` (over nodes) and ``expected`` (by the degrees alone); buckets
        up to the largest degree, also empty ones.
    """
    rows = []
    table = classes.assign(expected=chance.mutual * classes["nodes"].to_numpy())
    for degree, name in (("out_degree", "out"), ("in_degree", "into")):
        least = least_of_class(table[f"{name.removesuffix('to')}_class"].to_numpy())
        ends = [*DEGREE_STARTS[1:], np.inf]
        largest = int(least.max())
        for start, end in zip(DEGREE_STARTS, ends, strict=True):
            part = table[(least >= start) & (least < end)]
            if start > largest:
                break
            edges = float(part[name].sum())
            low, high = _ratio_interval(part, name)
            rows.append(
                {
                    "degree": degree,
                    "bucket": _bucket(start, end),
                    "nodes": int(part["nodes"].sum()),
                    "n": int(edges),
                    "value": 1 - part["mutual"].sum() / edges if edges else np.nan,
                    "ci_low": low,
                    "ci_high": high,
                    "expected": 1 - part["expected"].sum() / edges if edges else np.nan,
                }
            )
    return pd.DataFrame(rows)


def _bucket(start: int, end: float) -> str:
    """Name a bucket of degrees."""
    if end == np.inf:
        return f"{start:,}+"
    return f"{start:,}" if end == start + 1 else f"{start:,}–{int(end) - 1:,}"


def _ratio_interval(part: pd.DataFrame, name: str) -> tuple[float, float]:
    """Return the interval of the share of one-way edges over nodes, from sums of squares and products.

    The variance of a ratio of sums is linearised; a share of 0 or 1, which has no spread, takes Wilson's interval with
    nodes as trials.
    """
    nodes, edges, mutual = (float(part[column].sum()) for column in ("nodes", name, "mutual"))
    if nodes < MINIMUM_NODES or edges == 0:
        return np.nan, np.nan
    if mutual in (0.0, edges):
        low, high = wilson_interval([nodes * (1 - mutual / edges)], [nodes])
        return float(low[0]), float(high[0])
    ratio, short = mutual / edges, name.removesuffix("to")
    squares = (
        part["mutual_square"].sum()
        - 2 * ratio * part[f"{short}_mutual"].sum()
        + ratio**2 * part[f"{short}_square"].sum()
    )
    spread = Z * float(np.sqrt(max(squares, 0.0) * nodes / (nodes - 1))) / edges
    return max(1 - ratio - spread, 0.0), min(1 - ratio + spread, 1.0)


def _thinned(histogram: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return nodes by degree with the share of nodes that have at least as many edges; tails are thinned."""
    degree = histogram["degree"].to_numpy(dtype=np.int64)
    nodes = histogram["nodes"].to_numpy(dtype=np.int64)
    at_least = nodes[::-1].cumsum()[::-1] / nodes.sum()
    places: Floats = np.arange(len(degree), dtype=float)
    if len(degree) > _POINTS:
        wanted = np.geomspace(1, degree[-1] + 1, _POINTS) - 1
        places = np.unique(np.r_[0, np.searchsorted(degree, wanted).clip(0, len(degree) - 1), len(degree) - 1])
    kept_places = places.astype(np.int64)
    return pd.DataFrame({"kind": _NAME[kind], "degree": degree, "nodes": nodes, "share_at_least": at_least}).iloc[
        kept_places
    ]


def _quantiles(histogram: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return quantiles of the degree over all nodes: the least degree that so large a share does not exceed."""
    nodes = histogram["nodes"].to_numpy(dtype=np.int64).cumsum()
    wanted = np.maximum(np.ceil(np.array(QUANTILES) * nodes[-1] - 1e-9), 1)
    degree = histogram["degree"].to_numpy(dtype=np.int64)[np.searchsorted(nodes, wanted)]
    return pd.DataFrame({"kind": _NAME[kind], "quantile": QUANTILES, "degree": degree})


_NAME = {"out": "out_degree", "into": "in_degree"}


def _stored(
    pairs: ir.Table, degrees: ir.Table, edges: int, settings: DescribeSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the nodes and edges that pages look around in: all of a small graph, a stated part of a larger one."""
    if edges <= settings.stored_edges:
        nodes, found = collect(degrees), collect(every_edge(pairs))
    else:
        with kept(stored_nodes(degrees, limit=settings.stored_nodes)) as chosen:
            nodes, found = collect(chosen), collect(stored_edges(pairs, chosen, links=settings.stored_links))
    nodes = nodes.sort_values("node", ignore_index=True)
    position = pd.Series(np.arange(len(nodes), dtype=np.int32), index=nodes["node"])
    ends = {name: position[found[name]].to_numpy() for name in ("source", "target")}
    table = found.assign(**ends, is_mutual=found["back"] > 0).rename(columns={"back": "back_seen"})
    return (
        nodes.rename(columns={"node": "name", "out": "out_degree", "into": "in_degree", "mutual": "mutual_degree"}),
        table.sort_values(["source", "target"], ignore_index=True),
    )
