"""What a table of interactions holds, and how it becomes edges."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.errors import ConfigError
from engine.schema import Column

SCHEMA: tuple[Column, ...] = (
    Column(name="user", kind="id", description="Who acted; every error is estimated over users."),
    Column(name="item", kind="id", description="What was taken; becomes a node."),
    Column(
        name="time", kind="time", unit="days", description="When; only its day counts, on the clock it is given in."
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSettings:
    """How interactions become edges."""

    window_days: int = 30
    """V counts as following U on one of this many days after it."""
    baseline_days: int = 3
    """The calendar baseline looks at all user-days at most this many days away."""
    minimum_users: int = 15
    """Fewest distinct users with U followed by V."""
    top: int = 10
    """Most targets that an item keeps, by score."""
    minimum_score: float = 1.0
    """The score, lift times the lower Poisson bound of its users over its users, must be above this."""
    seed: int = 0
    """Decides which users form the two halves."""

    def __post_init__(self) -> None:
        for name, least in (("window_days", 1), ("baseline_days", 0), ("minimum_users", 1), ("top", 1), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(f"'{name}' is {value}; it must be a whole number of at least {least}.")
        if not (math.isfinite(self.minimum_score) and self.minimum_score >= 0):
            raise ConfigError(f"'minimum_score' is {self.minimum_score}; it must be a number of at least 0.")
