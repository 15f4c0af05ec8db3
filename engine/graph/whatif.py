"""What one edge changes in the model's scores, ranks and directions, without training again.

Reads what a run stored; needs NumPy and pandas alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from engine.errors import DataError, RunError
from engine.graph.config import shown_method
from engine.graph.reencode import Weights, encode_node, offset_change, potential
from engine.runs import Run

Nodes = NDArray[np.int64]
Floats = NDArray[np.float32]
Step = Literal["add", "drop"]


@dataclass(frozen=True)
class Encoded:
    """The stored arrays of a run that scores are made of."""

    source: Floats
    target: Floats
    target_offset: Floats
    source_offset: Floats
    node_input: Floats
    weights: Weights
    edges: Nodes
    """Training edges, shape (2, n_edges): what carries messages."""
    known: Nodes
    """Training and validation edges, shape (2, n_edges): what is left out of a ranking."""

    def targets(self, node: int) -> Nodes:
        """Return the nodes that a node leads to by training edges, sorted."""
        return np.sort(self.edges[1, self.edges[0] == node])

    def sources(self, node: int) -> Nodes:
        """Return the nodes that lead to a node by training edges, sorted."""
        return np.sort(self.edges[0, self.edges[1] == node])

    @cached_property
    def count(self) -> int:
        """Number of nodes."""
        return len(self.source)


def opened(run: Run) -> Encoded:
    """Read the arrays of a run that the question needs.

    Raises
    ------
    RunError
        If the run shows another form than the cosine form, drew its neighbourhoods at random, stored no inputs, or
        keeps a part of its edges only.
    """
    config = run.manifest["config"]
    if shown_method(config["form"]) != "dual":
        raise RunError("This run shows the paper's literal form, in which one edge moves far nodes, too.")
    if config["sampling"] == "none":
        raise RunError("This run takes no neighbours (sampling 'none'), so an edge moves no vector.")
    if config["sampling"] != "full":
        raise RunError(
            f"This run drew its neighbourhoods at random (sampling '{config['sampling']}'), so that one edge would "
            "change other draws, too; train with sampling 'full' to see what an edge changes."
        )
    if "input" not in run.manifest["embeddings"]:
        raise RunError("This run was trained before node inputs were stored; train it again.")
    edges = whole_edges(run)
    index = edges[["source", "target"]].to_numpy(dtype=np.int64).T
    split = edges["split"].astype(str).to_numpy()
    return Encoded(
        source=run.embedding("source").astype(np.float32),
        target=run.embedding("target").astype(np.float32),
        target_offset=run.embedding("target_offset"),
        source_offset=run.embedding("source_offset"),
        node_input=run.embedding("input").astype(np.float32),
        weights=Weights.of(parameters(run), "dual"),
        edges=index[:, split == "train"],
        known=index[:, (split == "train") | (split == "validation")],
    )


def whole_edges(run: Run) -> pd.DataFrame:
    """Read the edges of a run that kept all of them.

    Raises
    ------
    RunError
        If the tables hold a part of the training edges only.
    """
    edges, asked = run.curve("edges"), int(run.curve("split").set_index("split")["edges"]["train"])
    kept = int((edges["split"] == "train").sum())
    if kept < asked:
        raise RunError(
            f"The tables of this large run keep {kept:,} of {asked:,} training edges, so no neighbourhood can be "
            "gathered anew; train on a part of the graph to see this."
        )
    return edges


def parameters(run: Run) -> dict[str, Floats]:
    """Read the small parameters of the trained forms of a run.

    Raises
    ------
    RunError
        If they cannot be read.
    """
    try:
        with safe_open(run.folder / "model.safetensors", framework="numpy") as stored:
            return {name: np.asarray(stored.get_tensor(name)) for name in stored.keys()}
    except (OSError, SafetensorError) as error:
        raise RunError(f"The parameters of run '{run.id}' cannot be read; train it again.") from error


def has_edge(encoded: Encoded, source: int, target: int) -> bool:
    """Tell whether a pair is a training edge."""
    return bool(((encoded.edges[0] == source) & (encoded.edges[1] == target)).any())


def changed(encoded: Encoded, source: int, target: int) -> tuple[Step, Encoded, Encoded]:
    """Add a training edge, or drop it if it is there, and embed its two ends anew.

    The edge enters the neighbourhoods of its two ends alone, so no other vector moves; the log-degrees in the offsets
    of the two ends follow. The weights stay as they were trained.

    Parameters
    ----------
    encoded : Encoded
    source, target : int
        Different nodes.

    Returns
    -------
    step : {"add", "drop"}
    before, after : Encoded
        Both with the two ends embedded by the same arithmetic, so that they differ by the edge alone, and not by the
        half precision of stored vectors.

    Raises
    ------
    DataError
        If both ends are the same node, or one is no node of the run.
    """
    last = encoded.count - 1
    if source == target or min(source, target) < 0 or max(source, target) > last:
        raise DataError(f"An edge joins two different nodes from 0 to {last:,}, not {source} and {target}.")
    pair = np.array([[source], [target]], dtype=np.int64)
    is_there = (encoded.edges == pair).all(axis=0)
    step: Step = "drop" if is_there.any() else "add"
    edges = encoded.edges[:, ~is_there] if step == "drop" else np.concatenate([encoded.edges, pair], axis=1)
    known = encoded.known[:, ~(encoded.known == pair).all(axis=0)]
    known = known if step == "drop" else np.concatenate([known, pair], axis=1)
    ends = (source, target)
    return step, gathered(encoded, ends, encoded), gathered(encoded, ends, replace(encoded, edges=edges, known=known))


def gathered(before: Encoded, nodes: tuple[int, ...], after: Encoded) -> Encoded:
    """Embed some nodes anew from the edges of `after`; all other vectors stay as stored in `before`.

    Parameters
    ----------
    before : Encoded
        As stored: its offsets belong to its degrees.
    nodes : tuple of int
    after : Encoded
        The same arrays with other edges.

    Returns
    -------
    Encoded
    """
    arrays = {name: getattr(before, name).copy() for name in ("source", "target", "target_offset", "source_offset")}
    for node in nodes:
        targets, sources = after.targets(node), after.sources(node)
        arrays["source"][node], arrays["target"][node] = encode_node(
            after.node_input, after.weights, node, targets=targets, sources=sources
        )
        popularity, activity = offset_change(
            after.weights,
            in_degree=(len(before.sources(node)), len(sources)),
            out_degree=(len(before.targets(node)), len(targets)),
        )
        arrays["target_offset"][node] += popularity
        arrays["source_offset"][node] += activity
    return replace(after, **arrays)


def scores_of(encoded: Encoded, source: int) -> Floats:
    """Return the score of a node with every target, shape (num_nodes,)."""
    inner = encoded.source[source] @ encoded.target.T
    scores = np.asarray(inner + encoded.target_offset + encoded.source_offset[source])
    sources = encoded.sources(source)
    scores[sources] += encoded.weights.reversal_gain(len(sources))
    return scores


def direction_of(encoded: Encoded, source: int, target: int) -> float:
    """Return P(a pair points this way | it points one way only); see `engine.graph.heads.with_heads`."""
    weights = encoded.weights
    inner = encoded.source[source] @ encoded.target[target] - encoded.source[target] @ encoded.target[source]
    climbed = [
        potential(weights, in_degree=len(encoded.sources(node)), out_degree=len(encoded.targets(node)))
        for node in (source, target)
    ]
    logit = weights.direction_scale * float(inner) + climbed[1] - climbed[0]
    return float(1 / (1 + np.exp(-logit)))


def rank_of(encoded: Encoded, source: int, target: int) -> float:
    """Return the place of a target among all that could be recommended after a source.

    Known targets of the source are left out, the target itself takes part; ties take their mean rank.
    """
    scores = scores_of(encoded, source)
    takes_part = np.ones(encoded.count, dtype=bool)
    takes_part[encoded.known[1, encoded.known[0] == source]] = False
    takes_part[source], takes_part[target] = False, False
    others = scores[takes_part]
    return 1 + float((others > scores[target]).sum()) + float((others == scores[target]).sum()) / 2


def model_table(before: Encoded, after: Encoded, source: int, target: int) -> pd.DataFrame:
    """Return scores and ranks of a pair in both directions, before and after.

    Returns
    -------
    DataFrame
        ``quantity`` (score, rank, direction: the probability that a one-way pair points this way), ``way`` (forward:
        source -> target, backward), ``before, after``.
    """
    rows = []
    for way, ends in (("forward", (source, target)), ("backward", (target, source))):
        values = [
            (float(scores_of(state, ends[0])[ends[1]]), rank_of(state, *ends), direction_of(state, *ends))
            for state in (before, after)
        ]
        rows += [
            {"quantity": name, "way": way, "before": values[0][place], "after": values[1][place]}
            for place, name in enumerate(("score", "rank", "direction"))
        ]
    return pd.DataFrame(rows)


def first_targets(encoded: Encoded, source: int, k: int) -> Nodes:
    """Return what would be recommended after a node: the k best targets that are not known."""
    scores = scores_of(encoded, source)
    scores[encoded.known[1, encoded.known[0] == source]] = -np.inf
    scores[source] = -np.inf
    order = np.argsort(-scores, kind="stable")[:k]
    return order[np.isfinite(scores[order])]
