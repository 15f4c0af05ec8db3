"""Where the reader has been in a graph: back, forward, and the way in between."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

LENGTH = 50
"""Most nodes that are kept."""


@dataclass(frozen=True, slots=True)
class Trail:
    """The visited nodes in order, and where on the way the reader stands."""

    names: tuple[str, ...] = ()
    at: int = -1

    @property
    def here(self) -> str | None:
        """Name of the node where the reader stands."""
        return self.names[self.at] if self.names else None

    @property
    def can_go_back(self) -> bool:
        """Whether there is a node before."""
        return self.at > 0

    @property
    def can_go_forward(self) -> bool:
        """Whether the reader went back before."""
        return self.at < len(self.names) - 1

    def visited(self, name: str) -> Trail:
        """Go on to a node; what lay ahead is forgotten, as in a browser. Staying changes nothing."""
        if name == self.here:
            return self
        names = (*self.names[: self.at + 1], name)[-LENGTH:]
        return Trail(names, len(names) - 1)

    def stepped(self, step: int) -> Trail:
        """Move along the way without changing it, as far as it goes."""
        return Trail(self.names, min(max(self.at + step, 0), len(self.names) - 1))

    def within(self, known: Container[str]) -> Trail:
        """Drop nodes of other runs."""
        kept = [place for place, name in enumerate(self.names) if name in known]
        at = sum(place <= self.at for place in kept) - 1
        return Trail(tuple(self.names[place] for place in kept), max(at, 0) if kept else -1)

    def around(self, count: int) -> range:
        """Return the places of at most `count` nodes to show, the reader's own among them."""
        last = min(max(self.at + 1 + count // 2, count), len(self.names))
        return range(max(last - count, 0), last)
