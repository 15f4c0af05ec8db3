"""The smooth model has the derivatives that are written down, and its fits are minima."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import LinearOperator, cg
from torch.func import grad

from engine.delay.smooth import SmoothModel, factored


def make(hidden: tuple[int, ...], n: int = 1500, features: int = 5, seed: int = 0) -> tuple[SmoothModel, torch.Tensor]:
    """Draw rows and labels and put a model over them."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, features))
    y = (rng.random(n) < 1 / (1 + np.exp(1.0 - x[:, 0] - 2.0 * x[:, 1] * x[:, 2]))).astype(float)
    model = SmoothModel(widths=(features, *hidden, 1), x=torch.from_numpy(x), penalty=0.005)
    return model, torch.from_numpy(y)


def fitted(hidden: tuple[int, ...], **more: int) -> tuple[SmoothModel, torch.Tensor, torch.Tensor]:
    """Fit a model."""
    model, y = make(hidden, **more)
    torch.manual_seed(0)
    return model, y, model.minimise(model.start(), y)


def test_without_hidden_layers_it_is_logistic_regression_in_closed_form():
    model, y, theta = fitted(())
    x = torch.cat((model.x, torch.ones(len(y), 1, dtype=torch.float64)), dim=1)
    f = torch.sigmoid(x @ theta)
    ridge = torch.tensor([0.005] * 5 + [0.0], dtype=torch.float64)
    assert torch.allclose(x.T @ (f - y) / len(y) + ridge * theta, torch.zeros(6, dtype=torch.float64), atol=1e-5)
    closed = (x.T * (f * (1 - f))) @ x / len(y) + torch.diag(ridge)
    assert torch.allclose(model.hessian(theta, y), closed, atol=1e-12)
    assert torch.allclose(model.slopes(theta, torch.tensor([3, 7])), x[[3, 7]])


def test_the_slope_of_the_log_odds_is_what_a_flip_takes_off_the_gradient():
    model, y, theta = fitted((4, 4))
    row = int(torch.nonzero(y == 0)[0])
    flipped = y.clone()
    flipped[row] = 1.0
    moved = grad(model.loss)(theta, y) - grad(model.loss)(theta, flipped)
    assert torch.allclose(moved, model.slopes(theta, torch.tensor([row]))[0] / len(y), atol=1e-12)


def test_the_hessian_solves_as_conjugate_gradients_on_differences_of_gradients_do():
    model, y, theta = fitted((4, 4))
    factor, damping = factored(model.hessian(theta, y))
    b = model.slopes(theta, torch.tensor([0]))[0]

    def product(vector: np.ndarray) -> np.ndarray:
        v = torch.from_numpy(np.asarray(vector, dtype=np.float64).ravel())
        step = 1e-5 / float(v.norm())
        ahead, behind = (grad(model.loss)(theta + sign * step * v, y) for sign in (1, -1))
        return ((ahead - behind) / (2 * step) + damping * v).numpy()

    size = model.size
    found, failed = cg(
        LinearOperator((size, size), matvec=product, dtype=np.float64), b.numpy(), rtol=1e-10, maxiter=5000
    )
    assert not failed
    assert torch.cholesky_solve(b[:, None], factor)[:, 0].numpy() == pytest.approx(found, rel=1e-3, abs=1e-4)


def test_a_network_fits_what_no_line_can():
    line, net = fitted(()), fitted((6, 6))
    losses = [float(model.loss(theta, y)) for model, y, theta in (line, net)]
    assert losses[1] < losses[0] - 0.01
    assert all(model.is_minimum(theta, y) for model, y, theta in (line, net))
    assert not net[0].is_minimum(net[2] + 0.01, net[1])


def test_refining_finds_the_minimum_that_descent_finds():
    model, y, theta = fitted((4, 4))
    factor, _ = factored(model.hessian(theta, y))
    labels = y.repeat(2, 1)
    labels[0, 5], labels[1, 9] = 1 - y[5], 1 - y[9]
    found, sharp = model.refine(theta.repeat(2, 1), labels, factor)
    assert sharp.all()
    for one, label in zip(found, labels, strict=True):
        assert torch.allclose(one, model.minimise(theta, label), atol=1e-3)
        assert float(grad(model.loss)(one, label).norm()) < 1e-7


def test_a_fit_that_runs_away_is_not_called_sharp():
    model, y, theta = fitted(())
    weak, _ = factored(model.hessian(theta, y) * 0.1)
    _, sharp = model.refine(theta[None], 1 - y[None], weak)
    assert not sharp.any()


def test_only_as_much_damping_is_added_as_a_factor_needs():
    eye = torch.eye(3, dtype=torch.float64)
    assert factored(eye)[1] == 0.0
    factor, damping = factored(torch.diag(torch.tensor([1.0, 1.0, -5e-5], dtype=torch.float64)))
    assert damping == pytest.approx(1e-4)
    assert torch.isfinite(factor).all()
