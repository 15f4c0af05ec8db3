"""Train networks side by side: rows in an order of each network's own, Adam, a falling step.

Several workers draw the same batches, take a share of the rows each and add up gradients and losses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from engine.checkpoint import follow
from engine.distributed import workers
from engine.errors import NotEnoughDataError, TrainingError
from engine.result import EpochRecord, OnEpoch
from engine.seeding import generator
from engine.uncertainty.config import UncertaintyConfig
from engine.uncertainty.data import MIN_POSITIVES, Prepared


@dataclass(frozen=True, slots=True)
class Inputs:
    """Hold what networks read: tensors of n rows, and the rows that train and tune."""

    numeric: Tensor
    category: Tensor
    label: Tensor
    weight: Tensor
    train: Tensor
    tune: Tensor
    cardinality: tuple[int, ...]

    def base_rate(self) -> float:
        """Weighted share of positives among the rows that train."""
        weight = self.weight[self.train]
        return float((weight * self.label[self.train]).sum() / weight.sum())


def inputs_of(prepared: Prepared, config: UncertaintyConfig) -> Inputs:
    """Bring prepared rows into tensors and choose the rows that train.

    All positives train, and one in ``undersampling`` negative rows, drawn at random.

    Raises
    ------
    NotEnoughDataError
        If fewer than 20 negatives are left.
    """
    train = np.flatnonzero(prepared.mask("train"))
    if config.undersampling > 1:
        negative = train[prepared.label[train] == 0]
        size = round(negative.size / config.undersampling)
        if size < MIN_POSITIVES:
            raise NotEnoughDataError(
                f"'undersampling' is {config.undersampling:g}, which leaves {size} of {negative.size} negatives in the "
                f"training rows; at least {MIN_POSITIVES} are needed: choose at most "
                f"{negative.size / MIN_POSITIVES:.3g}."
            )
        rng = generator(config.seed, "uncertainty", "undersampling")
        left_out = rng.choice(negative, size=negative.size - size, replace=False)
        train = np.setdiff1d(train, left_out)
    return Inputs(
        numeric=torch.from_numpy(prepared.encoded.numeric),
        category=torch.from_numpy(prepared.encoded.category),
        label=torch.from_numpy(prepared.label.astype(np.float32)),
        weight=torch.from_numpy(prepared.weight.astype(np.float32)),
        train=torch.from_numpy(train),
        tune=torch.from_numpy(np.flatnonzero(prepared.mask("tune"))),
        cardinality=prepared.encoded.cardinality,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Name a training and say what it reports."""

    name: str
    loss: str
    """What is minimised, for the progress display."""
    tuning_loss: Callable[[], float]
    """Log loss on the tuning rows, for the progress display only."""
    on_epoch: OnEpoch | None = None


def optimise(
    net: nn.Module,
    batch_loss: Callable[[Tensor, Tensor], Tensor],
    inputs: Inputs,
    config: UncertaintyConfig,
    stage: Stage,
    *,
    members: int = 1,
) -> list[dict[str, object]]:
    """Run the epochs; every member sees the training rows in its own order.

    Parameters
    ----------
    net : Module
    batch_loss : callable
        Row numbers (M, B) and the total weight (M,) of the batch to the loss of each member (M,): the sum over these
        rows divided by that weight.
    inputs : Inputs
    config : UncertaintyConfig
    stage : Stage
    members : int

    Returns
    -------
    list of dict
        ``stage, epoch, loss, value``.

    Raises
    ------
    TrainingError
        If a loss is not finite.
    """
    n_train = len(inputs.train)
    steps = -(-n_train // config.batch_size)
    group = workers()
    optimizer = torch.optim.AdamW(net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps * config.epochs)
    records: list[dict[str, object]] = []

    def report(epoch: int, losses: dict[str, float]) -> None:
        records.extend({"stage": stage.name, "epoch": epoch, "loss": name, "value": v} for name, v in losses.items())
        if stage.on_epoch is not None:
            stage.on_epoch(EpochRecord(stage=stage.name, epoch=epoch, epochs=config.epochs, losses=losses))

    loop = follow(stage.name, report, net=net, optimizer=optimizer, schedule=schedule)
    for epoch in range(loop.done + 1, config.epochs + 1):
        order = torch.stack([inputs.train[torch.randperm(n_train)] for _ in range(members)])
        total = 0.0
        for batch in order.split(config.batch_size, dim=1):  # (M, B)
            # The last batch of an epoch may have fewer rows than there are workers: no rows add nothing.
            loss = batch_loss(batch[:, group.share(batch.shape[1])], inputs.weight[batch].sum(dim=1))
            optimizer.zero_grad(set_to_none=True)
            loss.sum().backward()
            summed = loss.detach()
            group.sum_in_place([*(value.grad for value in net.parameters() if value.grad is not None), summed])
            optimizer.step()
            schedule.step()
            total += float(summed.mean()) * batch.shape[1]
        losses = {stage.loss: total / n_train}
        if group.is_first:  # it alone reports
            losses["tune log loss"] = stage.tuning_loss()
        if not np.isfinite(list(losses.values())).all():
            raise TrainingError(f"The loss of '{stage.name}' is not finite in epoch {epoch}; lower 'learning_rate'.")
        loop.report(epoch, losses)
        loop.keep(epoch)
    return records
