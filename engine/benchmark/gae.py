"""A graph autoencoder with one embedding per node."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

from engine.benchmark.fitting import NodeInput, PairEncoder, Trial, fit_by_validation
from engine.benchmark.propagation import normalised_adjacency, undirected
from engine.graph.data import TrainingGraph
from engine.graph.model import sparse_tensor
from engine.graph.pairs import Edges
from engine.graph.scoring import InnerProductScorer


class GraphAutoencoder(PairEncoder):
    """``z <- ReLU(Â z W)`` per layer, the last without ReLU, and score(u, v) = z_u · z_v, the same both ways.

    Â = D^-1/2 (A + Aᵀ + I) D^-1/2 with an edge counted once.

    Parameters
    ----------
    training : TrainingGraph
    dimension : int
        Length of the one vector of a node.
    layers : int
    """

    def __init__(self, training: TrainingGraph, *, dimension: int, layers: int) -> None:
        super().__init__()
        self.num_nodes = training.num_nodes
        self.input = NodeInput(training, dimension)
        self.layer = nn.ModuleList([nn.Linear(dimension, dimension, bias=False) for _ in range(layers)])

    def operators(self, edge_index: Edges) -> tuple[Tensor, ...]:
        """Return Â."""
        both = undirected(edge_index)
        return (sparse_tensor(normalised_adjacency(both, self.num_nodes, out_power=0.5, in_power=0.5)),)

    def forward(self, *operators: Tensor) -> tuple[Tensor, Tensor]:
        """Return the one vector of a node in both roles."""
        (neighbours,) = operators
        hidden = self.input()
        for place, layer in enumerate(self.layer):
            hidden = neighbours @ layer(hidden)
            hidden = functional.relu(hidden) if place < len(self.layer) - 1 else hidden
        return hidden, hidden


def fit_gae(training: TrainingGraph, *, dimension: int, seed: int) -> InnerProductScorer:
    """Fit a graph autoencoder whose one vector is as long as the source and target vector of others together.

    Parameters
    ----------
    training : TrainingGraph
        Its validation edges choose layers (1, 2), the division of the edges, epochs and rate.
    dimension : int
        Length per role of the methods with two vectors; this one has twice as much.
    seed : int

    Returns
    -------
    InnerProductScorer

    References
    ----------
    Kipf and Welling (2016), Variational graph auto-encoders, arXiv 1611.07308, the non-variational form. Deviations:
    a learned input vector per node, the ranking loss of `fit_by_validation` instead of cross-entropy over all pairs.
    """
    choices = ((1, 0.5), (1, 1.0), (2, 0.5))
    trials = [Trial(_built(training, dimension, layers), share) for layers, share in choices]
    return fit_by_validation(trials, training, seed, "gae")


def fit_gae_published(training: TrainingGraph, *, dimension: int, seed: int) -> InnerProductScorer:
    """Fit the graph autoencoder of `fit_gae` by cross-entropy, with every edge as message and as example.

    Parameters
    ----------
    training : TrainingGraph
        Its validation edges choose layers (1, 2), epochs and rate.
    dimension, seed : int
        As for `fit_gae`.

    Returns
    -------
    InnerProductScorer

    References
    ----------
    As for `fit_gae`. Deviations: a learned input vector per node, as many sampled non-edges as edges in place of all.
    """
    trials = [Trial(_built(training, dimension, layers), 1.0, "cross_entropy") for layers in (1, 2)]
    return fit_by_validation(trials, training, seed, "gae_published")


def _built(training: TrainingGraph, dimension: int, layers: int) -> Callable[[], GraphAutoencoder]:
    """Return what makes a new network."""
    return partial(GraphAutoencoder, training, dimension=2 * dimension, layers=layers)
