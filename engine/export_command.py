"""The command `export`: embeddings or a neighbourhood of a directed-graph run for other tools."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.errors import ConfigError
from engine.runs import read_run

ENDINGS = (".parquet", ".graphml", ".gexf")


def add_export(commands: Any) -> None:
    """Describe the command.

    Parameters
    ----------
    commands : argparse subparsers
    """
    export = commands.add_parser("export", help="write embeddings or a neighbourhood for other tools")
    export.add_argument("run", metavar="RUN_DIR")
    export.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help=".parquet: both embeddings of all nodes with map and neighbours; .graphml or .gexf: around one node",
    )
    export.add_argument("--node", metavar="NAME", help="centre of the neighbourhood (.graphml, .gexf)")
    export.add_argument("--hops", type=int, help="steps around it (default 1)")
    export.set_defaults(command=_export)


def _export(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Write one file."""
    target = Path(arguments.out)
    if target.suffix not in ENDINGS:
        raise ConfigError(f"'--out {target}' has the ending '{target.suffix}'; allowed are {', '.join(ENDINGS)}.")
    is_table = target.suffix == ".parquet"
    if is_table and (arguments.node is not None or arguments.hops is not None):
        raise ConfigError("'--node' and '--hops' belong to .graphml and .gexf; a .parquet file holds all nodes.")
    if not is_table and arguments.node is None:
        raise ConfigError(f"'--node' is missing; a {target.suffix} file holds the neighbourhood of one node. Name it.")
    module = importlib.import_module("engine.graph.export")
    run = read_run(arguments.run)
    if is_table:
        table = module.embedding_table(run)
        content = module.parquet_bytes(table)
        said = f"{len(table):,} rows, one per node and role, columns {', '.join(table.columns)}"
    else:
        node = module.node_position(module.opened_scene(run), arguments.node)
        graph = module.neighbourhood_graph(run, node, hops=1 if arguments.hops is None else arguments.hops)
        content = module.graph_bytes(graph, target.suffix.removeprefix("."))
        said = f"{graph.number_of_nodes():,} nodes, {graph.number_of_edges():,} edges"
    _write(content, target)
    sys.stdout.write(f"{target}: {said}\n")


def _write(content: bytes, target: Path) -> None:
    """Write beside the target and move there, so that no half of it can be left behind."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.stem}-", dir=target.parent) as scratch:
            partial = Path(scratch) / target.name
            partial.write_bytes(content)
            os.replace(partial, target)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"'--out {target}' cannot be written ({reason}); choose another path.") from error
