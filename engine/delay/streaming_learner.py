"""Networks of several methods that go on learning, step by step, from the rows that their streams emit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.checkpoint import follow
from engine.delay.config import DelayConfig
from engine.delay.loop import predict
from engine.delay.model import StackedNetwork
from engine.distributed import workers
from engine.errors import TrainingError

STREAM_STEPS = 10
"""Optimiser steps per step of the stream, for every method."""
_SLOWER = 0.1
"""Learning rate of the stream as a share of that of the pre-training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRows:
    """Weighted rows of one method: arrays of shape (n_rows,), which may be empty."""

    exposure: np.ndarray
    positive: np.ndarray
    """Weight of the label 1."""
    negative: np.ndarray
    """Weight of the label 0."""
    first: np.ndarray
    """1.0 for the first row of its exposure, else 0.0."""


@dataclass(frozen=True, slots=True)
class StepBatch:
    """Drawn rows, shape (N, B) for N networks group by group; see `StepRows`."""

    exposure: Tensor
    positive: Tensor
    negative: Tensor
    first: Tensor
    share: float = 1.0
    """This worker's share of the rows of the step: the weight of a mean over them."""


LossOf = Callable[[Tensor, StepBatch], Tensor]
"""Heads (N, B, outputs) and batch to the mean loss of each network, shape (N,)."""


class Learner:
    """Groups of networks that train on rows handed to them, and keep their optimiser between steps.

    Parameters
    ----------
    network : StackedNetwork
        ``groups * config.members`` networks, group by group.
    x : Tensor of shape (n_exposures, n_features)
    loss_of : callable
        See `LossOf`.
    config : DelayConfig
    blind : Tensor of shape (groups,), bool, optional
        Groups that are not shown the last column of `x`.
    """

    def __init__(
        self,
        network: StackedNetwork,
        x: Tensor,
        loss_of: LossOf,
        config: DelayConfig,
        *,
        blind: Tensor | None = None,
    ) -> None:
        self.network, self.loss_of = network, loss_of
        self._x, self._config, self._blind = x, config, blind
        self._optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate)

    def pretrain(self, rows: Sequence[StepRows]) -> None:
        """Take the optimiser steps of a batch run, with a falling learning rate, then slow down for the stream."""
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, T_max=self._config.steps)
        loop = follow("stream, first block", learner=self, schedule=schedule)
        draw = _Draw(rows, self._config)
        for step in range(loop.done + 1, self._config.steps + 1):
            self._step(draw, scale=torch.ones(len(rows)))
            schedule.step()
            loop.keep(step)
        for group in self._optimizer.param_groups:
            group["lr"] = self._config.learning_rate * _SLOWER

    def state_dict(self) -> dict[str, Any]:
        """Return what changes while the networks learn."""
        return {"network": self.network.state_dict(), "optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back what `state_dict` has returned."""
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])

    def spread(self, source: Sequence[int], loss_of: LossOf) -> Learner:
        """Return a learner whose group k starts as a copy of group ``source[k]``, optimiser included.

        Notes
        -----
        The squared gradients are carried over and the momentum is not: a first step with few rows then moves a
        network less than one with many, for all groups alike.
        """
        members = self._config.members
        picked = torch.cat([torch.arange(members) + members * k for k in source])
        first = self.network.weights[0]
        network = StackedNetwork(
            first.shape[1],
            hidden=first.shape[2],
            outputs=self.network.weights[-1].shape[2],
            members=members,
            groups=len(source),
        )
        learner = Learner(network, self._x, loss_of, self._config)
        for old, new in zip(self.network.parameters(), network.parameters(), strict=True):
            state = self._optimizer.state[old]
            with torch.no_grad():
                new.copy_(old[picked])
            learner._optimizer.state[new] = {
                "step": state["step"].clone(),
                "exp_avg": torch.zeros_like(new),
                "exp_avg_sq": state["exp_avg_sq"][picked].clone(),
            }
        for group in learner._optimizer.param_groups:
            group["lr"] = self._config.learning_rate * _SLOWER
        return learner

    def learn(self, rows: Sequence[StepRows], *, usual_rows: float) -> float:
        """Take the optimiser steps of one step of the stream.

        Parameters
        ----------
        rows : sequence of StepRows
            One per group; a group without rows stays nearly where it is, as its gradient is 0.
        usual_rows : float, > 0
            Rows that count as a full step.

        Returns
        -------
        float
            Mean loss of the last optimiser step over the groups that have rows; NaN if none has.

        Notes
        -----
        The loss of a group is multiplied by its number of rows over `usual_rows`. Without that, a step that holds a
        few late positives would pull as hard as one with all first labels, and the mix of labels over time, which
        the weights correct, would be lost.
        """
        sizes = torch.tensor([float(item.exposure.size) for item in rows])
        if not sizes.any():
            return float("nan")
        draw = _Draw(rows, self._config)
        loss = torch.zeros(0)
        for _ in range(STREAM_STEPS):
            loss = self._step(draw, scale=sizes / usual_rows)
        return float(loss.reshape(len(rows), -1).mean(dim=1)[sizes > 0].mean())

    def heads(self, rows: np.ndarray) -> Tensor:
        """Return the log odds for some exposures, shape (groups, members, n, outputs), float64."""
        x = self._x[torch.from_numpy(rows)]
        found = predict(self.network, x)
        if self._blind is not None:
            hidden = torch.cat((x[:, :-1], torch.zeros_like(x[:, -1:])), dim=1)
            mask = self._blind.repeat_interleave(self._config.members)[:, None, None]
            found = torch.where(mask, predict(self.network, hidden), found)
        return found.double().unflatten(0, (-1, self._config.members))

    def _step(self, draw: _Draw, *, scale: Tensor) -> Tensor:
        """Take one optimiser step and return the unscaled losses."""
        batch = draw.batch()
        x = self._x[batch.exposure]
        if self._blind is not None:
            shown = (~self._blind).float().repeat_interleave(self._config.members)[:, None]
            x[..., -1] *= shown
        group = workers()
        loss = batch.share * self.loss_of(self.network(x), batch)
        by_network = scale.repeat_interleave(self._config.members)
        self._optimizer.zero_grad(set_to_none=True)
        ((loss + self._config.weight_decay / group.size * self.network.penalty()) * by_network).sum().backward()
        summed = loss.detach()
        group.sum_in_place([*(value.grad for value in self.network.parameters() if value.grad is not None), summed])
        if not torch.isfinite(summed).all():
            raise TrainingError("A loss of the stream is not finite; lower 'learning_rate'.")
        self._optimizer.step()
        return summed


class _Draw:
    """Draws batches with replacement; networks of one member take rows at the same relative place of their groups."""

    def __init__(self, rows: Sequence[StepRows], config: DelayConfig) -> None:
        self._sizes = torch.tensor([item.exposure.size for item in rows])
        self._offset = torch.cumsum(self._sizes, 0) - self._sizes
        self._members, self._batch_size = config.members, config.batch_size
        self._mine = workers().columns(config.batch_size)
        self._share = len(range(config.batch_size)[self._mine]) / config.batch_size

        def joined(name: str) -> Tensor:
            return torch.from_numpy(np.concatenate([getattr(item, name) for item in rows]))

        self._exposure = joined("exposure")
        self._parts = tuple(joined(name).float() for name in ("positive", "negative", "first"))

    def batch(self) -> StepBatch:
        """Draw the rows of one optimiser step, and keep those of this worker."""
        place = torch.rand(self._members, self._batch_size, dtype=torch.float64)[:, self._mine]
        drawn = (place[None] * self._sizes[:, None, None]).long() + self._offset[:, None, None]
        # A group without rows points at those of another; its loss is multiplied by 0.
        drawn = drawn.flatten(0, 1).clamp(max=self._exposure.numel() - 1)
        positive, negative, first = (part[drawn] for part in self._parts)
        return StepBatch(self._exposure[drawn], positive, negative, first, share=self._share)
