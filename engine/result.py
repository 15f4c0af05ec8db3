"""What a training run returns: the same shape for all three models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["graph", "delay", "uncertainty"]
KINDS: tuple[Kind, ...] = ("graph", "delay", "uncertainty")
Origin = Literal["real", "derived", "simulated", "own"]

METRIC_COLUMNS = ("method", "split", "segment", "metric", "value", "ci_low", "ci_high", "n")
DIFFERENCE_COLUMNS = ("method", "baseline", "split", "segment", "metric", "value", "ci_low", "ci_high", "n")


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """Progress of a training, sent to the caller after every epoch."""

    stage: str
    """What is being trained, in the field's words."""
    epoch: int
    """1-based."""
    epochs: int
    losses: Mapping[str, float]
    """Name of the loss term to its mean over the epoch."""


OnEpoch = Callable[[EpochRecord], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """Where a data set comes from and what it holds."""

    name: str
    origin: Origin
    data_id: str
    """Content hash: equal data, equal id."""
    description: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Name of a table or of a kind of row to its count, with anything dropped stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Everything a run leaves behind; holds arrays and tables only, no tensors and no modules."""

    kind: Kind
    config: Any
    dataset: DatasetInfo
    metrics: pd.DataFrame
    """Columns `METRIC_COLUMNS`."""
    curves: Mapping[str, pd.DataFrame]
    """Always holds ``claims`` and ``differences``."""
    predictions: pd.DataFrame
    embeddings: Mapping[str, np.ndarray] = field(default_factory=dict)
    model: Mapping[str, np.ndarray] = field(default_factory=dict)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Columns ``stage, epoch, loss, value``."""
    seconds: float = 0.0


def metric_row(  # noqa: PLR0913 - one argument per column of the table
    *,
    method: str,
    split: str,
    segment: str,
    metric: str,
    value: float,
    ci_low: float,
    ci_high: float,
    n: int,
) -> dict[str, Any]:
    """Return one row of the tidy metrics table; `n` counts the natural unit of the interval."""
    return {
        "method": method,
        "split": split,
        "segment": segment,
        "metric": metric,
        "value": float(value),
        "ci_low": float(ci_low),
        "ci_high": float(ci_high),
        "n": int(n),
    }
