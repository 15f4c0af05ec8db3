"""Fit every method on its own rows and weights, with one network, one number of steps and one set of draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from engine.delay import corrections, weights
from engine.delay.auxiliary import FlipModel, fit_auxiliary
from engine.delay.config import METHODS, DelayConfig
from engine.delay.data import Prepared
from engine.delay.drift import Drift
from engine.delay.joint import fit_entire_space, fit_exponential, fit_slots
from engine.delay.loop import Batch, Progress, Rows, log_odds_of, predict, train_from_one_start
from engine.delay.losses import nonnegative_loss, weighted_loss
from engine.delay.model import StackedNetwork
from engine.delay.streams import Outlook, Stream, snapshot_rows, streams
from engine.distributed import workers
from engine.result import OnEpoch

OURS = "dress_style"
ENTIRE_SPACE = ("entire_space", OURS)
ONE_HEAD = tuple(method for method in METHODS if method not in (*ENTIRE_SPACE, "dfm", "esdf"))
FNC_CEILING = 0.99
"""FNC's map gives 1 and more where its model exceeds one half, which only an estimate can: a negative there would cost
infinitely much. Cut off at this value it costs 4.6 nats."""


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
    drift: Mapping[str, Drift]
    """Without and with signals, how conversion and delay have moved since the matured exposures."""
    model: Mapping[str, np.ndarray]
    """Weights of our networks."""
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
    of steps and the places of the draws, also those with more heads (DFM 2, ours 3, ESDF 11) and those whose
    exposures enter twice. FNC's networks are mapped one by one before their mean.
    """
    progress = Progress(on_epoch)
    flip_model, outlook, law = fit_auxiliary(prepared, config, progress)
    weighted = streams(prepared, outlook, max_weight=config.max_weight)
    own = snapshot_rows(prepared, counterfactual_days=config.counterfactual_days)
    has_leak = converts_without_engagement(prepared)
    members = _fit_one_head(prepared, weighted | {"nndf": own["nndf"]}, outlook, config, progress)
    members["dfm"] = fit_exponential(prepared, own["dfm"], config, progress)
    members["esdf"] = fit_slots(prepared, own["esdf"], has_leak, config, progress)
    conversion, engagement, networks = fit_entire_space(
        prepared, {method: weighted[method] for method in ENTIRE_SPACE}, outlook, has_leak, config, progress
    )
    members |= conversion
    return Fitted(
        probability={method: members[method].mean(axis=0) for method in METHODS},
        members={method: members[method] for method in METHODS},
        engagement=engagement[OURS],
        has_leak=has_leak,
        streams=weighted,
        outlook=outlook,
        flip_model=flip_model,
        drift=law.drift,
        model=_parameters_of_ours(networks, config),
        history=progress.table(),
    )


def converts_without_engagement(prepared: Prepared) -> bool:
    """Say whether a matured training exposure converted without being engaged by the waiting window."""
    matured = prepared.train & prepared.matured
    return bool(np.any(np.isfinite(prepared.delay[matured]) & (prepared.state[matured] == 0)))


def _fit_one_head(
    prepared: Prepared, rows: Mapping[str, Stream], outlook: Outlook, config: DelayConfig, progress: Progress
) -> dict[str, np.ndarray]:
    """Train all methods with a single head side by side."""
    groups = {method: Rows.of(rows[method]) for method in ONE_HEAD}
    late = torch.from_numpy(outlook.late).float()
    own = {method: _networks(method, config) for method in ("fnw", "defer", "nndf")}

    def loss_of(heads: Tensor, batch: Batch) -> Tensor:
        log_odds = heads.squeeze(2)
        positive, negative = batch.positive, batch.negative
        f = torch.sigmoid(log_odds).detach()
        # By definition p_dp <= p; a model that says otherwise is held to it.
        least = late[batch.exposure[own["defer"]]].minimum(f[own["defer"]])
        for at, pair in (
            (own["fnw"], weights.fnw(f[own["fnw"]])),
            (own["defer"], weights.defer(f[own["defer"]], least)),
        ):
            positive, negative = _scaled(positive, at, pair[0]), _scaled(negative, at, pair[1])
        loss = weighted_loss(log_odds, positive, negative)
        at = own["nndf"]
        cut_off = nonnegative_loss(
            log_odds[at], positive[at], negative[at], whole=lambda part: workers().total(batch.share * part)
        )
        return torch.cat((loss[: at.start], cut_off, loss[at.stop :]))

    start = torch.tensor([[log_odds_of(_share(item))] for item in groups.values()])
    network = train_from_one_start(
        prepared.x, groups, loss_of, start=start, config=config, stage="baselines", progress=progress
    )
    odds = predict(network, torch.from_numpy(prepared.x)).squeeze(2).double()
    share = torch.sigmoid(odds).reshape(len(groups), config.members, -1).numpy()
    members = dict(zip(groups, share, strict=True))
    members["fnc"] = np.minimum(corrections.fnc(np.minimum(members["fnc"], 0.5)), FNC_CEILING)
    return members


def _networks(method: str, config: DelayConfig) -> slice:
    """Return the networks of a method in the stack of those with one head."""
    first = ONE_HEAD.index(method) * config.members
    return slice(first, first + config.members)


def _scaled(values: Tensor, at: slice, factor: Tensor) -> Tensor:
    """Multiply some rows of a matrix."""
    return torch.cat((values[: at.start], values[at] * factor, values[at.stop :]))


def _share(rows: Rows) -> float:
    """Return the weighted share of positives."""
    return float(rows.positive.sum() / (rows.positive.sum() + rows.negative.sum()))


def _parameters_of_ours(network: StackedNetwork, config: DelayConfig) -> dict[str, np.ndarray]:
    """Return the weights of our networks alone: the baselines can be trained again."""
    first = ENTIRE_SPACE.index(OURS) * config.members
    mine = slice(first, first + config.members)
    return {f"{OURS}.{name}": value.detach()[mine].numpy().copy() for name, value in network.named_parameters()}
