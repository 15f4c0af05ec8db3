"""Embed nodes that training never saw: from their features, and from the edges that became known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from engine.graph.coldsplit import NodeSplit
from engine.graph.config import GraphConfig
from engine.graph.data import training_graph
from engine.graph.pairs import Edges
from engine.graph.reciprocity import reversal_bonus
from engine.graph.sampling import fan_out_of, operators
from engine.graph.scoring import InnerProductScorer
from engine.graph.train import TrainedForm
from engine.seeding import generator

Floats = NDArray[np.float32]

BORROWED = 30
"""Nodes of training most alike in features whose neighbourhoods stand in for that of a node without known edges."""
_ROWS = 512


def encode(
    parameters: Mapping[str, Floats],
    node_input: Floats,
    out_neighbours: sparse.csr_array,
    in_neighbours: sparse.csr_array,
) -> tuple[Floats, Floats]:
    """Apply a trained cosine form to any nodes and neighbourhoods.

    Parameters
    ----------
    parameters : mapping of str to ndarray
        ``source_role, mix, scale``, and ``target_role`` unless the form has one vector per node.
    node_input : ndarray of shape (num_nodes, dimension), float32
    out_neighbours, in_neighbours : csr_array of shape (num_nodes, num_nodes), float32
        Row averages; see `engine.graph.sampling.operators`.

    Returns
    -------
    source, target : ndarray of shape (num_nodes, dimension), float32

    References
    ----------
    `engine.graph.model.DirectedEncoder.forward`; a test holds both together.
    """
    mix, scale = parameters["mix"], float(parameters["scale"])
    source = node_input @ parameters["source_role"]
    if "target_role" not in parameters:
        unit = _unit(source + mix[0] * (out_neighbours @ source) + mix[1] * (in_neighbours @ source))
        return scale * unit, unit
    target = node_input @ parameters["target_role"]
    following, preceding = out_neighbours @ target, in_neighbours @ source
    return (
        scale * _unit(source + mix[0] * following + mix[1] * preceding),
        _unit(target + mix[2] * preceding + mix[3] * following),
    )


def arrived_scorer(form: TrainedForm, split: NodeSplit, revealed: Edges, config: GraphConfig) -> InnerProductScorer:
    """Return the scores of a trained form after new nodes have arrived; nothing is trained again.

    Parameters
    ----------
    form : TrainedForm
        Fitted to ``split.training``.
    split : NodeSplit
    revealed : ndarray of shape (2, n), int64
        Known edges of the new nodes.
    config : GraphConfig
        The settings of the fit.

    Returns
    -------
    InnerProductScorer
        Over all nodes of the data set. What it says of nodes of training does not depend on the arrivals.

    Notes
    -----
    A new node has no free vector: its input is what its features say, zero without features. It gathers messages
    along its known edges. Without any, it borrows the neighbourhoods of the `BORROWED` nodes of training most like
    it in features, weighted by likeness. Its free offsets are zero; its degrees are those of the known edges.
    """
    count, seen = split.num_nodes, split.seen
    is_new = np.ones(count, dtype=np.bool_)
    is_new[seen] = False
    node_input = np.zeros((count, form.parameters["input"].shape[1]), dtype=np.float32)
    if split.features is not None:
        node_input = split.features.row_normalised() @ form.parameters["feature_weight"]
    node_input[seen] = form.parameters["input"]
    source, target = encode(form.parameters, node_input, *_neighbourhoods(split, revealed, is_new, config))
    in_degree = np.bincount(revealed[1], minlength=count)
    target_offset = (float(form.parameters["popularity_weight"]) * np.log1p(in_degree)).astype(np.float32)
    target_offset[seen] = form.scorer.target_offset
    known = np.concatenate([split.edge_index, revealed], axis=1)
    # As with its offset, a node of training counts the edges of training, whatever arrives.
    answered = np.bincount(split.edge_index[1], minlength=count) + in_degree * is_new
    level, slope = (float(form.parameters[name]) for name in ("reciprocity", "reciprocity_slope"))
    bonus = reversal_bonus(known, answered, level=level, slope=slope)
    # The source offset is the same for all candidates of a query: it ranks nothing.
    return InnerProductScorer(source, target, target_offset, np.zeros(count, dtype=np.float32), bonus)


def feature_neighbours(split: NodeSplit, nodes: NDArray[np.int64], count: int) -> sparse.csr_array:
    """Return the nodes of training most like some nodes in features.

    Parameters
    ----------
    split : NodeSplit
    nodes : ndarray of shape (n,), int64
    count : int, >= 1
        Neighbours per node; equally alike ones are taken by position.

    Returns
    -------
    csr_array of shape (num_nodes, num_nodes), float32
        Rows of `nodes` hold cosines of their features divided by the sum of the row; all other rows, and those of
        nodes that share no feature with anyone, are empty.
    """
    shape = (split.num_nodes, split.num_nodes)
    if split.features is None or len(nodes) == 0:
        return sparse.csr_array(shape, dtype=np.float32)
    features = split.features.row_normalised()
    own = sparse.csr_array(features[split.seen].T)
    row, column, value = [], [], []
    for begin in range(0, len(nodes), _ROWS):
        block = nodes[begin : begin + _ROWS]
        cosine = (features[block] @ own).toarray()
        best = np.argsort(-cosine, axis=1, kind="stable")[:, :count]
        chosen = np.maximum(np.take_along_axis(cosine, best, axis=1), 0)
        total = chosen.sum(axis=1, keepdims=True)
        row.append(np.repeat(block, best.shape[1]))
        column.append(split.seen[best].ravel())
        value.append(np.divide(chosen, total, out=np.zeros_like(chosen), where=total > 0).ravel())
    matrix = sparse.csr_array(
        (np.concatenate(value), (np.concatenate(row), np.concatenate(column))), shape=shape, dtype=np.float32
    )
    matrix.eliminate_zeros()
    return matrix


def _neighbourhoods(
    split: NodeSplit, revealed: Edges, is_new: NDArray[np.bool_], config: GraphConfig
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Return both operators: nodes of training as they were, new nodes by what became known, or borrowed."""
    before = _operators(split.edge_index, split.num_nodes, config)
    after = _operators(np.concatenate([split.edge_index, revealed], axis=1), split.num_nodes, config)
    lonely = is_new.copy()
    lonely[revealed.ravel()] = False
    borrowed = feature_neighbours(split, np.flatnonzero(lonely), BORROWED)
    old, new = _diagonal(~is_new), _diagonal(is_new)
    out_neighbours, in_neighbours = (
        sparse.csr_array(old @ drawn + new @ known + borrowed @ drawn)
        for drawn, known in zip(before, after, strict=True)
    )
    return out_neighbours, in_neighbours


def _operators(edge_index: Edges, num_nodes: int, config: GraphConfig) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Draw neighbourhoods as in training."""
    fan = fan_out_of(
        training_graph(edge_index, edge_index[:, :0], num_nodes),
        config.sampling,
        max_neighbours=config.max_neighbours,
        min_neighbours=config.min_neighbours,
        neighbour_bias=config.neighbour_bias,
    )
    return operators(edge_index, num_nodes, fan, generator(config.seed, "graph", "arrivals"))


def _diagonal(mask: NDArray[np.bool_]) -> sparse.dia_array:
    """Return the matrix that keeps some rows and empties the others."""
    return sparse.diags_array(mask.astype(np.float32))


def _unit(rows: Floats) -> Floats:
    """Scale rows to length 1; zero rows stay zero."""
    scaled: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
    return scaled
