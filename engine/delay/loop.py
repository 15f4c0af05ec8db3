"""The optimiser loop that every network of a run goes through: same steps, same batches, same schedule.

Several workers draw the same batches, take a share of the rows each and add up gradients and losses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from engine.checkpoint import follow
from engine.delay.config import DelayConfig
from engine.delay.flips import blind
from engine.delay.model import StackedNetwork
from engine.delay.streams import Stream
from engine.distributed import Workers, workers
from engine.errors import TrainingError
from engine.result import EpochRecord, OnEpoch
from engine.seeding import generator, torch_seed

_REPORTS = 20
_PREDICT_ROWS = 16_384


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one step, shape (N, B), N networks group by group."""

    x: Tensor
    """Inputs, shape (N, B, n_features)."""
    positive: Tensor
    negative: Tensor
    exposure: Tensor
    """Row of the exposure in the prepared arrays."""
    share: float = 1.0
    """This worker's share of the rows of the step: the weight of a mean over them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Training rows of one group of networks."""

    exposure: np.ndarray
    positive: np.ndarray
    negative: np.ndarray

    @classmethod
    def of(cls, stream: Stream) -> Self:
        """Take the rows of a stream."""
        return cls(exposure=stream.exposure, positive=stream.positive, negative=stream.negative)


@dataclass(slots=True)
class Progress:
    """Keeps the losses of a run and passes them on."""

    on_epoch: OnEpoch | None
    rows: list[dict[str, object]] = field(default_factory=list)

    def report(self, stage: str, epoch: int, epochs: int, losses: dict[str, float]) -> None:
        """Record one block of steps; a loss that is not a number ends the training."""
        bad = [name for name, value in losses.items() if not np.isfinite(value)]
        if bad:
            raise TrainingError(f"The loss of {bad[0]} ({stage}) is not finite; lower 'learning_rate'.")
        self.rows += [{"stage": stage, "epoch": epoch, "loss": name, "value": value} for name, value in losses.items()]
        if self.on_epoch is not None:
            self.on_epoch(EpochRecord(stage=stage, epoch=epoch, epochs=epochs, losses=losses))

    def pass_on(self, record: EpochRecord) -> None:
        """Record what another loop reports."""
        self.report(record.stage, record.epoch, record.epochs, dict(record.losses))

    def table(self) -> pd.DataFrame:
        """Return all losses, columns ``stage, epoch, loss, value``."""
        return pd.DataFrame(self.rows, columns=["stage", "epoch", "loss", "value"])


LossOf = Callable[[Tensor, Batch], Tensor]
"""Heads (N, B, outputs) and batch to the mean loss of each network, shape (N,)."""


def optimise(
    network: StackedNetwork,
    features: Sequence[Tensor],
    groups: dict[str, Rows],
    loss_of: LossOf,
    *,
    config: DelayConfig,
    stage: str,
    progress: Progress,
) -> None:
    """Train all groups side by side.

    Parameters
    ----------
    network : StackedNetwork
        ``len(groups) * config.members`` networks.
    features : sequence of Tensor
        One matrix of inputs per group, in rows of the group; or one for all groups, in rows of the exposures.
    groups : dict of str to Rows
        Name to training rows.
    loss_of : callable
        See `LossOf`.
    config : DelayConfig
    stage : str
        What is trained, for the progress display.
    progress : Progress

    Notes
    -----
    Draws are with replacement and shared: in a step, networks of the same member take rows at the same relative
    place of their streams, so that methods differ by rows and weights and not by luck. The places follow from the
    seed of the run alone, in every call.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=config.steps)
    group = workers()
    block = max(1, config.steps // _REPORTS)
    places = generator(config.seed, "delay", "places")

    def report(number: int, losses: dict[str, float]) -> None:
        progress.report(stage, number, -(-config.steps // block), losses)

    loop = follow(stage, report, network=network, optimizer=optimizer, schedule=schedule, places=places)
    total, count = torch.zeros(len(groups)), 0
    batches = _batches(features, groups, config, group, places=places, done=loop.done)
    for step, batch in enumerate(batches, start=loop.done + 1):
        loss = batch.share * loss_of(network(batch.x), batch)
        optimizer.zero_grad(set_to_none=True)
        (loss + config.weight_decay / group.size * network.penalty()).sum().backward()
        summed = loss.detach()
        group.sum_in_place([*(value.grad for value in network.parameters() if value.grad is not None), summed])
        optimizer.step()
        schedule.step()
        total, count = total + summed.reshape(len(groups), -1).mean(dim=1), count + 1
        if step % block == 0 or step == config.steps:
            losses = {name: float(value) / count for name, value in zip(groups, total, strict=True)}
            loop.report(-(-step // block), losses)
            loop.keep(step)
            total, count = torch.zeros(len(groups)), 0


def _batches(
    features: Sequence[Tensor],
    groups: dict[str, Rows],
    config: DelayConfig,
    group: Workers,
    *,
    places: np.random.Generator,
    done: int,
) -> Iterator[Batch]:
    """Draw the rows of every step, and keep those of this worker."""
    sizes = torch.tensor([rows.exposure.size for rows in groups.values()])
    offset = torch.cumsum(sizes, 0) - sizes
    table = {
        name: torch.from_numpy(np.concatenate([getattr(rows, name) for rows in groups.values()]))
        for name in ("exposure", "positive", "negative")
    }
    by_row = torch.cat(list(features)) if len(features) > 1 else None
    mine = group.columns(config.batch_size)
    share = len(range(config.batch_size)[mine]) / config.batch_size
    for _ in range(done, config.steps):
        place = torch.from_numpy(places.random((config.members, config.batch_size)))[:, mine]
        # (G, M, B): the same places in every group, then networks group by group.
        drawn = (place[None] * sizes[:, None, None]).long() + offset[:, None, None]
        drawn = drawn.flatten(0, 1)
        exposure = table["exposure"][drawn]
        x = features[0][exposure] if by_row is None else by_row[drawn]
        yield Batch(x, table["positive"][drawn].float(), table["negative"][drawn].float(), exposure, share)


def train_from_one_start(
    x: np.ndarray,
    groups: dict[str, Rows],
    loss_of: LossOf,
    *,
    start: Tensor,
    config: DelayConfig,
    stage: str,
    progress: Progress,
) -> StackedNetwork:
    """Train methods on the features of the exposures, from the starts that all methods of a run share.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_features), float32
    groups : dict of str to Rows
    loss_of : callable
        See `LossOf`.
    start : Tensor of shape (len(groups), outputs)
        What the heads of each group say before training, log odds for probabilities; as many heads on the trunk.
    config, stage, progress
        See `optimise`.

    Returns
    -------
    StackedNetwork
    """
    with torch_seed(config.seed, "delay", "methods"):
        network = StackedNetwork(
            x.shape[1], hidden=config.hidden, outputs=start.shape[1], members=config.members, groups=len(groups)
        )
    network.start_from(start.float().repeat_interleave(config.members, dim=0))
    optimise(network, (torch.from_numpy(x),), groups, loss_of, config=config, stage=stage, progress=progress)
    return network


def predict(network: StackedNetwork, x: Tensor) -> Tensor:
    """Return the heads of every network for the same rows, (n, n_features) -> (N, n, outputs), without gradients."""
    count = network.biases[0].shape[0]
    with torch.no_grad():
        parts = [network(part[None].expand(count, -1, -1)) for part in x.split(_PREDICT_ROWS)]
    return torch.cat(parts, dim=1)


def predict_pair(network: StackedNetwork, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the log odds of both groups, each (members, n): the first is not shown the engagement state."""
    half = network.biases[0].shape[0] // 2
    return predict(network, blind(x))[:half, :, 0], predict(network, x)[half:, :, 0]


def log_odds_of(share: float) -> float:
    """Return the log odds of a share, held within 0.001 and 0.999."""
    inside = min(max(share, 1e-3), 1 - 1e-3)
    return math.log(inside / (1 - inside))
