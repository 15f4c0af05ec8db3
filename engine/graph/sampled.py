"""The neighbours that the samplers draw for one node: what a run drew, and how likely each neighbour is to be drawn.

Drawing takes the very functions that training takes, on the training edges of a stored run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from engine.graph.config import GraphConfig
from engine.graph.data import TrainingGraph, training_graph
from engine.graph.sampling import FanOut, draw, equal_budget, fan_out_of, operators, power_law_exponent
from engine.graph.two_steps import second_neighbours
from engine.graph.whatif import whole_edges
from engine.runs import Run
from engine.seeding import generator

DRAWS = 200
"""Draws behind the chance of a neighbour."""
SAMPLERS: tuple[Literal["adaptive", "uniform"], ...] = ("adaptive", "uniform")
Role = Literal["target", "source"]
_SETTINGS = ("max_neighbours", "min_neighbours", "neighbour_bias")


@dataclass(frozen=True, slots=True)
class Reach:
    """What every node of a graph could draw in one role, and what the samplers give it."""

    first: sparse.csr_array
    """Neighbours of every row: targets, or sources."""
    second: sparse.csr_array
    """Nodes at two steps, where a row can need them."""
    drawn: Mapping[str, sparse.csr_array]
    """Sampler to what the run drew for its final embeddings, row-normalised."""
    weight: NDArray[np.float64]
    """Weight of every node when it is drawn."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """Both samplers of a run on its training edges."""

    exponent: float
    """alpha of the in-degrees."""
    in_degree: NDArray[np.int64]
    adaptive: NDArray[np.int64]
    """K_u of every node."""
    reach: Mapping[str, Reach]
    """Role of the neighbours to what can be drawn."""
    settings: Mapping[str, float]
    """Limits of K and exponent of the weights."""
    seed: int


@dataclass(frozen=True, slots=True)
class Sampled:
    """What both samplers draw for one node in one role."""

    neighbours: pd.DataFrame
    """``other``; ``step`` (1 a neighbour, 2 a neighbour's neighbour); ``weight``; for each sampler the chance to be
    drawn, ``adaptive, uniform``, in [0, 1], and whether the run drew it, ``adaptive_drawn, uniform_drawn``. The most
    likely first."""
    sizes: pd.DataFrame
    """One row per sampler: ``sampler``; ``size``, most nodes to draw (the mean, where some nodes take one more);
    ``first, second``, nodes drawn at one and at two steps, means over the draws; ``total``, nodes that all nodes of the
    graph draw together."""
    available: tuple[int, int]
    """Nodes that could be drawn at one and at two steps."""
    draws: int


def opened(run: Run) -> Sampler:
    """Set both samplers of a stored run up again.

    Raises
    ------
    RunError
        If the tables of the run hold a part of the edges only: samplers would draw others from them.
    """
    return sampler_of(whole_edges(run), len(run.curve("nodes")), run.manifest["config"])


def sampler_of(edges: pd.DataFrame, num_nodes: int, config: Mapping[str, Any]) -> Sampler:
    """Set both samplers of a run up again, with the draw that its final embeddings stand on.

    Parameters
    ----------
    edges : DataFrame
        Columns ``source, target, split``, as stored with the run.
    num_nodes : int
    config : mapping
        Settings of the run, as stored with it; reads ``seed`` and the settings of the samplers.

    Returns
    -------
    Sampler
    """
    training = _training_edges(edges, num_nodes)
    default = GraphConfig()
    settings = {name: config.get(name, getattr(default, name)) for name in _SETTINGS}
    seed = int(config["seed"])
    fans = {name: fan_out_of(training, name, **settings) for name in SAMPLERS}
    # The stream of the final embeddings; both samplers start it anew, as their methods do.
    drawn = {
        name: operators(training.edge_index, num_nodes, fan, generator(seed, "graph", "inference"))
        for name, fan in fans.items()
    }
    fan = fans["adaptive"]
    forward = training.adjacency()
    matrices = {"target": forward, "source": sparse.csr_array(forward.T)}
    return Sampler(
        exponent=power_law_exponent(training.in_degree),
        in_degree=training.in_degree,
        adaptive=fan.adaptive,
        reach={
            role: Reach(
                first=matrix,
                second=_second(matrix, fan, seed),
                drawn={name: matrices_drawn[place] for name, matrices_drawn in drawn.items()},
                weight=fan.target_weight if role == "target" else fan.source_weight,
            )
            for place, (role, matrix) in enumerate(matrices.items())
        },
        settings=settings,
        seed=seed,
    )


def sampled(sampler: Sampler, node: int, role: Role, *, draws: int = DRAWS) -> Sampled:
    """Draw the neighbourhood of one node many times with both samplers at equal total budget.

    Parameters
    ----------
    sampler : Sampler
    node : int
    role : {"target", "source"}
        What the neighbours are to the node: targets feed its source vector, sources its target vector.
    draws : int, default `DRAWS`

    Returns
    -------
    Sampled

    Notes
    -----
    Both samplers draw with the same noise, so they differ by their sizes alone.
    """
    reach = sampler.reach[role]
    available = (np.diff(reach.first.indptr) + np.diff(reach.second.indptr)).astype(np.int64)
    first, second = (_row(matrix, node) for matrix in (reach.first, reach.second))
    columns = np.concatenate([first, second]).astype(np.int64)
    table = pd.DataFrame(
        {"other": columns, "step": np.repeat([1, 2], [len(first), len(second)]), "weight": reach.weight[columns]}
    )
    budget = int(np.minimum(sampler.adaptive, available).sum())
    rows = []
    for name in SAMPLERS:
        size = _sizes(sampler, name, node, available, budget, draws)
        taken = draw(
            _repeated(first, draws, reach.first.shape[1]),
            _repeated(second, draws, reach.first.shape[1]),
            size,
            reach.weight,
            generator(sampler.seed, "graph", "shown draws"),
        )
        table[name] = np.asarray(taken.sum(axis=0)).ravel()[columns] / draws
        table[f"{name}_drawn"] = np.isin(columns, _row(reach.drawn[name], node))
        steps = table.groupby("step")[name].sum()
        rows.append(
            {
                "sampler": name,
                "size": float(size.mean()),
                "first": float(steps.get(1, 0.0)),
                "second": float(steps.get(2, 0.0)),
                "total": int(reach.drawn[name].nnz),
            }
        )
    table = table.sort_values(["step", "adaptive", "weight", "other"], ascending=[True, False, False, True])
    return Sampled(
        neighbours=table.reset_index(drop=True),
        sizes=pd.DataFrame(rows),
        available=(len(first), len(second)),
        draws=draws,
    )


def _training_edges(edges: pd.DataFrame, num_nodes: int) -> TrainingGraph:
    """Return the training part of stored edges."""
    parts = [
        edges.loc[edges["split"] == part, ["source", "target"]].to_numpy(dtype=np.int64).T
        for part in ("train", "validation")
    ]
    return training_graph(parts[0], parts[1], num_nodes)


def _second(first: sparse.csr_array, fan: FanOut, seed: int) -> sparse.csr_array:
    """Return the nodes at two steps from every row that can need them; of a large graph, along sampled paths."""
    is_open = np.diff(first.indptr) < fan.adaptive.max(initial=0)
    return second_neighbours(first, rows=is_open, paths=fan.paths, rng=generator(seed, "graph", "shown paths"))


def _sizes(
    sampler: Sampler, name: str, node: int, available: NDArray[np.int64], budget: int, draws: int
) -> NDArray[np.int64]:
    """Return the size of a node's neighbourhood in every draw."""
    if name == "adaptive":
        return np.full(draws, sampler.adaptive[node], dtype=np.int64)
    rng = generator(sampler.seed, "graph", "shown sizes")
    size = equal_budget(available, budget, rng)
    least = int(size.min())
    if available[node] <= least:
        return np.full(draws, least, dtype=np.int64)
    share = float((size > least).sum() / max(int((available > least).sum()), 1))
    return least + (rng.random(draws) < share).astype(np.int64)


def _row(matrix: sparse.csr_array, row: int) -> NDArray[np.int64]:
    """Return the columns of one row."""
    return np.sort(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])


def _repeated(columns: NDArray[np.int64], count: int, width: int) -> sparse.csr_array:
    """Return a matrix that holds the same row many times, so that one call draws many times."""
    indptr = np.arange(count + 1) * len(columns)
    ones = np.ones(count * len(columns), dtype=np.float32)
    return sparse.csr_array((ones, np.tile(columns, count), indptr), shape=(count, width))
