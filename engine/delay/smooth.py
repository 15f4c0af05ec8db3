"""A small smooth model, fitted to its minimum: where influence is defined and can be checked by fitting again."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad, vjp, vmap

_SHARP = 1e-8
"""Largest gradient of a fit that counts as a minimum; smaller than any flip by four orders of magnitude."""
_FLAT = 1e-5
"""The same where many labels flip at once, which moves the gradient by some hundredths."""
_CHUNK = 64
_STEPS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothModel:
    """A regularised log loss over fixed rows, as a function of one vector of parameters.

    logistic regression without hidden layers; with them, a network with tanh, whose loss has a Hessian everywhere

    L(θ) = (1/n) Σ [log(1 + exp z_i) − y_i z_i] + (λ/2) |W|²,  z = log odds, W all weight matrices, not the biases
    """

    widths: tuple[int, ...]
    """Inputs, hidden layers, 1."""
    x: Tensor
    """Inputs of the training rows, shape (n, n_features), float64."""
    penalty: float
    """λ."""

    @property
    def size(self) -> int:
        """Number of parameters."""
        return sum(a * b + b for a, b in itertools.pairwise(self.widths))

    def start(self) -> Tensor:
        """Draw parameters, shape (size,); call it inside `engine.seeding.torch_seed`."""
        layers = [
            (torch.randn(a, b, dtype=torch.float64) / math.sqrt(a), torch.zeros(b, dtype=torch.float64))
            for a, b in itertools.pairwise(self.widths)
        ]
        return torch.cat([part.flatten() for layer in layers for part in layer])

    def log_odds(self, theta: Tensor, x: Tensor) -> Tensor:
        """Return z of some rows, (n, n_features) -> (n,)."""
        layers = self._layers(theta)
        for weight, bias in layers[:-1]:
            x = torch.tanh(x @ weight + bias)
        weight, bias = layers[-1]
        return (x @ weight + bias).squeeze(-1)

    def loss(self, theta: Tensor, y: Tensor) -> Tensor:
        """Return L for labels of the training rows, shape (n,)."""
        z = self.log_odds(theta, self.x)
        squares = torch.stack([(weight**2).sum() for weight, _ in self._layers(theta)]).sum()
        return torch.nn.functional.softplus(z).mean() - (y * z).mean() + self.penalty / 2 * squares

    def slopes(self, theta: Tensor, rows: Tensor) -> Tensor:
        """Return ∇z of single training rows, shape (n_rows, size)."""
        one = vmap(grad(lambda t, x: self.log_odds(t, x)), in_dims=(None, 0))
        slopes: Tensor = one(theta, self.x[rows])
        return slopes

    def hessian(self, theta: Tensor, y: Tensor) -> Tensor:
        """Return the Hessian of L, one Hessian-vector product per column, shape (size, size)."""
        slope = grad(self.loss)
        # Reverse over reverse: H is symmetric, so pulling a vector back through the gradient is H times it.
        product = vjp(lambda t: slope(t, y), theta)[1]
        columns = vmap(lambda vector: product(vector)[0], chunk_size=_CHUNK)
        square: Tensor = columns(torch.eye(self.size, dtype=torch.float64))
        return (square + square.T) / 2

    def minimise(self, theta: Tensor, y: Tensor) -> Tensor:
        """Descend from some parameters to a minimum by L-BFGS on all rows."""
        theta = theta.clone().requires_grad_(True)
        optimizer = torch.optim.LBFGS(
            [theta],
            max_iter=500,
            history_size=30,
            tolerance_grad=_FLAT / 50,
            tolerance_change=1e-15,
            line_search_fn="strong_wolfe",
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            value = self.loss(theta, y)
            value.backward()
            return value

        optimizer.step(closure)
        return theta.detach()

    def refine(self, theta: Tensor, labels: Tensor, factor: Tensor) -> tuple[Tensor, Tensor]:
        """Bring several fits to their minima by Newton steps that all use one factored Hessian.

        Parameters
        ----------
        theta : Tensor of shape (fits, size)
            Close to the minima.
        labels : Tensor of shape (fits, n)
        factor : Tensor of shape (size, size)
            Cholesky factor of the Hessian at a nearby point.

        Returns
        -------
        theta : Tensor of shape (fits, size)
        sharp : Tensor of shape (fits,), bool
            Whether the gradient is as good as 0 there; the minimum is real, whatever Hessian led to it.
        """
        slope = vmap(grad(self.loss))
        for _ in range(_STEPS):
            gradient = slope(theta, labels)
            if bool((gradient.norm(dim=1) < _SHARP).all()):
                break
            theta = theta - torch.cholesky_solve(gradient.T, factor).T
        return theta, slope(theta, labels).norm(dim=1) < 10 * _SHARP

    def is_minimum(self, theta: Tensor, y: Tensor) -> bool:
        """Say whether the gradient is as good as 0 beside the effect of many flips."""
        return float(grad(self.loss)(theta, y).norm()) < _FLAT

    def _layers(self, theta: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Cut the vector into weights and biases."""
        layers, place = [], 0
        for a, b in itertools.pairwise(self.widths):
            weight = theta[place : place + a * b].reshape(a, b)
            layers.append((weight, theta[place + a * b : place + a * b + b]))
            place += a * b + b
        return layers


def factored(hessian: Tensor) -> tuple[Tensor, float]:
    """Return the Cholesky factor of H + δI with the smallest δ of 0, 1e-6, 1e-5, … that makes it positive definite.

    Parameters
    ----------
    hessian : Tensor of shape (size, size)

    Returns
    -------
    factor : Tensor of shape (size, size)
    damping : float
        δ.
    """
    damping = 0.0
    eye = torch.eye(hessian.shape[0], dtype=hessian.dtype)
    while True:
        factor, failed = torch.linalg.cholesky_ex(hessian + damping * eye)
        if not bool(failed):
            return factor, damping
        damping = max(1e-6, 10 * damping)
