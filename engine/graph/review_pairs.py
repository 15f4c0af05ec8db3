"""Which pairs of a run a person should look at: the most asymmetric, those recommended both ways, the unstable ones.

Reads the tables that `engine.graph.scene` stored and what `engine.graph.explain` makes of them; needs NumPy and pandas
alone.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from engine.errors import RunError
from engine.graph.explore import PAIR_COLUMNS, Scene
from engine.graph.readout import direction_probability
from engine.metrics.calibration import wilson_interval

Queue = Literal["asymmetric", "both_ways", "not_replicated"]
QUEUES: tuple[Queue, ...] = ("asymmetric", "both_ways", "not_replicated")
"""Pairs whose two scores differ most; edges one way whose two directions both stand in a ranked list; edges whose time
order is not the same in two halves of the users."""

PER_QUEUE = 200
"""Length of a queue over all categories."""
PER_CATEGORY = 10
"""Pairs of every category that a queue holds beyond that, so that no category stays without any."""
PER_NODE = 3
"""Most pairs with the same source, and with the same target: one hub would fill a queue."""
SURE = 0.8
"""Probability of a direction from which on the model is said to claim it."""
SUPPORT_COLUMNS = ("users", "households", "support", "weight")
"""Evidence columns that count how much stands behind an edge; the first that there is."""
ALL_CATEGORIES = "all categories"

_UNKNOWN = "none"
_SPLITS = ("split", "back_split")


def candidate_pairs(scene: Scene) -> pd.DataFrame:
    """Return every pair that is a known edge or stands in a ranked list, once, pointing the way the model prefers.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    DataFrame
        ``source, target`` (positions) such that ``direction`` >= 0, of a tie the way of the known edge, then of the
        smaller position; the columns of `scene.pair_table`; ``edge, back_edge`` (row of `scene.edges` that points this
        way and the other way, -1 where the table holds none); ``split, back_split`` (part of the split of the edges
        this way and the other way, or none); ``kind`` (observed: one of them is a training or validation edge;
        held_out: both that exist are test edges; predicted: there is none).

    Raises
    ------
    RunError
        If the tables hold no log-odds of directions, as those of runs of earlier versions.
    """
    if "direction" not in scene.edges or "direction" not in scene.lists:
        raise RunError("The tables of this run hold no 'direction' of its pairs; train it again to review them.")
    columns = ["source", "target", *PAIR_COLUMNS]
    lists = scene.lists
    listed = lists[(lists["method"] == scene.form) & (lists["role"] == "target")]
    listed = listed.rename(columns={"node": "source", "other": "target"})
    # The lists know the split of pairs whose edges the tables of a large run left out.
    listed = listed.reindex(columns=[*columns, *_SPLITS]).astype(dict.fromkeys(_SPLITS, object))
    both = pd.concat([scene.edges[columns], listed], ignore_index=True)
    both = both.astype({"source": np.int64, "target": np.int64})
    low, high = both[["source", "target"]].min(axis=1), both[["source", "target"]].max(axis=1)
    pairs = both[~(low * len(scene.nodes) + high).duplicated()].reset_index(drop=True)
    difference = pairs["direction"].to_numpy()
    is_list_tie = (difference == 0) & (_edge_row(scene, pairs["source"], pairs["target"]) < 0)
    turn = (difference < 0) | (is_list_tie & (pairs["source"] > pairs["target"]).to_numpy())
    return _with_edges(scene, _turned(pairs, turn))


def review_pairs(scene: Scene, explained: pd.DataFrame) -> pd.DataFrame:
    """Choose the pairs of every queue.

    Parameters
    ----------
    scene : Scene
    explained : DataFrame
        `explain.explain_edges` of `scene.edges`: ``evidence, replicates`` are read.

    Returns
    -------
    DataFrame
        As `candidate_pairs`, with ``probability`` (of this direction, if the pair is one-way); ``support`` (largest of
        the pair's edges, NaN without a column of `SUPPORT_COLUMNS` or without an edge); ``source_category,
        target_category``; and one column per queue: place in it, counted from 1, or 0.

    Notes
    -----
    Order of the queues: asymmetric by the log-odds of the direction; both_ways by the worse of the two ranks, both of
    which lie within the lists, then by the sum of the scores; not_replicated by the log-odds too, so that the model's
    firmest claims on the weakest ground come first. A queue leaves out pairs beyond the first `PER_NODE` with the same
    source or the same target; of the others it holds the first `PER_QUEUE`, and the first `PER_CATEGORY` of every
    category.
    """
    pairs = candidate_pairs(scene)
    category = scene.nodes["category"].astype(str).to_numpy()
    pairs = pairs.assign(
        probability=direction_probability(pairs),
        support=_support(scene, pairs),
        source_category=category[pairs["source"]],
        target_category=category[pairs["target"]],
    )
    both = pairs["score"] + pairs["back_score"]
    worse = pairs[["rank", "back_rank"]].max(axis=1)
    one_way = (pairs["split"] != _UNKNOWN) != (pairs["back_split"] != _UNKNOWN)
    replicates = _edge_values(explained["replicates"], pairs)
    chosen = {
        "asymmetric": _places(pairs, [-pairs["direction"]], pairs["direction"] > 0),
        "both_ways": _places(pairs, [worse, -both], one_way & (worse <= scene.list_length)),
        "not_replicated": _places(pairs, [-pairs["direction"]], pd.Series(replicates == 0, index=pairs.index)),
    }
    pairs = pairs.assign(**chosen)
    return pairs[pairs[list(QUEUES)].any(axis=1)].reset_index(drop=True)


def queue_of(
    pairs: pd.DataFrame,
    queue: Queue,
    *,
    category: str | None = None,
    min_score: float = -np.inf,
    min_support: float = 0.0,
    kinds: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Return the pairs of one queue that pass the filters, first in the queue first.

    Parameters
    ----------
    pairs : DataFrame
        From `review_pairs`.
    queue : {"asymmetric", "both_ways", "not_replicated"}
    category : str, optional
        Of the source or of the target.
    min_score : float
        Lowest score of the shown direction.
    min_support : float, default 0
        Pairs without support pass at 0 alone.
    kinds : tuple of str, optional
        Any of observed, held_out, predicted; all if empty.

    Returns
    -------
    DataFrame
        Rows of `pairs` with their index.
    """
    keep = (pairs[queue] > 0) & (pairs["score"] >= min_score)
    if category is not None:
        keep &= (pairs["source_category"] == category) | (pairs["target_category"] == category)
    if min_support > 0:
        keep &= pairs["support"] >= min_support
    if kinds:
        keep &= pairs["kind"].isin(kinds)
    return pairs[keep].sort_values(queue)


def category_shares(scene: Scene) -> pd.DataFrame:
    """Return, per category, for how many linked pairs the model claims one direction.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    DataFrame
        ``category`` (the first row is `ALL_CATEGORIES`, then the largest first); ``value`` (share of the pairs with a
        direction of probability `SURE` or more) with ``ci_low, ci_high`` (Wilson's 95 % interval); ``one_way`` (share
        of the pairs that are an edge one way only, in the data); ``n`` (pairs of nodes with a known edge). A pair
        counts for the category of either node, once if they share it.
    """
    pairs = candidate_pairs(scene)
    pairs = pairs[pairs[["edge", "back_edge"]].max(axis=1) >= 0]
    category = scene.nodes["category"].astype(str).to_numpy()
    facts = pd.DataFrame(
        {
            "sure": direction_probability(pairs) >= SURE,
            "one_way": ((pairs["edge"] >= 0) != (pairs["back_edge"] >= 0)).to_numpy(),
        }
    )
    source, target = category[pairs["source"]], category[pairs["target"]]
    parts = [facts.assign(category=source), facts.assign(category=target)[source != target]]
    grouped = pd.concat(parts).groupby("category", sort=True).agg(["sum", "count"])
    table = pd.concat([facts.assign(category=ALL_CATEGORIES).groupby("category").agg(["sum", "count"]), grouped])
    n = table["sure", "count"].to_numpy()
    low, high = wilson_interval(table["sure", "sum"].to_numpy(), n)
    shares = {"value": table["sure", "sum"].to_numpy() / n, "ci_low": low, "ci_high": high}
    one_way = table["one_way", "sum"].to_numpy() / n
    found = pd.DataFrame({"category": table.index.astype(str), **shares, "one_way": one_way, "n": n})
    is_all = found["category"] == ALL_CATEGORIES
    return pd.concat([found[is_all], found[~is_all].sort_values("n", ascending=False, kind="stable")]).reset_index(
        drop=True
    )


def _turned(pairs: pd.DataFrame, turn: np.ndarray) -> pd.DataFrame:
    """Turn some pairs round."""
    swap = {"source": "target", "score": "back_score", "rank": "back_rank", "split": "back_split"}
    back = {**swap, **{value: key for key, value in swap.items()}}
    turned = {name: np.where(turn, pairs[back[name]], pairs[name]) for name in back}
    # Log-odds of the reversal are the negative; adding 0 keeps a tie from becoming -0.
    turned["direction"] = np.where(turn, -pairs["direction"], pairs["direction"]) + 0.0
    return pd.DataFrame(turned)[list(pairs.columns)].astype(pairs.dtypes.to_dict())


def _with_edges(scene: Scene, pairs: pd.DataFrame) -> pd.DataFrame:
    """Add what the data know of the pairs: the rows of their edges, the parts of the split, the kind."""
    parts = np.append(scene.edges["split"].astype(str).to_numpy(dtype=object), _UNKNOWN)
    edge = _edge_row(scene, pairs["source"], pairs["target"])
    back = _edge_row(scene, pairs["target"], pairs["source"])
    listed, back_listed = (pairs[name].fillna(_UNKNOWN).to_numpy() for name in _SPLITS)
    split, back_split = np.where(edge >= 0, parts[edge], listed), np.where(back >= 0, parts[back], back_listed)
    is_observed = np.isin(split, ("train", "validation")) | np.isin(back_split, ("train", "validation"))
    is_known = (split != _UNKNOWN) | (back_split != _UNKNOWN)
    kind = np.where(is_observed, "observed", np.where(is_known, "held_out", "predicted"))
    return pairs.assign(edge=edge, back_edge=back, split=split, back_split=back_split, kind=kind)


def _edge_row(scene: Scene, source: pd.Series, target: pd.Series) -> np.ndarray:
    """Return the row of the edge from each source to its target, -1 where there is none."""
    count = len(scene.nodes)
    codes = scene.edges["source"].to_numpy(dtype=np.int64) * count + scene.edges["target"].to_numpy(dtype=np.int64)
    rows = pd.Index(codes).get_indexer(source.to_numpy(dtype=np.int64) * count + target.to_numpy(dtype=np.int64))
    return np.asarray(rows)


def _edge_values(values: pd.Series, pairs: pd.DataFrame) -> np.ndarray:
    """Return a value of the pair's edges: of the edge this way, else of the one the other way, NaN without any."""
    known = np.append(values.to_numpy(dtype=np.float64), np.nan)
    return np.where(pairs["edge"] >= 0, known[pairs["edge"]], known[pairs["back_edge"]])


def _support(scene: Scene, pairs: pd.DataFrame) -> np.ndarray:
    """Return the larger support of a pair's edges."""
    column = support_column(scene.edges)
    if column is None:
        return np.full(len(pairs), np.nan)
    known = np.append(scene.edges[column].to_numpy(dtype=np.float64), np.nan)
    return np.fmax(known[pairs["edge"]], known[pairs["back_edge"]])


def support_column(edges: pd.DataFrame) -> str | None:
    """Return the evidence column that counts what stands behind an edge, if there is one."""
    columns = (name for name in SUPPORT_COLUMNS if name in edges and pd.api.types.is_numeric_dtype(edges[name]))
    return next(columns, None)


def _places(pairs: pd.DataFrame, order: list[pd.Series], belongs: pd.Series) -> np.ndarray:
    """Return the place in a queue of the pairs that belong to it, smallest `order` first; 0 for all others."""
    keys = pd.concat(order, axis=1, keys=range(len(order)))[belongs]
    queue = pairs.loc[keys.sort_values(list(keys.columns), kind="stable").index]
    for side in ("target", "source"):
        queue = queue[queue.groupby(side, sort=False).cumcount() < PER_NODE]
    first = np.arange(len(queue)) < PER_QUEUE
    for side in ("source_category", "target_category"):
        first |= queue.groupby(side, sort=False).cumcount().to_numpy() < PER_CATEGORY
    places = pd.Series(0, index=pairs.index)
    places[queue.index[first]] = np.arange(1, int(first.sum()) + 1)
    return places.to_numpy()
