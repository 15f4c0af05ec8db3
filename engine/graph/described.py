"""A run without a training: what a graph of any size says about its directions, from aggregates alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from engine.claims import CLAIM_COLUMNS
from engine.errors import DataError
from engine.graph.described_config import DescribeSettings
from engine.graph.described_events import event_graph, listed_edges
from engine.graph.described_kept import collect
from engine.graph.described_relation import Relation, id_text, relation_of
from engine.graph.described_tables import graph_tables
from engine.graph.described_text import sentences
from engine.graph.nodes import CATEGORY_NAMES
from engine.result import DIFFERENCE_COLUMNS, METRIC_COLUMNS, DatasetInfo, RunResult, metric_row
from engine.tables import content_hash

Tables = dict[str, pd.DataFrame]
UNDESCRIBED = "not described"
"""Category of a node that the node table lacks."""
_OBSERVED, _CHANCE = "observed", "degrees"
_NAMED = {"nodes": "name", "listed_nodes": "name"}


def describe(
    table: ir.Table,
    roles: Mapping[str, str],
    settings: DescribeSettings,
    *,
    info: DatasetInfo,
    nodes: ir.Table | None = None,
) -> RunResult:
    """Describe a graph that need not fit into memory, from its edges or from events.

    Parameters
    ----------
    table : ibis table
        ``source, target[, weight, time]``, or ``user, item, time``, on any backend; see
        `engine.graph.described_relation.relation_of`, which lists what is refused.
    roles : mapping of str to str
        Role to column name.
    settings : DescribeSettings
    info : DatasetInfo
        Its id and its row counts are filled in here.
    nodes : ibis table, optional
        ``node[, label, category]``; a node that it lacks keeps its name.

    Returns
    -------
    RunResult
        Curves of `engine.graph.described_tables.graph_tables`, to whose ``described`` the counts of the input are
        added, and ``verdicts``, one ``sentence`` per row. Of events also ``replication`` (see
        `engine.graph.events_replication`), and ``listed_pairs`` are those of
        `engine.graph.described_events.listed_edges`. There are no claims, no embeddings and no ranked lists.
    """
    started = time.perf_counter()
    relation = relation_of(table, roles, source=info.name)
    tables, rows = _of_events(relation, settings) if relation.is_events else _of_edges(relation, settings)
    tables = _labelled(tables, nodes)
    tables["described"] = tables["described"].assign(**_facts(relation), **rows)
    tables["verdicts"] = pd.DataFrame({"sentence": sentences(tables)})
    tables["claims"] = pd.DataFrame({name: [] for name in CLAIM_COLUMNS})
    tables["differences"] = pd.DataFrame({name: [] for name in DIFFERENCE_COLUMNS})
    counts = {name.replace("_", " "): count for name, count in rows.items()} | _counts(tables, relation)
    return RunResult(
        kind="graph",
        config=settings,
        dataset=replace(info, data_id=content_hash(tables["one_way_by_degree"], tables["edges"]), rows=counts),
        metrics=_metrics(tables),
        curves=tables,
        predictions=_no_lists(),
        history=pd.DataFrame({name: [] for name in ("stage", "epoch", "loss", "value")}),
        seconds=time.perf_counter() - started,
    )


def _of_edges(relation: Relation, settings: DescribeSettings) -> tuple[Tables, dict[str, int]]:
    """Describe edges as they are given."""
    return graph_tables(relation.rows, settings), {}


def _of_events(relation: Relation, settings: DescribeSettings) -> tuple[Tables, dict[str, int]]:
    """Make edges of events and describe these; their weight is the number of users."""
    counted = event_graph(relation.rows, settings)
    edges = counted.graph.edges
    weighed = pd.DataFrame({"source": edges["source"].astype(str), "target": edges["target"].astype(str)})
    weighed["weight"] = edges["users"].to_numpy(dtype=np.float64)
    tables = graph_tables(ibis.memtable(pa.Table.from_pandas(weighed, preserve_index=False)), settings)
    tables["listed_pairs"] = listed_edges(edges, settings.listed)
    tables["replication"] = counted.graph.replication
    names = ("users", "items", "items_as_nodes", "user_days")
    return tables, {name: int(getattr(counted, name)) for name in names}


def _facts(relation: Relation) -> dict[str, object]:
    """Return what the door found."""
    return {
        "form": "events" if relation.is_events else "edges",
        "given_rows": relation.total,
        "missing_rows": relation.missing,
        "self_loops": relation.self_loops,
        "first_day": np.nan if relation.first_day is None else relation.first_day,
        "last_day": np.nan if relation.last_day is None else relation.last_day,
        "has_dates": relation.has_dates,
        "has_weight": "weight" in relation.rows.columns,
    }


def _counts(tables: Tables, relation: Relation) -> dict[str, int]:
    """Return the row counts of the data set, with everything that was merged or left out."""
    facts = tables["described"].iloc[0]
    counts = {"rows": relation.total, "edges": int(facts["edges"]), "one-way edges": int(facts["one_way"])}
    counts |= {"nodes": int(facts["nodes"]), "repeated rows merged": int(facts["repeated"])}
    counts |= {"rows without an end left out": relation.missing, "self-loops left out": relation.self_loops}
    if facts["stored_edges"] < facts["edges"]:
        counts |= {"nodes kept to look around": int(facts["stored_nodes"])}
        counts |= {"edges kept among them": int(facts["stored_edges"])}
    return counts


def _metrics(tables: Tables) -> pd.DataFrame:
    """Lay the shares of one-way edges out as metrics, with what the degrees alone would give as a method."""
    facts = tables["described"].iloc[0]
    rows = [
        metric_row(
            method=method,
            split="all",
            segment="all",
            metric="one_way_share",
            value=facts[value],
            ci_low=facts[low],
            ci_high=facts[high],
            n=int(facts["source_nodes"]),
        )
        for method, value, low, high in (
            (_OBSERVED, "one_way_share", "one_way_low", "one_way_high"),
            (_CHANCE, "chance_one_way", "chance_low", "chance_high"),
        )
    ]
    for row in tables["one_way_by_degree"].itertuples():
        place = {"split": "all", "segment": f"{row.degree}:{row.bucket}", "metric": "one_way_share", "n": row.nodes}
        ends = {"ci_low": row.ci_low, "ci_high": row.ci_high}
        rows.append(metric_row(method=_OBSERVED, value=row.value, **ends, **place))
        rows.append(metric_row(method=_CHANCE, value=row.expected, ci_low=np.nan, ci_high=np.nan, **place))
    for row in tables["replication"].itertuples() if "replication" in tables else ():
        found = {"split": "halves", "segment": "all", "metric": str(row.quantity), "n": row.n}
        rows.append(metric_row(method=_OBSERVED, value=row.value, ci_low=row.ci_low, ci_high=row.ci_high, **found))
    return pd.DataFrame(rows)[list(METRIC_COLUMNS)]


def _labelled(tables: Tables, nodes: ir.Table | None) -> Tables:
    """Add label and category to every table that names nodes."""
    found = tables | {name: tables[name].assign(**{by: tables[name][by].astype(str)}) for name, by in _NAMED.items()}
    names = [found[name][by] for name, by in _NAMED.items()]
    names += [found["listed_pairs"][end].astype(str) for end in ("source", "target")]
    about = _about(pd.unique(pd.concat(names, ignore_index=True)), nodes)
    for name, by in _NAMED.items():
        rows = about.reindex(found[name][by])
        found[name] = found[name].assign(label=rows["label"].to_numpy(), category=rows["category"].to_numpy())
    pairs = found["listed_pairs"]
    labels = {f"{end}_label": about["label"].reindex(pairs[end]).to_numpy() for end in ("source", "target")}
    return found | {"listed_pairs": pairs.assign(**labels)}


def _about(names: np.ndarray, nodes: ir.Table | None) -> pd.DataFrame:
    """Return label and category by name; of a node described twice, the first."""
    default = pd.DataFrame({"label": names, "category": "all" if nodes is None else UNDESCRIBED}, index=names)
    if nodes is None or not len(names):
        return default
    if "node" not in nodes.columns:
        listing = ", ".join(f"'{name}'" for name in nodes.columns[:12])
        raise DataError(f"Column 'node' is missing in the node table; it has {listing}.")
    category = next((name for name in CATEGORY_NAMES if name in nodes.columns), None)
    columns = {"label": "label" if "label" in nodes.columns else "node"} | ({"category": category} if category else {})
    described = nodes.select(name=id_text(nodes.node), **{to: id_text(nodes[by]) for to, by in columns.items()})
    rows = collect(described.filter(described.name.isin([str(name) for name in names])))
    rows = rows.drop_duplicates("name").set_index("name").reindex(names)
    filled = {name: rows[name].where(rows[name].notna(), default[name]) for name in columns}
    return default.assign(**filled, **({} if category else {"category": "all"}))


def _no_lists() -> pd.DataFrame:
    """Return the table of ranked lists without a row."""
    texts = ("method", "role", "split", "back_split")
    whole = ("node", "place", "other")
    numbers = ("score", "rank", "back_score", "back_rank", "direction")
    return pd.DataFrame(
        {name: pd.Series([], dtype=str) for name in texts}
        | {name: pd.Series([], dtype=np.int32) for name in whole}
        | {name: pd.Series([], dtype=np.float32) for name in numbers}
    )
