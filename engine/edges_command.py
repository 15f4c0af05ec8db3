"""The command `edges`: interactions in, a directed edge table with its evidence out."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from engine.claims import MINIMUM_UNITS
from engine.errors import ConfigError, DataError
from engine.graph.events_config import SCHEMA, EventSettings
from engine.options import build_config, parse_pairs
from engine.tables import WRITTEN_ENDINGS, apply_roles, read_table, write_table

_WORDS = {
    "lift_of_both_directions": "who goes with whom (log lift of both directions)",
    "lift_difference": "difference between the log lifts of the directions",
    "time_order": "time order (U then V against V then U, beyond the calendar)",
    "popularity": "popularity (P(V|U) against P(U|V))",
    "direction_replicates": "edges whose time order shows in both halves",
    "same_direction": "of the edges with a time order in one half, the same in the other",
}


def add_edges(commands: Any) -> None:
    """Describe the command.

    Parameters
    ----------
    commands : argparse subparsers
    """
    edges = commands.add_parser("edges", help="make directed edges from events: U, then V on a later day")
    edges.add_argument("--data", required=True, metavar="EVENTS", help="CSV or Parquet with user, item, time")
    edges.add_argument("--out", required=True, metavar="EDGES", help=".csv, .csv.gz or .parquet")
    edges.add_argument("--nodes-out", metavar="NODES", help="node table: days and users of every item")
    edges.add_argument("--column", nargs="+", action="extend", default=[], metavar="ROLE=NAME", help="name own columns")
    edges.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="single settings")
    edges.set_defaults(command=_edges)


def _edges(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Write the edges, and the nodes if asked for, and print what replicates."""
    settings = build_config(EventSettings, parse_pairs(arguments.set, option="--set"))
    targets = {"--out": arguments.out, "--nodes-out": arguments.nodes_out}
    paths = {option: Path(name) for option, name in targets.items() if name is not None}
    for option, path in paths.items():
        if not path.name.endswith(WRITTEN_ENDINGS):
            raise ConfigError(f"'{option} {path}' has an unknown ending; allowed are {', '.join(WRITTEN_ENDINGS)}.")
    graph = importlib.import_module("engine.graph.events").event_graph(_read(arguments), settings)
    tables = {"--out": graph.edges, "--nodes-out": graph.nodes}
    for option, path in paths.items():
        try:
            write_table(tables[option], path)
        except OSError as error:
            reason = error.strerror or error
            raise ConfigError(f"'{option} {path}' cannot be written ({reason}); choose another path.") from error
        sys.stdout.write(f"{path}: {len(tables[option]):,} rows, columns {', '.join(tables[option].columns)}\n")
    sys.stdout.write(_report(graph.replication))


def _read(arguments: argparse.Namespace) -> pd.DataFrame:
    """Read the events with their columns named by role."""
    roles = parse_pairs(arguments.column, option="--column")
    known = [column.name for column in SCHEMA]
    for role, name in roles.items():
        if role not in known:
            raise DataError(f"'--column {role}={name}' names no role of events; they are {', '.join(known)}.")
    text = [roles.get(name, name) for name in ("user", "item")]
    return apply_roles(read_table(arguments.data, text=text), roles, source=Path(arguments.data).name)


def _report(replication: pd.DataFrame) -> str:
    """Say what two random halves of the users agree on, one line each."""
    lines = ["", "Two random halves of the users compared:"]
    for row in replication.itertuples():
        is_enough = row.n >= MINIMUM_UNITS
        value = "no value" if row.n == 0 else f"{row.value:.3g}"
        interval = f" [{row.ci_low:.3g}, {row.ci_high:.3g}]" if is_enough else ""
        lines.append(
            f"    {_WORDS[str(row.quantity)]}: {row.measure} {value}{interval}, by chance {row.by_chance:.3g}"
            f" · n {row.n:,} {row.n_unit}" + ("" if is_enough else ", too few for an interval")
        )
    return "\n".join(lines) + "\n"
