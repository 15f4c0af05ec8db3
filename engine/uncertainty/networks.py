"""Scorers made of plain networks: the deep ensemble and dropout that stays on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.distributed import alone
from engine.result import OnEpoch
from engine.seeding import torch_seed
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.model import DeepEnsemble, thinned_networks
from engine.uncertainty.optimise import Inputs, Stage, optimise

Floats = NDArray[np.float64]
PREDICT_ROWS = 8192


@dataclass(frozen=True, slots=True)
class Networks:
    """Hold trained networks, their log-odds of all rows, shape (M, n), and their losses."""

    net: DeepEnsemble
    log_odds: Floats
    records: list[dict[str, object]]


def fit_ensemble(inputs: Inputs, config: UncertaintyConfig, on_epoch: OnEpoch | None) -> Networks:
    """Train the members of a deep ensemble and score all rows.

    Returns
    -------
    Networks
        M = ``config.members``.
    """
    with torch_seed(config.seed, "uncertainty", "ensemble"):
        net = _network(inputs, config, members=config.members)
        records = _train(net, inputs, config, "ensemble", on_epoch)
    return Networks(net, predict(net, inputs.numeric, inputs.category), records)


def fit_mc_dropout(inputs: Inputs, config: UncertaintyConfig, on_epoch: OnEpoch | None) -> Networks:
    """Train one network with dropout and score all rows by passes with fixed masks.

    Returns
    -------
    Networks
        M = ``config.passes``, see `engine.uncertainty.model.thinned_networks`.
    """
    # Masks are drawn for a whole batch at once: with a part of it each, workers would draw others.
    with torch_seed(config.seed, "uncertainty", "mc_dropout"), alone():
        net = _network(inputs, config, members=1, dropout=config.dropout)
        records = _train(net, inputs, config, "mc_dropout", on_epoch)
        passes = thinned_networks(net, config.passes)
    return Networks(passes, predict(passes, inputs.numeric, inputs.category), records)


def _network(inputs: Inputs, config: UncertaintyConfig, *, members: int, dropout: float = 0.0) -> DeepEnsemble:
    """Make untrained networks that start at the base rate, so that rare positives cost no steps."""
    width = inputs.numeric.shape[1]
    net = DeepEnsemble(width, inputs.cardinality, members=members, hidden=config.hidden, dropout=dropout)
    with torch.no_grad():
        net.biases[-1].fill_(torch.logit(torch.tensor(inputs.base_rate())).item())
    return net


def _train(
    net: DeepEnsemble, inputs: Inputs, config: UncertaintyConfig, stage: str, on_epoch: OnEpoch | None
) -> list[dict[str, object]]:
    """Minimise the log loss of every member."""

    def batch_loss(batch: Tensor, total: Tensor) -> Tensor:
        net.train()
        log_odds = net(inputs.numeric[batch], inputs.category[batch])
        return weighted_log_loss(log_odds, inputs.label[batch], inputs.weight[batch], total)

    def tuning_loss() -> float:
        log_odds = predict(net, inputs.numeric[inputs.tune], inputs.category[inputs.tune])
        return tuning_log_loss((1 / (1 + np.exp(-log_odds))).mean(axis=0), inputs, config)

    told = Stage(name=stage, loss="train log loss", tuning_loss=tuning_loss, on_epoch=on_epoch)
    return optimise(net, batch_loss, inputs, config, told, members=net.members)


def weighted_log_loss(log_odds: Tensor, label: Tensor, weight: Tensor, total: Tensor) -> Tensor:
    """Log loss of each member: shapes (M, B) -> (M,), nats; a mean where `total` is the weight of these rows, (M,)."""
    terms = torch.nn.functional.binary_cross_entropy_with_logits(log_odds, label, weight=weight, reduction="none")
    return terms.sum(dim=1) / total


def tuning_log_loss(score: Floats, inputs: Inputs, config: UncertaintyConfig) -> float:
    """Log loss on the tuning rows, nats, of a score for the rate among rows as sampled for training.

    Where negatives were left out the score is first turned back, so that the tuning rows, which are
    all there, are comparable.
    """
    tau = config.undersampling
    rate = np.clip(score / (tau - (tau - 1) * score), 1e-7, 1 - 1e-7)
    label, weight = (value[inputs.tune].double().numpy() for value in (inputs.label, inputs.weight))
    terms = label * np.log(rate) + (1 - label) * np.log1p(-rate)
    return -float(weight @ terms / weight.sum())


def predict(net: DeepEnsemble, numeric: Tensor, category: Tensor) -> Floats:
    """Return log-odds of shape (M, n) in float64, without gradients or dropout, in chunks of rows."""
    return _in_chunks(net, net, numeric, category)


def hidden_units(net: DeepEnsemble, numeric: Tensor, category: Tensor) -> Floats:
    """Return the last hidden layer, shape (M, n, hidden), in float64, in chunks of rows."""
    return _in_chunks(net, net.hidden, numeric, category)


def _in_chunks(
    net: DeepEnsemble, function: Callable[[Tensor, Tensor], Tensor], numeric: Tensor, category: Tensor
) -> Floats:
    """Apply a function of the network to all rows."""
    net.eval()
    parts = []
    with torch.no_grad():
        for start in range(0, len(numeric), PREDICT_ROWS):
            window = slice(start, start + PREDICT_ROWS)
            shape = (net.members, -1, -1)
            parts.append(function(numeric[window].expand(*shape), category[window].expand(*shape)).double())
    return torch.cat(parts, dim=1).numpy()
