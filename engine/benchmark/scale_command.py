"""The command `benchmark scale`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from engine.benchmark.command_line import output_folder, progress_bar, work_folder
from engine.errors import ConfigError
from engine.result import KINDS

LEAST_ROWS = 10_000


def add_scale(kinds: argparse._SubParsersAction) -> None:
    """Describe the command."""
    parser = kinds.add_parser("scale", help="time and memory of the aggregates by the number of rows")
    parser.add_argument("--rows", nargs="+", type=count, default=[], metavar="N", help="sizes (default 1e6 to 1e8)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="default all")
    parser.add_argument(
        "--memory-gib", type=float, metavar="GIB", help="most memory of a tool (default half of this machine's)"
    )
    parser.add_argument("--seconds", type=float, default=900, help="most time of a tool and size (default 900)")
    parser.add_argument("--work", metavar="DIR", help="keep the simulated data there (default: thrown away)")
    parser.add_argument(
        "--peers",
        default=sys.executable,
        metavar="PYTHON",
        help="interpreter of the environment with the survival libraries (default: this one)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the data (default 0)")
    parser.add_argument("--out", default="benchmark", metavar="DIR", help="folder of the results")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=run_scale)


def count(text: str) -> int:
    """Read a number of rows, also as ``1e6``.

    Raises
    ------
    ValueError
        If it is not whole.
    """
    number = float(text)
    if not number.is_integer():
        raise ValueError(text)
    return int(number)


def run_scale(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Measure how time and memory grow, write ``scale.csv`` after every size, and print it.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_scale`.
    words : sequence of str
        The command line; not read.

    Raises
    ------
    ConfigError
        If an option is out of range.
    """
    scale = importlib.import_module("engine.benchmark.scale")
    limited = importlib.import_module("engine.benchmark.limited")
    sizes = arguments.rows or scale.ROWS
    if min(sizes) < LEAST_ROWS:
        raise ConfigError(f"'--rows' is {min(sizes):,}; it must be at least {LEAST_ROWS:,}.")
    memory = arguments.memory_gib
    if memory is None:
        memory = scale.machine()["memory_gib"] / 2
    for option, value in (("--memory-gib", memory), ("--seconds", arguments.seconds)):
        if not value > 0:
            raise ConfigError(f"'{option}' is {value:g}; it must be above 0.")
    stored = output_folder(arguments.out) / "scale.csv"
    with work_folder(arguments.work) as work, progress_bar() as progress:
        task = progress.add_task("", total=None)
        plan = scale.Plan(
            work=work,
            keep=arguments.work is not None,
            limits=limited.Limits(memory_gib=memory, seconds=arguments.seconds),
            python=arguments.peers,
            seed=arguments.seed,
            on_step=lambda what: progress.update(task, description=what),
            on_size=lambda table: table.to_csv(stored, index=False, float_format="%.4g"),
        )
        table = scale.measure_all(arguments.kinds, sizes, plan)
    sys.stdout.write((table.to_json(orient="records") if arguments.json else scale.text_of(table)) + "\n")
