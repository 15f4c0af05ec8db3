"""How a graph is described without a training."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import ConfigError
from engine.graph.events_config import EventSettings

ALL = "all"
"""Name of the bucket of all that has `LEAST_TRIALS` or more."""
LEAST_TRIALS = 5
"""With fewer trials hardly anything can lean beyond chance."""
_WHOLE = {"stored_nodes": (10, 20_000), "stored_links": (1, 1_000), "stored_edges": (100, 1_000_000)}
_WHOLE |= {"listed": (1, 1_000), "most_items": (2, 20_000)}


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeSettings(EventSettings):
    """What is kept of a graph for the page, and for events how they become edges."""

    stored_edges: int = 20_000
    """A graph with at most this many edges is stored whole; of a larger one, a part around its best linked nodes."""
    stored_nodes: int = 2_000
    """Nodes of that part: those with most edges in both directions."""
    stored_links: int = 25
    """Most edges out, and most edges in, that each of these nodes keeps among them: the most often seen."""
    listed: int = 100
    """Length of the lists of pairs and nodes."""
    most_items: int = 2_000
    """Of events: items that can become nodes, those of most users; the others count as visits."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        # Zero-argument super() does not work in a class with slots that dataclass makes anew.
        EventSettings.__post_init__(self)
        for name, (low, high) in _WHOLE.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ConfigError(f"'{name}' is {value!r}; allowed is a whole number from {low} to {high:,}.")
