"""What the data say of one pair to review, told for the arrow as it is shown; needs NumPy and pandas alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine.graph.explore import PAIR_COLUMNS, Scene
from engine.metrics.calibration import wilson_interval

TERMS = ("popularity", "season", "time_order", "rest")
"""Parts of the asymmetry that `explain.explain_edges` tells apart; they sum to it."""

_BOTH_WAYS = {
    "users": ("users", "reverse_users"),
    "season_share": ("season_share", "reverse_season_share"),
    "followed": ("days_followed", "reverse_days_followed"),
    "days": ("source_days", "target_days"),
    "lift": ("lift", "reverse_lift"),
}
"""Fact to its column in the row of the edge this way, and in that of the edge the other way."""
_ONE_WAY = ("lift_first", "lift_second")
"""Facts that only the row of the edge itself holds."""
_EXPLAINED = (
    "days_preceded", "reverse_days_preceded", "popularity", "season", "time_order", "time_order_se",
    "time_order_first", "time_order_second", "asymmetry_se", "direction_replicates",
)  # fmt: skip
_KNOWN = {
    "source", "target", "split", "is_mutual", *PAIR_COLUMNS, *_ONE_WAY, *_EXPLAINED,
    *(column for columns in _BOTH_WAYS.values() for column in columns),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """What carries the asymmetry of a pair, told for the arrow as it is shown."""

    basis: str
    """What it rests on: events, or degree if the graph alone is known."""
    key: str
    """One of `explain.EXPLANATIONS`."""
    asymmetry: tuple[float, float, float]
    """ln P(target | source) / P(source | target) with its 95 % interval; by degree, ln of the ratio of in-degrees."""
    terms: pd.DataFrame
    """``term`` (`TERMS`), ``value, low, high``: the parts of the asymmetry, bounds where they are known."""
    replicates: float
    """1 if the time order is the same in both halves of the users, 0 if not, NaN without evidence."""
    n: int
    """Users; by degree, edges counted."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything known of one pair."""

    directions: pd.DataFrame
    """Two rows, this way and the other way: ``is_edge``; ``users`` (distinct, target after source); ``followed`` of
    ``days`` (days with the source, followed by the target), ``share`` with ``share_low, share_high`` (Wilson's 95 %
    interval; days of one user are not independent, so it is a little too narrow); ``lift``; ``season_share``;
    ``lift_first, lift_second`` (in each half of the users). NaN where the data have no such figure."""
    explanation: Explanation | None
    """None if the pair is an edge in neither direction."""
    other: pd.DataFrame
    """``direction`` (this, other), ``column, value``: further columns of the input, as texts."""


def pair_evidence(scene: Scene, explained: pd.DataFrame, edge: int, back_edge: int) -> Evidence:
    """Collect what the data say of a pair.

    Parameters
    ----------
    scene : Scene
    explained : DataFrame
        `explain.explain_edges` of `scene.edges`.
    edge, back_edge : int
        Rows of `scene.edges` that point this way and the other way, -1 without one; see `review_pairs.candidate_pairs`.

    Returns
    -------
    Evidence
        If only the other way is an edge, its figures are turned round.
    """
    rows = [scene.edges.iloc[row] if row >= 0 else None for row in (edge, back_edge)]
    directions = pd.DataFrame([_direction(rows[0], rows[1]), _direction(rows[1], rows[0])], index=["this", "other"])
    low, high = wilson_interval(directions["followed"].fillna(0), directions["days"].fillna(0))
    directions = directions.assign(share=directions["followed"] / directions["days"], share_low=low, share_high=high)
    other = [
        {"direction": name, "column": str(column), "value": str(row[column])}
        for name, row in zip(("this", "other"), rows, strict=True)
        if row is not None
        for column in row.index
        if column not in _KNOWN
    ]
    return Evidence(
        directions=directions,
        other=pd.DataFrame(other, columns=["direction", "column", "value"]),
        explanation=_explanation(explained, edge, back_edge),
    )


def _direction(own: pd.Series | None, opposite: pd.Series | None) -> dict[str, object]:
    """Return the facts of one direction, from its own edge or else from the other one's."""
    facts: dict[str, object] = {"is_edge": own is not None}
    for fact in _ONE_WAY:
        facts[fact] = _number(own, fact)
    for fact, (column, reverse) in _BOTH_WAYS.items():
        facts[fact] = _number(own, column) if own is not None else _number(opposite, reverse)
    return facts


def _number(row: pd.Series | None, column: str) -> float:
    """Return a figure of an edge, NaN where there is none."""
    return float(row[column]) if row is not None and column in row.index else float("nan")


def _explanation(explained: pd.DataFrame, edge: int, back_edge: int) -> Explanation | None:
    """Return the explanation of a pair; of an edge the other way, with every sign turned round."""
    if edge < 0 and back_edge < 0:
        return None
    row, sign = (explained.iloc[edge], 1.0) if edge >= 0 else (explained.iloc[back_edge], -1.0)
    bounds = sorted([sign * float(row["time_order_low"]), sign * float(row["time_order_high"])])
    ends = sorted([sign * float(row["asymmetry_low"]), sign * float(row["asymmetry_high"])])
    terms = pd.DataFrame({"term": list(TERMS), "value": [sign * float(row[term]) for term in TERMS]})
    is_order = terms["term"] == "time_order"
    return Explanation(
        basis=str(row["evidence"]),
        key=str(row["explanation"]),
        asymmetry=(sign * float(row["asymmetry"]), ends[0], ends[1]),
        terms=terms.assign(low=np.where(is_order, bounds[0], np.nan), high=np.where(is_order, bounds[1], np.nan)),
        replicates=float(row["replicates"]),
        n=int(row["n"]),
    )
