"""Small networks for rows of numbers and categories, several of them evaluated in one batched product."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

MAX_EMBEDDING = 16


class DeepEnsemble(nn.Module):
    """M independent two-layer networks over standardised numbers and embedded categories.

    The members share nothing; they are stacked along a leading axis only for speed.

    Parameters
    ----------
    n_numeric : int
        Number of standardised inputs.
    cardinality : tuple of int
        Size of each category column.
    members : int
        Number of networks M.
    hidden : int
        Units per hidden layer.
    outputs : int
        Numbers per row: 1 for log-odds, more for a latent vector.
    dropout : float, in [0, 1)
        Share of hidden units that a training step leaves out.

    Shapes
    ------
    numeric (M, B, n_numeric), category (M, B, C) -> log-odds (M, B), or (M, B, outputs) if outputs > 1

    References
    ----------
    Lakshminarayanan et al. (2017), "Simple and scalable predictive uncertainty estimation using
    deep ensembles", section 2.4, without adversarial training.
    """

    def __init__(
        self,
        n_numeric: int,
        cardinality: tuple[int, ...],
        *,
        members: int,
        hidden: int,
        outputs: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.members, self.dropout = members, dropout
        sizes = [min(MAX_EMBEDDING, 2 + math.ceil(size**0.5)) for size in cardinality]
        self.tables = nn.ParameterList(
            nn.Parameter(0.1 * torch.randn(members, size, width))
            for size, width in zip(cardinality, sizes, strict=True)
        )
        widths = [n_numeric + sum(sizes), hidden, hidden, outputs]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(members, a, b) * math.sqrt(2 / max(a, 1))) for a, b in itertools.pairwise(widths)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(members, 1, b)) for b in widths[1:])

    def hidden(self, numeric: Tensor, category: Tensor) -> Tensor:
        """Return the last hidden layer, shape (M, B, hidden)."""
        parts = [numeric]
        member = torch.arange(self.members)[:, None]
        for column, table in enumerate(self.tables):
            size = table.shape[1]
            flat = category[:, :, column] + member * size  # (M, B)
            parts.append(nn.functional.embedding(flat, table.reshape(-1, table.shape[2])))
        x = torch.cat(parts, dim=2)  # (M, B, D)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = torch.relu(torch.baddbmm(bias, x, weight))
            if self.dropout and self.training:
                x = nn.functional.dropout(x, self.dropout)
        return x

    def forward(self, numeric: Tensor, category: Tensor) -> Tensor:
        """Return the log-odds of a positive for each member and row."""
        out: Tensor = torch.baddbmm(self.biases[-1], self.hidden(numeric, category), self.weights[-1])
        return out.squeeze(2) if out.shape[2] == 1 else out


def thinned_networks(net: DeepEnsemble, passes: int) -> DeepEnsemble:
    """Draw dropout masks once and write every pass as a network of its own.

    A pass with mask m in {0, 1}^H and kept share q = 1 - dropout is the network whose next layer has
    the weights diag(m / q) W. All rows see the same masks, so a score does not depend on which other
    rows are scored, and a boundary can be applied again.

    Parameters
    ----------
    net : DeepEnsemble
        One member, trained with dropout.
    passes : int
        Number of passes T.

    Returns
    -------
    DeepEnsemble
        T members without dropout.

    References
    ----------
    Gal and Ghahramani (2016), "Dropout as a Bayesian approximation", equation 6. Deviation: one
    mask per pass instead of one per row and pass.
    """
    # The sizes of a network follow from its parameters.
    thinned = DeepEnsemble(0, (), members=passes, hidden=1)
    thinned.tables = nn.ParameterList(nn.Parameter(table.detach().repeat(passes, 1, 1)) for table in net.tables)
    thinned.biases = nn.ParameterList(nn.Parameter(bias.detach().repeat(passes, 1, 1)) for bias in net.biases)
    weights = [weight.detach().repeat(passes, 1, 1) for weight in net.weights]
    kept = 1 - net.dropout
    for layer in range(1, len(weights)):
        mask = torch.bernoulli(torch.full((passes, weights[layer].shape[1], 1), kept)) / kept
        weights[layer] = weights[layer] * mask
    thinned.weights = nn.ParameterList(nn.Parameter(weight) for weight in weights)
    return thinned
