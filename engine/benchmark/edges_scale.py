"""Simulated edges of any number: pairs, mutual pairs and degrees, ours beside pandas and networkx."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from engine.benchmark.scale_engine import described, opened
from engine.benchmark.scale_subject import DESCRIBE, OURS, SIMULATE, Answer, Subject, Task, question
from engine.seeding import generator

BLOCK = 1_000_000
EDGES_PER_NODE = 10
MUTUAL_SHARE = 0.2
"""Share of the edges that answer an edge of the same block."""
TAIL = 3.0
"""The node of rank r has an expected degree in proportion to r ^ (1 / TAIL - 1): a power law of exponent 2.5."""
_SIDES = ("out", "into")


def write_edges(folder: Path) -> Answer:
    """Write a simulated graph block by block; the nodes that point most are not those that are pointed at most."""
    told = question(folder)
    rows = told["rows"]
    nodes = max(rows // EDGES_PER_NODE, 2)
    for number, start in enumerate(range(0, rows, BLOCK)):
        count = min(BLOCK, rows - start)
        rng = generator(told["seed"], "benchmark", "edges", str(number))
        answers = round(count * MUTUAL_SHARE)
        source, rank = (np.floor(nodes * rng.random(count - answers) ** TAIL).astype(np.int64) for _ in range(2))
        target = nodes - 1 - rank
        target = np.where(target == source, (target + 1) % nodes, target)
        ends = (
            np.concatenate([source, target[:answers]]),
            np.concatenate([target, source[:answers]]),
        )
        table = pa.table({name: end.astype(np.int32) for name, end in zip(("source", "target"), ends, strict=True)})
        pq.write_table(table, folder / f"part-{number:05d}.parquet")
    return {}


def pairs(folder: Path) -> Answer:
    """Merge the edges into pairs by our expressions, and count what is mutual and how degrees are distributed."""
    from engine.graph.described_counts import degree_counts, node_degrees, pair_counts, totals
    from engine.graph.described_kept import collect, kept

    with opened(folder) as table, kept(pair_counts(table)) as found, kept(node_degrees(found)) as degrees:
        total = {name: int(value) for name, value in collect(totals(found)).iloc[0].items()}
        histogram = {side: collect(degree_counts(degrees, side)) for side in _SIDES}
    return _answer(
        total, {side: dict(zip(part["degree"], part["nodes"], strict=True)) for side, part in histogram.items()}
    )


def describe(folder: Path) -> Answer:
    """Do all that the command does."""
    return described("graph", folder)


def by_pandas(folder: Path) -> Answer:
    """Count the same by group-bys of all rows in memory."""
    edges = pd.read_parquet(folder).groupby(["source", "target"]).size().rename("seen").reset_index()
    turned = edges[["source", "target"]].rename(columns={"source": "target", "target": "source"})
    mutual = len(edges.merge(turned, on=["source", "target"])) // 2
    total = {"rows": edges["seen"].sum(), "edges": len(edges), "pairs": len(edges) - mutual, "mutual_pairs": mutual}
    every = np.union1d(edges["source"].unique(), edges["target"].unique())
    histogram = {}
    for side, end in zip(_SIDES, ("source", "target"), strict=True):
        degree = edges.groupby(end).size().reindex(every, fill_value=0)
        histogram[side] = degree.groupby(degree).size().to_dict()
    return _answer(total, histogram)


def by_networkx(folder: Path) -> Answer:
    """Build the graph in memory and ask it the same."""
    import networkx as nx

    rows = pd.read_parquet(folder)
    graph = nx.DiGraph()
    graph.add_edges_from(zip(rows["source"].tolist(), rows["target"].tolist(), strict=True))
    edges = graph.number_of_edges()
    mutual = round(nx.overall_reciprocity(graph) * edges) // 2
    total = {"rows": len(rows), "edges": edges, "pairs": edges - mutual, "mutual_pairs": mutual}
    degrees = {"out": graph.out_degree(), "into": graph.in_degree()}
    histogram = {side: pd.Series([degree for _, degree in view]).value_counts() for side, view in degrees.items()}
    return _answer(total, {side: part.to_dict() for side, part in histogram.items()})


def _answer(total: Mapping[str, int], histogram: Mapping[str, Mapping[int, int]]) -> Answer:
    """Lay out counts of the graph, and nodes by degree."""
    names = ("rows", "edges", "pairs", "mutual_pairs")
    return {
        "totals": pd.DataFrame({"what": names, "count": [int(total[name]) for name in names]}),
        "degrees": pd.DataFrame(
            [(side, degree, nodes) for side, part in histogram.items() for degree, nodes in part.items()],
            columns=["side", "degree", "nodes"],
        ),
    }


SUBJECT = Subject(
    kind="graph",
    data="edges",
    tasks=(
        Task(tool=OURS, step=SIMULATE, work=write_edges),
        Task(tool=OURS, step="pairs", work=pairs, needs=("engine.backends", "engine.graph.described_counts")),
        Task(tool="pandas", step="pairs", work=by_pandas),
        Task(tool="networkx", step="pairs", work=by_networkx, needs=("networkx",)),
        Task(tool=OURS, step=DESCRIBE, work=describe, needs=("engine.cli", "engine.graph.described")),
    ),
    keys={"totals": ("what",), "degrees": ("side", "degree")},
)
