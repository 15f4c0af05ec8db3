"""Fit every method on its own rows and weights, with one network, one number of steps and one set of draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from engine.delay import weights
from engine.delay.auxiliary import FlipModel, fit_auxiliary, parameters_of
from engine.delay.config import METHODS, DelayConfig
from engine.delay.data import Prepared
from engine.delay.loop import Batch, Progress, Rows, optimise, predict
from engine.delay.model import StackedNetwork, entire_space, weighted_loss
from engine.delay.streams import Outlook, Stream, streams
from engine.result import OnEpoch
from engine.seeding import torch_seed

OURS = "dress_style"
ONE_HEAD = tuple(method for method in METHODS if method != OURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Every method of a run; arrays of shape (n_rows,) over the prepared exposures."""

    probability: Mapping[str, np.ndarray]
    """Method to P(conversion within the window | x), float64: the mean of its networks."""
    members: Mapping[str, np.ndarray]
    """Method to what its single networks say, shape (members, n_rows)."""
    engagement: np.ndarray
    """P(engaged by the waiting window | x), the first factor of the entire space."""
    has_leak: bool
    """Whether matured exposures convert without engagement, so that the entire space needs its third head."""
    streams: Mapping[str, Stream]
    outlook: Outlook
    flip_model: FlipModel
    model: Mapping[str, np.ndarray]
    history: pd.DataFrame
    """Columns ``stage, epoch, loss, value``."""


def fit(prepared: Prepared, config: DelayConfig, *, on_epoch: OnEpoch | None = None) -> Fitted:
    """Fit the models of label arrival, then every method.

    Parameters
    ----------
    prepared : Prepared
    config : DelayConfig
    on_epoch : callable, optional
        Receives an `EpochRecord` after every block of optimiser steps.

    Returns
    -------
    Fitted

    Raises
    ------
    TrainingError
        If a loss is not finite.

    Notes
    -----
    Only `oracle` is given labels from after the snapshot day. All methods share the trunk, the starts, the number
    of steps and the places of the draws.
    """
    progress = Progress(on_epoch)
    flip_model, outlook, parameters = fit_auxiliary(prepared, config, progress)
    rows = streams(prepared, outlook, max_weight=config.max_weight)
    members, networks = _fit_one_head(prepared, rows, config, progress)
    has_leak = converts_without_engagement(prepared)
    members[OURS], engagement, ours = fit_entire_space(prepared, rows[OURS], has_leak, config, progress)
    return Fitted(
        probability={method: members[method].mean(axis=0) for method in METHODS},
        members={method: members[method] for method in METHODS},
        engagement=engagement,
        has_leak=has_leak,
        streams=rows,
        outlook=outlook,
        flip_model=flip_model,
        model=parameters | parameters_of(networks, "methods") | parameters_of(ours, OURS),
        history=pd.DataFrame(progress.rows, columns=["stage", "epoch", "loss", "value"]),
    )


def converts_without_engagement(prepared: Prepared) -> bool:
    """Say whether a matured training exposure converted without being engaged by the waiting window."""
    matured = prepared.train & prepared.matured
    return bool(np.any(np.isfinite(prepared.delay[matured]) & (prepared.state[matured] == 0)))


def _fit_one_head(
    prepared: Prepared, rows: Mapping[str, Stream], config: DelayConfig, progress: Progress
) -> tuple[dict[str, np.ndarray], StackedNetwork]:
    """Train all methods but ours side by side."""
    groups = {method: _rows(rows[method]) for method in ONE_HEAD}
    own = torch.tensor([rows[method].own_weight for method in ONE_HEAD]).repeat_interleave(config.members)[:, None]

    def loss_of(heads: Tensor, batch: Batch) -> Tensor:
        log_odds = heads.squeeze(2)
        up, down = weights.fnw(torch.sigmoid(log_odds).detach())
        positive = torch.where(own, batch.positive * up, batch.positive)
        return weighted_loss(log_odds, positive, torch.where(own, batch.negative * down, batch.negative))

    x = torch.from_numpy(prepared.x)
    with torch_seed(config.seed, "delay", "methods"):
        network = StackedNetwork(
            x.shape[1], hidden=config.hidden, outputs=1, members=config.members, groups=len(groups)
        )
        shares = torch.tensor([_share(item) for item in groups.values()]).repeat_interleave(config.members)
        network.start_at(shares[:, None])
        optimise(network, (x,), groups, loss_of, config=config, stage="baselines", progress=progress)
    share = torch.sigmoid(predict(network, x).squeeze(2).double()).reshape(len(groups), config.members, -1)
    return dict(zip(groups, share.numpy(), strict=True)), network


def fit_entire_space(
    prepared: Prepared, stream: Stream, has_leak: bool, config: DelayConfig, progress: Progress
) -> tuple[np.ndarray, np.ndarray, StackedNetwork]:
    """Train ours: engagement and conversion on one trunk.

    Parameters
    ----------
    prepared : Prepared
    stream : Stream
        Its rows, weights and labels.
    has_leak : bool
        See `engine.delay.model.entire_space`.
    config : DelayConfig
    progress : Progress

    Returns
    -------
    conversion : ndarray of shape (members, n_rows), float64, in (0, 1)
        What every network says of every prepared exposure.
    engagement : ndarray of shape (n_rows,)
        Mean of the networks.
    network : StackedNetwork
    """
    engaged = torch.from_numpy(prepared.state.astype(np.float32))

    def loss_of(heads: Tensor, batch: Batch) -> Tensor:
        state = engaged[batch.exposure]
        engage, given, without = heads.unbind(dim=2)
        # The weights are exact given the engagement state, so each row teaches the head of its own state; where
        # conversion presupposes engagement, the other rows have nothing to teach.
        counts = torch.ones_like(state) if has_leak else state
        conversion = weighted_loss(
            torch.where(state > 0, given, without), batch.positive * counts, batch.negative * counts
        )
        return conversion + weighted_loss(engage, state, 1.0 - state)

    rows, x = _rows(stream), torch.from_numpy(prepared.x)
    with torch_seed(config.seed, "delay", "methods"):
        network = StackedNetwork(x.shape[1], hidden=config.hidden, outputs=3, members=config.members)
        network.start_at(_start_of_heads(stream, prepared.state).expand(config.members, 3))
        optimise(network, (x,), {OURS: rows}, loss_of, config=config, stage="DRESS-style", progress=progress)
    engage, convert = entire_space(predict(network, x).double(), has_leak=has_leak)
    return torch.sigmoid(convert).numpy(), torch.sigmoid(engage).mean(dim=0).numpy(), network


def _rows(stream: Stream) -> Rows:
    """Hand a stream to the loop."""
    return Rows(exposure=stream.exposure, positive=stream.positive, negative=stream.negative)


def _share(rows: Rows) -> float:
    """Return the weighted share of positives."""
    return float(rows.positive.sum() / (rows.positive.sum() + rows.negative.sum()))


def _start_of_heads(stream: Stream, state: np.ndarray) -> Tensor:
    """Return the weighted shares that the three heads start from, shape (1, 3)."""
    engaged = state[stream.exposure]
    up, total = stream.positive, stream.positive + stream.negative
    shares = [
        engaged.mean(),
        (up * engaged).sum() / max((total * engaged).sum(), 1e-9),
        (up * (1 - engaged)).sum() / max((total * (1 - engaged)).sum(), 1e-9),
    ]
    return torch.tensor([shares], dtype=torch.float32)
