"""Settings of an uncertainty run, with units and limits in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import ConfigError

UncertaintyMeasure = Literal["variance_of_logit", "variance_of_probability"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertaintyConfig:
    """Settings of one run: split, ensemble, boundaries and evaluation."""

    seed: int = 0
    """Seed of every random stream of the run."""
    train_share: float = 0.55
    """Share of the time range (or of the rows, without times) that trains the ensemble; unused with a given score."""
    tune_share: float = 0.18
    """Next share, on which edges, thresholds and recalibrators are chosen; the rest is test."""
    members: int = 5
    """Networks in the deep ensemble, each with its own start and order of rows."""
    hidden: int = 64
    """Units in each of the two hidden layers of a network."""
    epochs: int = 4
    """Passes of every network over the training rows."""
    batch_size: int = 512
    """Rows per step."""
    learning_rate: float = 2e-3
    """Adam step at the start; falls to 0 along a cosine."""
    weight_decay: float = 1e-4
    """Decoupled L2 penalty."""
    measure: UncertaintyMeasure = "variance_of_logit"
    """Uncertainty of the ensemble: variance over the networks of the log-odds or of the probability."""
    buckets: int | None = None
    """Uncertainty buckets (K); none: 3 below 50,000 tuning rows, 5 below 100,000, else 10."""
    precision_targets: tuple[float, ...] = ()
    """Precision targets of the tables; empty: 3, 5, 8 and 12 times the odds of a positive on the tuning rows."""
    reliability_bins: int = 10
    """Bins of equal row count in a reliability curve, per bucket."""
    resamples: int = 1000
    """Bootstrap resamples of the units behind every interval."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        _check_ranges(self)
        if self.measure not in ("variance_of_logit", "variance_of_probability"):
            raise ConfigError(
                f"'measure' is '{self.measure}'; allowed are variance_of_logit and variance_of_probability."
            )
        if self.buckets is not None and not _is_whole(self.buckets, 1, 100):
            raise ConfigError(f"'buckets' is {self.buckets!r}; allowed is a whole number from 1 to 100, or none.")
        for target in self.precision_targets:
            if not 0 < target < 1:
                raise ConfigError(f"'precision_targets' holds {target!r}; each must lie between 0 and 1.")
        if list(self.precision_targets) != sorted(set(self.precision_targets)):
            raise ConfigError(f"'precision_targets' is {self.precision_targets}; give rising values without repeats.")
        if self.train_share + self.tune_share > 0.95:
            raise ConfigError(
                f"'train_share' is {self.train_share} and 'tune_share' {self.tune_share}; "
                "keep their sum at or below 0.95 so that rows are left to test on."
            )


_WHOLE = {
    "seed": (0, 2**31),
    "members": (2, 50),
    "hidden": (1, 1024),
    "epochs": (1, 1000),
    "batch_size": (8, 100_000),
    "reliability_bins": (2, 100),
    "resamples": (10, 100_000),
}
_REAL = {
    "train_share": (0.05, 0.9),
    "tune_share": (0.05, 0.9),
    "learning_rate": (1e-6, 1.0),
    "weight_decay": (0.0, 1.0),
}


def _is_whole(value: Any, low: int, high: int) -> bool:
    """Tell whether a value is a whole number in a closed range."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _check_ranges(config: UncertaintyConfig) -> None:
    """Check every numeric field against its closed range."""
    for name, (low, high) in _WHOLE.items():
        value: Any = getattr(config, name)
        if not _is_whole(value, low, high):
            raise ConfigError(f"'{name}' is {value!r}; allowed is a whole number from {low} to {high:,}.")
    for name, (least, most) in _REAL.items():
        number: Any = getattr(config, name)
        if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= most:
            raise ConfigError(f"'{name}' is {number!r}; allowed is a number from {least:g} to {most:g}.")
