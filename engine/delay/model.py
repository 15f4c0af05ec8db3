"""Small networks, several at a time: one head for the conversion, or the entire space of engagement and conversion."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class StackedNetwork(nn.Module):
    """Networks of one shape that share nothing, stacked along a leading axis for speed.

    Two hidden layers of equal width with ReLU; every output is a log odds. The first `members` networks are
    drawn at random and repeated for each further group, so that groups differ by their training alone. From one
    random state, networks of any number of heads start with the same trunk and the same first head.

    Parameters
    ----------
    n_features : int
    hidden : int
        Width of both hidden layers.
    outputs : int
        Heads on the shared trunk.
    members : int
        Networks per group.
    groups : int, default 1

    Shapes
    ------
    x (N, B, n_features) -> log odds (N, B, outputs), with N = groups · members, group by group
    """

    def __init__(self, n_features: int, *, hidden: int, outputs: int, members: int, groups: int = 1) -> None:
        super().__init__()
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        trunk = [torch.randn(members, inputs, hidden) for inputs in (n_features, hidden)]
        # Head by head, so that the first one starts alike whatever their number.
        heads = torch.cat([torch.randn(members, hidden, 1) for _ in range(outputs)], dim=2)
        for start in (*trunk, heads):
            scale = math.sqrt(2.0 / start.shape[1])
            self.weights.append(nn.Parameter((start * scale).repeat(groups, 1, 1)))
            self.biases.append(nn.Parameter(torch.zeros(groups * members, 1, start.shape[2])))

    def start_at(self, shares: Tensor) -> None:
        """Set the output biases to the log odds of known shares, shape (N, outputs), in (0, 1)."""
        self.start_from(torch.logit(shares.clamp(1e-3, 1 - 1e-3)))

    def start_from(self, outputs: Tensor) -> None:
        """Set the output biases, shape (N, outputs)."""
        with torch.no_grad():
            self.biases[-1].copy_(outputs[:, None, :])

    def forward(self, x: Tensor) -> Tensor:
        """Return the log odds of every head."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = torch.relu(torch.baddbmm(bias, x, weight))
        out: Tensor = torch.baddbmm(self.biases[-1], x, self.weights[-1])
        return out

    def penalty(self) -> Tensor:
        """Return half the squared length of the weight matrices of each network, shape (N,)."""
        return sum(((weight**2).sum(dim=(1, 2)) for weight in self.weights), torch.zeros(1)) / 2


def entire_space(heads: Tensor, *, has_leak: bool) -> tuple[Tensor, Tensor]:
    """Combine the heads into the log odds of engagement and of conversion over all exposures.

    r(x) = p_a(x) p_{y|a}(x) + (1 - p_a(x)) p_{y|not a}(x)

    Parameters
    ----------
    heads : Tensor of shape (..., 3)
        Log odds of engagement by the waiting window, of conversion given engagement, and without it.
    has_leak : bool
        Whether conversions without engagement occur. If not, the last term is left out and r <= p_a.

    Returns
    -------
    engagement, conversion : Tensors of shape (...)
        Log odds; worked out in logarithms, so that nothing is lost near 0 and 1.

    Notes
    -----
    The product p_a p_{y|a} is ESMM's (Ma et al. 2018, entire space multi-task model). ESMM trains the product; here
    the factors are trained, each on the rows that it describes, which uses the observed engagement once more.
    Whether DRESS does either could not be read: this is our reconstruction. The leak is our addition too: by
    the law of total probability r is exact whether or not conversion presupposes engagement. Engagement is read
    at the waiting window, where its label is final, and not at the end of the attribution window, where it would
    be late itself.

    Examples
    --------
    >>> zero = torch.zeros(3)
    >>> [round(float(torch.sigmoid(entire_space(zero, has_leak=leak)[1])), 4) for leak in (True, False)]
    [0.5, 0.25]
    """
    engage, given, without = heads.unbind(dim=-1)
    log = nn.functional.logsigmoid
    positive = log(engage) + log(given)
    negative = log(engage) + log(-given)
    if has_leak:
        positive = torch.logaddexp(positive, log(-engage) + log(without))
        negative = torch.logaddexp(negative, log(-engage) + log(-without))
    else:
        negative = torch.logaddexp(negative, log(-engage))
    return engage, positive - negative
