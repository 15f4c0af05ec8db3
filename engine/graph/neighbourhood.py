"""Choose the links to draw around a node, one or two steps far, and place the nodes so that arrows can be followed.

Needs NumPy and pandas alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engine.graph.explore import Filters, Scene, links, links_in_role

MOST_NODES = 150
"""Most nodes in a picture, the centre among them."""
BRANCHES = 3
"""Most links drawn from a neighbour to the second step."""
MIDDLE_NODES = 6
"""Most two-way neighbours above and below the centre; more labels would overlap."""

_INNER, _OUTER = 0.68, 1.28


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What is drawn around a node, and how much there is."""

    links: pd.DataFrame
    """Columns of `explore.links` and ``hop``: 1 for links of the centre, 2 for links from a neighbour further out."""
    nodes: pd.DataFrame
    """See `placed_nodes`."""
    found: tuple[int, int]
    """Nodes at the first and at the second step that pass the filters, drawn or not; the second is counted behind the
    drawn neighbours, and 0 if only one step is drawn."""

    @property
    def drawn(self) -> tuple[int, int]:
        """Nodes drawn at the first and at the second step."""
        hop = self.nodes["hop"]
        return int((hop == 1).sum()), int((hop == 2).sum())


def neighbourhood(scene: Scene, node: int, *, k: int, hops: int = 1, filters: Filters | None = None) -> Neighbourhood:
    """Choose the links to draw around a node.

    Parameters
    ----------
    scene : Scene
    node : int
    k : int
        Most links per role at the first step. A third of them goes first to neighbours with known edges both ways, as
        they are rare. Then the kinds take turns, each with its best score first, so that none crowds out another.
    hops : {1, 2}
        With 2, every drawn source shows up to `BRANCHES` sources of its own, and every drawn target targets of its
        own, the kinds in turn; a node behind several neighbours stands at the one of its best score. No more than
        `MOST_NODES` nodes in all.
    filters : Filters, optional
        Links to choose from; they hold at both steps.

    Returns
    -------
    Neighbourhood
    """
    table = links(scene, node, filters)
    first = _first_step(table, k)
    second, beyond = _second_step(scene, node, first, filters) if hops == 2 else (first.iloc[:0], 0)
    drawn = pd.concat([part for part in (first.assign(hop=1), second.assign(hop=2)) if len(part) or not len(first)])
    drawn = drawn.reset_index(drop=True)
    placed = placed_nodes(scene, node, drawn, is_wide=hops == 2)
    return Neighbourhood(links=drawn, nodes=placed, found=(int(table["other"].nunique()), beyond))


def placed_nodes(scene: Scene, node: int, drawn: pd.DataFrame, *, is_wide: bool = False) -> pd.DataFrame:
    """Place a node in the middle, its sources left, its targets right; a second step stands outside the first.

    Parameters
    ----------
    scene : Scene
    node : int
    drawn : DataFrame
        Columns ``node, other, role, kind, is_two_way, hop``.
    is_wide : bool, default False
        Leave room for a second step: every neighbour stands left or right, beside its own neighbours.

    Returns
    -------
    DataFrame
        ``node, name, category, in_degree, out_degree``; ``hop`` (0 the centre); ``is_two_way`` (with the centre);
        ``side`` (centre, source, target, above, below); ``x`` in [-1.3, 1.3], ``y`` in [-1, 1]. The centre comes
        first. In the narrow form up to `MIDDLE_NODES` two-way neighbours stand above and below; all others stand with
        the role of the link that `one_per_node` returns.
    """
    first = one_per_node(drawn).reset_index(drop=True)
    if is_wide:
        side = first["role"].astype(str).to_numpy()
        x, y = _places_in_rings(first)
    else:
        side, x, y = _places_around(first)
    table = pd.DataFrame(
        {
            "node": first["other"].to_numpy(dtype=np.int64),
            "hop": first["hop"].to_numpy(dtype=np.int64),
            "side": side,
            "is_two_way": first["is_two_way"].to_numpy(dtype=bool) & (first["hop"] == 1).to_numpy(),
            "x": x,
            "y": y,
        }
    )
    centre = pd.DataFrame({"node": [node], "hop": 0, "side": "centre", "is_two_way": [False], "x": 0.0, "y": 0.0})
    table = pd.concat([centre, table], ignore_index=True)
    about = scene.nodes.iloc[table["node"]][["category", "in_degree", "out_degree"]].reset_index(drop=True)
    return pd.concat([table.assign(name=[scene.names[place] for place in table["node"]]), about], axis=1)


def one_per_node(drawn: pd.DataFrame) -> pd.DataFrame:
    """Return the link by which each neighbour is placed: its best known edge, or its best prediction without one.

    Parameters
    ----------
    drawn : DataFrame
        Columns ``other, kind``, best score first.

    Returns
    -------
    DataFrame
        Rows of `drawn` in their order.
    """
    known_first = (drawn["kind"] == "predicted").sort_values(kind="stable").index
    return drawn.loc[known_first].drop_duplicates("other").sort_index()


def _first_step(table: pd.DataFrame, k: int) -> pd.DataFrame:
    """Choose at most k links per role, and the opposite links of the chosen neighbours with them."""
    both_ways = table.loc[table["is_two_way"], "other"].drop_duplicates()[: max(k // 3, 1)]
    late = ~table["other"].isin(both_ways)
    ordered = _in_turns(table.assign(late=late), ["role"], before=["late"])
    chosen = ordered[ordered.groupby("role", sort=False).cumcount() < k]
    return table[table["other"].isin(chosen["other"])].reset_index(drop=True)


def _second_step(scene: Scene, node: int, first: pd.DataFrame, filters: Filters | None) -> tuple[pd.DataFrame, int]:
    """Choose links from the drawn neighbours outward; return them with the number of nodes there are."""
    inner = one_per_node(first)
    parts = [links_in_role(scene, group["other"], str(role), filters) for role, group in inner.groupby("role")]
    table = pd.concat([part for part in parts if len(part)] or [first.iloc[:0]], ignore_index=True)
    table = table[~table["other"].isin([node, *inner["other"]])]
    table = table.sort_values(["score", "other"], ascending=[False, True], ignore_index=True)
    # Each node hangs at one neighbour only: links across the picture could not be followed.
    ordered = _in_turns(table.drop_duplicates("other"), ["node"])
    chosen = ordered[ordered.groupby("node", sort=False).cumcount() < BRANCHES]
    chosen = chosen.sort_values("score", ascending=False, kind="stable")[: MOST_NODES - 1 - len(inner)]
    # A link outward is drawn one way: towards the centre from a source, away from it to a target.
    return chosen.assign(is_pair=False, is_two_way=False), int(table["other"].nunique())


def _in_turns(table: pd.DataFrame, groups: list[str], before: list[str] | None = None) -> pd.DataFrame:
    """Order links, given best first, so that within a group the kinds take turns."""
    turn = table.groupby([*groups, "kind"], sort=False).cumcount()
    keys = [*(before or []), "turn"]
    ordered = table.assign(turn=turn).sort_values(
        [*keys, "score"], ascending=[*[True] * len(keys), False], kind="stable"
    )
    return ordered.drop(columns=keys)


def _places_around(first: pd.DataFrame) -> tuple[NDArray[np.object_], NDArray[np.float64], NDArray[np.float64]]:
    """Place one step: two columns bent around the centre, two-way neighbours above and below it."""
    is_two_way = first["is_two_way"].to_numpy(dtype=bool)
    middle = is_two_way & (np.cumsum(is_two_way) <= MIDDLE_NODES)
    vertical = np.where(np.cumsum(middle) % 2 == 1, "above", "below")
    side = np.where(middle, vertical, first["role"].astype(str))
    x, y = np.zeros(len(side)), np.zeros(len(side))
    for name, direction in (("source", -1.0), ("target", 1.0)):
        rows = np.flatnonzero(side == name)
        y[rows] = _spread(len(rows))
        x[rows] = direction * (1.0 - 0.25 * y[rows] ** 2)
    for name, direction in (("above", 1.0), ("below", -1.0)):
        rows = np.flatnonzero(side == name)
        x[rows] = -0.5 * _spread(len(rows))
        # Neighbouring labels stand at different heights.
        y[rows] = direction * np.where(np.arange(len(rows)) % 2 == 0, 1.0, 0.76)
    return side.astype(object), x, y


def _places_in_rings(first: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place two steps like a tree on either side: every neighbour stands at the height of its own neighbours."""
    x, y = np.zeros(len(first)), np.zeros(len(first))
    place = {int(other): row for row, other in enumerate(first["other"])}
    for role, direction in (("source", -1.0), ("target", 1.0)):
        side = first[first["role"] == role]
        inner = side[side["hop"] == 1]
        outer = side[side["hop"] == 2].groupby("node")["other"].agg(list).to_dict()
        # One slot per outermost node; a neighbour without any takes a slot of its own.
        slots = [(int(parent), child) for parent in inner["other"] for child in outer.get(parent, [None])]
        heights: dict[int, list[float]] = {}
        for (parent, child), height in zip(slots, _spread(len(slots)), strict=True):
            heights.setdefault(parent, []).append(height)
            if child is not None:
                x[place[int(child)]] = direction * (_OUTER - 0.18 * height**2)
                y[place[int(child)]] = height
        for parent, own in heights.items():
            y[place[parent]] = float(np.mean(own))
            x[place[parent]] = direction * (_INNER - 0.1 * y[place[parent]] ** 2)
    return x, y


def _spread(count: int) -> NDArray[np.float64]:
    """Return evenly spaced heights from the top down, a single one in the middle."""
    return np.linspace(1.0, -1.0, count) if count > 1 else np.zeros(count)
