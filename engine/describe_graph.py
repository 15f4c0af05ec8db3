"""The command `describe graph`: how far a graph points one way, from edges or events of any size."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from engine.data_name import checked_name, named
from engine.datasets import BUNDLED, SAMPLE_DATA
from engine.describe_command import add_source, located, opened
from engine.errors import DataError
from engine.options import build_config, parse_pairs
from engine.result import DatasetInfo, Origin
from engine.runs import check_target, write_run

_PRINTED = ("one_way_by_degree", "degree_quantiles", "leaning", "listed_pairs", "listed_nodes")


def add_graph(kinds: argparse._SubParsersAction) -> None:
    """Describe the command.

    Parameters
    ----------
    kinds : argparse subparsers
    """
    parser = kinds.add_parser("graph", help="how far edges, or events, point one way")
    add_source(parser)
    parser.add_argument("--nodes", metavar="PATH", help="node table: node[, label, category]")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="single settings")
    parser.add_argument("--out", metavar="RUN_DIR", help="write a run that the dashboard opens")
    parser.add_argument("--json", action="store_true", help="print the tables as JSON")
    parser.set_defaults(command=run_describe)


def run_describe(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Check the data, run the aggregates, write the run and print what it says.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_graph`.
    words : sequence of str
        The command line, kept with the run.

    Raises
    ------
    ConfigError
        If a setting is out of range.
    DataError
        If the data cannot be read or a value is not allowed.
    RunError
        If the run cannot be written.
    """
    settings = parse_pairs(arguments.set, option="--set")
    config = build_config(importlib.import_module("engine.graph.described_config").DescribeSettings, settings)
    roles = parse_pairs(arguments.column, option="--column")
    folder = None if arguments.out is None else check_target(arguments.out)
    path, source = located(arguments, roles, "graph")
    name = checked_name(arguments.called, arguments.data)
    with contextlib.ExitStack() as stack:
        # The backend has threads of its own; those below NumPy would only get in its way.
        stack.enter_context(threadpool_limits(limits=1))
        table = stack.enter_context(opened(arguments, path, source))
        if table.get_backend().name == "duckdb":  # No count depends on the order of the rows.
            table.get_backend().raw_sql("SET preserve_insertion_order = false")
        nodes = _nodes(arguments, stack)
        result = importlib.import_module("engine.graph.described").describe(
            table, roles, config, info=_info(arguments.data, source, table.columns), nodes=nodes
        )
    if folder is not None:
        write_run(named(result, name), folder, command=["python", "-m", "engine", *words])
    if arguments.json:
        sys.stdout.write(json.dumps(_as_json(source, result), indent=2) + "\n")
        return
    counts = " · ".join(f"{name} {count:,}" for name, count in result.dataset.rows.items() if count)
    said = "\n".join(result.curves["verdicts"]["sentence"])
    sys.stdout.write(f"{source} · {counts}\n\n{said}\n\n{_by_degree(result.curves['one_way_by_degree'])}\n")
    if folder is not None:
        sys.stdout.write(f"\n{shlex.quote(str(folder))} is a run: the dashboard opens it.\n")


def _nodes(arguments: argparse.Namespace, stack: contextlib.ExitStack) -> Any | None:
    """Open the node table: the one that was named, or that of bundled data."""
    bundled = BUNDLED.get(arguments.data)
    if bundled is not None and arguments.nodes is not None:
        raise DataError(f"'--data {arguments.data}' is bundled and has its node table; leave out --nodes.")
    file = arguments.nodes if bundled is None else bundled.nodes
    if file is None:
        return None
    path = Path(file) if bundled is None else SAMPLE_DATA / file
    own = argparse.Namespace(**{**vars(arguments), "table": None})
    return stack.enter_context(opened(own, path, path.name))


def _info(data: str, source: str, columns: Sequence[str]) -> DatasetInfo:
    """Say where the data come from; the id follows from the content."""
    bundled = BUNDLED.get(data)
    if bundled is not None:
        return DatasetInfo(name=data, origin=bundled.origin, data_id="", description=bundled.description)
    origin: Origin = "simulated" if any(str(name).startswith("true_") for name in columns) else "own"
    return DatasetInfo(name=source, origin=origin, data_id="", description="")


def _as_json(source: str, result: Any) -> dict[str, Any]:
    """Return what was found as plain values."""
    curves: Mapping[str, pd.DataFrame] = result.curves
    facts = json.loads(curves["described"].to_json(orient="records", double_precision=15))[0]
    found = {"source": source, "rows": dict(result.dataset.rows), "facts": facts}
    found |= {"sentences": list(curves["verdicts"]["sentence"])}
    names = (*_PRINTED, *(("replication",) if "replication" in curves else ()))
    return found | {name: json.loads(curves[name].to_json(orient="records", double_precision=15)) for name in names}


def _by_degree(table: pd.DataFrame) -> str:
    """Lay out the share of one-way edges by out-degree of the source."""
    lines = ["One-way edges by the out-degree of their source (by the degrees alone):"]
    for row in table[table["degree"] == "out_degree"].itertuples():
        interval = "" if pd.isna(row.ci_low) else f" [{row.ci_low:.3f}, {row.ci_high:.3f}]"
        value = "no edge" if row.n == 0 else f"{row.value:.3f}{interval} ({row.expected:.3f})"
        lines.append(f"    {row.bucket:>13}  {value} · n {row.n:,} edges, {row.nodes:,} nodes")
    return "\n".join(lines)
