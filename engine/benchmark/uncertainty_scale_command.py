"""The command `benchmark uncertainty-scale`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from engine.benchmark.command_line import output_folder, progress_bar, work_folder
from engine.errors import ConfigError

_LEAST_ROWS = 10_000


def add_uncertainty_scale(kinds: argparse._SubParsersAction) -> None:
    """Describe the command.

    Parameters
    ----------
    kinds : argparse subparsers
    """
    parser = kinds.add_parser("uncertainty-scale", help="time and memory of describing given scores by their number")
    parser.add_argument("--rows", nargs="+", type=int, default=[], metavar="N", help="sizes (default 1 M to 100 M)")
    parser.add_argument("--peer-rows", type=int, metavar="N", help="largest size for others, in memory (default 10 M)")
    parser.add_argument("--work", metavar="DIR", help="keep the simulated scores there (default: thrown away)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the scores (default 0)")
    parser.add_argument("--out", default="benchmark", metavar="DIR", help="folder of the results")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=run_scale)


def run_scale(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Measure how time and memory grow, write ``uncertainty_scale.csv`` and print it.

    Parameters
    ----------
    arguments : Namespace
        As described by `add_uncertainty_scale`.
    words : sequence of str
        The command line; not read.

    Raises
    ------
    ConfigError
        If an option is out of range.
    """
    scale = importlib.import_module("engine.benchmark.uncertainty_scale")
    sizes = arguments.rows or scale.ROWS
    if min(sizes) < _LEAST_ROWS:
        raise ConfigError(f"'--rows' is {min(sizes)}; it must be at least {_LEAST_ROWS:,}.")
    folder = output_folder(arguments.out)
    with work_folder(arguments.work) as work, progress_bar() as progress:
        task = progress.add_task("", total=None)
        table = scale.measure_all(
            sizes,
            work=work,
            peer_rows=scale.PEER_ROWS if arguments.peer_rows is None else arguments.peer_rows,
            seed=arguments.seed,
            on_step=lambda what: progress.update(task, description=what),
        )
    table.to_csv(folder / "uncertainty_scale.csv", index=False, float_format="%.4g")
    text = scale.text_of(table, scale.growth(table))
    sys.stdout.write((table.to_json(orient="records") if arguments.json else text) + "\n")
