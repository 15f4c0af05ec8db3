"""Losses of methods that model the arrival of labels themselves: pure functions of tensors of one shape.

Networks stand in rows and training rows in columns, (N, B); every loss is the mean over training rows, (N,), nats.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from engine.errors import DataError

_log = nn.functional.logsigmoid


def require_one_shape(**tensors: Tensor) -> None:
    """Refuse tensors of different shapes: (N, B) and (N, B, 1) would broadcast to (N, N, B) and give a wrong mean.

    Raises
    ------
    DataError
        Names the first tensor that differs.
    """
    (first, expected), *others = ((name, tuple(value.shape)) for name, value in tensors.items())
    for name, shape in others:
        if shape != expected:
            raise DataError(f"`{name}` has shape {shape}, `{first}` has {expected}; a loss needs tensors of one shape.")


def weighted_loss(log_odds: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Return the mean weighted log loss of each network, shape (N, B) -> (N,), nats.

    mean over rows of  - w+ log f - w- log(1 - f);  a row may carry both weights (a soft label)

    Parameters
    ----------
    log_odds, positive, negative : Tensors of shape (N, B)
        Log odds of f, and the weights of the positive and of the negative label; weights carry no gradient.

    Raises
    ------
    DataError
        If shapes differ.
    """
    require_one_shape(log_odds=log_odds, positive=positive, negative=negative)
    return -(positive * _log(log_odds) + negative * _log(-log_odds)).mean(dim=1)


def nonnegative_loss(
    log_odds: Tensor, positive: Tensor, negative: Tensor, whole: Callable[[Tensor], Tensor] = lambda part: part
) -> Tensor:
    """Return nnDF's risk of each network: its negative part is cut off at 0.

    mean(v+ l1) + max(0, mean(v- l0)),  l1 = -log f, l0 = -log(1 - f)

    Parameters
    ----------
    log_odds, positive, negative : Tensors of shape (N, B)
        A row of the snapshot has (1, 0) if its conversion was seen and (0, 1) if not. A conversion that came
        between deadline and snapshot comes a second time, as (1, -1): it stands for one that is yet to come, adds a
        positive and takes a negative away.
    whole : callable, optional
        Negative parts of these rows, shape (N,), to those of the batch that the cut is made by, where these rows are
        but a part of it; without gradient.

    Notes
    -----
    The sum of rows is the sum over the N exposures of the snapshot and the C second rows; both parts are divided by
    the same number, so the fake negatives are not blown up (dividing the second rows by the M exposures before the
    deadline would multiply them by N / M). Division by N + C instead of N scales the loss and moves no minimum.
    The negative part estimates a sum of positive terms, so below 0 it can only be noise or overfitting; cut off, its
    gradient is 0 in that batch. The cut is per batch: the published method takes the full batch, where it acts less
    often. The loss of one second row is -log f + log(1 - f), minus the log odds, which has no lower bound:
    nothing but the other rows and the penalty keeps it in check, and the method is known to be unstable.

    References
    ----------
    Kato and Yasui (2020), Learning classifiers under delayed feedback with a time window assumption.
    """
    require_one_shape(log_odds=log_odds, positive=positive, negative=negative)
    up, down = -(positive * _log(log_odds)), -(negative * _log(-log_odds))
    part = down.mean(dim=1)
    return up.mean(dim=1) + torch.where(whole(part.detach()) > 0, part, torch.zeros_like(part))


def exponential_delay_loss(log_odds: Tensor, log_rate: Tensor, *, converted: Tensor, time: Tensor) -> Tensor:
    """Return DFM's negative log likelihood: conversion or not, and an exponential delay if so.

    converted after d:        -log p - log r + r d
    unconverted at elapsed e: -log(1 - p + p exp(-r e))

    Parameters
    ----------
    log_odds : Tensor of shape (N, B)
        Of p, the probability of ever converting.
    log_rate : Tensor of shape (N, B)
        log r, the rate in conversions per unit of time.
    converted : Tensor of shape (N, B), 0.0 or 1.0
    time : Tensor of shape (N, B), >= 0
        Delay of a conversion, else the elapsed time; finite.

    Raises
    ------
    DataError
        If shapes differ.

    Notes
    -----
    Evaluated as -logaddexp(log(1 - p), log p - r e), which stays exact far out. For r e near 0 only the product p r is
    identified, so rates need elapsed times of the order of the delay.

    References
    ----------
    Chapelle (2014), Modeling delayed feedback in display advertising, equations 12 to 15 without the sum.

    Examples
    --------
    >>> zero, two, half = torch.zeros(1, 1), torch.full((1, 1), 2.0).log(), torch.full((1, 1), 0.5)
    >>> losses = [exponential_delay_loss(zero, two, converted=torch.full((1, 1), c), time=half) for c in (1.0, 0.0)]
    >>> [round(float(loss), 4) for loss in losses]
    [1.0, 0.3799]
    """
    require_one_shape(log_odds=log_odds, log_rate=log_rate, converted=converted, time=time)
    passed = log_rate.exp() * time
    seen = _log(log_odds) + log_rate - passed
    unseen = torch.logaddexp(_log(-log_odds), _log(log_odds) - passed)
    return -torch.where(converted > 0, seen, unseen).mean(dim=1)


def log_survival_of_slots(log_slots: Tensor, share: Tensor) -> Tensor:
    """Return log P(delay > share of the window | conversion) of a law that is even within each slot.

    Parameters
    ----------
    log_slots : Tensor of shape (N, B, K)
        Log probabilities of K equal slots of the window; they add up to 1 in probability.
    share : Tensor of shape (N, B), in [0, 1]
        Elapsed time over window.

    Returns
    -------
    Tensor of shape (N, B), <= 0
        At the end of the window that of a rest of 1e-6, so that logarithm and gradient stay finite.
    """
    slots = log_slots.shape[-1]
    place = torch.arange(1, slots + 1, dtype=share.dtype, device=share.device)
    left = (place - share[..., None] * slots).clamp(0.0, 1.0)  # part of each slot that lies ahead
    return ((log_slots.exp() * left).sum(dim=-1)).clamp_min(1e-6).log()


def slot_delay_loss(log_odds: Tensor, log_slots: Tensor, *, converted: Tensor, share: Tensor, counts: Tensor) -> Tensor:
    """Return ESDF's negative log likelihood of the conversion part: when, in slots of the window, or not so far.

    converted in slot k:      -log p - log P(slot k)
    unconverted at elapsed e: -log(1 - p + p P(later than e))

    Parameters
    ----------
    log_odds : Tensor of shape (N, B)
        Of p, the probability of a conversion within the window given the engagement state.
    log_slots : Tensor of shape (N, B, K)
        Log probabilities of K equal slots of the window.
    converted : Tensor of shape (N, B), 0.0 or 1.0
    share : Tensor of shape (N, B), in [0, 1]
        Delay of a conversion over the window, else elapsed time over window.
    counts : Tensor of shape (N, B), 0.0 or 1.0
        Rows that teach; the mean is over all.

    Raises
    ------
    DataError
        If shapes differ.

    Notes
    -----
    With the engagement probability p_a and q = p_a p, the published form for an engaged and unconverted exposure is
    log((p_a - q) + q P(later)) = log p_a + log(1 - p + p P(later)): the first term is the engagement's own loss. The
    gradient is that of an EM step with the posterior p P(later) / (1 - p + p P(later)) held fixed, so EM and this loss
    have the same stationary points.

    References
    ----------
    Wang et al. (2020), Delayed feedback modeling for the entire space conversion rate prediction (ESDF).
    """
    require_one_shape(log_odds=log_odds, converted=converted, share=share, counts=counts)
    require_one_shape(share=share, log_slots=log_slots[..., 0])
    slots = log_slots.shape[-1]
    slot = (share * slots).long().clamp(0, slots - 1)
    seen = _log(log_odds) + log_slots.gather(-1, slot[..., None]).squeeze(-1)
    ahead = log_survival_of_slots(log_slots, share)
    unseen = torch.logaddexp(_log(-log_odds), _log(log_odds) + ahead)
    return -(counts * torch.where(converted > 0, seen, unseen)).mean(dim=1)
