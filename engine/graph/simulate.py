"""A directed product graph whose relations are known, to see what a method can find and what it invents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.errors import ConfigError
from engine.seeding import generator

_RELATION = np.array(["one_way", "mutual", "random"], dtype=object)
_DIRECTION = np.array(["forward", "both", "none"], dtype=object)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationConfig:
    """What the simulated graph looks like."""

    seed: int = 0
    """Seed of the graph."""
    mean_degree: float = 8.0
    """Edges per node; the number of nodes is rows / mean_degree."""
    groups: int = 12
    """Product groups; group g is followed by group g + 1, the last by the first."""
    mutual_share: float = 0.3
    """Share of the edges that belong to a pair with edges both ways; such pairs lie inside one group."""
    random_share: float = 0.1
    """Share of the edges with random ends, which nothing can predict beyond popularity."""
    tail_exponent: float = 2.5
    """Exponent of the power law of popularity; smaller is heavier."""

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        limits: dict[str, tuple[float, float]] = {
            "seed": (0, 2**31),
            "mean_degree": (1, 100),
            "groups": (3, 10_000),
            "mutual_share": (0, 1),
            "random_share": (0, 1),
            "tail_exponent": (1.5, 10),
        }
        for name, (low, high) in limits.items():
            value: Any = getattr(self, name)
            whole = name in ("seed", "groups")
            if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
                raise ConfigError(f"'{name}' is {value!r}; allowed is a {'whole ' if whole else ''}number.")
            if not low <= value <= high:
                raise ConfigError(f"'{name}' is {value}; allowed is {low:g} to {high:g}.")
        if self.mutual_share + self.random_share > 1:
            raise ConfigError("'mutual_share' plus 'random_share' is above 1; lower one of them.")

    def num_nodes(self, rows: int) -> int:
        """Return the nodes of a graph with `rows` edges: rows / mean_degree, or more.

        At least so many that no relation fills more than 40 % of the pairs it may use.
        """
        structured = max(self.mutual_share, 1 - self.mutual_share - self.random_share)
        return int(max(rows / self.mean_degree, np.sqrt(rows * self.groups * structured / 0.4)))


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Latent nodes, sorted by group, so that a group is a slice."""

    group: NDArray[np.int64]
    activity: NDArray[np.float64]
    popularity: NDArray[np.float64]


def simulate(rows: int, config: SimulationConfig | None = None) -> pd.DataFrame:
    """Simulate the edges of a product graph with planted one-way and mutual relations.

    Every node has a group, an activity (how often it is a source) and a popularity (how often it is a target),
    both from a power law and independent of one another. A one-way edge leads from a node of group g to a node of
    group g + 1. The groups form a ring, so no order of the nodes explains these directions; degrees tell part of
    them, as in real graphs, because a source tends to be active and a target popular. A mutual pair lies inside one
    group and has edges both ways. Random edges have ends drawn by activity and popularity alone. An unordered pair
    of nodes has one relation only.

    Parameters
    ----------
    rows : int, >= 1
        Directed edges; exactly this many rows come back (a mutual pair counts as two).
    config : SimulationConfig, optional
        Equal settings give equal graphs.

    Returns
    -------
    DataFrame with `rows` rows in random order and the columns
        ``source, target`` (str, node names), ``true_relation`` (one_way, mutual, random), ``true_direction``
        (forward, both, none), ``true_source_group, true_target_group`` (int64).

    Raises
    ------
    ConfigError
        If `rows` is too small for the number of groups.

    Examples
    --------
    >>> edges = simulate(1000, SimulationConfig(seed=1))
    >>> len(edges), sorted(edges["true_relation"].unique())
    (1000, ['mutual', 'one_way', 'random'])
    """
    nodes, edge_index, kind = _edges(rows, config or SimulationConfig())
    names = _names(len(nodes.group))
    source, target = edge_index
    return pd.DataFrame(
        {
            "source": names[source],
            "target": names[target],
            "true_relation": _RELATION[kind],
            "true_direction": _DIRECTION[kind],
            "true_source_group": nodes.group[source],
            "true_target_group": nodes.group[target],
        }
    )


def simulate_edge_index(rows: int, config: SimulationConfig | None = None) -> tuple[NDArray[np.int64], int]:
    """Simulate the graph of `simulate` as positions, without the names that make a large table.

    Parameters
    ----------
    rows : int, >= 1
    config : SimulationConfig, optional
        As for `simulate`.

    Returns
    -------
    edge_index : ndarray of shape (2, rows), int64
        The edges of `simulate` in its order; a node's position is that of its row in `simulate_nodes`.
    num_nodes : int

    Raises
    ------
    ConfigError
        If `rows` is too small for the number of groups.
    """
    nodes, edge_index, _ = _edges(rows, config or SimulationConfig())
    return edge_index, len(nodes.group)


def simulate_nodes(rows: int, config: SimulationConfig | None = None) -> pd.DataFrame:
    """Return the node table of the graph that `simulate` makes from the same arguments.

    Parameters
    ----------
    rows : int, >= 1
    config : SimulationConfig, optional
        As for `simulate`.

    Returns
    -------
    DataFrame with one row per node and the columns
        ``node, label, category`` (str), ``true_group`` (int64), ``true_activity, true_popularity`` (float64, the
        power-law weights, mean 1).

    Raises
    ------
    ConfigError
        If `rows` is too small for the number of groups.
    """
    nodes = _latent_nodes(rows, config or SimulationConfig())
    names = _names(len(nodes.group))
    return pd.DataFrame(
        {
            "node": names,
            "label": names,
            "category": [f"group {group}" for group in nodes.group],
            "true_group": nodes.group,
            "true_activity": nodes.activity,
            "true_popularity": nodes.popularity,
        }
    )


def _latent_nodes(rows: int, config: SimulationConfig) -> _Nodes:
    """Draw group, activity and popularity of every node."""
    rng = generator(config.seed, "graph", "simulate", "nodes")
    count = config.num_nodes(rows)
    if count < 2 * config.groups:
        raise ConfigError(
            f"{rows} edges make {count} nodes; {config.groups} groups need at least {2 * config.groups}. Simulate more "
            "edges or lower 'groups'."
        )
    # The first nodes fill every group twice, so that no group lacks a mutual partner.
    every = np.tile(np.arange(config.groups), 2)
    group = np.sort(np.concatenate([every, rng.integers(config.groups, size=count - len(every))]))
    weights = (1.0 - rng.random((2, count))) ** (-1.0 / (config.tail_exponent - 1.0))
    # A node above this weight would link to more nodes than exist.
    weights = np.minimum(weights, np.sqrt(count))
    weights /= weights.mean(axis=1, keepdims=True)
    return _Nodes(group=group, activity=weights[0], popularity=weights[1])


def _edges(rows: int, config: SimulationConfig) -> tuple[_Nodes, NDArray[np.int64], NDArray[np.int64]]:
    """Draw nodes, edges in random order, and the relation of every edge."""
    nodes = _latent_nodes(rows, config)
    rng = generator(config.seed, "graph", "simulate", "edges")
    pairs = round(rows * config.mutual_share / 2)
    random = round(rows * config.random_share)
    wanted = np.array([rows - 2 * pairs - random, pairs, random])
    source, target, kind = _distinct_pairs(nodes, wanted, config.groups, rng)
    both = kind == 1
    source, target = np.concatenate([source, target[both]]), np.concatenate([target, source[both]])
    kind = np.concatenate([kind, kind[both]])
    order = rng.permutation(len(kind))
    return nodes, np.stack([source, target])[:, order], kind[order]


def _distinct_pairs(
    nodes: _Nodes, wanted: NDArray[np.int64], groups: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw pairs of every kind until the wanted numbers of distinct unordered pairs are there."""
    count = len(nodes.group)
    kept = np.empty((3, 0), dtype=np.int64)
    missing = wanted.copy()
    while missing.sum() > 0:
        # Some draws repeat a known pair; half as many again makes a second round small.
        kind = rng.permutation(np.repeat(np.arange(3), missing + missing // 2 + 8 * (missing > 0)))
        source = _weighted(nodes.activity, rng.random(len(kind)))
        target = _draw_targets(nodes, source, kind, groups, rng)
        drawn = np.concatenate([kept, np.stack([source, target, kind])], axis=1)
        drawn = drawn[:, drawn[0] != drawn[1]]
        code = np.minimum(drawn[0], drawn[1]) * count + np.maximum(drawn[0], drawn[1])
        _, first = np.unique(code, return_index=True)
        drawn = drawn[:, np.sort(first)]
        kept = np.concatenate([drawn[:, drawn[2] == kind][:, : wanted[kind]] for kind in range(3)], axis=1)
        missing = wanted - np.bincount(kept[2], minlength=3)
    return kept[0], kept[1], kept[2]


def _weighted(weight: NDArray[np.float64], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """Turn uniform numbers into indices with probability proportional to weight."""
    total = np.cumsum(weight)
    return np.minimum(np.searchsorted(total, uniform * total[-1], side="right"), len(weight) - 1)


def _draw_targets(
    nodes: _Nodes, source: NDArray[np.int64], kind: NDArray[np.int64], groups: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw targets by popularity inside the group that the relation prescribes."""
    wanted_group = np.where(kind == 0, (nodes.group[source] + 1) % groups, nodes.group[source])
    total = np.concatenate([[0.0], np.cumsum(nodes.popularity)])
    start = np.searchsorted(nodes.group, wanted_group, side="left")
    end = np.searchsorted(nodes.group, wanted_group, side="right")
    start, end = np.where(kind == 2, 0, start), np.where(kind == 2, len(nodes.group), end)
    position = total[start] + rng.random(len(source)) * (total[end] - total[start])
    return np.clip(np.searchsorted(total, position, side="right") - 1, start, end - 1)


def _names(count: int) -> NDArray[np.object_]:
    """Name the nodes, zero-padded so that the order of names is the order of nodes."""
    width = len(str(count - 1))
    return np.array([f"item {index:0{width}d}" for index in range(count)], dtype=object)
