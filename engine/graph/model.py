"""Two embeddings per node: one for its role as a source, one for its role as a target."""

from __future__ import annotations

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from engine.graph.features import NodeFeatures


class DirectedEncoder(nn.Module):
    """Embed every node in both roles, from one learned input, with one step of propagation.

    ``x = free + F W``; ``s0 = x W_s``, ``t0 = x W_t``;
    ``s = s0 + c1 P_out t0 + c2 P_in s0``; ``t = t0 + c3 P_in s0 + c4 P_out t0``;
    ``r(u, v) = scale * cos(s_u, t_v) + b_v + c(u) [v -> u is a known edge]`` with ``b_v = bias_v + w log(1 + d_in(v))``
    and ``c(u) = c0 + c' log(1 + d_in(u))``.

    Parameters
    ----------
    num_nodes, dimension : int
    scale : float
        Start of the learned factor on the cosine.
    is_dual : bool
        False ties the roles: one matrix, one vector per node, so the cosine is symmetric. Everything else stays, so
        that the comparison with the dual form is about the embedding alone.
    features : NodeFeatures, optional
        F is their matrix with rows of length 1; without it ``x = free``.

    Notes
    -----
    *Shapes*: source and target embedding (num_nodes, dimension), offset (num_nodes,).
    *Direction*: the ranking score of u -> v is ``source[u] @ target[v] + b[v]``, and c(u) if v -> u is known: how far
    reciprocity goes is a property of the graph, which vectors of unit length cannot take up pair by pair. A node that
    many lead to can answer few of them, so each of them says less.

    References
    ----------
    Virinchi et al. (2022), arXiv 2211.11583 (DAEMON), algorithm 1: source vectors gather the target vectors of
    out-neighbours and the reverse. Deviations: learned input instead of text features, role matrices, self term,
    neighbours of the opposite direction, mean instead of sum, no ReLU, scaled cosine, biases and reciprocity.
    """

    def __init__(
        self, num_nodes: int, *, dimension: int, scale: float, is_dual: bool, features: NodeFeatures | None = None
    ) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(num_nodes, dimension) / dimension**0.5)
        self.features, self.feature_weight = _feature_part(features, dimension)
        self.source_role = nn.Parameter(torch.eye(dimension))
        self.target_role = nn.Parameter(torch.eye(dimension)) if is_dual else None
        self.mix = nn.Parameter(torch.tensor([1.0, 0.5, 1.0, 0.5] if is_dual else [1.0, 1.0]))
        self.scale = nn.Parameter(torch.tensor(scale))
        self.target_bias = nn.Parameter(torch.zeros(num_nodes))
        self.popularity_weight = nn.Parameter(torch.zeros(()))
        self.reciprocity = nn.Parameter(torch.zeros(()))
        self.reciprocity_slope = nn.Parameter(torch.zeros(()))

    def forward(self, out_neighbours: Tensor, in_neighbours: Tensor) -> tuple[Tensor, Tensor]:
        """Propagate once over sparse row averages and return the two embeddings.

        Parameters
        ----------
        out_neighbours, in_neighbours : Tensor of shape (n, num_nodes), sparse
            One row for each of the first n nodes, in general for all of them.

        Returns
        -------
        source_embedding : Tensor of shape (n, dimension), rows of length `scale`
        target_embedding : Tensor of shape (n, dimension), rows of length 1
        """
        node_input, embedded = self.node_input(), slice(out_neighbours.shape[0])
        source = node_input @ self.source_role
        if self.target_role is None:
            mixed = source[embedded] + self.mix[0] * (out_neighbours @ source) + self.mix[1] * (in_neighbours @ source)
            unit = functional.normalize(mixed, dim=1)
            return self.scale * unit, unit
        target = node_input @ self.target_role
        following, preceding = out_neighbours @ target, in_neighbours @ source
        mixed_source = source[embedded] + self.mix[0] * following + self.mix[1] * preceding
        mixed_target = target[embedded] + self.mix[2] * preceding + self.mix[3] * following
        return self.scale * functional.normalize(mixed_source, dim=1), functional.normalize(mixed_target, dim=1)

    def node_input(self) -> Tensor:
        """Return x, shape (num_nodes, dimension): a free vector per node plus what its features add."""
        return _with_features(self.input, self.features, self.feature_weight)

    def role_difference(self) -> Tensor:
        """Return the squared difference of the two role matrices, scalar, >= 0; 0 if the roles are tied."""
        if self.target_role is None:
            return torch.zeros(())
        return (self.source_role - self.target_role).square().sum()

    def target_offset(self, in_degree: Tensor) -> Tensor:
        """Return b, shape (num_nodes,): how readily a node is recommended to anyone, from its in-degree."""
        return self.target_bias + self.popularity_weight * torch.log1p(in_degree)

    def reversal_gain(self, in_degree: Tensor) -> Tensor:
        """Return c, shape (num_nodes,): what pairs of a source gain whose reversal is known, from its in-degree."""
        return self.reciprocity + self.reciprocity_slope * torch.log1p(in_degree)


class PaperEncoder(nn.Module):
    """The literal recipe: sums over neighbours, one matrix per layer for both roles, unit length after each layer.

    ``h_s[u] <- normalise(ReLU(sum over u->v of h_t[v] W))``, ``h_t[u] <- normalise(ReLU(sum over v->u of h_s[v] W))``.

    Parameters
    ----------
    num_nodes, dimension : int
    layers : int
        Odd; an even number of layers mixes the two directions.
    features : NodeFeatures, optional
        The input of a node is its free vector plus what its features add.

    Notes
    -----
    *Shapes*: source and target embedding (num_nodes, dimension), entries >= 0.
    *Direction*: the score of u -> v is ``source[u] @ target[v]``, in [0, 1]. A node without out-edges has a zero
    source vector for good, one without in-edges a zero target vector.

    References
    ----------
    Virinchi et al. (2022), arXiv 2211.11583 (DAEMON), algorithm 1 without its co-view part. Deviation: the input is
    learned, as a graph need not have attributes (a frozen random input ranks worse).
    """

    def __init__(self, num_nodes: int, *, dimension: int, layers: int, features: NodeFeatures | None = None) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(num_nodes, dimension))
        self.features, self.feature_weight = _feature_part(features, dimension)
        self.layer = nn.ParameterList(
            [nn.Parameter(nn.init.xavier_uniform_(torch.empty(dimension, dimension))) for _ in range(layers)]
        )

    def forward(self, out_neighbours: Tensor, in_neighbours: Tensor) -> tuple[Tensor, Tensor]:
        """Propagate over sparse (num_nodes, num_nodes) sums and return source and target embedding."""
        source = self.node_input()
        target = source
        for weight in self.layer:
            following = functional.relu(out_neighbours @ target @ weight)
            preceding = functional.relu(in_neighbours @ source @ weight)
            source, target = functional.normalize(following, dim=1), functional.normalize(preceding, dim=1)
        return source, target

    def node_input(self) -> Tensor:
        """Return the input, shape (num_nodes, dimension): a free vector per node plus what its features add."""
        return _with_features(self.input, self.features, self.feature_weight)


def ranking_loss(positive: Tensor, negative: Tensor, query: Tensor, is_masked: Tensor) -> Tensor:
    """Return the mean sampled-softmax loss of the true targets against shared negatives.

    L = mean over edges i of -log(exp(p_i) / (exp(p_i) + sum over unmasked k of exp(n_{q(i), k})))

    Parameters
    ----------
    positive : Tensor of shape (n_edges,)
        Score of every supervised edge.
    negative : Tensor of shape (n_queries, n_negatives)
        Score of every negative for every query node; edges of one query share the row.
    query : Tensor of shape (n_edges,), int64
        Row of `negative` that belongs to an edge.
    is_masked : Tensor of shape (n_queries, n_negatives), bool
        Negatives that are the query itself or one of its training targets.

    Returns
    -------
    Tensor, scalar, >= 0
    """
    # A finite floor instead of -inf keeps the gradient defined where every negative is masked.
    against = negative.masked_fill(is_masked, -1e4).logsumexp(dim=1)
    return (torch.logaddexp(positive, against[query]) - positive).mean()


def reversed_edge_loss(forward: Tensor, backward: Tensor, margin: float) -> Tensor:
    """Return the mean loss that puts one-way edges above, and their reversals below, a margin.

    L = mean(softplus(margin - forward) + softplus(backward - margin))

    Parameters
    ----------
    forward, backward : Tensor of shape (n_edges,)
        Scores of one-way edges u -> v and of their reversals v -> u.
    margin : float
        Half the start of the score's scale.

    Returns
    -------
    Tensor, scalar, >= 0; 0 if there is no edge
    """
    if forward.numel() == 0:
        return forward.sum()
    return (functional.softplus(margin - forward) + functional.softplus(backward - margin)).mean()


def paper_loss(
    forward: Tensor,
    negative: Tensor,
    one_way_forward: Tensor,
    one_way_backward: Tensor,
    *,
    asymmetric_weight: float = 1.0,
) -> Tensor:
    """Return the asymmetric loss as printed, averaged over edges.

    L = -1/n [sum over edges (log σ(s_u t_v) + sum_k log σ(1 - s_u t_z))
    + w sum over one-way edges (log σ(s_u t_v) + log σ(1 - s_v t_u))]

    Parameters
    ----------
    forward : Tensor of shape (n_edges,)
        Scores of the training edges.
    negative : Tensor of shape (n_edges, n_negatives)
        Scores of u with random nodes z.
    one_way_forward, one_way_backward : Tensor of shape (n_one_way,)
        Scores of one-way edges and of their reversals.
    asymmetric_weight : float
        w; printed as 1.

    Returns
    -------
    Tensor, scalar, > 0

    References
    ----------
    Virinchi et al. (2022), arXiv 2211.11583 (DAEMON), eq. 2 without its co-view terms. The negative term is σ(1 - x)
    as printed, not σ(-x).
    """
    likelihood = functional.logsigmoid(forward).sum() + functional.logsigmoid(1 - negative).sum()
    direction = functional.logsigmoid(one_way_forward).sum() + functional.logsigmoid(1 - one_way_backward).sum()
    return -(likelihood + asymmetric_weight * direction) / forward.numel()


def _feature_part(features: NodeFeatures | None, dimension: int) -> tuple[Tensor | None, nn.Parameter | None]:
    """Return the features as a tensor and their matrix, which starts at zero: no random draw, no early opinion."""
    if features is None:
        return None, None
    return sparse_tensor(features.row_normalised()), nn.Parameter(torch.zeros(len(features.names), dimension))


def _with_features(free: Tensor, features: Tensor | None, weight: Tensor | None) -> Tensor:
    """Add to the free vectors what the features say."""
    return free if features is None or weight is None else free + features @ weight


def sparse_tensor(matrix: sparse.csr_array) -> Tensor:
    """Return a SciPy matrix as a coalesced torch COO tensor, float32."""
    coordinates = matrix.tocoo()
    index = torch.from_numpy(np.stack(coordinates.coords).astype(np.int64))
    values = torch.from_numpy(coordinates.data.astype(np.float32))
    return torch.sparse_coo_tensor(index, values, matrix.shape, is_coalesced=True, check_invariants=False)
