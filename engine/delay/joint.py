"""Methods with more than one head on the shared trunk: delay laws (DFM, ESDF) and the entire space (ours)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from engine.delay.config import DelayConfig
from engine.delay.data import Prepared
from engine.delay.loop import Batch, Progress, Rows, log_odds_of, predict, train_from_one_start
from engine.delay.losses import exponential_delay_loss, slot_delay_loss, weighted_loss
from engine.delay.model import StackedNetwork, entire_space
from engine.delay.streams import Outlook, Stream
from engine.delay.weights import pending_positive, real_negative_share

SLOTS = 8
"""Equal slots of the window in ESDF's delay law."""


def fit_exponential(prepared: Prepared, stream: Stream, config: DelayConfig, progress: Progress) -> np.ndarray:
    """Train DFM: one head for the conversion, one for the log rate of an exponential delay.

    Parameters
    ----------
    prepared : Prepared
    stream : Stream
        Exposures with the label so far.
    config : DelayConfig
    progress : Progress

    Returns
    -------
    ndarray of shape (members, n_rows), float64, in [0, 1]
        P(conversion within the window | x) = p (1 - exp(-r W)): p alone is that of a conversion ever, which is
        not what the label says.

    Notes
    -----
    The elapsed time of an exposure without conversion ends with its window: later conversions are not in the data.
    """
    unit = float(prepared.window[prepared.train].mean())
    time, converted = _time_and_label(prepared)
    clock, label = torch.from_numpy(time / unit).float(), torch.from_numpy(converted).float()

    def loss_of(heads: Tensor, batch: Batch) -> Tensor:
        odds, log_rate = heads.unbind(dim=2)
        return exponential_delay_loss(odds, log_rate, converted=label[batch.exposure], time=clock[batch.exposure])

    seen = stream.exposure[stream.positive > 0]
    mean_delay = float(time[seen].mean()) / unit if seen.size else 1.0
    start = torch.tensor([[log_odds_of(float(stream.positive.mean())), -math.log(max(mean_delay, 1e-3))]])
    network = train_from_one_start(
        prepared.x, {"dfm": Rows.of(stream)}, loss_of, start=start, config=config, stage="DFM",
        progress=progress,
    )  # fmt: skip
    odds, log_rate = predict(network, torch.from_numpy(prepared.x)).double().unbind(dim=2)
    window = torch.from_numpy(prepared.window / unit)
    return (torch.sigmoid(odds) * -torch.expm1(-log_rate.exp() * window)).numpy()


def fit_slots(
    prepared: Prepared, stream: Stream, has_leak: bool, config: DelayConfig, progress: Progress
) -> np.ndarray:
    """Train ESDF: the entire space of engagement and conversion with a delay law in slots of the window.

    Parameters
    ----------
    prepared : Prepared
    stream : Stream
        Exposures older than the waiting window with the label so far.
    has_leak : bool
        See `engine.delay.model.entire_space`.
    config : DelayConfig
    progress : Progress

    Returns
    -------
    ndarray of shape (members, n_rows), float64, in [0, 1]
        P(conversion within the window | x).

    Notes
    -----
    Departures from the paper: slots are `SLOTS` equal parts of the window instead of days, even within, as windows
    differ between exposures; there is no slot beyond the window, since the label ends with it; a third head takes
    conversions without engagement, which its click data cannot have; the likelihood is climbed directly instead of in
    alternating EM steps, which have the same gradient.
    """
    time, converted = _time_and_label(prepared)
    share = torch.from_numpy(np.clip(time / prepared.window, 0.0, 1.0)).float()
    label = torch.from_numpy(converted).float()
    state = torch.from_numpy(prepared.state).float()

    def loss_of(heads: Tensor, batch: Batch) -> Tensor:
        engaged = state[batch.exposure]
        odds, engage, counts = _by_state(heads, engaged, has_leak)
        conversion = slot_delay_loss(
            odds,
            torch.log_softmax(heads[..., 3:], dim=2),
            converted=label[batch.exposure],
            share=share[batch.exposure],
            counts=counts,
        )
        return conversion + weighted_loss(engage, engaged, 1.0 - engaged)

    seen = stream.exposure[stream.positive > 0]
    counted = np.bincount(np.minimum((share[seen].numpy() * SLOTS).astype(int), SLOTS - 1), minlength=SLOTS)
    law = np.log((counted + 1.0) / (counted.sum() + SLOTS))
    start = torch.cat((_start_of_heads(stream, prepared.state), torch.from_numpy(law)[None]), dim=1)
    network = train_from_one_start(
        prepared.x, {"esdf": Rows.of(stream)}, loss_of, start=start, config=config, stage="ESDF",
        progress=progress,
    )  # fmt: skip
    heads = predict(network, torch.from_numpy(prepared.x))[..., :3].double()
    return torch.sigmoid(entire_space(heads, has_leak=has_leak)[1]).numpy()


def fit_entire_space(
    prepared: Prepared,
    streams: Mapping[str, Stream],
    outlook: Outlook,
    has_leak: bool,
    config: DelayConfig,
    progress: Progress,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], StackedNetwork]:
    """Train ours, and its ablation whose weights know no signals, side by side.

    The DRESS paper's method section could not be read. Sourced are the idea of exact importance weights for late labels
    (ES-DFM, DEFER, DEFUSE), the heads of the entire space (ESMM), and from the abstract that pre-redemption
    engagement helps against few redemptions and a new importance-sampling scheme against delay. Our reconstruction
    is the rest: weights given the engagement state, frozen at the waiting window; the exact-joint pair p_rn and
    1 - p_rn at each exposure's own age instead of a second row; factors trained on the rows that they describe;
    the head for conversions without engagement; p_rn from conversion and delay of matured exposures, moved with
    their drift; engagement as a label that is late itself: an exposure younger than its waiting window and not
    engaged yet counts q (1 - G) / (1 - q G) as one that will be, q being the model's own probability, gradient
    stopped, and G the share of engagements that have come by its age.

    Parameters
    ----------
    prepared : Prepared
    streams : mapping of str to Stream
        Methods to train, each with the rows of `engine.delay.streams.streams`.
    outlook : Outlook
        For the engagements that younger exposures have yet to show.
    has_leak : bool
        See `engine.delay.model.entire_space`.
    config : DelayConfig
    progress : Progress

    Returns
    -------
    conversion : dict of str to ndarray of shape (members, n_rows), in [0, 1]
    engagement : dict of str to ndarray of shape (n_rows,), in [0, 1]
        Mean of the networks.
    network : StackedNetwork
        One group per method.
    """
    state = torch.from_numpy(prepared.state).float()
    came = torch.from_numpy(outlook.engaged_share).float()

    def loss_of(heads: Tensor, batch: Batch) -> Tensor:
        engaged = state[batch.exposure]
        odds, engage, counts = _by_state(heads, engaged, has_leak)
        conversion = weighted_loss(odds, batch.positive * counts, batch.negative * counts)
        q = torch.sigmoid(engage).detach()
        yet = (1.0 - engaged) * pending_positive(real_negative_share(q, q * (1.0 - came[batch.exposure])))
        return conversion + weighted_loss(engage, engaged + yet, 1.0 - engaged - yet)

    groups = {method: _with_undecided(prepared, stream) for method, stream in streams.items()}
    start = torch.cat([_start_of_heads(stream, prepared.state) for stream in streams.values()])
    network = train_from_one_start(
        prepared.x, groups, loss_of, start=start, config=config, stage="entire space", progress=progress
    )
    heads = predict(network, torch.from_numpy(prepared.x)).double()
    engage, convert = entire_space(heads, has_leak=has_leak)
    by_method = [torch.sigmoid(part).reshape(len(groups), config.members, -1).numpy() for part in (convert, engage)]
    conversion = dict(zip(groups, by_method[0], strict=True))
    return conversion, {method: by_method[1][k].mean(axis=0) for k, method in enumerate(groups)}, network


def _time_and_label(prepared: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """Return delay or time under observation, and whether the conversion was seen, as of the snapshot."""
    watched = np.clip(prepared.age, 0.0, prepared.window)
    seen = prepared.seen & ~prepared.test
    return np.where(seen, np.minimum(prepared.delay, watched), watched), seen.astype(np.float64)


def _by_state(heads: Tensor, engaged: Tensor, has_leak: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return the log odds of conversion by each row's own state, those of engagement, and which rows teach the first.

    Where conversion presupposes engagement, rows without it have nothing to teach.
    """
    engage, given, without = heads[..., :3].unbind(dim=2)
    return torch.where(engaged > 0, given, without), engage, torch.ones_like(engaged) if has_leak else engaged


def _with_undecided(prepared: Prepared, stream: Stream) -> Rows:
    """Add the recent exposures that are too young for the stream: they teach of engagement and weigh 0 otherwise."""
    recent = np.flatnonzero(prepared.train & (prepared.time >= prepared.start))
    undecided = np.setdiff1d(recent[prepared.age[recent] < prepared.waiting[recent]], stream.exposure)
    nothing = np.zeros(undecided.size)
    return Rows(
        exposure=np.concatenate((stream.exposure, undecided)),
        positive=np.concatenate((stream.positive, nothing)),
        negative=np.concatenate((stream.negative, nothing)),
    )


def _start_of_heads(stream: Stream, state: np.ndarray) -> Tensor:
    """Return the log odds that the three heads start from, shape (1, 3): weighted shares."""
    engaged = state[stream.exposure]
    up, total = stream.positive, stream.positive + stream.negative
    shares = [
        engaged.mean(),
        (up * engaged).sum() / max((total * engaged).sum(), 1e-9),
        (up * (1 - engaged)).sum() / max((total * (1 - engaged)).sum(), 1e-9),
    ]
    return torch.tensor([[log_odds_of(float(share)) for share in shares]])
