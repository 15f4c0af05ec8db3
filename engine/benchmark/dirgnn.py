"""Dir-GNN: separate messages along and against the edges."""

from __future__ import annotations

import warnings
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.benchmark.fitting import NodeInput, PairEncoder, Trial, fit_by_validation
from engine.graph.data import TrainingGraph
from engine.graph.pairs import Edges
from engine.graph.scoring import InnerProductScorer


class DirectionalNetwork(PairEncoder):
    """Layers of `torch_geometric.nn.DirGNNConv` around a mean aggregation, then a linear map per role.

    ``h <- h W + α mean over u->v of h_v W_out + (1 - α) mean over v->u of h_v W_in``; ``s = h W_s``, ``t = h W_t``.

    Parameters
    ----------
    training : TrainingGraph
    dimension : int
        Length of h and of a vector per role.
    layers : int
    """

    def __init__(self, training: TrainingGraph, *, dimension: int, layers: int) -> None:
        super().__init__()
        with warnings.catch_warnings():
            # The package compiles a class with a function that torch has deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            from torch_geometric.nn import DirGNNConv, SAGEConv
        self.input = NodeInput(training, dimension)
        self.layer = nn.ModuleList([DirGNNConv(SAGEConv(dimension, dimension)) for _ in range(layers)])
        self.source_map = nn.Linear(dimension, dimension, bias=False)
        self.target_map = nn.Linear(dimension, dimension, bias=False)

    def operators(self, edge_index: Edges) -> tuple[Tensor, ...]:
        """Return the edge index."""
        return (torch.from_numpy(edge_index),)

    def forward(self, *operators: Tensor) -> tuple[Tensor, Tensor]:
        """Return source and target vectors."""
        (edge_index,) = operators
        hidden = self.input()
        for place, layer in enumerate(self.layer):
            hidden = layer(hidden, edge_index)
            hidden = functional.relu(hidden) if place < len(self.layer) - 1 else hidden
        return self.source_map(hidden), self.target_map(hidden)


def fit_dirgnn(training: TrainingGraph, *, dimension: int, seed: int) -> InnerProductScorer:
    """Fit Dir-GNN with a decoder that ranks.

    Parameters
    ----------
    training : TrainingGraph
        Its validation edges choose layers (1, 2), the division of the edges, epochs and rate.
    dimension : int
        Length per role.
    seed : int

    Returns
    -------
    InnerProductScorer

    References
    ----------
    Rossi et al. (2023), Edge directionality improves learning on heterophilic graphs, arXiv 2305.10498: node
    classification. Ours: the two role maps on top, a learned input vector per node, the loss of `fit_by_validation`.
    """
    trials = [
        Trial(partial(DirectionalNetwork, training, dimension=dimension, layers=layers), share)
        for layers in (1, 2)
        for share in (0.5, 1.0)
    ]
    return fit_by_validation(trials, training, seed, "dirgnn")
