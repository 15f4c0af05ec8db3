"""A deep ensemble of small networks, evaluated side by side in one batched product."""

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

    Shapes
    ------
    numeric (M, B, n_numeric), category (M, B, C) -> log-odds (M, B)

    References
    ----------
    Lakshminarayanan et al. (2017), "Simple and scalable predictive uncertainty estimation using
    deep ensembles", section 2.4, without adversarial training.
    """

    def __init__(self, n_numeric: int, cardinality: tuple[int, ...], *, members: int, hidden: int) -> None:
        super().__init__()
        self.members = members
        sizes = [min(MAX_EMBEDDING, 2 + math.ceil(size**0.5)) for size in cardinality]
        self.tables = nn.ParameterList(
            nn.Parameter(0.1 * torch.randn(members, size, width))
            for size, width in zip(cardinality, sizes, strict=True)
        )
        widths = [n_numeric + sum(sizes), hidden, hidden, 1]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(members, a, b) * math.sqrt(2 / max(a, 1))) for a, b in itertools.pairwise(widths)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(members, 1, b)) for b in widths[1:])

    def forward(self, numeric: Tensor, category: Tensor) -> Tensor:
        """Return the log-odds of a positive for each member and row."""
        parts = [numeric]
        member = torch.arange(self.members)[:, None]
        for column, table in enumerate(self.tables):
            size = table.shape[1]
            flat = category[:, :, column] + member * size  # (M, B)
            parts.append(nn.functional.embedding(flat, table.reshape(-1, table.shape[2])))
        x = torch.cat(parts, dim=2)  # (M, B, D)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = torch.relu(torch.baddbmm(bias, x, weight))
        out: Tensor = torch.baddbmm(self.biases[-1], x, self.weights[-1]).squeeze(2)
        return out
