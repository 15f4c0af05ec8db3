"""The losses of a training, kept for the page and passed on as they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.errors import TrainingError
from engine.result import EpochRecord, OnEpoch


@dataclass(slots=True)
class Progress:
    """Keeps the losses of a stage and passes them on."""

    stage: str
    epochs: int
    on_epoch: OnEpoch | None
    rows: list[dict[str, object]] = field(default_factory=list)

    def report(self, epoch: int, losses: Mapping[str, float]) -> None:
        """Record one epoch; a loss that is not a number ends the training."""
        bad = [name for name, value in losses.items() if not np.isfinite(value)]
        if bad:
            raise TrainingError(
                f"The {bad[0]} loss of the {self.stage} is not finite in epoch {epoch}; lower 'learning_rate'."
            )
        self.rows += [
            {"stage": self.stage, "epoch": epoch, "loss": name, "value": value} for name, value in losses.items()
        ]
        if self.on_epoch is not None:
            self.on_epoch(EpochRecord(stage=self.stage, epoch=epoch, epochs=self.epochs, losses=losses))
