"""Fit what gives each row a score and an uncertainty: the ensemble, and the priors of the rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import TrainingError
from engine.result import EpochRecord, OnEpoch
from engine.seeding import torch_seed
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import Prepared
from engine.uncertainty.model import DeepEnsemble
from engine.uncertainty.rates import FLAT_PRIOR, fit_matched_prior, rate_score

Floats = NDArray[np.float64]
STAGE = "ensemble"
PREDICT_ROWS = 8192


@dataclass(frozen=True, slots=True)
class Scored:
    """Hold score in [0, 1] and uncertainty >= 0 of all n prepared rows, by one scorer."""

    score: Floats
    uncertainty: Floats


@dataclass(frozen=True, slots=True)
class Fitted:
    """Hold every scorer of a run, in display order, and what was fitted for it."""

    scorers: Mapping[str, Scored]
    priors: Mapping[str, tuple[float, float]]
    """Beta prior (a, b) of each rate scorer."""
    model: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)


def fit(prepared: Prepared, config: UncertaintyConfig, *, on_epoch: OnEpoch | None = None) -> Fitted:
    """Fit all scorers that the data allows.

    A score that comes with the data is taken as it is (``given``); otherwise a deep ensemble is
    trained on the training rows. Every evidence window w adds ``rate_w_flat`` and
    ``rate_w_matched``, whose prior is fitted to the tuning rows' histories without labels.

    Returns
    -------
    Fitted

    Raises
    ------
    TrainingError
        If a loss is not finite.
    """
    scorers: dict[str, Scored] = {}
    model: dict[str, NDArray[np.float32]] = {}
    history = pd.DataFrame(columns=["stage", "epoch", "loss", "value"])
    rows = prepared.dataset.rows
    if prepared.dataset.has_score:
        scorers["given"] = Scored(rows["score"].to_numpy(float), rows["uncertainty"].to_numpy(float))
    else:
        scorers["ensemble"], model, history = _fit_ensemble(prepared, config, on_epoch)
    priors: dict[str, tuple[float, float]] = {}
    tune = prepared.mask("tune")
    for window in prepared.dataset.windows:
        k, n = (rows[f"{kind}_{window}"].to_numpy(float) for kind in "kn")
        priors[f"rate_{window}_flat"] = FLAT_PRIOR
        priors[f"rate_{window}_matched"] = fit_matched_prior(k[tune], n[tune], prepared.weight[tune].astype(float))
        for name in (f"rate_{window}_flat", f"rate_{window}_matched"):
            scorers[name] = Scored(*rate_score(k, n, prior=priors[name]))
    return Fitted(scorers=scorers, priors=priors, model=model, history=history)


def _fit_ensemble(
    prepared: Prepared, config: UncertaintyConfig, on_epoch: OnEpoch | None
) -> tuple[Scored, dict[str, NDArray[np.float32]], pd.DataFrame]:
    """Train the networks on the training rows and score all rows."""
    numeric = torch.from_numpy(prepared.encoded.numeric)
    category = torch.from_numpy(prepared.encoded.category)
    label = torch.from_numpy(prepared.label.astype(np.float32))
    weight = torch.from_numpy(prepared.weight.astype(np.float32))
    rows = {name: torch.from_numpy(np.flatnonzero(prepared.mask(name))) for name in ("train", "tune")}
    with torch_seed(config.seed, "uncertainty", STAGE):
        net = DeepEnsemble(numeric.shape[1], prepared.encoded.cardinality, members=config.members, hidden=config.hidden)
        rate = (weight * label)[rows["train"]].sum() / weight[rows["train"]].sum()
        with torch.no_grad():
            net.biases[-1].fill_(torch.logit(rate).item())
        records = _train(net, (numeric, category, label, weight), rows, config, on_epoch)
    log_odds = predict(net, numeric, category)
    model = {name: value.detach().numpy() for name, value in net.state_dict().items()}
    return summarise_members(log_odds, config.measure), model, pd.DataFrame(records)


def _train(
    net: DeepEnsemble,
    tensors: tuple[Tensor, Tensor, Tensor, Tensor],
    rows: Mapping[str, Tensor],
    config: UncertaintyConfig,
    on_epoch: OnEpoch | None,
) -> list[dict[str, object]]:
    """Run the epochs; every member sees the training rows in its own order."""
    numeric, category, label, weight = tensors
    n_train = len(rows["train"])
    steps = -(-n_train // config.batch_size)
    optimizer = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps * config.epochs)
    records: list[dict[str, object]] = []
    for epoch in range(1, config.epochs + 1):
        order = torch.stack([rows["train"][torch.randperm(n_train)] for _ in range(config.members)])
        total = 0.0
        for batch in order.split(config.batch_size, dim=1):  # (M, B)
            loss = weighted_log_loss(net(numeric[batch], category[batch]), label[batch], weight[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.sum().backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach().mean()) * batch.shape[1]
        tuning = _tuning_loss(net, tensors, rows["tune"])
        losses = {"train log loss": total / n_train, "tune log loss": tuning}
        if not np.isfinite(list(losses.values())).all():
            raise TrainingError(f"The loss is not finite in epoch {epoch}; lower 'learning_rate'.")
        records += [{"stage": STAGE, "epoch": epoch, "loss": name, "value": v} for name, v in losses.items()]
        if on_epoch is not None:
            on_epoch(EpochRecord(stage=STAGE, epoch=epoch, epochs=config.epochs, losses=losses))
    return records


def weighted_log_loss(log_odds: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """Mean log loss of each member: shapes (M, B) -> (M,), nats."""
    terms = torch.nn.functional.binary_cross_entropy_with_logits(log_odds, label, weight=weight, reduction="none")
    return terms.sum(dim=1) / weight.sum(dim=1)


def _tuning_loss(net: DeepEnsemble, tensors: tuple[Tensor, Tensor, Tensor, Tensor], rows: Tensor) -> float:
    """Log loss of the mean probability on the tuning rows, for the progress display only."""
    numeric, category, label, weight = (tensor[rows] for tensor in tensors)
    mean = torch.sigmoid(torch.from_numpy(predict(net, numeric, category))).mean(dim=0).clamp(1e-7, 1 - 1e-7)
    terms = torch.nn.functional.binary_cross_entropy(mean, label.double(), weight=weight.double(), reduction="sum")
    return float(terms / weight.sum())


def predict(net: DeepEnsemble, numeric: Tensor, category: Tensor) -> Floats:
    """Return log-odds of shape (M, n) in float64, without gradients, in chunks of rows."""
    parts = []
    with torch.no_grad():
        for start in range(0, len(numeric), PREDICT_ROWS):
            window = slice(start, start + PREDICT_ROWS)
            shape = (net.members, -1, -1)
            parts.append(net(numeric[window].expand(*shape), category[window].expand(*shape)).double())
    return torch.cat(parts, dim=1).numpy()


def summarise_members(log_odds: Floats, measure: str) -> Scored:
    """Reduce member log-odds of shape (M, n) to mean probability and its uncertainty.

    Uncertainty is the variance over members (divisor M) of the log-odds or of the probability.
    """
    probability = 1 / (1 + np.exp(-log_odds))
    spread = log_odds if measure == "variance_of_logit" else probability
    return Scored(score=probability.mean(axis=0), uncertainty=spread.var(axis=0))
