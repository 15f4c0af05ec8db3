"""Where neighbourhoods earn their keep: samplers, budgets and arriving nodes, over several splits."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from engine.benchmark.neighbourhood_command import SIMULATED
from engine.benchmark.neighbourhood_table import STUDY_COLUMNS, summarise
from engine.benchmark.store import code_hash
from engine.graph.arrivals import arrived_scorer
from engine.graph.coldsplit import split_by_nodes
from engine.graph.coldstart import REVEALED, cold_start, tested_ranks
from engine.graph.config import GraphConfig, Sampling
from engine.graph.data import Dataset, load, prepare
from engine.graph.ranks import excluded_candidates, pair_ranks
from engine.graph.segments import ranked_test_edges
from engine.graph.simulate import SimulationConfig, simulate
from engine.graph.train import fit_form
from engine.result import DatasetInfo
from engine.tables import content_hash

BUDGETS = (5, 10, 20)
"""Largest neighbourhoods (K_max) that are tried; the smallest are a quarter of it."""
_SIMULATION = SimulationConfig(mean_degree=4.0, groups=8, tail_exponent=2.1)
_SIMULATED_EDGES = 8_000
_CODE = ("engine.graph.train", "engine.graph.coldstart", "engine.graph.segments")

OnStep = Callable[[str, int, str], None]
"""Receives the data set, the seed and what is measured next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One way to draw neighbourhoods."""

    name: str
    sampling: Sampling
    budget: int = 20
    bias: float = 1.0

    def config(self, seed: int) -> GraphConfig:
        """Return the settings of a run with these neighbourhoods; all else is default."""
        return GraphConfig(
            seed=seed,
            sampling=self.sampling,
            max_neighbours=self.budget,
            min_neighbours=max(self.budget // 4, 1),
            neighbour_bias=self.bias,
        )


_SAMPLED: tuple[tuple[str, Sampling], ...] = (("adaptive", "adaptive"), ("fixed", "uniform"))
CELLS = (
    Cell(name="none", sampling="none"),
    Cell(name="full", sampling="full"),
    *(Cell(name=f"{name}-{k}", sampling=kind, budget=k) for k in BUDGETS for name, kind in _SAMPLED),
    *(Cell(name=f"{name}-10-any", sampling=kind, budget=10, bias=0.0) for name, kind in _SAMPLED),
)
"""Ways tried on a split by edges. In ``…-any`` all neighbours are equally likely to be drawn."""
ARRIVAL_CELLS = tuple(cell for cell in CELLS if cell.name in ("adaptive-10", "fixed-10"))
"""Ways tried on a split by nodes, besides those of `engine.graph.coldstart.cold_start`."""

STEPS = len(CELLS) + 1 + len(ARRIVAL_CELLS)
"""Things measured per data set and seed."""


def neighbourhoods(datasets: Sequence[Dataset], *, seeds: int, folder: Path, on_step: OnStep) -> pd.DataFrame:
    """Compare neighbourhoods on random splits by edges and by nodes.

    Parameters
    ----------
    datasets : sequence of Dataset
    seeds : int, >= 1
        Seeds 0, 1, … of the splits and of the training.
    folder : Path
        Holds one file per finished cell; what is there for the same data, seed, settings and code is not done again.
    on_step : callable

    Returns
    -------
    DataFrame
        Columns `engine.benchmark.neighbourhood_table.STUDY_COLUMNS`.
    """
    # Small matrices: more threads wait for one another longer than they compute.
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[pd.DataFrame]] = {dataset.info.name: [] for dataset in datasets}
    for seed in range(seeds):
        for dataset in datasets:
            tasks = {f"edges {cell.name}": (_by_edges, cell) for cell in CELLS}
            tasks |= {"arrivals": (_arrivals, CELLS[1])}
            tasks |= {f"arrivals {cell.name}": (_sampled_arrivals, cell) for cell in ARRIVAL_CELLS}
            for name, (measure, cell) in tasks.items():
                on_step(dataset.info.name, seed, name)
                table = _kept(folder, dataset, seed, name, partial(measure, dataset, cell, seed))
                found[dataset.info.name].append(table.assign(seed=seed))
    tables = [
        summarise(pd.concat(found[dataset.info.name], ignore_index=True)).assign(
            data=dataset.info.name, data_id=dataset.info.data_id
        )
        for dataset in datasets
    ]
    return pd.concat(tables, ignore_index=True)[list(STUDY_COLUMNS)]


def simulated_graph() -> Dataset:
    """Return a graph whose in-degrees have a heavy tail, without features: its groups are the truth."""
    frame = simulate(_SIMULATED_EDGES, _SIMULATION)
    info = DatasetInfo(name=SIMULATED, origin="simulated", data_id=content_hash(frame))
    return load(frame, info=info)


def _by_edges(dataset: Dataset, cell: Cell, seed: int) -> pd.DataFrame:
    """Rank the test edges of a split by edges."""
    config = cell.config(seed)
    prepared = prepare(dataset, config)
    training = prepared.training
    scorer = fit_form("dual", training, config).scorer
    edges = ranked_test_edges(prepared, config).edge_index
    known = np.concatenate([training.edge_index, training.validation_edge_index], axis=1)
    table = {
        "setting": "edges",
        "method": cell.name,
        "node": edges[0],
        "source": edges[0],
        "target": edges[1],
        "in_degree": training.in_degree[edges[1]],
        "out_degree": training.out_degree[edges[0]],
        "rank": pair_ranks(scorer, edges, excluded_candidates(known, training.num_nodes)),
    }
    return pd.DataFrame(table)


def _arrivals(dataset: Dataset, cell: Cell, seed: int) -> pd.DataFrame:
    """Rank the hidden edges of arriving nodes under every method."""
    return cold_start(dataset, cell.config(seed)).assign(setting="arrivals")


def _sampled_arrivals(dataset: Dataset, cell: Cell, seed: int) -> pd.DataFrame:
    """Rank the hidden edges of arriving nodes with one way to draw neighbourhoods."""
    config = cell.config(seed)
    split = split_by_nodes(dataset, config)
    form = fit_form("dual", split.training, config)
    parts = []
    for count in REVEALED[1:]:
        revealed = split.test.revealed(count)
        ranks = tested_ranks(arrived_scorer(form, split, revealed, config), split, split.test, revealed)
        parts.append(ranks.assign(revealed=count))
    known = "edges" if split.features is None else "features and edges"
    return pd.concat(parts, ignore_index=True).assign(setting="arrivals", known=known, method=cell.name)


def _kept(folder: Path, dataset: Dataset, seed: int, name: str, measure: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Read a finished cell, or measure and keep it; a reader never sees half a file."""
    version = [dataset.info.data_id, seed, name, repr(CELLS), *map(code_hash, _CODE)]
    key = hashlib.sha256(json.dumps(version).encode()).hexdigest()[:16]
    path = folder / f"{dataset.info.data_id}-{seed}-{name.replace(' ', '-')}-{key}.parquet"
    if path.exists():
        return pd.read_parquet(path)
    table = measure()
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    table.to_parquet(unfinished, index=False)
    os.replace(unfinished, path)
    return table
