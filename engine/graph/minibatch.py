"""Steps of a training whose cost follows the batch, not the graph: gathered rows in, updated rows back.

The encoder's own code runs on the gathered rows, so there is one formula for both kinds of step.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor, nn

from engine.distributed import workers
from engine.graph.batches import Batch, local_operators
from engine.graph.model import DirectedEncoder, sparse_tensor
from engine.graph.two_steps import row_blocks

LossOf = Callable[[DirectedEncoder, Batch], Mapping[str, Tensor]]
"""Returns the loss terms of a batch, each weighted by the worker's share of what it averages over."""

_EDGES = 2**18
NODE_PARAMETERS = ("input", "target_bias")
"""What the encoder holds one row of per node, besides the features."""


class Stepper:
    """Does the steps of one training, on all nodes or on those that a batch names.

    Parameters
    ----------
    encoder : DirectedEncoder
        Its parameters are changed in place.
    optimizer : torch.optim.Adam
        Holds the rates of all parameters. Rows of gathered nodes are moved by `RowAdam` at these rates.
    loss_of : callable
    penalty : callable
        Returns what is added to the loss and does not depend on the batch.
    """

    def __init__(
        self,
        encoder: DirectedEncoder,
        optimizer: torch.optim.Adam,
        *,
        loss_of: LossOf,
        penalty: Callable[[], Tensor],
    ) -> None:
        self._encoder, self._optimizer = encoder, optimizer
        self._loss_of, self._penalty = loss_of, penalty
        self._workers = workers()
        self._rows: dict[str, RowAdam] = {}
        self._features = features_of(encoder)

    def epoch(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Take the steps of an epoch.

        Parameters
        ----------
        batches : iterable of Batch

        Returns
        -------
        dict of str to float
            Every loss term before its step, over all workers, as the mean over steps weighted by supervised edges.
        """
        total: dict[str, float] = {}
        edges = 0
        for batch in batches:
            edges += batch.edge_count
            for name, value in self.step(batch).items():
                total[name] = total.get(name, 0.0) + batch.edge_count * value
        return {name: value / edges for name, value in total.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return what changes from step to step: the encoder, and the moments of its parameters and rows."""
        rows = {name: adam.state_dict() for name, adam in self._rows.items()}
        return {"encoder": self._encoder.state_dict(), "optimizer": self._optimizer.state_dict(), "rows": rows}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` has returned."""
        self._encoder.load_state_dict(state["encoder"])
        self._optimizer.load_state_dict(state["optimizer"])
        for name, moments in state["rows"].items():
            self._row_adam(name).load_state_dict(moments)

    def step(self, batch: Batch) -> dict[str, float]:
        """Take one step and return the loss terms before it, over all workers."""
        self._optimizer.zero_grad()
        local = self._encoder if batch.nodes is None else gathered(self._encoder, batch.nodes, self._features)
        losses = self._loss_of(local, batch)
        (torch.stack(list(losses.values())).sum() + self._penalty() / self._workers.size).backward()
        # Every worker has the same parameters in the same order, and gradients for the same of them.
        self._workers.sum_in_place([value.grad for value in self._encoder.parameters() if value.grad is not None])
        if batch.nodes is not None:
            self._move_rows(local, torch.from_numpy(batch.nodes))
        # Adam passes over parameters without a gradient, which is what the gathered tables have.
        self._optimizer.step()
        return self._workers.sum_values({name: float(value.detach()) for name, value in losses.items()})

    def _move_rows(self, local: DirectedEncoder, nodes: Tensor) -> None:
        """Move the rows of the nodes that took part, at the rates of their tables."""
        leaves = {name: local.get_parameter(name) for name in NODE_PARAMETERS}
        gradients = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves.values()]
        rows, summed = self._workers.sum_rows(nodes, gradients)
        for name, gradient in zip(leaves, summed, strict=True):
            group = self._group_of(name)
            self._row_adam(name).step(rows, gradient, rate=group["lr"], decay=group["weight_decay"])

    def _row_adam(self, name: str) -> RowAdam:
        """Return what moves the rows of a table."""
        if name not in self._rows:
            group = self._group_of(name)
            table = self._encoder.get_parameter(name)
            self._rows[name] = RowAdam(table, betas=group["betas"], epsilon=group["eps"])
        return self._rows[name]

    def _group_of(self, name: str) -> dict[str, Any]:
        """Return the rates of a table."""
        table = self._encoder.get_parameter(name)
        return next(group for group in self._optimizer.param_groups if any(value is table for value in group["params"]))


class RowAdam:
    """Adam that touches only the rows of a step, each with moments and a count of its own.

    Parameters
    ----------
    table : Parameter of shape (num_rows, ...)
    betas : tuple of float
        Decay of the two moments.
    epsilon : float

    Notes
    -----
    With every row in every step this is Adam. Otherwise a row that rests keeps its moments, where Adam would go on
    moving it, and its first step is as long as that of any other row, whenever it comes.
    """

    def __init__(self, table: nn.Parameter, *, betas: tuple[float, float], epsilon: float) -> None:
        self._table, self._betas, self._epsilon = table.data, betas, epsilon
        self._mean = torch.zeros_like(table.data)
        self._square = torch.zeros_like(table.data)
        self._steps = torch.zeros(len(table), dtype=torch.int32)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the moments and counts of all rows."""
        return {"mean": self._mean, "square": self._square, "steps": self._steps}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Put back what `state_dict` has returned."""
        for name, values in self.state_dict().items():
            values.copy_(state[name])

    def step(self, rows: Tensor, gradient: Tensor, *, rate: float, decay: float) -> None:
        """Move some rows against their gradient.

        Parameters
        ----------
        rows : Tensor of shape (n,), int64
            Positions without repeats.
        gradient : Tensor of shape (n, ...)
        rate : float
        decay : float
            L2 penalty.
        """
        first, second = self._betas
        values = self._table[rows]
        gradient = gradient + decay * values if decay else gradient
        mean = self._mean[rows].lerp_(gradient, 1 - first)
        square = self._square[rows].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        steps = self._steps[rows] + 1
        self._mean[rows], self._square[rows], self._steps[rows] = mean, square, steps
        age = steps.double().reshape(-1, *([1] * (values.dim() - 1)))
        length = (square / (1 - second**age).to(values.dtype)).sqrt_().add_(self._epsilon)
        self._table[rows] = values - rate * (mean / (1 - first**age).to(values.dtype)) / length


def backward_in_blocks(
    source: Tensor, target: Tensor, loss_of: Callable[[Tensor, Tensor, slice], Tensor], *, count: int
) -> float:
    """Send back the gradient of a mean over edges, a block of edges at a time, so that memory does not follow them.

    Parameters
    ----------
    source, target : Tensor of shape (num_nodes, dimension)
        Embeddings with a gradient; they are passed through once, after the last block.
    loss_of : callable
        Returns the mean over a slice of the edges, from both embeddings.
    count : int, >= 1
        Edges.

    Returns
    -------
    float
        The mean over all edges.
    """
    source_leaf, target_leaf = source.detach().requires_grad_(), target.detach().requires_grad_()
    total = 0.0
    for begin in range(0, count, _EDGES):
        some = slice(begin, min(begin + _EDGES, count))
        loss = loss_of(source_leaf, target_leaf, some) * ((some.stop - some.start) / count)
        loss.backward()
        total += float(loss.detach())
    torch.autograd.backward([source, target], [source_leaf.grad, target_leaf.grad])
    return total


def features_of(encoder: DirectedEncoder) -> sparse.csr_array | None:
    """Return the encoder's features as a matrix whose rows can be taken, or None without features."""
    if encoder.features is None:
        return None
    stored = encoder.features.coalesce()
    index = stored.indices().numpy()
    return sparse.csr_array((stored.values().numpy(), (index[0], index[1])), shape=tuple(stored.shape))


def gathered(
    encoder: DirectedEncoder, nodes: NDArray[np.int64], features: sparse.csr_array | None = None
) -> DirectedEncoder:
    """Return an encoder of some nodes: their rows are copies, everything else is the encoder's own.

    Parameters
    ----------
    encoder : DirectedEncoder
    nodes : ndarray of shape (m,), int64
    features : csr_array of shape (num_nodes, n_features), optional
        From `features_of`.

    Returns
    -------
    DirectedEncoder
        Gradients of the rows gather in its `NODE_PARAMETERS`, all others in the parameters of `encoder`.
    """
    rows = torch.from_numpy(nodes)
    local = copy.copy(encoder)
    leaves = {name: nn.Parameter(encoder.get_parameter(name).data[rows]) for name in NODE_PARAMETERS}
    local.__dict__["_parameters"] = dict(encoder.named_parameters(recurse=False)) | leaves
    if features is not None:
        local.features = sparse_tensor(sparse.csr_array(features[nodes]))
    return local


def embed(
    encoder: DirectedEncoder, out_neighbours: sparse.csr_array, in_neighbours: sparse.csr_array
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Embed all nodes, a block at a time, so that scratch memory does not follow the graph.

    Parameters
    ----------
    encoder : DirectedEncoder
    out_neighbours, in_neighbours : csr_array of shape (num_nodes, num_nodes)
        Row averages.

    Returns
    -------
    source_embedding, target_embedding : ndarray of shape (num_nodes, dimension)
        What the encoder would return at once, up to float error.
    """
    features = features_of(encoder)
    out_neighbours, in_neighbours = out_neighbours.sorted_indices(), in_neighbours.sorted_indices()
    parts = [
        _embed_block(encoder, np.arange(block.start, block.stop), out_neighbours, in_neighbours, features)
        for block in _blocks(out_neighbours, in_neighbours)
    ]
    return np.concatenate([source for source, _ in parts]), np.concatenate([target for _, target in parts])


def _blocks(out_neighbours: sparse.csr_array, in_neighbours: sparse.csr_array) -> Iterator[slice]:
    """Cut the nodes where their neighbours, and their own two rows, make a block."""
    return row_blocks(np.diff(out_neighbours.indptr).astype(np.int64) + np.diff(in_neighbours.indptr) + 2)


@torch.no_grad()
def _embed_block(
    encoder: DirectedEncoder,
    seeds: NDArray[np.int64],
    out_neighbours: sparse.csr_array,
    in_neighbours: sparse.csr_array,
    features: sparse.csr_array | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Embed some nodes."""
    nodes, *local = local_operators(seeds, out_neighbours, in_neighbours)
    source, target = gathered(encoder, nodes, features)(*local)
    return source.numpy(), target.numpy()
