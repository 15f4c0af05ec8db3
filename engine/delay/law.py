"""What matured exposures say of those still open, in parts: who converts, how late, and how late they engage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.delay.config import DelayConfig
from engine.delay.data import Prepared
from engine.delay.drift import Drift, SeenShare, find_drift
from engine.delay.flips import FLIP_GROUPS, blind, clock, flip_inputs
from engine.delay.loop import Batch, Progress, Rows, optimise, predict, predict_pair
from engine.delay.losses import weighted_loss
from engine.delay.model import StackedNetwork
from engine.delay.weights import real_negative_share
from engine.seeding import generator, torch_seed

_LEAST = 1e-4
"""Shares are held this far from 0 and 1 before their log odds are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """Two versions of the same parts, without and with the engagement state; arrays over the prepared exposures."""

    flip: dict[str, np.ndarray]
    """1 - p_rn at the exposure's own age, shape (n_rows,), in [0, 1]; 0 where the window is over."""
    engaged_share: np.ndarray
    """G(x) = P(engaged by now | engaged by the waiting window); 1 from the waiting window on."""
    drift: dict[str, Drift]
    """How conversion and delay have moved since the matured exposures."""


def fit_law(prepared: Prepared, config: DelayConfig, progress: Progress) -> Law:
    """Fit p(x, a) and F(e | x, a) on matured exposures, move both with the drift, and put p_rn together again.

    p_rn = (1 - p) / (1 - p F), with F = P(delay <= e | converts within the window).

    Parameters
    ----------
    prepared : Prepared
    config : DelayConfig
    progress : Progress

    Returns
    -------
    Law

    Notes
    -----
    A model of p_rn itself, as in ES-DFM, mixes both parts, so that all of it is out of date once one of them drifts.
    Apart, two numbers follow them, see `engine.delay.drift.find_drift`. The state a is that at the waiting
    window, or so far in a younger exposure.
    """
    convert = _fit_conversion(prepared, config, progress)
    delay_law = _fit_delay(prepared, config, progress)
    age = np.clip(prepared.age, 0.0, prepared.window)
    seen_by_now = _seen_share(delay_law, prepared, np.arange(age.size), age)
    flip, drifts = {}, {}
    for place, name in enumerate(FLIP_GROUPS):
        rng = generator(config.seed, "delay", "drift")
        drift = find_drift(prepared, p=convert[place], seen_share=_law_of(delay_law, prepared, place), rng=rng)
        p, share = drift.move(prepared, convert[place], seen_by_now[place])
        flip[name] = np.where(age < prepared.window, 1.0 - real_negative_share(p, p * (1.0 - share)), 0.0)
        drifts[name] = drift
    return Law(flip=flip, drift=drifts, engaged_share=_fit_engagement(prepared, config, progress))


def _fit_conversion(prepared: Prepared, config: DelayConfig, progress: Progress) -> np.ndarray:
    """Train P(converts within the window | x[, a]) on matured exposures, shape (2, n_rows)."""
    matured = np.flatnonzero(prepared.train & prepared.matured)
    label = prepared.label[matured]
    state = prepared.state.astype(np.float32)[:, np.newaxis]
    x = torch.from_numpy(np.hstack((prepared.x, state)))
    inputs = (blind(x[matured]), x[matured])
    rows = Rows(exposure=matured, positive=label, negative=1.0 - label)
    network = _two_versions(inputs, rows, "matured conversions", config, progress)
    return _say(network, x)


def _fit_delay(prepared: Prepared, config: DelayConfig, progress: Progress) -> StackedNetwork | None:
    """Train F(e | x[, a]) on matured conversions, each looked at at random ages; None without conversions."""
    converted = np.flatnonzero(prepared.train & prepared.matured & np.isfinite(prepared.delay))
    if not converted.size:
        return None
    exposure, elapsed = _random_ages(converted, prepared.window, config.landmarks, config.seed)
    seen = (prepared.delay[exposure] <= elapsed).astype(np.float64)
    x = flip_inputs(prepared, exposure, elapsed)
    rows = Rows(exposure=exposure, positive=seen, negative=1.0 - seen)
    return _two_versions((blind(x), x), rows, "delay of conversions", config, progress)


def _seen_share(
    network: StackedNetwork | None, prepared: Prepared, exposure: np.ndarray, elapsed: np.ndarray
) -> np.ndarray:
    """Return F(e | x[, a]) by version, shape (2, n); without a law, conversions come evenly over the window."""
    if network is None:
        return np.tile(elapsed / prepared.window[exposure], (2, 1))
    return _say(network, flip_inputs(prepared, exposure, elapsed))


def _law_of(network: StackedNetwork | None, prepared: Prepared, version: int) -> SeenShare:
    """Return F of one version as a function of exposures and elapsed days."""
    return lambda exposure, elapsed: _seen_share(network, prepared, exposure, elapsed)[version]


def _fit_engagement(prepared: Prepared, config: DelayConfig, progress: Progress) -> np.ndarray:
    """Train P(engaged by e | engaged by the waiting window, x) and read it at each age, shape (n_rows,)."""
    old = prepared.age >= prepared.waiting
    engaged = np.flatnonzero(prepared.train & old & (prepared.state > 0))
    if not engaged.size:
        return np.ones(prepared.time.size)
    exposure, elapsed = _random_ages(engaged, prepared.waiting, config.landmarks, config.seed)
    came = (prepared.engage_delay[exposure] <= elapsed).astype(np.float64)
    rows = Rows(exposure=np.arange(exposure.size), positive=came, negative=1.0 - came)
    with torch_seed(config.seed, "delay", "engagement law"):
        x = _with_clock(prepared, exposure, elapsed)
        network = StackedNetwork(x.shape[1], hidden=config.hidden, outputs=1, members=config.members)
        network.start_at(torch.full((config.members, 1), float(came.mean())))
        groups = {"delay of engagement": rows}
        optimise(network, (x,), groups, _loss, config=config, stage="delay of engagement", progress=progress)
    every, young = np.arange(prepared.time.size), np.clip(prepared.age, 0.0, prepared.waiting)
    said = torch.sigmoid(predict(network, _with_clock(prepared, every, young)).squeeze(2).double()).numpy()
    return np.where(old, 1.0, said.mean(axis=0))


def _two_versions(
    inputs: tuple[Tensor, Tensor], rows: Rows, stage: str, config: DelayConfig, progress: Progress
) -> StackedNetwork:
    """Train one network without and one with the engagement state, the last input, from one function."""
    with torch_seed(config.seed, "delay", stage):
        network = StackedNetwork(
            inputs[0].shape[1], hidden=config.hidden, outputs=1, members=config.members, groups=len(FLIP_GROUPS)
        )
        network.start_at(torch.full((len(FLIP_GROUPS) * config.members, 1), float(rows.positive.mean())))
        with torch.no_grad():
            network.weights[0][:, -1, :] = 0.0
        groups = dict.fromkeys(FLIP_GROUPS, rows)
        optimise(network, inputs, groups, _loss, config=config, stage=stage, progress=progress)
    return network


def _say(network: StackedNetwork, x: Tensor) -> np.ndarray:
    """Return the mean probability of both versions, shape (2, n), held off 0 and 1."""
    said = [torch.sigmoid(part.double()).mean(dim=0).numpy() for part in predict_pair(network, x)]
    return np.clip(np.stack(said), _LEAST, 1.0 - _LEAST)


def _random_ages(rows: np.ndarray, end: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw one age in each of `count` equal parts of the time up to `end`."""
    exposure, part = np.repeat(rows, count), np.tile(np.arange(count), rows.size)
    drawn = generator(seed, "delay", "ages").random(exposure.size)
    return exposure, end[exposure] * (part + drawn) / count


def _with_clock(prepared: Prepared, exposure: np.ndarray, elapsed: np.ndarray) -> Tensor:
    """Join features and clock, whose last column is the share of the waiting window gone by."""
    return torch.from_numpy(np.hstack((prepared.x[exposure], clock(prepared, exposure, elapsed))))


def _loss(heads: Tensor, batch: Batch) -> Tensor:
    """Return the log loss of a network with one head."""
    return weighted_loss(heads.squeeze(2), batch.positive, batch.negative)
