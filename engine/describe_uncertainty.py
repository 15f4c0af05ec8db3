"""The command `describe uncertainty`: how far given scores can be trusted, from data of any size."""

from __future__ import annotations

import argparse
import importlib
import json
import shlex
import sys
from collections.abc import Sequence

from threadpoolctl import threadpool_limits

from engine.data_name import checked_name, named
from engine.describe_command import add_source, located, opened
from engine.options import build_config, parse_pairs
from engine.runs import check_target, write_run


def add_uncertainty(kinds: argparse._SubParsersAction) -> None:
    """Describe the command.

    Parameters
    ----------
    kinds : argparse subparsers
    """
    parser = kinds.add_parser("uncertainty", help="whether given scores come true, and thresholds by uncertainty")
    add_source(parser)
    parser.add_argument(
        "--slices",
        nargs="*",
        metavar="NAME",
        help="columns to look at by value (default: every further column of text with at most 50 values)",
    )
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="single settings")
    parser.add_argument("--out", metavar="RUN_DIR", help="write a run that the dashboard opens")
    parser.add_argument("--json", action="store_true", help="print counts, metrics and claims as JSON")
    parser.set_defaults(command=run_describe)


def run_describe(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Check the data, place and judge thresholds on their counts, write the run and print what it says.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_uncertainty`.
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
    config = build_config(importlib.import_module("engine.uncertainty.config").UncertaintyConfig, settings)
    roles = parse_pairs(arguments.column, option="--column")
    folder = None if arguments.out is None else check_target(arguments.out)
    path, source = located(arguments, roles, "uncertainty")
    name = checked_name(arguments.called, arguments.data)
    # The backend has threads of its own; those below NumPy would only get in its way.
    with threadpool_limits(limits=1), opened(arguments, path, source) as table:
        result = importlib.import_module("engine.uncertainty.described").describe(
            table, roles, config, source=source, slices=arguments.slices
        )
    if folder is not None:
        write_run(named(result, name), folder, command=["python", "-m", "engine", *words])
    claims = result.curves["claims"]
    if arguments.json:
        found = {"source": source, "rows": dict(result.dataset.rows)}
        found |= {name: json.loads(t.to_json(orient="records")) for name, t in (("metrics", result.metrics),)}
        sys.stdout.write(json.dumps(found | {"claims": json.loads(claims.to_json(orient="records"))}, indent=2) + "\n")
        return
    summary = importlib.import_module("engine.uncertainty.summary")
    counts = " · ".join(f"{name} {count:,}" for name, count in result.dataset.rows.items())
    targets = sorted(result.curves["boundaries"]["target"].unique())
    middle = float(targets[len(targets) // 2])
    judged = {name: result.curves[name] for name in ("scorers", "verdicts")}
    said = summary.answer(result.metrics, result.curves["differences"], "given", middle, **judged)
    sys.stdout.write(f"{source} · {counts}\n\n{said}\n")
    if folder is not None:
        sys.stdout.write(f"\n{shlex.quote(str(folder))} is a run: the dashboard opens it.\n")
