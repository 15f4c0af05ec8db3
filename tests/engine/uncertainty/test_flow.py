"""Radial flows are densities: they integrate to one and know their own determinant."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.uncertainty.flow import FlowDensity, RadialFlow


def moved_flow(width, seed=0):
    torch.manual_seed(seed)
    flow = RadialFlow(width)
    with torch.no_grad():
        flow.a.fill_(0.7)
        flow.b.fill_(-1.5)
    return flow


@pytest.mark.parametrize("width", [1, 2, 5])
def test_the_log_determinant_is_that_of_the_jacobian(width):
    flow = moved_flow(width)
    points = torch.randn(4, width)
    with torch.no_grad():
        _, log_det = flow(points)
    for point, claimed in zip(points, log_det, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda z: flow(z[None])[0][0], point)
        assert claimed.item() == pytest.approx(float(torch.linalg.slogdet(jacobian).logabsdet), abs=1e-4)


def test_the_density_integrates_to_one():
    torch.manual_seed(1)
    density = FlowDensity(2, 3)
    with torch.no_grad():
        for flow in density.flows:
            flow.b.fill_(-1.0)
    axis = torch.linspace(-9, 9, 400)
    grid = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        mass = float(density(grid).exp().sum() * (axis[1] - axis[0]) ** 2)
    assert mass == pytest.approx(1.0, abs=2e-3)


def test_a_fitted_density_is_higher_where_the_points_are():
    torch.manual_seed(2)
    centre = torch.tensor([1.5, -1.0])
    points = centre + 0.3 * torch.randn(400, 2)
    density = FlowDensity(2, 8)
    optimizer = torch.optim.Adam(density.parameters(), lr=0.05)
    start = float(density(points).mean().detach())
    for _ in range(150):
        loss = -density(points).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert -float(loss.detach()) > start + 1
    with torch.no_grad():
        near, far = density(torch.stack([centre, -centre])).tolist()
    assert near > far + 3 and np.isfinite(far)
