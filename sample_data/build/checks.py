"""Measure what the data card states about a directed graph."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence


def quantile(values: Sequence[int], level: float) -> int:
    """Return the smallest value that at least ``level`` of the sorted values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-level * len(ordered) // 1) - 1))]


def edge_facts(edges: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Return nodes, edges, reciprocity and degree quantiles (over nodes with such an edge).

    Reciprocity is the share of directed edges whose reverse is an edge too.
    """
    pairs = set(edges)
    mutual = sum((v, u) in pairs for u, v in pairs)
    facts: dict[str, object] = {
        "nodes": len({name for pair in pairs for name in pair}),
        "edges": len(pairs),
        "reciprocity": round(mutual / len(pairs), 4),
    }
    for side, name in enumerate(("out", "in")):
        degrees = list(Counter(pair[side] for pair in pairs).values())
        marks = [quantile(degrees, level) for level in (0.5, 0.9, 0.99, 1.0)]
        facts[f"{name}_degree_q50_q90_q99_max"] = marks
    return facts


def report(title: str, facts: Mapping[str, object]) -> None:
    """Write measured facts to standard error, one per line."""
    lines = "".join(f"  {name}: {value}\n" for name, value in facts.items())
    sys.stderr.write(f"{title}\n{lines}")
