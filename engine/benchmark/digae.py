"""Directed graph autoencoders with a source and a target vector per node: DiGAE and SDGAE."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.benchmark.fitting import NodeInput, PairEncoder, Trial, fit_by_validation
from engine.benchmark.propagation import normalised_adjacency
from engine.graph.data import TrainingGraph
from engine.graph.model import sparse_tensor
from engine.graph.pairs import Edges
from engine.graph.scoring import InnerProductScorer


class DirectedAutoencoder(PairEncoder):
    """Two layers of ``S' = σ(Â T W_T)``, ``T' = σ(Âᵀ S W_S)``, σ = ReLU but none after the last.

    Â = D_out^-beta (A + I) D_in^-alpha.

    Parameters
    ----------
    training : TrainingGraph
    dimension : int
    alpha, beta : float
        Powers of in- and out-degree.
    """

    def __init__(self, training: TrainingGraph, *, dimension: int, alpha: float, beta: float) -> None:
        super().__init__()
        self.num_nodes, self.alpha, self.beta = training.num_nodes, alpha, beta
        self.input = NodeInput(training, dimension)
        self.source_layer = nn.ModuleList([nn.Linear(dimension, dimension, bias=False) for _ in range(2)])
        self.target_layer = nn.ModuleList([nn.Linear(dimension, dimension, bias=False) for _ in range(2)])

    def operators(self, edge_index: Edges) -> tuple[Tensor, ...]:
        """Return Â and its transpose."""
        scaled = normalised_adjacency(edge_index, self.num_nodes, out_power=self.beta, in_power=self.alpha)
        return sparse_tensor(scaled), sparse_tensor(scaled.T.tocsr())

    def forward(self, *operators: Tensor) -> tuple[Tensor, Tensor]:
        """Return source and target vectors."""
        following, preceding = operators
        source = target = self.input()
        layers = list(zip(self.source_layer, self.target_layer, strict=True))
        for place, (source_layer, target_layer) in enumerate(layers):
            source, target = following @ target_layer(target), preceding @ source_layer(source)
            if place < len(layers) - 1:
                source, target = functional.relu(source), functional.relu(target)
        return source, target


class SimpleDirectedAutoencoder(PairEncoder):
    """``S = MLP_S(x)``, ``T = MLP_T(x)``; then K times ``S' = S + w_k Â T``, ``T' = T + v_k Âᵀ S``.

    Â = D_out^-1/2 (A + I) D_in^-1/2; w and v are learned and start at 1.

    Parameters
    ----------
    training : TrainingGraph
    dimension : int
    steps : int
        K.
    layers : int
        Linear layers of each MLP.
    """

    def __init__(self, training: TrainingGraph, *, dimension: int, steps: int, layers: int) -> None:
        super().__init__()
        self.num_nodes = training.num_nodes
        self.input = NodeInput(training, dimension)
        self.source_map, self.target_map = _mlp(dimension, layers), _mlp(dimension, layers)
        self.source_weight, self.target_weight = nn.Parameter(torch.ones(steps)), nn.Parameter(torch.ones(steps))

    def operators(self, edge_index: Edges) -> tuple[Tensor, ...]:
        """Return Â and its transpose."""
        scaled = normalised_adjacency(edge_index, self.num_nodes, out_power=0.5, in_power=0.5)
        return sparse_tensor(scaled), sparse_tensor(scaled.T.tocsr())

    def forward(self, *operators: Tensor) -> tuple[Tensor, Tensor]:
        """Return source and target vectors."""
        following, preceding = operators
        given = self.input()
        source, target = self.source_map(given), self.target_map(given)
        for forward, backward in zip(self.source_weight, self.target_weight, strict=True):
            source, target = source + forward * (following @ target), target + backward * (preceding @ source)
        return source, target


def fit_digae(training: TrainingGraph, *, dimension: int, seed: int) -> InnerProductScorer:
    """Fit DiGAE.

    Parameters
    ----------
    training : TrainingGraph
        Its validation edges choose alpha = beta among 0.2 and 0.5, the division of the edges, epochs and rate.
    dimension : int
        Length per role.
    seed : int

    Returns
    -------
    InnerProductScorer

    References
    ----------
    Kollias et al. (2022), Directed graph auto-encoders (AAAI), arXiv 2202.12449. Deviations: a learned input vector
    per node, the ranking loss of `fit_by_validation` instead of cross-entropy, alpha = beta.
    """
    trials = [
        Trial(partial(DirectedAutoencoder, training, dimension=dimension, alpha=power, beta=power), share)
        for power in (0.2, 0.5)
        for share in (0.5, 1.0)
    ]
    return fit_by_validation(trials, training, seed, "digae")


def fit_sdgae(training: TrainingGraph, *, dimension: int, seed: int) -> InnerProductScorer:
    """Fit SDGAE.

    Parameters
    ----------
    training : TrainingGraph
        Its validation edges choose K among 3 and 5, layers among 1 and 2, the division of the edges, epochs and rate.
    dimension : int
        Length per role.
    seed : int

    Returns
    -------
    InnerProductScorer

    References
    ----------
    He et al. (2025), Rethinking link prediction for directed graphs, arXiv 2502.05724. Deviations: a learned input
    vector per node, the ranking loss of `fit_by_validation` instead of cross-entropy, the inner product as decoder
    (its perceptron on s ⊙ t allows no retrieval by nearest neighbours).
    """
    trials = [
        Trial(partial(SimpleDirectedAutoencoder, training, dimension=dimension, steps=steps, layers=layers), share)
        for steps, layers, share in ((3, 1, 0.5), (3, 1, 1.0), (5, 1, 0.5), (3, 2, 0.5))
    ]
    return fit_by_validation(trials, training, seed, "sdgae")


def fit_digae_published(training: TrainingGraph, *, dimension: int, seed: int) -> InnerProductScorer:
    """Fit DiGAE by cross-entropy, with every edge as message and as example.

    Parameters
    ----------
    training : TrainingGraph
        Its validation edges choose alpha = beta among 0.2 and 0.5, epochs and rate.
    dimension, seed : int
        As for `fit_digae`.

    Returns
    -------
    InnerProductScorer

    References
    ----------
    As for `fit_digae`. Deviations: a learned input vector per node, alpha = beta.
    """
    trials = [
        Trial(
            partial(DirectedAutoencoder, training, dimension=dimension, alpha=power, beta=power), 1.0, "cross_entropy"
        )
        for power in (0.2, 0.5)
    ]
    return fit_by_validation(trials, training, seed, "digae_published")


def fit_sdgae_published(training: TrainingGraph, *, dimension: int, seed: int) -> InnerProductScorer:
    """Fit SDGAE by cross-entropy, with every edge as message and as example.

    Parameters
    ----------
    training : TrainingGraph
        Its validation edges choose K among 3 and 5, layers among 1 and 2, epochs and rate.
    dimension, seed : int
        As for `fit_sdgae`.

    Returns
    -------
    InnerProductScorer

    References
    ----------
    As for `fit_sdgae`. Deviations: a learned input vector per node, the inner product as decoder.
    """
    trials = [
        Trial(
            partial(SimpleDirectedAutoencoder, training, dimension=dimension, steps=steps, layers=layers),
            1.0,
            "cross_entropy",
        )
        for steps, layers in ((3, 1), (5, 1), (3, 2))
    ]
    return fit_by_validation(trials, training, seed, "sdgae_published")


def _mlp(dimension: int, layers: int) -> nn.Sequential:
    """Return linear layers of one width with ReLU between them."""
    parts: list[nn.Module] = [nn.Linear(dimension, dimension)]
    for _ in range(layers - 1):
        parts += [nn.ReLU(), nn.Linear(dimension, dimension)]
    return nn.Sequential(*parts)
