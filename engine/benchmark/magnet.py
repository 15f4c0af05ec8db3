"""MagNet: convolutions with a complex Hermitian Laplacian, judged by areas under the curve only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from engine.benchmark.fitting import CHECK_EVERY, EPOCHS, PATIENCE, NodeInput
from engine.graph.data import TrainingGraph, adjacency
from engine.graph.model import sparse_tensor
from engine.graph.pairs import Edges, edge_codes, is_known, uniform_non_edges
from engine.graph.scoring import Scores
from engine.seeding import generator, torch_seed

CHARGES = (0.05, 0.15, 0.25)
"""Candidates for q, the phase of a one-way edge in turns; at 1/4 its two directions are opposite."""
_FORWARD, _BACKWARD, _NONE = range(3)


@dataclass(frozen=True, slots=True)
class PairClassScorer:
    """``score(u, v) = log P(u -> v)`` among forward, backward and no edge, from ``source[u] + target[v]``.

    The sum has no term that depends on both nodes, so ranks of targets would hardly differ between queries.
    """

    source: NDArray[np.float32]
    """Part of the logits from the first node, shape (num_nodes, 3)."""
    target: NDArray[np.float32]
    """Part of the logits from the second node, shape (num_nodes, 3)."""

    def rows(self, nodes: NDArray[np.int64]) -> Scores:
        """Return the scores of every target for some sources, shape (len(nodes), num_nodes)."""
        logits = self.source[nodes, np.newaxis] + self.target[np.newaxis]
        return log_softmax(logits, axis=2)[..., _FORWARD].astype(np.float32)

    def pairs(self, source: NDArray[np.int64], target: NDArray[np.int64]) -> Scores:
        """Return the scores of some pairs, shape (len(source),)."""
        logits = self.source[source] + self.target[target]
        return log_softmax(logits, axis=1)[:, _FORWARD].astype(np.float32)


def magnetic_laplacian(edge_index: Edges, num_nodes: int, charge: float) -> sparse.csr_array:
    """Return I - (D^-1/2 A_s D^-1/2) ⊙ exp(2πi q (A - Aᵀ)) with A_s = (A + Aᵀ) / 2 and D its degrees.

    Parameters
    ----------
    edge_index : ndarray of shape (2, n_edges), int64
    num_nodes : int
    charge : float, in [0, 0.25]
        q.

    Returns
    -------
    csr_array of shape (num_nodes, num_nodes), complex128
        Hermitian with eigenvalues in [0, 2].
    """
    matrix = adjacency(edge_index, num_nodes).astype(np.float64)
    both = sparse.csr_array(matrix + matrix.T) / 2
    degree = both.sum(axis=1)
    root = sparse.diags_array(np.divide(1.0, np.sqrt(degree), out=np.zeros(num_nodes), where=degree > 0))
    scaled = sparse.coo_array(root @ both @ root)
    # Each pair of linked nodes has a phase: 2πq along a one-way edge, -2πq against it, 0 where both directions exist.
    turn = matrix[scaled.coords[0], scaled.coords[1]] - matrix[scaled.coords[1], scaled.coords[0]]
    phased = scaled.data * np.exp(2j * np.pi * charge * np.asarray(turn).ravel())
    identity = sparse.eye_array(num_nodes, dtype=np.complex128)
    return sparse.csr_array(identity - sparse.coo_array((phased, scaled.coords), shape=scaled.shape))


class MagneticNetwork(nn.Module):
    """Two layers ``z <- σ(z W_0 + (L - I) z W_1 + b)``, then a linear classifier of pairs of nodes.

    σ keeps a complex number whose real part is >= 0 and sets others to 0; W and b are real.

    Parameters
    ----------
    training : TrainingGraph
    dimension : int
        Complex numbers per node.
    """

    def __init__(self, training: TrainingGraph, *, dimension: int) -> None:
        super().__init__()
        self.input = NodeInput(training, dimension)
        self.own = nn.ModuleList([nn.Linear(dimension, dimension) for _ in range(2)])
        self.shifted = nn.ModuleList([nn.Linear(dimension, dimension, bias=False) for _ in range(2)])
        self.source_class = nn.Linear(2 * dimension, 3)
        self.target_class = nn.Linear(2 * dimension, 3, bias=False)

    def forward(self, real_part: Tensor, imaginary_part: Tensor) -> tuple[Tensor, Tensor]:
        """Return both parts of the logits, shape (num_nodes, 3), given the two parts of L - I."""
        real = self.input()
        imaginary = torch.zeros_like(real)
        for own, shifted in zip(self.own, self.shifted, strict=True):
            next_real = own(real) + shifted(real_part @ real - imaginary_part @ imaginary)
            next_imaginary = own(imaginary) + shifted(real_part @ imaginary + imaginary_part @ real)
            kept = (next_real >= 0).float()
            real, imaginary = kept * next_real, kept * next_imaginary
        unwound = torch.cat([real, imaginary], dim=1)
        return self.source_class(unwound), self.target_class(unwound)


def fit_magnet(training: TrainingGraph, *, dimension: int, seed: int) -> PairClassScorer:
    """Fit MagNet to tell edges, reversed edges and non-edges.

    Parameters
    ----------
    training : TrainingGraph
        Its validation edges choose q among `CHARGES` and the epoch, by the mean of existence and direction AUC.
    dimension : int
        Complex numbers per node: as many real ones as source and target vector of the other methods.
    seed : int

    Returns
    -------
    PairClassScorer

    References
    ----------
    Zhang et al. (2021), MagNet: a neural network for directed graphs (NeurIPS), arXiv 2102.11391, with Chebyshev
    polynomials of degree 1. Deviations: a learned input vector per node instead of degrees; one model for existence
    and direction, with three classes; negatives that know training edges only.
    """
    found = []
    for charge in CHARGES:
        with torch_seed(seed, "benchmark", "magnet", str(charge)):
            found.append(_best_of(training, charge, dimension, seed))
    return max(found, key=lambda result: result[0])[1]


def _best_of(training: TrainingGraph, charge: float, dimension: int, seed: int) -> tuple[float, PairClassScorer]:
    """Train at one q; return the best validation quality and the scorer of that epoch."""
    network = MagneticNetwork(training, dimension=dimension)
    laplacian = magnetic_laplacian(training.edge_index, training.num_nodes, charge)
    shifted = sparse.csr_array(laplacian - sparse.eye_array(training.num_nodes))
    operators = sparse_tensor(sparse.csr_array(shifted.real)), sparse_tensor(sparse.csr_array(shifted.imag))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    rng = generator(seed, "benchmark", "magnet")
    judged = _validation_pairs(training, rng)
    known = np.sort(edge_codes(training.edge_index, training.num_nodes))
    one_way = training.edge_index[:, training.is_one_way]
    best, since = (-1.0, _scorer(network, operators)), 0
    for epoch in range(1, EPOCHS + 1):
        others = uniform_non_edges(training.edge_index.shape[1], known, training.num_nodes, rng)
        pairs = np.concatenate([training.edge_index, one_way[::-1], others], axis=1)
        sizes = (training.edge_index.shape[1], one_way.shape[1], others.shape[1])
        label = torch.from_numpy(np.repeat([_FORWARD, _BACKWARD, _NONE], sizes))
        source, target = network(*operators)
        loss = functional.cross_entropy(source[pairs[0]] + target[pairs[1]], label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % CHECK_EVERY == 0:
            scorer = _scorer(network, operators)
            quality = float(np.mean([_area(scorer, *pair) for pair in judged]))
            best, since = ((quality, scorer), 0) if quality > best[0] else (best, since + 1)
            if since == PATIENCE:
                break
    return best


def _validation_pairs(training: TrainingGraph, rng: np.random.Generator) -> list[tuple[Edges, Edges]]:
    """Return validation edges with non-edges, and the one-way ones among them with their reversals."""
    edges = training.validation_edge_index
    known = np.sort(edge_codes(np.concatenate([training.edge_index, edges], axis=1), training.num_nodes))
    others = uniform_non_edges(edges.shape[1], known, training.num_nodes, rng)
    one_way = edges[:, ~is_known(edges[::-1], known, training.num_nodes)]
    return [(edges, others), *([(one_way, one_way[::-1])] if one_way.shape[1] else [])]


def _area(scorer: PairClassScorer, positive: Edges, negative: Edges) -> float:
    """Return the area under the ROC curve of some pairs against others."""
    label = np.repeat([1, 0], [positive.shape[1], negative.shape[1]])
    return float(roc_auc_score(label, np.concatenate([scorer.pairs(*positive), scorer.pairs(*negative)])))


def _scorer(network: MagneticNetwork, operators: tuple[Tensor, Tensor]) -> PairClassScorer:
    """Return the network's logits as they are now."""
    with torch.no_grad():
        source, target = network(*operators)
    return PairClassScorer(source.numpy().copy(), target.numpy().copy())
