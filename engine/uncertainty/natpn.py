"""Natural posterior network: a Beta distribution per row, whose evidence is a density on the latent space.

A row's prediction chi in (0, 1) is weighed by its evidence n against a prior: Beta(a0 + n chi,
b0 + n (1 - chi)). Where few training rows lie, the density and with it n is small, and the prior
rules. The flat prior Beta(1, 1) is the published choice; it draws scores of thin evidence to 1/2,
which is far from a small base rate. The matched prior has the same strength and the base rate as
its mean.

Sources: Charpentier et al. (2022), "Natural posterior network", ICLR, equations 3 (update), 4 (loss)
and section 3.1 (evidence n = p(z) exp(H/2 ln 4 pi)); the binary case written out here. Deviations:
two hidden layers shared with the other scorers' architecture; trained jointly, without the paper's
warm-up and fine-tuning of the flow; decoupled weight decay on all parameters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.distributed import alone
from engine.result import OnEpoch
from engine.seeding import torch_seed
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.flow import FlowDensity
from engine.uncertainty.model import DeepEnsemble
from engine.uncertainty.networks import PREDICT_ROWS, tuning_log_loss
from engine.uncertainty.optimise import Inputs, Stage, optimise
from engine.uncertainty.rates import FLAT_PRIOR

Floats = NDArray[np.float64]
LATENT = 8
FLOWS = 8
MOST_LOG_EVIDENCE = 30.0
ENTROPY_WEIGHT = 1e-5
"""Weight of the entropy in the loss; enough to keep evidence from running away, as published."""


class PosteriorNetwork(nn.Module):
    """Encoder, one density and one linear prediction.

    Parameters
    ----------
    n_numeric : int
    cardinality : tuple of int
    hidden : int
        Units in each of the two hidden layers of the encoder.
    prior : (float, float)
        Beta parameters that evidence is added to.

    Shapes
    ------
    numeric (B, n_numeric), category (B, C) -> a (B,), b (B,)
    """

    def __init__(
        self, n_numeric: int, cardinality: tuple[int, ...], *, hidden: int, prior: tuple[float, float]
    ) -> None:
        super().__init__()
        self.prior = prior
        self.encoder = DeepEnsemble(n_numeric, cardinality, members=1, hidden=hidden, outputs=LATENT)
        # Latent points of unit scale: the flow starts near them, and cannot be escaped by a mere change of scale.
        self.scale = nn.BatchNorm1d(LATENT, affine=False)
        self.density = FlowDensity(LATENT, FLOWS)
        self.prediction = nn.Linear(LATENT, 1)

    def forward(self, numeric: Tensor, category: Tensor) -> tuple[Tensor, Tensor]:
        """Return the Beta parameters of each row."""
        z = self.scale(self.encoder(numeric[None], category[None])[0])
        chi = torch.sigmoid(self.prediction(z).squeeze(1))
        log_evidence = self.density(z) + 0.5 * LATENT * math.log(4 * math.pi)
        evidence = log_evidence.clamp(-MOST_LOG_EVIDENCE, MOST_LOG_EVIDENCE).exp()
        return self.prior[0] + evidence * chi, self.prior[1] + evidence * (1 - chi)


@dataclass(frozen=True, slots=True)
class Posterior:
    """Hold the Beta parameters of all rows, each of shape (n,), the losses and the prior."""

    a: Floats
    b: Floats
    prior: tuple[float, float]
    net: PosteriorNetwork
    records: list[dict[str, object]]


def matched_prior(base_rate: float) -> tuple[float, float]:
    """Beta prior as strong as the flat one, with the base rate as its mean: (2 r, 2 - 2 r)."""
    return 2 * base_rate, 2 - 2 * base_rate


def bayesian_loss(a: Tensor, b: Tensor, label: Tensor) -> Tensor:
    """Return the expected log loss under Beta(a, b) minus its weighted entropy, shape (B,), nats.

    psi(a + b) - y psi(a) - (1 - y) psi(b) - weight h(a, b).
    """
    strength = a + b
    total = torch.digamma(strength)
    expected = total - label * torch.digamma(a) - (1 - label) * torch.digamma(b)
    log_beta = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(strength)
    entropy = log_beta - (a - 1) * torch.digamma(a) - (b - 1) * torch.digamma(b) + (strength - 2) * total
    return expected - ENTROPY_WEIGHT * entropy


def fit_natpn(inputs: Inputs, config: UncertaintyConfig, on_epoch: OnEpoch | None, *, matched: bool) -> Posterior:
    """Train a posterior network and give every row its Beta distribution.

    Parameters
    ----------
    inputs : Inputs
    config : UncertaintyConfig
    on_epoch : callable or None
    matched : bool
        Whether the prior has the base rate of the rows that train as its mean.

    Returns
    -------
    Posterior
    """
    base_rate = inputs.base_rate()
    prior = matched_prior(base_rate) if matched else FLAT_PRIOR
    name = "natpn_matched" if matched else "natpn_flat"
    # One stream for both priors: they start from the same networks and see the same batches. A latent point is
    # scaled by its whole batch, so workers could not take parts of it.
    with torch_seed(config.seed, "uncertainty", "natpn"), alone():
        net = PosteriorNetwork(inputs.numeric.shape[1], inputs.cardinality, hidden=config.hidden, prior=prior)
        with torch.no_grad():
            net.prediction.bias.fill_(math.log(base_rate / (1 - base_rate)))

        def batch_loss(batch: Tensor, total: Tensor) -> Tensor:
            net.train()
            rows = batch[0]
            a, b = net(inputs.numeric[rows], inputs.category[rows])
            loss = bayesian_loss(a, b, inputs.label[rows])
            return (inputs.weight[rows] * loss).sum() / total

        def tuning_loss() -> float:
            a, b = predict_beta(net, inputs.numeric[inputs.tune], inputs.category[inputs.tune])
            return tuning_log_loss(a / (a + b), inputs, config)

        told = Stage(name=name, loss="train Bayesian loss", tuning_loss=tuning_loss, on_epoch=on_epoch)
        records = optimise(net, batch_loss, inputs, config, told)
    a, b = predict_beta(net, inputs.numeric, inputs.category)
    return Posterior(a=a, b=b, prior=prior, net=net, records=records)


def predict_beta(net: PosteriorNetwork, numeric: Tensor, category: Tensor) -> tuple[Floats, Floats]:
    """Return Beta parameters of shape (n,) in float64, without gradients, in chunks of rows."""
    net.eval()
    parts = []
    with torch.no_grad():
        for start in range(0, len(numeric), PREDICT_ROWS):
            window = slice(start, start + PREDICT_ROWS)
            parts.append(torch.stack(net(numeric[window], category[window])).double())
    a, b = torch.cat(parts, dim=1).numpy()
    return a, b
