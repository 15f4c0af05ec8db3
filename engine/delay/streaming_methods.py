"""The methods of the stream: warm from one pre-training, each on its own rows and weights."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.delay import corrections, weights
from engine.delay.config import DelayConfig
from engine.delay.data import Prepared
from engine.delay.emission import STREAM_OF, Emissions, Emit, fake_negative
from engine.delay.losses import weighted_loss
from engine.delay.model import StackedNetwork, entire_space
from engine.delay.streaming_arrival import ArrivalModels, real_negatives_by_segment
from engine.delay.streaming_learner import Learner, StepBatch, StepRows
from engine.delay.streaming_weights import Arrival, row_weights
from engine.delay.train import ENTIRE_SPACE, FNC_CEILING
from engine.seeding import torch_seed

FROZEN = "pretrained"
ONE_HEAD = tuple(method for method in STREAM_OF if method not in ENTIRE_SPACE)
STREAM_METHODS = ("oracle", FROZEN, *(method for method in STREAM_OF if method != "oracle"))
"""Methods that take part. Those that learn from a snapshot (FSIW, ULC, DFM, nnDF, ESDF) are left out: they need every
open exposure again at every step, which is no stream."""


class StreamMethods:
    """All methods of a stream.

    Parameters
    ----------
    prepared : Prepared
    x : Tensor of shape (n_rows, n_features)
        Features of the prepared exposures.
    pretrain_to : float
        Exposures before this day are pre-trained on with final labels, the others are streamed.
    config : DelayConfig
    """

    def __init__(self, prepared: Prepared, x: Tensor, pretrain_to: float, config: DelayConfig) -> None:
        self._prepared, self._config, self._step = prepared, config, 0
        self._state = prepared.engaged_by(prepared.waiting)
        self._shown = torch.from_numpy(self._state.astype(np.float32))
        self._known = {name: np.zeros(prepared.time.size) for name in ("late", "plain", "signals", "segment")}
        # DEFER's weights also need the model's own probability: its loss looks p_dp up here.
        self._late = torch.zeros(prepared.time.size)
        block = np.flatnonzero(prepared.time < pretrain_to)
        self._usual_rows = block.size * config.stream_step_days / (pretrain_to - float(prepared.time.min()))
        self._has_leak = bool(np.any(prepared.label[block] * (1.0 - self._state[block])))
        # Those of the block have taught their final label; their late positives would count twice.
        streamed = np.flatnonzero(prepared.time >= pretrain_to)
        self._streams = {name: emit_rows(emit, prepared, streamed) for name, emit in STREAM_OF.items()}
        with self._draws():
            self._arrival = ArrivalModels(prepared, x, self._state, block, config)
        self._before = self._pretrain_one_head(x, block)
        self._one_head = self._before.spread([int(method == "fnc") for method in ONE_HEAD], self._own_weight_loss)
        ours = self._pretrain_entire_space(x, block)
        self._entire_space = ours.spread([0] * len(ENTIRE_SPACE), self._entire_space_loss)

    def learn(self, start: float, end: float) -> float:
        """Train on what was emitted from `start` up to, but not at, `end`; returns the mean loss, NaN without rows."""
        emitted = {name: stream.between(start, end) for name, stream in self._streams.items()}
        self._step += 1
        with self._draws():
            self._arrival.learn(emitted["wait"], usual_rows=self._usual_rows)
        self._ask_arrival(np.unique(np.concatenate([part.exposure for part in emitted.values()])), end)
        rows = {name: self._weighted(name, part) for name, part in emitted.items()}
        with self._draws():
            loss = self._one_head.learn([rows[name] for name in ONE_HEAD], usual_rows=self._usual_rows)
        with self._draws():
            self._entire_space.learn([rows[name] for name in ENTIRE_SPACE], usual_rows=self._usual_rows)
        return loss

    def predict(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return P(conversion within the window | x) of every method: the mean of its networks, shape (n,)."""
        frozen = torch.sigmoid(self._before.heads(rows)[0, :, :, 0]).mean(dim=0)
        share = torch.sigmoid(self._one_head.heads(rows)[..., 0])
        fnc = ONE_HEAD.index("fnc")
        share[fnc] = corrections.fnc(share[fnc].clamp(max=0.5)).clamp(max=FNC_CEILING)
        _, convert = entire_space(self._entire_space.heads(rows), has_leak=self._has_leak)
        found = dict(zip(ONE_HEAD, share.mean(dim=1), strict=True))
        found |= dict(zip(ENTIRE_SPACE, torch.sigmoid(convert).mean(dim=1), strict=True))
        return {name: (found | {FROZEN: frozen})[name].numpy() for name in STREAM_METHODS}

    def state_dict(self) -> dict[str, Any]:
        """Return what changes along the stream."""
        return {
            "step": self._step,
            "arrival": self._arrival.state_dict(),
            "one_head": self._one_head.state_dict(),
            "entire_space": self._entire_space.state_dict(),
            "known": self._known,
            "late": self._late,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` has returned."""
        self._arrival.load_state_dict(state["arrival"])
        self._one_head.load_state_dict(state["one_head"])
        self._entire_space.load_state_dict(state["entire_space"])
        self._step = state["step"]
        self._known = {name: values.numpy() for name, values in state["known"].items()}
        self._late.copy_(state["late"])

    def _ask_arrival(self, rows: np.ndarray, end: float) -> None:
        """Note what the models of arrival say of some exposures at the end of a step."""
        since = end - 2.0 * float(self._prepared.window.max())
        found = self._arrival.at(rows)
        found["segment"] = real_negatives_by_segment(self._prepared, rows, since=since, until=end)
        for name, values in found.items():
            self._known[name][rows] = values
        self._late[rows] = torch.from_numpy(found["late"]).float()

    def _weighted(self, method: str, emitted: Emissions) -> StepRows:
        """Give the rows of a step their weights."""
        rows, limit = emitted.exposure, self._config.max_weight
        arrival = Arrival(**{name: values[rows] for name, values in self._known.items()})
        positive, negative = row_weights(method, label=emitted.label, first=emitted.first, arrival=arrival)
        return StepRows(
            exposure=rows,
            positive=np.minimum(positive, limit),
            negative=np.minimum(negative, limit),
            first=emitted.first.astype(np.float64),
        )

    def _own_weight_loss(self, heads: Tensor, batch: StepBatch) -> Tensor:
        """Weight the rows of FNW and DEFER by the model's own probability; the others bring their weights."""
        log_odds = heads.squeeze(2)
        f = torch.sigmoid(log_odds).detach()
        positive, negative = batch.positive.clone(), batch.negative.clone()
        fnw, defer = _networks("fnw", self._config), _networks("defer", self._config)
        # By definition p_dp <= p; a model that says otherwise is held to it.
        late = self._late[batch.exposure[defer]].minimum(f[defer])
        for at, (up, down) in ((fnw, weights.fnw(f[fnw])), (defer, weights.defer(f[defer], late))):
            positive[at] *= up
            negative[at] *= down
        return weighted_loss(log_odds, positive, negative)

    def _entire_space_loss(self, heads: Tensor, batch: StepBatch) -> Tensor:
        """Teach each row's head of conversion, and engagement once per exposure."""
        state = self._shown[batch.exposure]
        engage, given, without = heads.unbind(dim=2)
        counts = torch.ones_like(state) if self._has_leak else state
        conversion = weighted_loss(
            torch.where(state > 0, given, without), batch.positive * counts, batch.negative * counts
        )
        return conversion + weighted_loss(engage, batch.first * state, batch.first * (1.0 - state))

    def _pretrain_one_head(self, x: Tensor, block: np.ndarray) -> Learner:
        """Train on final labels, and once more on the rows of FNC, whose network means something else."""
        fake = emit_rows(fake_negative, self._prepared, block)
        rows = [_plain(block, self._prepared.label[block]), _plain(fake.exposure, fake.label)]
        network = self._network(x, groups=len(rows), outputs=1)
        shares = torch.tensor([item.positive.mean() for item in rows]).float()
        network.start_at(shares.repeat_interleave(self._config.members)[:, None])
        learner = Learner(network, x, _log_loss, self._config)
        with self._draws():
            learner.pretrain(rows)
        return learner

    def _pretrain_entire_space(self, x: Tensor, block: np.ndarray) -> Learner:
        """Train engagement and conversion on final labels."""
        label, state = self._prepared.label[block], self._state[block]
        shares = [
            state.mean(),
            (label * state).sum() / max(state.sum(), 1.0),
            (label * (1 - state)).sum() / max((1 - state).sum(), 1.0),
        ]
        network = self._network(x, groups=1, outputs=3)
        network.start_at(torch.tensor([shares]).float().expand(self._config.members, 3))
        learner = Learner(network, x, self._entire_space_loss, self._config)
        with self._draws():
            learner.pretrain([_plain(block, label)])
        return learner

    def _network(self, x: Tensor, *, groups: int, outputs: int) -> StackedNetwork:
        """Start networks of the shape that every method has, all from one random state."""
        config = self._config
        with torch_seed(config.seed, "delay", "stream", "start"):
            return StackedNetwork(
                x.shape[1], hidden=config.hidden, outputs=outputs, members=config.members, groups=groups
            )

    def _draws(self) -> AbstractContextManager[None]:
        """Return the random state of a step: methods in different stacks draw rows at the same places."""
        return torch_seed(self._config.seed, "delay", "stream", f"step {self._step}")


def _networks(method: str, config: DelayConfig) -> slice:
    """Return the networks of a method in the stack of those with one head."""
    first = ONE_HEAD.index(method) * config.members
    return slice(first, first + config.members)


def emit_rows(emit: Emit, prepared: Prepared, rows: np.ndarray) -> Emissions:
    """Run a stream over some exposures.

    Parameters
    ----------
    emit : callable
        See `engine.delay.emission.Emit`.
    prepared : Prepared
    rows : ndarray of int

    Returns
    -------
    Emissions
        Its exposures are rows of the prepared arrays.
    """
    found = emit(prepared.time[rows], prepared.delay[rows], prepared.waiting[rows], prepared.window[rows])
    return replace(found, exposure=rows[found.exposure])


def _plain(exposure: np.ndarray, label: np.ndarray) -> StepRows:
    """Give rows their labels with weight 1."""
    return StepRows(exposure=exposure, positive=label, negative=1.0 - label, first=np.ones(label.size))


def _log_loss(heads: Tensor, batch: StepBatch) -> Tensor:
    """Return the log loss of networks with one head."""
    return weighted_loss(heads.squeeze(2), batch.positive, batch.negative)
