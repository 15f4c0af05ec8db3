"""The command `inspect`: what a description or a training of own data would meet, before it starts."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any

from engine.options import parse_pairs
from engine.result import KINDS


def add_inspect(commands: Any) -> None:
    """Describe the command.

    Parameters
    ----------
    commands : argparse subparsers
    """
    inspect = commands.add_parser("inspect", help="look at own data before anything is trained")
    inspect.add_argument("kind", choices=KINDS)
    inspect.add_argument(
        "--data",
        required=True,
        metavar="NAME|PATH",
        help="bundled name, CSV, Parquet file, folder or pattern, or DuckDB file",
    )
    inspect.add_argument("--form", help="graph: edges, events; delay: exposures; uncertainty: rows, scores")
    inspect.add_argument("--table", metavar="NAME", help="table of a DuckDB file")
    inspect.add_argument(
        "--column", nargs="+", action="extend", default=[], metavar="ROLE=NAME", help="name own columns"
    )
    inspect.add_argument(
        "--merge-repeats", action="store_true", help="what a training meets that merges repeated edges (graph)"
    )
    inspect.add_argument("--backend", default="duckdb", help="duckdb, or a Spark master: spark://…, local[2]")
    inspect.add_argument("--json", action="store_true", help="print the inspection as JSON")
    inspect.set_defaults(command=_inspect)


def _inspect(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Inspect and print."""
    roles = parse_pairs(arguments.column, option="--column")
    path, _ = importlib.import_module("engine.describe_command").source_of(arguments.data, roles, arguments.kind)
    report = importlib.import_module("engine.inspection.report")
    found = report.inspect(
        path,
        arguments.kind,
        form=arguments.form,
        roles=roles or None,
        table=arguments.table,
        backend=arguments.backend,
        merge_repeats=arguments.merge_repeats,
    )
    text = importlib.import_module("engine.inspection.text")
    sys.stdout.write(f"{found.to_json()}\n" if arguments.json else text.text_of(found))
