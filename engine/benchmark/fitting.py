"""One training loop for every graph network of others, with all choices made on validation edges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from engine.graph.data import TrainingGraph
from engine.graph.model import ranking_loss, sparse_tensor
from engine.graph.pairs import Edges, edge_codes, uniform_non_edges
from engine.graph.ranks import excluded_candidates, pair_ranks
from engine.graph.scoring import InnerProductScorer, Scorer
from engine.seeding import generator, torch_seed

EPOCHS = 200
"""Most passes over the training edges; ours takes 100."""
CHECK_EVERY = 10
"""Epochs between two looks at the validation edges."""
PATIENCE = 4
"""Looks without a better result after which a trial ends."""
RATES = (0.01, 0.003)
"""Adam steps: the first for every trial, the second for the best trial once more."""
NEGATIVES = 512
"""Uniform negatives per epoch, shared by all queries: as many as ours draws."""


Loss = Literal["softmax", "cross_entropy"]
"""Sampled softmax, the loss of ours; or cross-entropy of edges and as many pairs without, as the originals have it."""


class PairEncoder(nn.Module):
    """A graph network that gives every node a source and a target vector; score(u, v) = source[u] · target[v]."""

    def operators(self, edge_index: Edges) -> tuple[Tensor, ...]:
        """Return what `forward` needs of the edges that carry messages."""
        raise NotImplementedError

    def forward(self, *operators: Tensor) -> tuple[Tensor, Tensor]:
        """Return source and target vectors, both of shape (num_nodes, dimension)."""
        raise NotImplementedError


class NodeInput(nn.Module):
    """The input of every network here: a learned vector per node, plus a learned map of its features if it has any.

    Parameters
    ----------
    training : TrainingGraph
    dimension : int
    """

    def __init__(self, training: TrainingGraph, dimension: int) -> None:
        super().__init__()
        self.free = nn.Parameter(torch.randn(training.num_nodes, dimension) / dimension**0.5)
        self.features: Tensor | None = None
        self.feature_map: nn.Parameter | None = None
        if training.features is not None:
            matrix = training.features.row_normalised()
            self.features = sparse_tensor(sparse.csr_array(matrix))
            self.feature_map = nn.Parameter(torch.randn(matrix.shape[1], dimension) / dimension**0.5)

    def forward(self) -> Tensor:
        """Return the input, shape (num_nodes, dimension)."""
        if self.features is None or self.feature_map is None:
            return self.free
        return self.free + self.features @ self.feature_map


@dataclass(frozen=True, slots=True)
class Trial:
    """One choice of settings that the validation edges judge."""

    encoder: Callable[[], PairEncoder]
    message_share: float
    """Share of the training edges that carries messages in an epoch while the others are supervised; at 1 every edge
    does both, as in the originals."""
    loss: Loss = "softmax"


@dataclass(frozen=True, slots=True)
class _Epoch:
    """What one epoch works on."""

    message: Edges | None
    """Edges that carry messages; None for all."""
    supervised: Edges
    negatives: NDArray[np.int64]
    """Nodes that all queries share, or, for cross-entropy, one pair without an edge per supervised edge."""


def fit_by_validation(trials: Sequence[Trial], training: TrainingGraph, seed: int, name: str) -> InnerProductScorer:
    """Train every trial and keep the vectors that rank the validation edges best, over trials, epochs and rates.

    Parameters
    ----------
    trials : sequence of Trial
    training : TrainingGraph
    seed : int
    name : str
        Name of the method, for its random streams.

    Returns
    -------
    InnerProductScorer

    Notes
    -----
    Loss: sampled softmax of `engine.graph.model.ranking_loss`, the one of ours, or cross-entropy with negatives that
    are drawn anew every epoch among pairs without a training edge; with Adam. Every trial has up to `EPOCHS` epochs
    and ends after `PATIENCE` looks without a better mean reciprocal rank on the validation edges.
    """
    known = excluded_candidates(training.edge_index, training.num_nodes)
    found = []
    for place, trial in enumerate(trials):
        with torch_seed(seed, "benchmark", name, str(place)):
            found.append(_best_of(trial, RATES[0], training, known, seed))
    place, best = max(enumerate(found), key=lambda result: result[1][0])
    with torch_seed(seed, "benchmark", name, str(place)):
        again = _best_of(trials[place], RATES[1], training, known, seed)
    return max(best, again, key=lambda result: result[0])[1]


def validation_quality(scorer: Scorer, training: TrainingGraph, known: sparse.csr_array) -> float:
    """Return the mean reciprocal rank of the validation edges among candidates that are no training edge."""
    return float((1 / pair_ranks(scorer, training.validation_edge_index, known)).mean())


def _best_of(
    trial: Trial, rate: float, training: TrainingGraph, known: sparse.csr_array, seed: int
) -> tuple[float, InnerProductScorer]:
    """Train one trial; return its best validation quality and the vectors of that epoch."""
    encoder = trial.encoder()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=rate)
    everything = encoder.operators(training.edge_index)
    best, since = (-1.0, _scorer(encoder, everything)), 0
    for epoch, drawn in enumerate(_epochs(trial, training, seed), start=1):
        operators = everything if drawn.message is None else encoder.operators(drawn.message)
        embeddings = encoder(*operators)
        loss = _softmax(embeddings, drawn, known) if trial.loss == "softmax" else _cross_entropy(embeddings, drawn)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % CHECK_EVERY == 0:
            scorer = _scorer(encoder, everything)
            quality = validation_quality(scorer, training, known)
            best, since = ((quality, scorer), 0) if quality > best[0] else (best, since + 1)
            if since == PATIENCE:
                break
    return best


def _epochs(trial: Trial, training: TrainingGraph, seed: int) -> Iterator[_Epoch]:
    """Draw message edges, supervised edges and negatives of every epoch."""
    rng = generator(seed, "benchmark", "epochs")
    edges, count = training.edge_index, training.edge_index.shape[1]
    codes = np.sort(edge_codes(edges, training.num_nodes))
    carried = round(trial.message_share * count)
    for _ in range(EPOCHS):
        order = rng.permutation(count)
        message, supervised = (
            (None, edges) if carried == count else (edges[:, order[:carried]], edges[:, np.sort(order[carried:])])
        )
        if trial.loss == "softmax":
            negatives = rng.integers(training.num_nodes, size=NEGATIVES)
        else:
            negatives = uniform_non_edges(supervised.shape[1], codes, training.num_nodes, rng)
        yield _Epoch(message, supervised, negatives)


def _softmax(embeddings: tuple[Tensor, Tensor], epoch: _Epoch, known: sparse.csr_array) -> Tensor:
    """Return the sampled softmax of the supervised edges; known targets of a query are no negatives of it."""
    source, target = embeddings
    queries, query = np.unique(epoch.supervised[0], return_inverse=True)
    masked = torch.from_numpy(known[queries][:, epoch.negatives].toarray())
    negative = source[queries] @ target[epoch.negatives].T
    return ranking_loss(_inner(embeddings, epoch.supervised), negative, torch.from_numpy(query), masked)


def _cross_entropy(embeddings: tuple[Tensor, Tensor], epoch: _Epoch) -> Tensor:
    """Return the mean of -log σ(s·t) over the supervised edges plus that of -log σ(-s·t) over the negatives."""
    positive, negative = _inner(embeddings, epoch.supervised), _inner(embeddings, epoch.negatives)
    return functional.softplus(-positive).mean() + functional.softplus(negative).mean()


def _inner(embeddings: tuple[Tensor, Tensor], edges: Edges) -> Tensor:
    """Return the score of some pairs."""
    source, target = embeddings
    return (source[edges[0]] * target[edges[1]]).sum(dim=1)


def _scorer(encoder: PairEncoder, operators: tuple[Tensor, ...]) -> InnerProductScorer:
    """Return the vectors as they are now, with all training edges as messages."""
    with torch.no_grad():
        source, target = encoder(*operators)
    nothing = np.zeros(source.shape[0], dtype=np.float32)
    return InnerProductScorer(source.numpy().copy(), target.numpy().copy(), nothing, nothing)
