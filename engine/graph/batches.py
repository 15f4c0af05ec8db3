"""What one step of training looks at: messages, supervised edges and negatives, of the whole graph or a part of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from engine.distributed import Workers, workers
from engine.errors import ConfigError
from engine.graph.config import GraphConfig
from engine.graph.data import TrainingGraph, adjacency
from engine.graph.model import sparse_tensor
from engine.graph.pairs import Edges
from engine.graph.sampling import FanOut, operators
from engine.graph.scoring import entries
from engine.seeding import generator

FULL_BATCH_EDGES = 1_000_000
"""Most training edges with which an epoch is one step by default."""
LARGE_BATCH = 65_536
"""Supervised edges per step by default beyond that."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The supervised edges of one step, their negatives, and the messages that their nodes receive.

    All positions count the rows of the encoder that the step uses: all nodes, or those in `nodes`. A mean over edges
    has the weight `share`, one over one-way edges `one_way_share`, so that workers add up to the whole.
    """

    nodes: NDArray[np.int64] | None
    """Positions in the graph of the nodes that take part, those to embed before those that only send messages; None if
    all nodes do both."""
    out_neighbours: Tensor
    """Row averages, one row per node to embed, one column per node that takes part."""
    in_neighbours: Tensor
    edges: Tensor
    """Supervised edges of this worker, shape (2, n)."""
    is_one_way: Tensor
    queries: Tensor
    """Distinct sources of the supervised edges."""
    query: Tensor
    """Row of `queries` of every supervised edge."""
    negatives: Tensor
    is_masked: Tensor
    in_degree: Tensor
    """In-degree by message edges, divided by the share of the edges that carry messages, so that it is on the scale of
    all of them; a supervised edge is not in it."""
    reversed_edge: Tensor
    """Whether the reversal of a supervised edge is a message edge, shape (n,), float 0 or 1."""
    reversed_negative: Tensor
    """The same of every query and negative, shape (n_queries, n_negatives)."""
    edge_count: int
    """Supervised edges of the step, those of all workers together."""
    share: float = 1.0
    """This worker's share of the step's supervised edges: the weight of a mean over them."""
    one_way_share: float = 1.0
    """This worker's share of the step's one-way edges: the weight of a mean over those."""


def batch_size_of(config: GraphConfig, edges: int) -> int:
    """Return the supervised edges per step, 0 for all of them.

    Parameters
    ----------
    config : GraphConfig
    edges : int
        Training edges.

    Returns
    -------
    int
        The setting `batch_size`; without it 0 up to `FULL_BATCH_EDGES` edges and `LARGE_BATCH` beyond.
    """
    if config.batch_size is not None:
        return config.batch_size
    return 0 if edges <= FULL_BATCH_EDGES else LARGE_BATCH


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers of a training: one stream per purpose."""

    halves: np.random.Generator
    negatives: np.random.Generator
    sampler: np.random.Generator

    @classmethod
    def of(cls, seed: int) -> Self:
        """Start the streams of a seed."""
        return cls(*(generator(seed, "graph", name) for name in ("halves", "negatives", "sampler")))


def epochs(
    training: TrainingGraph,
    known: sparse.csr_array,
    fan: FanOut,
    config: GraphConfig,
    *,
    draws: Draws | None = None,
    done: int = 0,
) -> Iterator[Iterator[Batch]]:
    """Divide the training edges anew in every epoch, so that no supervised edge carries its own message.

    Parameters
    ----------
    training : TrainingGraph
    known : csr_array of shape (num_nodes, num_nodes), bool
        See `ranks.excluded_candidates`; masks negatives.
    fan : FanOut
    config : GraphConfig
    draws : Draws, optional
        Where the random numbers stand; at their start if absent.
    done : int, default 0
        Epochs that have been drawn before.

    Yields
    ------
    iterator of Batch
        The steps of one epoch. Neighbourhoods are drawn once per epoch, negatives once per step. The supervised edges
        of a step are dealt out to the workers that train together; all else is the same for each of them.

    Raises
    ------
    ConfigError
        If there are more workers than supervised edges in a step.
    """
    draws = draws or Draws.of(config.seed)
    count = training.edge_index.shape[1]
    size = batch_size_of(config, count)
    carried = int(np.clip(round(config.message_share * count), 1, max(count - 1, 1)))
    steps = 1 if size == 0 else -(-(count - carried) // size)
    group = workers()
    if group.size > max((count - carried) // steps, 1):
        raise ConfigError(
            f"{group.size} workers are more than the {(count - carried) // steps} supervised edges of a step; start "
            "fewer, or raise 'batch_size'."
        )
    for _ in range(done, config.epochs):
        order = draws.halves.permutation(count)
        carrying = training.edge_index[:, order[:carried]]
        drawn = operators(carrying, training.num_nodes, fan, draws.sampler)
        messages = _Messages(carrying, *drawn, share=carried / count, is_cut=size > 0)
        parts = [np.sort(part) for part in np.array_split(order[carried:], steps)]
        negatives = (draws.negatives.integers(training.num_nodes, size=config.negatives) for _ in parts)
        yield (
            _batch(training, part, drawn_nodes, known, messages, group)
            for part, drawn_nodes in zip(parts, negatives, strict=True)
        )


def local_operators(
    seeds: NDArray[np.int64], out_neighbours: sparse.csr_array, in_neighbours: sparse.csr_array
) -> tuple[NDArray[np.int64], Tensor, Tensor]:
    """Cut the rows of some nodes out of both operators, with no more columns than these rows use.

    Parameters
    ----------
    seeds : ndarray of shape (n,), int64
        Ascending positions without repeats.
    out_neighbours, in_neighbours : csr_array of shape (num_nodes, num_nodes)

    Returns
    -------
    nodes : ndarray of shape (m,), int64
        The seeds, then their other neighbours, each ascending.
    out_neighbours, in_neighbours : Tensor of shape (n, m), sparse
        Rows count the seeds, columns the nodes.
    """
    rows = [matrix[seeds] for matrix in (out_neighbours, in_neighbours)]
    is_other = np.zeros(out_neighbours.shape[0], dtype=np.bool_)
    for matrix in rows:
        is_other[matrix.indices] = True
    is_other[seeds] = False
    nodes = np.concatenate([seeds, np.flatnonzero(is_other)])
    # Positions of nodes that take no part stay whatever memory held: nothing reads them.
    position = np.empty(len(is_other), dtype=np.int64)
    position[nodes] = np.arange(len(nodes))
    cut = []
    for matrix in rows:
        shape = (len(seeds), len(nodes))
        local = sparse.csr_array((matrix.data, position[matrix.indices], matrix.indptr), shape=shape)
        cut.append(sparse_tensor(local.sorted_indices()))
    return nodes, cut[0], cut[1]


class _Messages:
    """The message edges of an epoch, for all nodes or cut to the nodes of a step."""

    def __init__(
        self,
        edge_index: Edges,
        out_neighbours: sparse.csr_array,
        in_neighbours: sparse.csr_array,
        *,
        share: float,
        is_cut: bool,
    ) -> None:
        num_nodes = out_neighbours.shape[0]
        self.reversed = adjacency(edge_index[::-1], num_nodes)
        """Entry (u, v) is 1 where v -> u carries messages."""
        self.in_degree = (np.bincount(edge_index[1], minlength=num_nodes) / share).astype(np.float32)
        self._matrices = (out_neighbours.sorted_indices(), in_neighbours.sorted_indices())
        self._whole = None if is_cut else (sparse_tensor(out_neighbours), sparse_tensor(in_neighbours))

    def towards(self, seeds: NDArray[np.int64]) -> tuple[NDArray[np.int64] | None, Tensor, Tensor]:
        """Return who takes part where some nodes receive messages (None: all), and the operators among them."""
        if self._whole is not None:
            return None, *self._whole
        return local_operators(seeds, *self._matrices)


def _batch(
    training: TrainingGraph,
    supervised: NDArray[np.int64],
    negatives: NDArray[np.int64],
    known: sparse.csr_array,
    messages: _Messages,
    group: Workers,
) -> Batch:
    """Put one worker's part of a step together."""
    own = supervised[group.share(len(supervised))]
    edges, is_one_way = training.edge_index[:, own], training.is_one_way[own]
    queries, query = np.unique(edges[0], return_inverse=True)
    is_masked = known[queries][:, negatives].toarray()
    reversed_edge = entries(messages.reversed, *edges)
    reversed_negative = messages.reversed[queries][:, negatives].toarray()
    seeds = np.unique(np.concatenate([edges.ravel(), negatives]))
    nodes, out_neighbours, in_neighbours = messages.towards(seeds)
    if nodes is not None:
        edges, queries, negatives = (np.searchsorted(seeds, part) for part in (edges, queries, negatives))
    return Batch(
        nodes=nodes,
        out_neighbours=out_neighbours,
        in_neighbours=in_neighbours,
        edges=torch.from_numpy(edges),
        is_one_way=torch.from_numpy(is_one_way),
        queries=torch.from_numpy(queries),
        query=torch.from_numpy(query),
        negatives=torch.from_numpy(negatives),
        is_masked=torch.from_numpy(is_masked),
        in_degree=torch.from_numpy(messages.in_degree if nodes is None else messages.in_degree[nodes]),
        reversed_edge=torch.from_numpy(reversed_edge),
        reversed_negative=torch.from_numpy(reversed_negative),
        edge_count=len(supervised),
        share=len(own) / len(supervised),
        one_way_share=float(is_one_way.sum() / max(training.is_one_way[supervised].sum(), 1)),
    )
