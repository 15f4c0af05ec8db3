"""The node table of a graph: what every node is called, and what else is known about it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.errors import DataError
from engine.schema import Column, validate

NODE_SCHEMA: tuple[Column, ...] = (
    Column(name="node", kind="id", description="Node as named in the edges."),
    Column(name="label", kind="category", required=False, description="Name to show."),
    Column(name="category", kind="category", required=False, description="Group to colour and count by."),
)
CATEGORY_NAMES = ("category", "section", "department", "group")


def node_table(table: pd.DataFrame, nodes: pd.DataFrame | None) -> pd.DataFrame:
    """Return name, label and category of every node, sorted by name.

    Parameters
    ----------
    table : DataFrame
        Validated edges with names in ``source`` and ``target``.
    nodes : DataFrame, optional
        Columns of `NODE_SCHEMA`; without it every node is its own label in one category.

    Returns
    -------
    DataFrame
        Columns ``name, label, category``.

    Raises
    ------
    DataError
        If a value does not fit the schema, a node is described twice, or an edge names a node that is not described.
    """
    used = pd.unique(pd.concat([table["source"], table["target"]], ignore_index=True))
    if nodes is None:
        names = np.sort(used.astype(str))
        return pd.DataFrame({"name": names, "label": names, "category": "all"})
    for name in CATEGORY_NAMES:
        if name in nodes.columns:
            nodes = nodes.rename(columns={name: "category"})
            break
    described = validate(nodes, NODE_SCHEMA, source="the node table")
    # A further column may itself be called name.
    described = described[[column.name for column in NODE_SCHEMA if column.name in described]]
    described = described.rename(columns={"node": "name"})
    twice = np.flatnonzero(described.duplicated("name").to_numpy())
    if len(twice):
        raise DataError(
            f"Column 'node' of the node table repeats '{described['name'].iloc[twice[0]]}' in data row {twice[0] + 1}; "
            "describe every node once."
        )
    unknown = np.setdiff1d(used.astype(str), described["name"].to_numpy(dtype=str))
    if len(unknown):
        raise DataError(
            f"The node table lacks {len(unknown):,} of the nodes that the edges name, for example '{unknown[0]}'; add "
            "them, or leave the node table out."
        )
    described = described.assign(
        label=described["label"] if "label" in described else described["name"],
        category=described["category"] if "category" in described else "all",
    )
    return described.sort_values("name", ignore_index=True)[["name", "label", "category"]]


def feature_table(described: pd.DataFrame, nodes: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the columns of a node table that could be features, under their own names.

    Parameters
    ----------
    described : DataFrame
        From `node_table`; gives the order of the rows.
    nodes : DataFrame, optional
        As given, already validated.

    Returns
    -------
    DataFrame or None
        Every column but ``node`` and ``label``; None if there is none.
    """
    if nodes is None:
        return None
    rows = nodes.set_axis(validate(nodes, NODE_SCHEMA[:1], source="the node table")["node"].to_numpy())
    table = rows.loc[described["name"].to_numpy()].drop(columns=["node", "label"], errors="ignore")
    return table.reset_index(drop=True) if len(table.columns) else None
