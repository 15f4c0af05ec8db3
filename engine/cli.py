"""The command line: `datasets, train, show, simulate, policy, edges, export, describe, inspect, benchmark`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from engine.cancel import cancellable
from engine.datasets import BUNDLED, DEFAULT
from engine.errors import ConfigError, EngineError, TrainingError
from engine.options import build_config, parse_pairs
from engine.result import KINDS
from engine.show_command import add_show
from engine.tables import write_table
from engine.train_command import CONFIGS, add_train

__all__ = ["CONFIGS", "main"]


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence, and which takes options in full only."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**({"allow_abbrev": False} | changes))

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[:1].upper()}{message[1:]}; see --help.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Words after ``python -m engine``; those of the process if absent.

    Returns
    -------
    int
        0 done; 2 bad input or option (one sentence on standard error); 1 training failed, or a fault of this
        program; 130 cancelled.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with cancellable():
            arguments = _parser().parse_args(words)
            arguments.command(arguments, words)
            sys.stdout.flush()
    except TrainingError as error:
        return _fail(f"Training failed: {error}", 1)
    except EngineError as error:
        return _fail(f"Error: {error}", 2)
    except KeyboardInterrupt as error:
        is_alone = os.environ.get("WORLD_SIZE", "1") == "1"
        kept = "nothing unfinished was kept." if is_alone and not str(error) else f"no run was written. {error}".strip()
        return _fail(f"Cancelled{'' if is_alone else ', or another worker ended'}; {kept}", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        traceback.print_exc()
        what = (str(error).strip().splitlines() or ["no message"])[0]
        return _fail(f"Error: This is a fault of the program, not of the input: {type(error).__name__}: {what}", 1)
    return 0


def _fail(sentence: str, code: int) -> int:
    """Say why on standard error and return the exit code; of several workers with one bad input the first says it."""
    if code != 2 or os.environ.get("RANK", "0") == "0":
        sys.stderr.write(f"{sentence}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    parser = _Parser(prog="python -m engine", description="Train, judge and explain small recommenders.")
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND", parser_class=_Parser)

    datasets = commands.add_parser("datasets", help="list the bundled data")
    datasets.add_argument("--json", action="store_true", help="print JSON")
    datasets.set_defaults(command=_datasets)

    add_train(commands)
    add_show(commands)
    simulate = commands.add_parser("simulate", help="write simulated data with known truth")
    simulate.add_argument("kind", choices=KINDS)
    simulate.add_argument("--rows", type=int, required=True, help="edges, exposures or rows")
    simulate.add_argument("--out", required=True, metavar="PATH", help=".csv or .parquet")
    simulate.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="knobs, seed too")
    simulate.set_defaults(command=_simulate)

    importlib.import_module("engine.export_command").add_export(commands)
    importlib.import_module("engine.policy_command").add_policy(commands)
    importlib.import_module("engine.edges_command").add_edges(commands)
    importlib.import_module("engine.describe_command").add_describe(commands)
    importlib.import_module("engine.inspect_command").add_inspect(commands)
    importlib.import_module("engine.benchmark.command").add_benchmark(commands)
    return parser


def _datasets(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Print the bundled data."""
    if arguments.json:
        rows = [
            {"name": b.name, "kind": b.kind, "title": b.title, "origin": b.origin, "description": b.description}
            for b in BUNDLED.values()
        ]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return
    for bundled in BUNDLED.values():
        mark = " (default)" if DEFAULT[bundled.kind] == bundled.name else ""
        sys.stdout.write(f"{bundled.name:20} {bundled.kind:12} {bundled.origin}{mark}\n    {bundled.description}\n")


def _simulate(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Write simulated rows; a graph gets its node table beside it."""
    target = Path(arguments.out)
    if target.suffix not in (".csv", ".parquet"):
        raise ConfigError(f"'--out {target}' has the ending '{target.suffix}'; allowed are .csv and .parquet.")
    if arguments.rows < 1:
        raise ConfigError(f"'--rows' is {arguments.rows}; it must be at least 1.")
    module = importlib.import_module(f"engine.{arguments.kind}.simulate")
    config = build_config(module.SimulationConfig, parse_pairs(arguments.set, option="--set"))
    tables = {target: module.simulate(arguments.rows, config)}
    if arguments.kind == "graph":
        nodes = target.with_name(f"{target.stem}_nodes{target.suffix}")
        tables[nodes] = module.simulate_nodes(arguments.rows, config)
    for path, frame in tables.items():
        try:
            write_table(frame, path)
        except OSError as error:
            reason = error.strerror or error
            raise ConfigError(f"'--out {path}' cannot be written ({reason}); choose another path.") from error
        sys.stdout.write(f"{path}: {len(frame):,} rows, columns {', '.join(frame.columns)}\n")
