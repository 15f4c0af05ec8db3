"""Directed edges in, a sealed split out: what training may know and what only the evaluation sees."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from engine.errors import DataError, NotEnoughDataError
from engine.graph.config import GraphConfig
from engine.graph.features import NodeFeatures, node_features
from engine.graph.nodes import NODE_SCHEMA as NODE_SCHEMA
from engine.graph.nodes import feature_table, node_table
from engine.graph.pairs import Edges, degree_corrected_non_edges, edge_codes, is_known, uniform_non_edges
from engine.result import DatasetInfo
from engine.schema import Column, validate
from engine.seeding import generator

SCHEMA: tuple[Column, ...] = (
    Column(name="source", kind="id", description="Node the edge starts from: the query."),
    Column(name="target", kind="id", description="Node the edge points to: the recommendation."),
    Column(name="weight", kind="number", required=False, minimum=0, description="Evidence for the edge; shown only."),
    Column(name="time", kind="time", required=False, unit="days", description="When the edge was seen; shown only."),
)
MINIMUM_EDGES = 100
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Dataset:
    """A validated directed graph."""

    info: DatasetInfo
    edges: pd.DataFrame
    """Columns ``source, target`` (int64 positions in `nodes`), then the evidence columns of the input."""
    nodes: pd.DataFrame
    """Columns ``name, label, category``; one row per node, in the order of positions."""
    features: pd.DataFrame | None = None
    """Every column of the node table but its name and label, as given, in the order of positions."""


@dataclass(frozen=True, slots=True)
class TrainingGraph:
    """Everything that training may know; nothing in it depends on a test edge."""

    num_nodes: int
    edge_index: Edges
    """Training edges."""
    validation_edge_index: Edges
    """Edges for choices inside the baselines; never messages."""
    in_degree: NDArray[np.int64]
    out_degree: NDArray[np.int64]
    is_one_way: NDArray[np.bool_]
    """Whether the reverse of a training edge is absent from the training edges."""
    features: NodeFeatures | None = None
    """What is known about the nodes besides their edges; the same for training and test."""

    def adjacency(self) -> sparse.csr_array:
        """Return the training edges as a sparse matrix of shape (num_nodes, num_nodes), float32 ones."""
        return adjacency(self.edge_index, self.num_nodes)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What only the evaluation may see."""

    edge_index: Edges
    """Test edges."""
    is_one_way: NDArray[np.bool_]
    """Whether the reverse of a test edge is no known edge at all."""
    non_edge_index: Edges
    """One uniform random pair per test edge that is no known edge."""
    degree_corrected_index: Edges
    """One pair per test edge that is no known edge: the same source, the target of some test edge."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A data set after the split."""

    dataset: Dataset
    training: TrainingGraph
    heldout: HeldOut
    split: NDArray[np.int8]
    """Position in `SPLITS` of every row of `dataset.edges`."""


def load(
    frame: pd.DataFrame, *, nodes: pd.DataFrame | None = None, info: DatasetInfo, merge_repeats: bool = False
) -> Dataset:
    """Validate an edge table, and a node table if there is one.

    Parameters
    ----------
    frame : DataFrame
        Columns of `SCHEMA`; every other column is kept as evidence for the edge.
    nodes : DataFrame, optional
        Columns of `NODE_SCHEMA`. Without ``category``, the first of ``section, department, group`` plays it. A
        node without edges stays: it can be recommended.
    info : DatasetInfo
        Its row counts are filled in here.
    merge_repeats : bool, default False
        Merge the rows of one edge rather than refuse them: weights are added, every row counting 1 where the table has
        none; of times the latest counts, of other columns the first value. The row counts say how many were merged.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If a value does not fit the schema, an edge is a self-loop or occurs twice, a node is described twice, or
        an edge names a node that the node table lacks; the message names the first row.
    NotEnoughDataError
        If there are fewer than `MINIMUM_EDGES` edges.
    """
    table = validate(frame, SCHEMA, source="the edge table")
    _reject_self_loops(table)
    given = len(table)
    table = _merged(table) if merge_repeats else table
    _reject_duplicates(table)
    if len(table) < MINIMUM_EDGES:
        raise NotEnoughDataError(
            f"The edge table has {len(table)} edges; at least {MINIMUM_EDGES} are needed to train and test. "
            "Add edges, or simulate a graph."
        )
    described = node_table(table, nodes)
    position = pd.Series(np.arange(len(described)), index=described["name"])
    table = table.assign(source=position[table["source"]].to_numpy(), target=position[table["target"]].to_numpy())
    edge_index = table[["source", "target"]].to_numpy(dtype=np.int64).T
    known = np.sort(edge_codes(edge_index, len(described)))
    mutual = int(is_known(edge_index[::-1], known, len(described)).sum())
    linked = len(np.union1d(table["source"], table["target"]))
    rows = {
        "edges": len(table),
        "one-way edges": len(table) - mutual,
        "mutual edges": mutual,
        "nodes": len(described),
        "nodes without edges": len(described) - linked,
    }
    if len(table) < given:
        rows["repeated rows merged"] = given - len(table)
    return Dataset(
        info=replace(info, rows={**info.rows, **rows}),
        edges=table,
        nodes=described,
        features=feature_table(described, nodes),
    )


def prepare(dataset: Dataset, config: GraphConfig) -> Prepared:
    """Split the edges at random and seal the test edges away from training.

    Parameters
    ----------
    dataset : Dataset
    config : GraphConfig
        Its `validation_share`, `test_share` and `seed` decide the split, `features` what is known about a node.

    Returns
    -------
    Prepared
        Degrees and one-way flags of `training` come from training edges alone.

    Raises
    ------
    NotEnoughDataError
        If a part of the split would be empty, or the graph is too dense to draw pairs without an edge.
    DataError
        If `features` names a column that the node table lacks.
    """
    count, num_nodes = len(dataset.edges), len(dataset.nodes)
    test, validation = round(count * config.test_share), round(count * config.validation_share)
    if min(test, validation, count - test - validation) < 1:
        raise NotEnoughDataError(
            f"{count} edges leave no edge for a part of the split; add edges, or raise 'validation_share' or "
            "'test_share'."
        )
    order = generator(config.seed, "graph", "split").permutation(count)
    split = np.zeros(count, dtype=np.int8)
    split[order[:test]] = SPLITS.index("test")
    split[order[test : test + validation]] = SPLITS.index("validation")
    edge_index = dataset.edges[["source", "target"]].to_numpy(dtype=np.int64).T
    parts = [edge_index[:, split == part] for part in range(len(SPLITS))]
    known = np.sort(edge_codes(edge_index, num_nodes))
    non_edges = uniform_non_edges(test, known, num_nodes, generator(config.seed, "graph", "non_edges"))
    rng = generator(config.seed, "graph", "degree_corrected")
    heldout = HeldOut(
        edge_index=parts[2],
        is_one_way=~is_known(parts[2][::-1], known, num_nodes),
        non_edge_index=non_edges,
        degree_corrected_index=degree_corrected_non_edges(parts[2], non_edges, known, num_nodes, rng),
    )
    features = node_features(dataset.features, config.features)
    return Prepared(
        dataset=dataset,
        training=training_graph(parts[0], parts[1], num_nodes, features),
        heldout=heldout,
        split=split,
    )


def training_graph(
    edge_index: Edges, validation_edge_index: Edges, num_nodes: int, features: NodeFeatures | None = None
) -> TrainingGraph:
    """Derive from the training edges what training may know.

    Parameters
    ----------
    edge_index, validation_edge_index : ndarray of shape (2, n_edges), int64
        Row 0 the sources, row 1 the targets.
    num_nodes : int
    features : NodeFeatures, optional

    Returns
    -------
    TrainingGraph
    """
    codes = np.sort(edge_codes(edge_index, num_nodes))
    return TrainingGraph(
        num_nodes=num_nodes,
        edge_index=edge_index,
        validation_edge_index=validation_edge_index,
        in_degree=np.bincount(edge_index[1], minlength=num_nodes),
        out_degree=np.bincount(edge_index[0], minlength=num_nodes),
        is_one_way=~is_known(edge_index[::-1], codes, num_nodes),
        features=features,
    )


def adjacency(edge_index: Edges, num_nodes: int) -> sparse.csr_array:
    """Return edges as a sparse matrix of shape (num_nodes, num_nodes), float32 ones, row = source."""
    ones = np.ones(edge_index.shape[1], dtype=np.float32)
    return sparse.csr_array((ones, (edge_index[0], edge_index[1])), shape=(num_nodes, num_nodes))


def _reject_self_loops(table: pd.DataFrame) -> None:
    """Refuse edges from a node to itself."""
    rows = np.flatnonzero((table["source"] == table["target"]).to_numpy())
    if len(rows):
        raise DataError(
            f"The edge table has {_rows(len(rows))} with 'source' equal to 'target', the first in data row "
            f"{rows[0] + 1} ('{table['source'].iloc[rows[0]]}'); a node cannot be recommended after itself. "
            "Drop these rows."
        )


def _merged(table: pd.DataFrame) -> pd.DataFrame:
    """Merge the rows of one edge, in the place of the first."""
    ends = ["source", "target"]
    if not table.duplicated(ends).any():
        return table
    weighted = table if "weight" in table.columns else table.assign(weight=1.0)
    groups = weighted.groupby(ends, sort=False)
    merged = groups.first()
    merged["weight"] = groups["weight"].sum(min_count=1)
    if "time" in merged.columns:
        merged["time"] = groups["time"].max()
    return merged.reset_index()


def _reject_duplicates(table: pd.DataFrame) -> None:
    """Refuse an edge that occurs more than once."""
    rows = np.flatnonzero(table.duplicated(["source", "target"]).to_numpy())
    if len(rows):
        source, target = table["source"].iloc[rows[0]], table["target"].iloc[rows[0]]
        raise DataError(
            f"The edge table repeats an edge in {_rows(len(rows))}, the first in data row {rows[0] + 1} "
            f"('{source}' to '{target}'); every pair of source and target may occur once. Merge repeated edges with "
            "--merge-repeats, which adds their weights, or drop them."
        )


def _rows(count: int) -> str:
    """Write a number of rows."""
    return "1 row" if count == 1 else f"{count:,} rows"
