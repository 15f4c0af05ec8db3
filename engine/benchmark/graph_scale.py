"""How time and memory grow with the graph: simulated heavy-tailed graphs, an epoch of training, and ranked lists."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.benchmark.scaling import growth_lines, machine, peak_gib, power_law
from engine.errors import TrainingError
from engine.graph.data import TrainingGraph, training_graph
from engine.graph.simulate import SimulationConfig, simulate_edge_index
from engine.seeding import generator

NODES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
EDGES_PER_NODE = 10
QUERIES = 10_000
LIST_LENGTH = 10
VALIDATION_SHARE = 0.05
GROWTH = ("draw_seconds", "draw_cpu_seconds", "epoch_seconds", "epoch_cpu_seconds", "peak_gib")
"""Figures whose growth with the number of edges is fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What one size took; seconds are those of the wall unless said otherwise."""

    nodes: int
    edges: int
    """Edges of the graph; 95 % of them are training edges."""
    largest_in_degree: int
    simulate_seconds: float
    drawn: int
    """Neighbours that one draw of all neighbourhoods of both roles takes: the sampled edges."""
    draw_seconds: float
    draw_cpu_seconds: float
    drawn_per_second: float
    steps: int
    """Steps of the epoch."""
    epoch_seconds: float
    """One pass over the training edges, with its draw of neighbourhoods."""
    epoch_cpu_seconds: float
    """Processor time of the epoch over all threads: what is left of noise on a shared machine."""
    embed_seconds: float
    """Both vectors of every node, with a draw of all neighbourhoods."""
    queries: int
    query_seconds: float
    """Exact top ten of the queries among all nodes, training edges left out."""
    peak_gib: float
    """Largest memory of the process over all of this, libraries included."""
    threads: int
    cores: int
    memory_gib: float
    """Memory of the machine."""


def measure(num_nodes: int, *, threads: int, seed: int) -> Scale:
    """Simulate, draw, train an epoch, embed and rank once; to be called in a process of its own.

    Parameters
    ----------
    num_nodes : int
    threads : int
        For the arithmetic below torch and NumPy.
    seed : int

    Returns
    -------
    Scale
    """
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    with threadpool_limits(limits=threads):
        started = time.perf_counter()
        settings = SimulationConfig(seed=seed, mean_degree=EDGES_PER_NODE)
        edge_index, num_nodes = simulate_edge_index(EDGES_PER_NODE * num_nodes, settings)
        simulated = time.perf_counter() - started
        kept = round(edge_index.shape[1] * VALIDATION_SHARE)
        training = training_graph(edge_index[:, kept:], edge_index[:, :kept], num_nodes)
        figures = _drawn(training, seed) | _trained_and_ranked(training, seed)
    return Scale(
        nodes=num_nodes,
        edges=edge_index.shape[1],
        largest_in_degree=int(training.in_degree.max()),
        simulate_seconds=simulated,
        peak_gib=peak_gib(),
        threads=threads,
        **machine(),
        **figures,
    )


def measure_all(
    sizes: Sequence[int], *, threads: int, seed: int, on_size: Callable[[int], None] | None = None
) -> pd.DataFrame:
    """Measure every size in a fresh process, one after the other.

    Parameters
    ----------
    sizes : sequence of int
        Nodes.
    threads, seed : int
    on_size : callable, optional
        Receives every size before its turn.

    Returns
    -------
    DataFrame
        The fields of `Scale`, one row per size.

    Raises
    ------
    TrainingError
        If a process dies, as it does for want of memory.
    """
    rows = []
    for size in sizes:
        if on_size is not None:
            on_size(size)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                rows.append(asdict(pool.submit(measure, size, threads=threads, seed=seed).result()))
            except BrokenProcessPool as error:
                raise TrainingError(
                    f"The process for {size:,} nodes was ended, most likely for want of memory; measure fewer nodes."
                ) from error
    return pd.DataFrame(rows)


def growth(table: pd.DataFrame) -> pd.DataFrame:
    """Fit how our figures in the table of `measure_all` grow with the edges, see `power_law`."""
    return power_law(table["edges"], table[list(GROWTH)])


def text_of(table: pd.DataFrame, fitted: pd.DataFrame) -> str:
    """Return both tables for reading."""
    first = table.iloc[0]
    lines = [
        f"{first['cores']:.0f} cores, {first['memory_gib']:.1f} GiB of memory, {first['threads']:.0f} threads",
        "",
        "| nodes | edges | edges sampled/s | epoch s | epoch CPU s | embed s | top 10 of 10,000 s | peak GiB |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.nodes:,} | {row.edges:,} | {row.drawn_per_second:,.0f} | {row.epoch_seconds:.1f} | "
        f"{row.epoch_cpu_seconds:.1f} | {row.embed_seconds:.1f} | {row.query_seconds:.1f} | {row.peak_gib:.2f} |"
        for row in table.itertuples()
    ]
    return "\n".join([*lines, *growth_lines(fitted, what="edges")])


def _drawn(training: TrainingGraph, seed: int) -> dict[str, Any]:
    """Draw the degree-adaptive neighbourhoods of all nodes once."""
    from engine.graph.config import GraphConfig
    from engine.graph.sampling import fan_out_of, operators

    config = GraphConfig()
    fan = fan_out_of(
        training,
        "adaptive",
        max_neighbours=config.max_neighbours,
        min_neighbours=config.min_neighbours,
        neighbour_bias=config.neighbour_bias,
    )
    started, started_cpu = time.perf_counter(), time.process_time()
    drawn = operators(training.edge_index, training.num_nodes, fan, generator(seed, "graph", "scale"))
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - started_cpu
    count = drawn[0].nnz + drawn[1].nnz
    return {
        "drawn": count,
        "draw_seconds": seconds,
        "draw_cpu_seconds": cpu_seconds,
        "drawn_per_second": count / seconds,
    }


def _trained_and_ranked(training: TrainingGraph, seed: int) -> dict[str, Any]:
    """Train the cosine form for an epoch of mini-batches, embed all nodes, and answer queries."""
    from engine.graph.batches import LARGE_BATCH
    from engine.graph.config import GraphConfig
    from engine.graph.ranks import excluded_candidates, top_candidates
    from engine.graph.train import fit_form

    config = GraphConfig(seed=seed, epochs=1, sampling="adaptive", batch_size=LARGE_BATCH)
    marks: list[tuple[float, float]] = []

    def mark(*_: object) -> None:
        marks.append((time.perf_counter(), time.process_time()))

    mark()
    form = fit_form("dual", training, config, on_epoch=mark)
    mark()
    queries: NDArray[np.int64] = generator(seed, "graph", "scale", "queries").permutation(training.num_nodes)[:QUERIES]
    excluded = excluded_candidates(training.edge_index, training.num_nodes)
    mark()
    top_candidates(form.scorer, queries, LIST_LENGTH, excluded)
    mark()
    (start, start_cpu), (trained, trained_cpu), (embedded, _), (asked, _), (answered, _) = marks
    supervised = training.edge_index.shape[1] * (1 - config.message_share)
    return {
        "steps": int(np.ceil(supervised / LARGE_BATCH)),
        "epoch_seconds": trained - start,
        "epoch_cpu_seconds": trained_cpu - start_cpu,
        "embed_seconds": embedded - trained,
        "queries": len(queries),
        "query_seconds": answered - asked,
    }
