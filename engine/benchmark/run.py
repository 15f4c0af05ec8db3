"""The benchmark: every method on every split of every data set, from what is stored where it can be."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd

from engine.benchmark.measure import Measured, measure
from engine.benchmark.methods import Method
from engine.benchmark.store import Store, split_hash
from engine.benchmark.summary import Split, summarise
from engine.graph.config import GraphConfig
from engine.graph.data import Dataset, Prepared, prepare
from engine.graph.segments import ranked_test_edges

RESAMPLES = 1000
PRELOADED = ["torch", "torch._dynamo", "engine.benchmark.measure"]
"""Loaded once, before any method is timed. The optimisers of torch load the second at their first step."""

OnStep = Callable[[str, int, str], None]
"""Receives the data set, the seed of the split and the label of the method, before it is fitted or read."""


def benchmark(
    datasets: Sequence[Dataset], methods: Sequence[Method], *, splits: int, folder: Path, on_step: OnStep
) -> pd.DataFrame:
    """Measure methods on random splits.

    Parameters
    ----------
    datasets : sequence of Dataset
    methods : sequence of Method
    splits : int, >= 1
        Seeds 0, 1, … of `engine.graph.data.prepare`.
    folder : Path
        Holds one file per finished result; what is there for the same edges, split and code is not fitted again.
    on_step : callable

    Returns
    -------
    DataFrame
        Columns `engine.benchmark.summary.SUMMARY_COLUMNS`.
    """
    store = Store(folder)
    tables = []
    for dataset in datasets:
        found = []
        for seed in range(splits):
            config = GraphConfig(seed=seed)
            prepared = prepare(dataset, config)
            split = split_hash(prepared)
            measured = {}
            for method in methods:
                on_step(dataset.info.name, seed, method.label)
                path = store.path(method, split, dataset.info.name, seed)
                result = store.read(path)
                if result is None:
                    result = _measured_apart(method, prepared, config)
                    store.write(path, result)
                measured[method.name] = result
            found.append(Split(ranked_test_edges(prepared, config), measured))
        tables.append(summarise(dataset.info.name, found, resamples=RESAMPLES))
    return pd.concat(tables, ignore_index=True)


def _measured_apart(method: Method, prepared: Prepared, config: GraphConfig) -> Measured:
    """Measure in a new process, so that memory is that of the method and a failure leaves the others alone."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(measure, method, prepared, config).result()
