"""A density on a small latent space by radial flows."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class RadialFlow(nn.Module):
    """Push points away from, or towards, one centre; invertible by construction.

    f(z) = z + beta h (z - c) with h = 1 / (alpha + |z - c|), alpha = softplus(a) and
    beta = softplus(b) - alpha > -alpha. In D dimensions

        ln |det f'| = (D - 1) ln(1 + beta h) + ln(1 + beta h - beta h^2 |z - c|)

    Parameters
    ----------
    width : int
        Dimensions D.

    Shapes
    ------
    (B, D) -> (B, D) and (B,)

    References
    ----------
    Rezende and Mohamed (2015), "Variational inference with normalizing flows", equations 14 and 15
    and appendix A.2.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.centre = nn.Parameter(torch.randn(width) / math.sqrt(width))
        self.a = nn.Parameter(torch.zeros(()))
        self.b = nn.Parameter(torch.zeros(()))

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return moved points and the log-determinant."""
        alpha = nn.functional.softplus(self.a)
        beta = nn.functional.softplus(self.b) - alpha
        away = z - self.centre
        # The root has no slope at 0.
        distance = (away.square().sum(dim=1, keepdim=True) + 1e-12).sqrt()
        pull = beta / (alpha + distance)  # (B, 1)
        along = 1 + pull - pull * distance / (alpha + distance)
        log_det = (z.shape[1] - 1) * torch.log1p(pull) + torch.log(along)
        return z + pull * away, log_det.squeeze(1)


class FlowDensity(nn.Module):
    """Density of latent points: radial flows into a standard normal distribution.

    Parameters
    ----------
    width : int
        Dimensions.
    layers : int
        Number of flows.

    Shapes
    ------
    (B, width) -> log-density (B,)
    """

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.flows = nn.ModuleList(RadialFlow(width) for _ in range(layers))

    def forward(self, z: Tensor) -> Tensor:
        """Return ln p(z)."""
        total = torch.zeros(z.shape[0], dtype=z.dtype)
        for flow in self.flows:
            z, log_det = flow(z)
            total = total + log_det
        normal: Tensor = -0.5 * (z.square().sum(dim=1) + z.shape[1] * math.log(2 * math.pi))
        return normal + total
