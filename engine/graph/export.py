"""Embeddings and neighbourhoods for other tools: Parquet for embedding viewers, GraphML and GEXF for graph viewers."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.errors import ConfigError, DataError
from engine.graph.config import shown_method
from engine.graph.described_scene import described_scene, is_described
from engine.graph.explore import Scene, links
from engine.graph.whatif import parameters
from engine.runs import Run

if TYPE_CHECKING:
    from networkx import DiGraph

GraphFormat = Literal["graphml", "gexf"]

NEIGHBOURS = 10
"""Nearest vectors of the other role that every vector comes with."""
MOST_NODES = 2_000
"""Most nodes of an exported neighbourhood: graph viewers and readers choke on more."""
HOPS = (1, 2, 3)
_KIND = {"train": "observed", "validation": "observed", "test": "held_out"}
_RESERVED = {"id", "key", "kind", "label", "type", "start", "end", "viz", "parents", "pid", "slices", "spells"}
_PAIR = ("score", "rank", "back_score", "back_rank", "direction")
# What XML 1.0 cannot hold, not even as a reference: most control characters, half surrogates, two non-characters.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def opened_scene(run: Run) -> Scene:
    """Return the stored tables of a directed-graph run.

    Raises
    ------
    DataError
        If the run is of another kind.
    """
    if run.kind != "graph":
        raise DataError(f"Run '{run.id}' is of the kind '{run.kind}', which has no embeddings; name a run of 'graph'.")
    if is_described(run):
        return described_scene(run)
    return Scene(run.curve("nodes"), run.curve("edges"), run.predictions, shown_method(run.manifest["config"]["form"]))


def embedding_table(run: Run, *, neighbours: int = NEIGHBOURS) -> pd.DataFrame:
    """Return one row per node and role, with its vector, its place on the joint map and its nearest vectors.

    Parameters
    ----------
    run : Run
        A directed-graph run.
    neighbours : int, >= 1
        At most one less than there are nodes.

    Returns
    -------
    DataFrame
        ``id`` (row number), ``node`` (position), ``role`` (source, target), ``name, label, text`` (label and role),
        ``category, in_degree, out_degree``; ``x, y``, the place in this role, and ``source_x, source_y, target_x,
        target_y``; ``vector``; ``neighbors``, a mapping with ``ids`` and ``distances`` (1 - cosine, rising) of the
        nearest rows of the other role; ``neighbor_names``; ``neighbor_scores``, the model's score of each pair as it
        points from source to target.

    Raises
    ------
    DataError
        If the run is of another kind.

    Notes
    -----
    The columns fit ``embedding-atlas FILE --x x --y y --text text --neighbors neighbors``, which takes the row numbers
    in ``ids``. Neighbours are nearest by direction alone; scores add how popular a target and how active a source is,
    and whether the edge back is known: of a run that kept a part of its edges, as far as those tell.
    """
    scene = opened_scene(run)
    if is_described(run):
        raise DataError(f"Run '{run.id}' was not trained and has no embeddings; export a .graphml or .gexf file.")
    source, target = (run.embedding(name).astype(np.float32) for name in ("source", "target"))
    target_offset, source_offset = run.embedding("target_offset"), run.embedding("source_offset")
    # What the cosine form adds to a pair whose reversal is a training edge; the literal form has no such term.
    kept = parameters(run)
    level, slope = (float(kept.get(f"{scene.form}.{name}", 0.0)) for name in ("reciprocity", "reciprocity_slope"))
    gain = level + slope * np.log1p(scene.nodes["training_in_degree"].to_numpy(dtype=np.float64))
    count = len(source)
    k = min(max(neighbours, 1), count - 1)
    nodes = scene.nodes[["name", "label", "category", "in_degree", "out_degree"]].astype(
        {"name": str, "label": str, "category": str}
    )
    places = run.curve("projection")
    shown = np.array(scene.names, dtype=object)
    parts = []
    for role, mine, others, first in (("source", source, target, count), ("target", target, source, 0)):
        near, distance = _nearest(mine, others, k)
        rows = np.arange(count)[:, np.newaxis]
        pair = (rows, near) if role == "source" else (near, rows)
        score = np.einsum("ijk,ijk->ij", *np.broadcast_arrays(source[pair[0]], target[pair[1]]))
        score = score + target_offset[pair[1]] + source_offset[pair[0]]
        score = score + gain[pair[0]] * _is_answered(scene.edges, *pair)
        part = pd.concat([nodes, places], axis=1).assign(
            node=np.arange(count), role=role, x=places[f"{role}_x"], y=places[f"{role}_y"]
        )
        part["text"] = part["label"] + f" (as a {role})"
        part["vector"] = list(mine)
        part["neighbors"] = [
            {"ids": (ids + first).tolist(), "distances": far.tolist()} for ids, far in zip(near, distance, strict=True)
        ]
        part["neighbor_names"] = [shown[ids].tolist() for ids in near]
        part["neighbor_scores"] = list(score.astype(np.float32))
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "id", np.arange(len(table)))
    return table


def _is_answered(edges: pd.DataFrame, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Tell for pairs whether the edge back is a training edge."""
    training = edges[edges["split"] == "train"]
    count = int(max(edges[["source", "target"]].to_numpy().max(initial=0), source.max(), target.max())) + 1
    known = training["source"].to_numpy(dtype=np.int64) * count + training["target"].to_numpy(dtype=np.int64)
    return np.isin(target * count + source, known)


def _nearest(mine: np.ndarray, others: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k nearest vectors of the other role by cosine, without the node's own, and 1 - cosine."""
    unit = [np.divide(v, n, out=np.zeros_like(v), where=n > 0) for v in (mine, others) for n in [_length(v)]]
    near = np.empty((len(mine), k), dtype=np.int64)
    distance = np.empty((len(mine), k), dtype=np.float32)
    for start in range(0, len(mine), 512):
        cosine = unit[0][start : start + 512] @ unit[1].T
        rows = np.arange(len(cosine))
        cosine[rows, start + rows] = -np.inf
        found = np.argpartition(-cosine, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(cosine, found, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        near[start : start + 512] = np.take_along_axis(found, order, axis=1)
        distance[start : start + 512] = 1 - np.take_along_axis(values, order, axis=1)
    return near, np.maximum(distance, 0)


def _length(vectors: np.ndarray) -> np.ndarray:
    """Return the length of every row as a column."""
    return np.asarray(np.linalg.norm(vectors, axis=1, keepdims=True))


def node_position(scene: Scene, name: str) -> int:
    """Find a node by its name in the data or by what pages call it.

    Raises
    ------
    ConfigError
        If there is no such node.
    """
    found = np.flatnonzero((scene.nodes["name"].astype(str) == name).to_numpy())
    if len(found):
        return int(found[0])
    if name in scene.position:
        return scene.position[name]
    near = [known for known in scene.names if name.lower() in known.lower()][:3]
    hint = f"near ones are {', '.join(repr(known) for known in near)}" if near else f"one is '{scene.names[0]}'"
    raise ConfigError(f"There is no node '{name}' in this run; {hint}.")


def neighbourhood_graph(run: Run, node: int, *, hops: int = 1) -> DiGraph:
    """Return everything known around a node, and what the model predicts at it.

    Parameters
    ----------
    run : Run
    node : int
        Position.
    hops : {1, 2, 3}
        Steps along known edges, in either direction.

    Returns
    -------
    networkx.DiGraph
        Nodes are named by their position as text, with ``label, name, category, in_degree, out_degree, hops`` and
        their places on the joint map; a predicted neighbour is one hop away. All known edges among them, and predicted
        pairs of the centre, have ``kind`` (observed, held_out, predicted), ``split``, ``is_mutual``, ``score, rank,
        back_score, back_rank`` and the evidence of the input. Texts hold nothing that XML cannot hold.

    Raises
    ------
    ConfigError
        If `hops` is not allowed, or so many nodes lie within it that no viewer could show them.
    DataError
        If the run is of another kind.
    """
    import networkx

    if hops not in HOPS:
        raise ConfigError(f"'hops' is {hops}; allowed are {', '.join(map(str, HOPS))}.")
    scene = opened_scene(run)
    around = links(scene, node)
    predicted = around[around["kind"] == "predicted"]
    steps = _steps(scene.edges, node, hops, len(scene.nodes))
    listed = predicted["other"].to_numpy(dtype=np.int64)
    steps[listed] = np.minimum(steps[listed], 1)
    inside = np.flatnonzero(steps <= hops)
    if len(inside) > MOST_NODES:
        raise ConfigError(
            f"{len(inside):,} nodes lie within {hops} {'hop' if hops == 1 else 'hops'} of '{scene.names[node]}'; at "
            f"most {MOST_NODES:,} are exported, so take fewer hops, or another node."
        )
    graph, hidden = networkx.DiGraph(), ("score", "split") if is_described(run) else ()
    places = [run.curve("projection")] if "projection" in run.manifest["curves"] else []
    about = pd.concat([scene.nodes, *places], axis=1).iloc[inside]
    for position, row in zip(inside.tolist(), about.to_dict("records"), strict=True):
        row |= {"label": scene.names[position], "hops": int(steps[position])}
        graph.add_nodes_from([(str(position), _plain_values(row))])
    edges = scene.edges[scene.edges["source"].isin(inside) & scene.edges["target"].isin(inside)]
    for row in edges.to_dict("records"):
        ends = str(row.pop("source")), str(row.pop("target"))
        shown = {name: value for name, value in row.items() if name not in hidden}
        graph.add_edges_from([(*ends, _unreserved(shown) | {"kind": _KIND[str(row["split"])]})])
    for row in predicted.to_dict("records"):
        ends = (str(node), str(row["other"])) if row["role"] == "target" else (str(row["other"]), str(node))
        pair = _plain_values({name: row[name] for name in _PAIR})
        graph.add_edges_from([(*ends, pair | {"split": "none", "is_mutual": False, "kind": "predicted"})])
    return graph


def _steps(edges: pd.DataFrame, node: int, hops: int, count: int) -> np.ndarray:
    """Return the steps from a node to every other along known edges, in either direction; hops + 1 for any more."""
    source, target = edges["source"].to_numpy(), edges["target"].to_numpy()
    steps = np.full(count, hops + 1, dtype=np.int64)
    steps[node] = 0
    for step in range(1, hops + 1):
        reached = steps < step
        new = np.concatenate([target[reached[source]], source[reached[target]]])
        steps[new] = np.minimum(steps[new], step)
    return steps


def _plain_values(row: dict[str, object]) -> dict[str, object]:
    """Turn values into what XML writers know: bool, int, finite float or clean text; missing ones are left out."""
    plain: dict[str, object] = {}
    for name, value in row.items():
        if value is None or value is pd.NaT or (isinstance(value, float | np.floating) and not np.isfinite(value)):
            continue
        if isinstance(value, bool | np.bool_):
            plain[xml_text(name)] = bool(value)
        elif isinstance(value, int | np.integer):
            plain[xml_text(name)] = int(value)
        elif isinstance(value, float | np.floating):
            plain[xml_text(name)] = float(value)
        else:
            plain[xml_text(name)] = xml_text(value)
    return plain


def _unreserved(row: dict[str, object]) -> dict[str, object]:
    """Rename evidence whose name means something else in a graph file."""
    return _plain_values({f"input_{name}" if name in _RESERVED else name: value for name, value in row.items()})


def xml_text(text: object) -> str:
    """Replace what XML cannot hold.

    Examples
    --------
    >>> xml_text("a" + chr(0) + "b") == "a" + chr(0xFFFD) + "b"
    True
    """
    return _NO_XML.sub("\ufffd", str(text))


def graph_bytes(graph: DiGraph, kind: GraphFormat) -> bytes:
    """Write a graph as GraphML or GEXF.

    Parameters
    ----------
    graph : networkx.DiGraph
    kind : {"graphml", "gexf"}

    Returns
    -------
    bytes
        UTF-8.
    """
    import networkx

    sink = io.BytesIO()
    (networkx.write_graphml if kind == "graphml" else networkx.write_gexf)(graph, sink)
    return sink.getvalue()


def parquet_bytes(table: pd.DataFrame) -> bytes:
    """Write a table as Parquet."""
    sink = io.BytesIO()
    table.to_parquet(sink, index=False, compression="zstd")
    return sink.getvalue()
